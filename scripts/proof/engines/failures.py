"""What the output of a failed command says about the engine."""

from __future__ import annotations

import re

from proof.core.errors import CannotMeasureError
from proof.system import process

_STARVED = re.compile(rb"fatal error: .*(?:out of|cannot allocate) memory")
# runc prints this when the container's first process dies before it has run anything: "run" during a build, "create"
# otherwise. It happened about once in a thousand starts, on a machine with plenty of free memory.
_NOT_STARTED = re.compile(
    r"runc (?:run|create) failed: unable to start container process: waiting for init preliminary setup"
)
# Docker's builder writes an image, and at that moment another snippet removes its own, which is the same to the byte.
_REMOVED = re.compile(r"failed to get digest (sha256:[0-9a-f]{64}): open \S*: no such file or directory")


def is_full(output: str) -> bool:
    """True if the output says that a disk is full."""
    return "no space left on device" in output.lower()


def full(done: process.Completed) -> CannotMeasureError:
    """The error for a command that failed because the engine's disk is full."""
    return CannotMeasureError(
        f"the disk of the engine is full, in `{process.shell_words(done.argv)}`",
        evidence="\n".join(line for line in done.last_lines(50).splitlines() if is_full(line)),
        hint="free some space, or set PROOF_CACHE=/a/directory/with/space for a private engine",
    )


def is_starved(done: process.Completed) -> bool:
    """True if a client ended the way a Go program does when it cannot allocate memory."""
    return done.exit == 2 and _STARVED.search(done.output) is not None


def was_removed_meanwhile(output: str) -> bool:
    """Whether a build failed because its image was removed while it was written. Then the build can be repeated."""
    return _REMOVED.search(output) is not None


def may_not_have_started(output: str) -> bool:
    """True if runc may have failed to start a container. It is not certain: a program can print the same text."""
    return _NOT_STARTED.search(output) is not None
