"""Errors that stop the build of a site, whichever generator runs it."""

from __future__ import annotations

import sys
from typing import IO, Any

from click import ClickException

from proof.captures.staleness import StaleError
from proof.core import errors
from proof.core.text import plain


class StopBuildError(errors.UsageError, ClickException):
    """Stops the site build: MkDocs prints a ClickException without a traceback and exits with its code."""

    exit_code = errors.UsageError.code

    def __init__(self, error: errors.ProofError) -> None:
        errors.ProofError.__init__(self, error.what, where=error.where, evidence=error.evidence, hint=error.hint)
        self.also = error.also

    def show(self, file: IO[Any] | None = None) -> None:
        """Called by MkDocs, which has already logged the whole message."""
        print(plain(f"The build stops at {self.where or 'this page'}."), file=file or sys.stderr)


class DriftStopsBuildError(StopBuildError):
    """Stops the site build because a page does not show what was measured: a false claim, or a stale capture."""

    code = exit_code = StaleError.code

    def show(self, file: IO[Any] | None = None) -> None:
        """Called by MkDocs, which ends with code 1 for errors of its own too: scripts/site looks for this line."""
        super().show(file)
        print("The page does not show what was measured.", file=file or sys.stderr)


def stopping(error: errors.ProofError) -> StopBuildError:
    """The same error as an exception that stops the site build."""
    if isinstance(error, StopBuildError):
        return error
    return (DriftStopsBuildError if error.code == StaleError.code else StopBuildError)(error)
