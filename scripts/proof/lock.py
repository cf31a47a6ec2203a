"""Locks that the kernel lets go of with their holder, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from proof.errors import CannotMeasureError, Where

_PATIENCE = 3600.0  # seconds: longer than any update takes
_POLL = 0.2  # seconds


def take(path: Path, *, wait: bool = False) -> int | None:
    """A descriptor that holds the lock on `path`, a folder or a file; None where somebody else has it.

    The lock is held until that descriptor and what inherited it are closed.
    Raises FileNotFoundError where `path` was removed by its last holder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        # The last holder may have removed what was opened here, and then this is a lock on nothing.
        removed = not os.path.samestat(os.fstat(descriptor), path.stat())
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    if removed:
        os.close(descriptor)
        raise FileNotFoundError(path)
    return descriptor


def take_new(make: Callable[[], Path]) -> tuple[Path, int]:
    """What `make` makes, and the descriptor that holds the lock on it from its first moment."""
    while True:
        path = make()
        # A run that sweeps can take it for a dead one's, before it is locked; then it is made anew.
        with contextlib.suppress(FileNotFoundError):
            if (held := take(path, wait=True)) is not None:
                return path, held


@contextlib.contextmanager
def holding(path: Path, *, on_wait: Callable[[str], object]) -> Iterator[None]:
    """Hold the file `path` as the one run that may write what it stands for; others learn from it who that is.

    While another run has it this waits, and hands `on_wait` once what it waits for.
    Raises CannotMeasureError where that takes longer than an hour.
    """
    until = time.monotonic() + _PATIENCE
    said = False
    while (descriptor := _create(path)) is None:
        with contextlib.suppress(FileNotFoundError):  # let go of just now
            holder = path.read_text("utf-8", "replace").strip()
            if holder and not said:
                said = True
                on_wait(f"waiting for {holder}")
            if time.monotonic() > until:
                raise CannotMeasureError(
                    f"another run writes here: {holder}", where=Where(path), cure="wait for it, or end it"
                )
            time.sleep(_POLL)
    try:
        path.write_text(f"{_ourselves()}\n")
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _create(path: Path) -> int | None:
    while True:
        path.touch()
        with contextlib.suppress(FileNotFoundError):
            return take(path)


def _ourselves() -> str:
    command = shlex.join(["proof", *sys.argv[1:]])
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"process {os.getpid()} on {socket.gethostname()}, `{command}`, since {now}"
