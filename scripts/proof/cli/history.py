"""`proof history`: how a number moved from one committed capture to the next."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from proof.cli.options import Verbs, project_root, snippet_names
from proof.core.errors import UsageError

if TYPE_CHECKING:
    from proof.core.units import Scalar
    from proof.system.revision import Version


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "history",
        help="say how a number moved",
        description="Say how a measured number moved over the commits of its capture. It needs git, and a clone with "
        "all commits.",
    )
    name = parser.add_argument("name", metavar="NAME", help="a fact, like single.size")
    name.completer = snippet_names  # type: ignore[attr-defined]  # as argcomplete looks for it
    parser.add_argument("--json", action="store_true", help="print every commit as JSON")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.captures.index import Captures
    from proof.captures.store import RECORD
    from proof.core.text import plain
    from proof.facts import book
    from proof.facts.values import Value
    from proof.reports.json_report import dump
    from proof.system import revision

    root = project_root(parsed)
    known = book.load(root / "snippets")
    fact = known.get(parsed.name)
    owner, _, name = parsed.name.partition(".")
    captures = known.captures
    if fact is None or fact.capture is None or name not in fact.capture.facts or not isinstance(captures, Captures):
        raise UsageError(f"'{parsed.name:.110}' is no measured fact", hint="proof facts lists all facts")
    snippet, all_of = captures.of(owner).snippet, captures.of(owner).all
    place = next(place for place, capture in all_of.items() if capture == fact.capture)
    versions, complete = revision.history(root, place.folder(snippet.folder, snippet.variant) / RECORD)
    values = list(_values(versions, name))
    if parsed.json:
        commits = [{"commit": each.commit, "date": each.day, "value": value} for each, value in values]
        print(dump({"schema": 1, "name": fact.name, "unit": fact.unit, "complete": complete, "commits": commits}))  # noqa: T201 - JSON
        return 0
    print(f"{fact.name}, as captured in {place}:")  # noqa: T201 - our own text
    for value, (first, last, count) in _runs(values):
        text = f"{Value(value, fact.unit)}  {value:,} B" if fact.unit == "B" else str(Value(value, fact.unit))
        since = "" if count == 1 else f"  the same in {count} commits, the last on {last.day}"
        print(plain(f"{first.day}  {first.commit}  {text}{since}"))  # noqa: T201 - made plain
    if not complete:
        print("This clone is shallow, so older commits are missing: git fetch --unshallow")  # noqa: T201 - our own text
    return 0


def _values(versions: Iterable[Version], name: str) -> Iterator[tuple[Version, Scalar]]:
    """Each version that has the fact, with its value. Older ones may have had another form."""
    for version in versions:
        try:
            value = json.loads(version.content)["facts"][name]["value"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            yield version, value


def _runs(values: Iterable[tuple[Version, Scalar]]) -> Iterator[tuple[Scalar, tuple[Version, Version, int]]]:
    """Each value, with the first and the last version in a row that have it, and their number."""
    for value, group in groupby(values, lambda each: each[1]):
        versions = [version for version, _ in group]
        yield value, (versions[0], versions[-1], len(versions))
