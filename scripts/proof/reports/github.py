"""GitHub Actions: annotations at the lines concerned, and a job summary.

GitHub takes a line that begins with `::` for a command, and so `##[…]` anywhere in a line. Untrusted text is escaped
in the way that GitHub reverses (actions/runner, src/Runner.Common/ActionCommand.cs).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from proof.captures.diff import format_fact
from proof.core.errors import ProofError, Where
from proof.core.text import plain
from proof.pages.document import page_text
from proof.reports import changes
from proof.runs.result import CODES, Result

_SUMMARY_CAP = 1_000_000  # bytes; GitHub drops a summary of over 1 MiB
_LINES = 12  # of one annotation


@dataclass(frozen=True)
class Annotation:
    """One message at one line of a file."""

    level: Literal["error", "warning"]
    where: Where
    title: str
    text: str

    def command(self, root: Path) -> str:
        """The workflow command that prints this annotation, with its path relative to `root`."""
        path = Path(os.path.realpath(self.where.path))
        file = path.relative_to(root.resolve()).as_posix() if path.is_relative_to(root.resolve()) else path.name
        line = f",line={self.where.line}" if self.where.line else ""
        return f"::{self.level} file={_property(file)}{line},title={_property(self.title)}::{_data(self.text)}"


def report(
    results: Sequence[Result], problems: Sequence[ProofError], *, root: Path, pages: Sequence[Path], file: IO[str]
) -> None:
    """Print the annotations to `file`, and append the summary to $GITHUB_STEP_SUMMARY, if set."""
    base = Path(os.environ.get("GITHUB_WORKSPACE") or root)
    for annotation in remarks(results, problems, pages):
        print(annotation.command(base), file=file)
    if name := os.environ.get("GITHUB_STEP_SUMMARY"):
        text = changes.summary(results, problems).encode()[:_SUMMARY_CAP].decode("utf-8", "ignore")
        with Path(name).open("a", encoding="utf-8") as summary:
            summary.write(text)


def remarks(results: Sequence[Result], problems: Sequence[ProofError], pages: Sequence[Path]) -> Iterator[Annotation]:
    """The annotations: problems at lines of manifests, then lines of `pages` that state facts that have drifted."""
    for result in results:
        if result.verdict in ("accurate", "written"):
            continue
        level: Literal["error", "warning"] = "error" if CODES[result.verdict] in (1, 2) else "warning"
        title = f"{result.snippet.name}: {result.verdict}"
        if result.error:
            yield Annotation(level, result.error.where or result.snippet.where, title, _brief(str(result.error)))
        steps = {str(step): step.where for step in result.snippet.steps}
        told: dict[str, tuple[Where, list[str]]] = {}
        for difference in result.differences:
            where = steps.get(difference.what.removesuffix(" exit"), result.snippet.where)
            told.setdefault(str(where), (where, []))[1].extend([difference.what, *difference.lines])
        because = [f"because {change}" for change in result.changes]
        if because and not told:  # the inputs changed, but the result did not
            told[""] = (result.snippet.where, [])
        for where, texts in told.values():
            yield Annotation(level, where, title, _brief("\n".join([*because, *texts])))
    for problem in problems:
        if problem.where:
            yield Annotation("error", problem.where, problem.what, _brief(problem.evidence or problem.what))
    drifted = [result for result in results if result.verdict == "drift"]
    for snippet, name, old, new in changes.changed(drifted):
        fact = f"{snippet}.{name}"
        for where in _stating(fact, pages):
            text = f"This line states {fact}, which was {format_fact(old)} and is now {format_fact(new)}."
            yield Annotation("warning", where, fact, text)


def _stating(fact: str, pages: Sequence[Path]) -> Iterator[Where]:
    # A placeholder holds no other: else each `{{` would be compared with the rest of its line.
    pattern = re.compile(rf"\{{\{{[^{{}}]*(?<![\w.]){re.escape(fact)}(?![\w.])")
    for page in pages:
        for number, line in enumerate(page_text(page.parent, page).split("\n"), start=1):
            if pattern.search(line):
                yield Where(page, number)


def _brief(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:_LINES], *(["…"] if len(lines) > _LINES else [])])


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
