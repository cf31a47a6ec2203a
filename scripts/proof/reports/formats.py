"""The formats of `--report`: to add one, write a module for it and a line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from proof.core.errors import ProofError

if TYPE_CHECKING:
    from proof.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What a report is made of."""

    root: Path  # of the project
    results: Sequence[Result]
    problems: Sequence[ProofError]  # of pages
    pages: Sequence[Path]
    seconds: float
    screen: IO[str]  # where the run prints


@dataclass(frozen=True)
class Format:
    """One kind of report."""

    name: str
    help: str
    write: Callable[[FinishedRun, str], None]  # takes the run, and the file's path or an empty string
    to_file: bool = False

    @property
    def usage(self) -> str:
        """The value of `--report` that asks for it."""
        return f"{self.name}=FILE" if self.to_file else self.name


def _github(run: FinishedRun, _: str) -> None:
    from proof.reports import github

    github.report(run.results, run.problems, root=run.root, pages=run.pages, file=run.screen)


def _junit(run: FinishedRun, file: str) -> None:
    from proof.reports import junit

    junit.write(Path(file), run.results, run.problems, root=run.root, seconds=run.seconds)


FORMATS = {
    known.name: known
    for known in (
        Format("github", "annotations, and a summary in $GITHUB_STEP_SUMMARY", _github),
        Format("junit", "JUnit XML", _junit, to_file=True),
    )
}
