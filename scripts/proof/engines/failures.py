"""What the output of a failed command says about the engine."""

from __future__ import annotations

import re
import shlex

from proof.core.errors import CannotMeasureError
from proof.system import process

MAKE_ROOM = "free some space, or set PROOF_CACHE=/a/directory/with/space"  # a hint
_STARVED = re.compile(rb"fatal error: .*(?:out of|cannot allocate) memory")
_PASSING = re.compile(
    # The container's first process has died before it has run anything: about once in a thousand starts, on a machine
    # with plenty of free memory. It is "run" during a build, and "create" otherwise.
    r"runc (?:run|create) failed: unable to start container process: waiting for init preliminary setup"
    # Docker's builder writes an image, and at that moment another snippet removes its own, the same to the byte.
    r"|failed to get digest (sha256:[0-9a-f]{64}): open \S*: no such file or directory"
)


def is_full(output: str) -> bool:
    """True if the output says that a disk is full."""
    return "no space left on device" in output.lower()


def full(done: process.Completed) -> CannotMeasureError:
    """The error for a command that failed because the engine's disk is full."""
    return CannotMeasureError(
        f"the disk of the engine is full, in `{shlex.join(done.argv)}`",
        evidence="\n".join(line for line in done.last_lines(50).splitlines() if is_full(line)),
        hint=f"{MAKE_ROOM} for a private engine",
    )


def is_starved(done: process.Completed) -> bool:
    """True if a client ended the way a Go program does when it cannot allocate memory."""
    return done.exit == 2 and _STARVED.search(done.output) is not None


def may_pass(output: str) -> bool:
    """True if the engine may have failed in a way that passes. It is not certain: a program can print the same text."""
    return _PASSING.search(output) is not None
