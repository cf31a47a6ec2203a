"""The private engine's control group: the memory and the processes that all its containers together may have.

A group outlives a daemon that was killed, so its name comes from the engine's slot: the next run finds and removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_GRACE = 2.0  # seconds: a killed process is in its group until the kernel is done with it
_PROCESSES = 10_000  # and threads: a build of Go has some dozen for each processor, and a whole machine perhaps 32,768
_SHARE = 0.9  # of the memory that is free when the engine starts: the rest is the user's


def name(slot: Path) -> str:
    """The group of the engine in this slot."""
    return f"proof-{hashlib.sha256(bytes(slot)).hexdigest()[:12]}"


def make(group: str, memory: int) -> bool:
    """Make the group, with a limit of `memory` bytes and one of processes; whether it could be made."""
    try:
        if (ROOT / "cgroup.controllers").exists():
            for controller in ("+memory", "+pids"):
                with contextlib.suppress(OSError):  # it is on for groups below the root nearly everywhere
                    (ROOT / "cgroup.subtree_control").write_text(controller)
            folder, limit, swap = ROOT / group, "memory.max", ("memory.swap.max", 0)
            processes = folder
        else:
            processes = ROOT / "pids" / group
            folder, limit, swap = (
                ROOT / "memory" / group,
                "memory.limit_in_bytes",
                ("memory.memsw.limit_in_bytes", memory),
            )
        folder.mkdir(exist_ok=True)
        (folder / limit).write_text(str(memory))
        with contextlib.suppress(OSError):  # a kernel that does not count swap has no such file
            (folder / swap[0]).write_text(str(swap[1]))
        with contextlib.suppress(OSError):  # nor one that does not count processes
            processes.mkdir(exist_ok=True)
            (processes / "pids.max").write_text(str(_PROCESSES))
    except OSError:
        return False  # a container that we are in may not change groups: the engine runs without a limit of ours
    return True


def exists(group: str) -> bool:
    """Whether the group is there in any hierarchy."""
    return bool(_everywhere(group))


def remove(group: str) -> None:
    """Remove the group and all below it, in every hierarchy; nothing runs in it any more."""
    until = time.monotonic() + _GRACE
    for top in _everywhere(group):
        while top.exists():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
            if time.monotonic() > until:
                return
            if top.exists():
                time.sleep(0.05)


def _everywhere(group: str) -> list[Path]:
    return [path for path in (ROOT / group, *ROOT.glob(f"*/{group}")) if path.exists()]


def default_memory() -> int:
    """Bytes: most of what is free now, so that a program that eats memory is ended before the host is in need."""
    available = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(int(available[1]) * 1024 * _SHARE) if available else 1 << 62


def oom_kills() -> int:
    """How many processes of this machine the kernel has ended for want of memory, in whichever group."""
    return _count(Path("/proc/vmstat"), "oom_kill")


def watch(group: str) -> Callable[[], bool]:
    """Begin to watch the group: what is returned says whether a process of it was ended for want of memory since.

    Version 1 does not count that below a group: there a kill somewhere counts if the group was at its limit.
    """
    events, v1 = ROOT / group / "memory.events", ROOT / "memory" / group
    if group and events.exists():
        before = _count(events, "oom_kill")
        return lambda: _count(events, "oom_kill") > before
    if group and v1.exists():
        (v1 / "memory.max_usage_in_bytes").write_text("0")  # begins the high-water mark anew
        before, limit = oom_kills(), _count(v1 / "memory.limit_in_bytes", "")
        return lambda: oom_kills() > before and _count(v1 / "memory.max_usage_in_bytes", "") > 0.99 * limit
    return lambda: False


def _count(path: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        if found := re.search(rf"^{name} ?(\d+)", path.read_text(), re.MULTILINE):
            return int(found[1])
    return 0
