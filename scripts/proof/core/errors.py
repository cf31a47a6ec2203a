"""Every failure the tool can name: where it is, what it is, the evidence, and the command that cures it.

Raise these anywhere; only `cli.main` turns them into an exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof.core.text import plain


@dataclass(frozen=True)
class Where:
    """A place a reader can open: prints as `path:line`, the path relative to the working directory."""

    path: Path
    line: int | None = None  # counted from 1

    def __str__(self) -> str:
        try:
            # Not of the file itself: what is said of a link is said of where it stands, and it may lead to itself.
            path = Path(os.path.realpath(self.path.parent), self.path.name).relative_to(Path.cwd())
        except ValueError:
            path = self.path
        return f"{path}:{self.line}" if self.line else str(path)


class ProofError(Exception):
    """Base of the tree. `code` is the exit code that `cli.main` returns for it."""

    code = 1

    def __init__(self, what: str, *, where: Where | None = None, evidence: str = "", hint: str = "") -> None:
        self.what, self.where, self.evidence, self.hint = what, where, evidence, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        lines += [f"    | {line}" for line in self.evidence.splitlines()]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return plain("\n".join(lines))


class UsageError(ProofError):
    """Wrong use: a command line, a manifest or a page that cannot be right."""

    code = 2


class ManifestError(UsageError):
    """snippet.toml or bases.toml says something that cannot be run."""


class RefusedError(UsageError):
    """A command or a Dockerfile asks for something that is never run, whatever the engine."""


class PageError(UsageError):
    """A page names a fact, a transcript or a file that does not exist."""


class CannotMeasureError(ProofError):
    """The engine, a package, the disk or the clock failed: nothing is known about the numbers."""

    code = 3


class NoEngineError(CannotMeasureError):
    """No container engine can be had here."""


class EngineLostError(CannotMeasureError):
    """The engine stopped answering."""


class RegistryAwayError(CannotMeasureError):
    """A registry limits, or is away: another image of it would fare no better."""


class DeadlineError(CannotMeasureError):
    """A command ran longer than it may."""


class PackageError(CannotMeasureError):
    """A package of a rebuilt base could not be fetched, or is not the pinned one."""


class AnotherBasisError(ProofError):
    """Two numbers of different bases were about to be compared."""

    code = 4


def exit_code_of(problems: Sequence[ProofError]) -> int:
    """The exit code that these come to: the highest, and 0 for none."""
    return max((problem.code for problem in problems), default=0)


def print_error(text: str) -> None:
    """Write to the error output: the one way there for text that may come from outside."""
    sys.stderr.write(f"{plain(text)}\n")


def print_crash(*crash: Any) -> None:
    """What Python is told to do with an error that nobody foresaw: its message may hold text from outside too."""
    import traceback  # only where something is broken

    print_error("".join(traceback.format_exception(*crash)).rstrip())
