"""The formats of `--report`: to add one, write a module for it with a function `write`, and a line in `FORMATS`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from proof.core.errors import ProofError

if TYPE_CHECKING:
    from proof.runs.result import Result


@dataclass(frozen=True)
class FinishedRun:
    """What a report is made of."""

    results: Sequence[Result]
    problems: Sequence[ProofError]  # of pages
    pages: Sequence[Path]
    seconds: float
    root: Path  # of the project
    screen: IO[str]  # where the run prints


# By module: what `--report` takes, and what that means.
FORMATS = {
    "github": ("github", "annotations, and a summary in $GITHUB_STEP_SUMMARY"),
    "junit": ("junit=FILE", "JUnit XML"),
}


def write(run: FinishedRun, name: str, file: str) -> None:
    """Write the report of this name, to `file` if its format takes one."""
    importlib.import_module(f"proof.reports.{name}").write(run, file)
