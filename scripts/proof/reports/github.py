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
from typing import Literal

from proof.captures.diff import format_fact
from proof.core.errors import Where
from proof.core.text import plain
from proof.pages.document import page_text
from proof.reports import changes
from proof.reports.formats import FinishedRun
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


def write(run: FinishedRun, _: str = "") -> None:
    """Print the annotations, and append the summary to $GITHUB_STEP_SUMMARY, if set."""
    base = Path(os.environ.get("GITHUB_WORKSPACE") or run.root)
    for annotation in _annotations(run):
        print(annotation.command(base), file=run.screen)
    if name := os.environ.get("GITHUB_STEP_SUMMARY"):
        text = changes.summary(run.results, run.problems).encode()[:_SUMMARY_CAP].decode("utf-8", "ignore")
        with Path(name).open("a", encoding="utf-8") as summary:
            summary.write(text)


def _annotations(run: FinishedRun) -> Iterator[Annotation]:
    """Problems at lines of manifests and pages, then lines of pages that state facts that have drifted."""
    for result in run.results:
        if result.verdict not in ("accurate", "written"):
            yield from _of_result(result)
    for problem in run.problems:
        if problem.where:
            yield Annotation("error", problem.where, problem.what, _brief(problem.evidence or problem.what))
    for snippet, name, old, new in changes.changed([r for r in run.results if r.verdict == "drift"]):
        fact = f"{snippet}.{name}"
        for where in _stating(fact, run.pages):
            text = f"This line states {fact}, which was {format_fact(old)} and is now {format_fact(new)}."
            yield Annotation("warning", where, fact, text)


def _of_result(result: Result) -> Iterator[Annotation]:
    """Its error, and an annotation for each line of the manifest whose step differs."""
    level: Literal["error", "warning"] = "error" if CODES[result.verdict] in (1, 2) else "warning"
    title, whole = f"{result.snippet.name}: {result.verdict}", result.snippet.where
    if result.error:
        yield Annotation(level, result.error.where or whole, title, _brief(str(result.error)))
    because = [f"because {change}" for change in result.changes]
    steps = {str(step): step.where for step in result.snippet.steps}
    texts: dict[Where, list[str]] = {}
    for difference in result.differences:
        where = steps.get(difference.what.removesuffix(" exit"), whole)
        texts.setdefault(where, [*because]).extend([difference.what, *difference.lines])
    if because and not texts:  # the inputs changed, but the result did not
        texts[whole] = because
    for where, lines in texts.items():
        yield Annotation(level, where, title, _brief("\n".join(lines)))


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
