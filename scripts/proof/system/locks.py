"""Locks on files and directories, which the kernel releases when their holder ends for any reason."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path


def take(path: Path, *, wait: bool = False) -> int | None:
    """A descriptor that holds the lock on `path`, a file or a directory; None if somebody else holds it.

    The lock is held until the descriptor and all copies that child processes inherited are closed.
    Raises FileNotFoundError if the last holder removed `path`.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with contextlib.ExitStack() as unless_held:
        unless_held.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return None
        # The last holder may have removed `path` after it was opened here. Then this lock protects nothing.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            unless_held.pop_all()
            return descriptor
    raise FileNotFoundError(path)


def take_new(make: Callable[[], Path]) -> tuple[Path, int]:
    """The path that `make` creates, and a descriptor that holds the lock on it."""
    while True:
        path = make()
        # Before it is locked, another run may sweep it away as a dead run's. Then create it again.
        with contextlib.suppress(FileNotFoundError):
            if (held := take(path, wait=True)) is not None:
                return path, held


@contextlib.contextmanager
def holding(folder: Path, *, on_wait: Callable[[str], object]) -> Iterator[None]:
    """Hold the lock on `folder` during the block, so that only one run writes below it.

    If another run holds it, call `on_wait` with its description, and wait.
    """
    held = take(folder)
    if held is None:
        on_wait(holder(folder))
        held = take(folder, wait=True)
    assert held is not None
    try:
        yield
    finally:
        os.close(held)


def holder(path: Path) -> str:
    """Who holds the lock on `path`, for messages: the process, its command, its start time and the machine.

    This comes from the kernel, since a file with the same information could be stale.
    """
    with contextlib.suppress(OSError, ValueError):
        held = re.search(rf"FLOCK +ADVISORY +WRITE (\d+) [\w:]+:{path.stat().st_ino} ", Path("/proc/locks").read_text())
        if held and int(held[1]):
            process = Path("/proc") / held[1]
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
            # Field 22, the start time in ticks since boot. Split after the name, which may contain anything.
            ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
            boot = re.search(r"^btime (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
            began = datetime.fromtimestamp(int(boot[1] if boot else 0) + ticks / os.sysconf("SC_CLK_TCK"), UTC)
            return (
                f"process {held[1]} on {socket.gethostname()}, `{shlex.join(words)}`, "
                f"since {began.strftime('%Y-%m-%dT%H:%M:%SZ')}"
            )
    return "a run on another machine or in a container"
