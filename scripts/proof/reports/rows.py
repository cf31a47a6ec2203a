"""What a report says about one result, in the same words everywhere. How that looks is up to each format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from proof.core import units
from proof.runs.result import Result

Kind = Literal["because", "what", "old", "new", "more", "error"]

_DIFFERENCES = 100  # of a snippet; all are in the JSON


def headline(result: Result) -> str:
    """In one line, why a result is not accurate."""
    if result.error:
        return result.error.what
    if not result.differences:
        return "; ".join(map(str, result.changes))
    first, *more = result.differences
    return f"{first.what}: {first.old} → {first.new}" + (f", and {len(more)} more" if more else "")


def rows(result: Result) -> Iterator[tuple[Kind, str]]:
    """All that there is to say besides the verdict, line by line: the causes, each difference, and the error."""
    for change in result.changes:
        yield "because", f"because {change}"
    for difference in result.differences[:_DIFFERENCES]:
        yield "what", f"{difference.where}: {difference.what}"
        for line in difference.lines:
            yield "old" if line.startswith("-") else "new", f"  {line}"
    if (more := len(result.differences) - _DIFFERENCES) > 0:
        yield "more", f"and {units.counted(more, 'more difference')}"
    for line in str(result.error).splitlines() if result.error else ():
        yield "error", line
