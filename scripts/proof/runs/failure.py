"""Says why a step did not do what its manifest declares, and keeps all of its output."""

from __future__ import annotations

import contextlib
from pathlib import Path

from proof.captures import buildkit_log
from proof.captures.diff import Difference
from proof.core.errors import ProofError, UsageError, Where
from proof.core.files import write_whole
from proof.core.folder_cache import name_of
from proof.core.text import plain
from proof.runs.execute import StepRun
from proof.snippets.model import Snippet

_SHOWN = 12  # lines of output in a message
_LONGEST = 1_000  # characters of a line in a message


class NotAsDeclaredError(ProofError):
    """A step did not exit as its manifest declares, or did not print what it declares or a fact is read from."""

    def __init__(self, difference: Difference, step: StepRun | None = None) -> None:
        self.difference = difference
        self.step = step  # None if a fact is missing
        super().__init__(difference.what)


class FailedError(UsageError):
    """The same of a snippet that was never captured: nothing has drifted, the snippet or its manifest is wrong."""


def why(wrong: StepRun) -> str:
    """The lines of the output that say why a step went wrong.

    Of a build that is what the failing instruction printed: the log ends with an excerpt of the Dockerfile instead.
    """
    found = _in_build(wrong)
    lines = list(found.printed) if found else wrong.output.rstrip().splitlines()
    before, after = ([found.title], [found.error]) if found else ([], [])
    more = [f"⋮ {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
    return "\n".join(line[:_LONGEST] for line in (*before, *more, *lines[-_SHOWN:], *after))


def keep(wrong: StepRun, root: Path, cache: Path) -> str:
    """Keep all that a step of the project `root` printed, and return a line that says where. Empty if that fails."""
    file = cache / "logs" / name_of(root) / f"{wrong.step.snippet}-{wrong.step.name}.log"
    with contextlib.suppress(OSError):  # a full disk, say, which is not what went wrong
        write_whole(file, plain(wrong.output))
        return f"all of its output: {file}"
    return ""


def never_captured(snippet: Snippet, error: NotAsDeclaredError, difference: Difference) -> FailedError:
    """The error for a snippet that was never captured; `difference` is what went wrong, with all that is said of it."""
    wrong, where = error.step, difference.where
    if wrong is None:
        what, hint = f"{difference.what} was not found", "fix the step, or what the fact is read from"
    else:
        what = f"{wrong.step} failed" if wrong.exit else f"{wrong.step} did not fail"
        if (found := _in_build(wrong)) and found.line:
            where = Where(snippet.dockerfiles[wrong.step.name].path, found.line)
        wrong_part = str(where) if where != difference.where else "the command"
        hint = f"fix {wrong_part}, or declare `exit` and `expect`"
    return FailedError(f"{what}, and nothing was captured before", where=where, evidence=difference.new, hint=hint)


def _in_build(wrong: StepRun) -> buildkit_log.Failure | None:
    return buildkit_log.failure(wrong.output) if wrong.step.command.verb == "build" else None
