"""The private engine's control group, which limits the memory and the processes of all its containers together.

A group outlives a daemon that was killed. Its name is derived from the engine's slot, so the next run there uses it
again, and removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_GRACE = 2.0  # seconds; a killed process stays in its group until the kernel has cleaned it up
_PROCESSES = 10_000  # and threads: a Go build has some dozen per processor, and a machine can have about 32,768
_RAISING = threading.Lock()
_SHARE = 0.9  # of the memory that is free when the engine starts; the rest is left to the user


def name(slot: Path) -> str:
    """The name of the group for the engine in this slot."""
    return f"proof-{hashlib.sha256(bytes(slot)).hexdigest()[:12]}"


def make(group: str, memory: int) -> bool:
    """Create the group, with a limit of `memory` bytes and a limit of processes. Returns whether that was possible."""
    unified = (ROOT / "cgroup.controllers").exists()
    if unified:
        _try_to_write(ROOT / "cgroup.subtree_control", "+memory")  # usually it is enabled already
        _try_to_write(ROOT / "cgroup.subtree_control", "+pids")
        folder = processes = ROOT / group
    else:
        folder, processes = ROOT / "memory" / group, ROOT / "pids" / group
    try:
        folder.mkdir(exist_ok=True)
        (folder / ("memory.max" if unified else "memory.limit_in_bytes")).write_text(str(memory))
    except OSError:
        return False  # as in a container that may not change groups: the engine then runs without these limits
    # Missing if the kernel does not account for swap, or does not count processes.
    swap, most = ("memory.swap.max", 0) if unified else ("memory.memsw.limit_in_bytes", memory)
    _try_to_write(folder / swap, most)
    with contextlib.suppress(OSError):
        processes.mkdir(exist_ok=True)
    _try_to_write(processes / "pids.max", _PROCESSES)
    return True


def _try_to_write(path: Path, value: object) -> None:
    with contextlib.suppress(OSError):
        path.write_text(str(value))


def remove(group: str) -> None:
    """Remove the group and its subgroups from every hierarchy. No process may be running in it."""
    until = time.monotonic() + _GRACE
    for top in (ROOT / group, *ROOT.glob(f"*/{group}")):
        while top.exists():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
            if time.monotonic() > until:
                return
            if top.exists():
                time.sleep(0.05)


def default_memory() -> int:
    """The default limit in bytes: most of the free memory, so a runaway program is killed before the host suffers."""
    available = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(int(available[1]) * 1024 * _SHARE) if available else 1 << 62


def oom_kills() -> int:
    """How many processes on this machine the kernel has killed because memory ran out, in any group."""
    return _count(Path("/proc/vmstat"), "oom_kill")


def watch(group: str) -> Callable[[], str]:
    """Start watching the group. The returned function tells what ran out since, and "" if nothing did.

    That is `memory` if a process was killed. Version 1 does not count kills per group. There, any kill on the machine
    counts if the group reached its limit. Or it is `processes` if there were as many as there may be.
    """
    starved, crowded = _watch_memory(group), _watch_processes(group)
    return lambda: "memory" if starved() else "processes" if crowded() else ""


def _watch_memory(group: str) -> Callable[[], bool]:
    events, v1 = ROOT / group / "memory.events", ROOT / "memory" / group
    if group and events.exists():
        before = _count(events, "oom_kill")
        return lambda: _count(events, "oom_kill") > before
    if group and v1.exists():
        (v1 / "memory.max_usage_in_bytes").write_text("0")  # resets the high-water mark
        before, limit = oom_kills(), _count(v1 / "memory.limit_in_bytes", "")
        return lambda: oom_kills() > before and _count(v1 / "memory.max_usage_in_bytes", "") > 0.99 * limit
    return lambda: False


def _watch_processes(group: str) -> Callable[[], bool]:
    """Whether there were as many processes as there may be.

    A process that cannot start is counted by most kernels in the container's own group, which is gone by then. What
    stays is the high-water mark, which cannot be reset. So a limit that was reached before is raised by one.
    """
    folder = next((path for path in (ROOT / group, ROOT / "pids" / group) if (path / "pids.peak").exists()), None)
    if not group or folder is None:
        return lambda: False
    most, peak = folder / "pids.max", folder / "pids.peak"
    with _RAISING:
        limit, reached = _count(most, ""), _count(peak, "")
        if limit and reached >= limit:
            limit = reached + 1
            most.write_text(str(limit))
    return lambda: 0 < limit <= _count(peak, "")


def _count(path: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        if found := re.search(rf"^{name} ?(\d+)", path.read_text(), re.MULTILINE):
            return int(found[1])
    return 0
