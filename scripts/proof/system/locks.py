"""Locks that the kernel lets go of with their holder, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from proof.core.errors import CannotMeasureError, Where

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
def holding(folder: Path, *, on_wait: Callable[[str], object]) -> Iterator[None]:
    """Be the one run that may write below `folder`.

    While another run is, this waits, and tells `on_wait` once who that is.
    Raises CannotMeasureError where it takes longer than an hour.
    """
    until, told = time.monotonic() + _PATIENCE, False
    while (held := take(folder)) is None:
        if not told:
            told = True
            on_wait(holder(folder))
        if time.monotonic() > until:
            raise CannotMeasureError(
                f"another run writes here: {holder(folder)}", where=Where(folder), hint="wait for it, or end it"
            )
        time.sleep(_POLL)
    try:
        yield
    finally:
        os.close(held)


def holder(path: Path) -> str:
    """Who holds the lock on `path`: process, command, since when, and on which machine.

    The kernel knows, so nothing is written down that could be left behind or be out of date.
    """
    with contextlib.suppress(OSError, ValueError):
        held = re.search(rf"FLOCK +ADVISORY +WRITE (\d+) [\w:]+:{path.stat().st_ino} ", Path("/proc/locks").read_text())
        if held and int(held[1]):
            process = Path("/proc") / held[1]
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
            # The 22nd field, counted from behind the name, which may hold anything: when it began, in ticks since boot.
            ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
            boot = re.search(r"^btime (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
            began = datetime.fromtimestamp(int(boot[1] if boot else 0) + ticks / os.sysconf("SC_CLK_TCK"), UTC)
            return (
                f"process {held[1]} on {socket.gethostname()}, `{shlex.join(words)}`, "
                f"since {began.strftime('%Y-%m-%dT%H:%M:%SZ')}"
            )
    return "a run that cannot be seen from here, on another machine or in a container"
