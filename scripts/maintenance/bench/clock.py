"""Times a command, and measures the memory of its own process, and the processor time of all that it starts."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Runs a module as `python -m` does, then writes its peak resident memory to a file. getrusage would not do: it also
# counts the memory of this process at the fork, and the docker clients that the module waits for.
_CHILD = """
import atexit, pathlib, runpy, sys
out, module, *sys.argv[1:] = sys.argv[1:]
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(out).write_text(status.split("VmHWM:")[1].split()[0])
atexit.register(peak)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Taken:
    """The time and memory that one call took."""

    seconds: float  # wall clock
    kib: int = 0  # peak resident memory of the process itself
    processor: float = 0.0  # seconds that all processes used, on all processors together


class NotComparableError(Exception):
    """One side failed, or did not do what was to be timed."""


def module(name: str, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Taken:
    """Time `python -m name …` from start to end. Raises NotComparableError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        peak = Path(folder) / "peak"
        argv = [sys.executable, "-c", _CHILD, str(peak), name, *arguments]
        seconds = command(argv, cwd=cwd, env={"NO_MKDOCS_2_WARNING": "1", **(env or {})})
        return Taken(seconds, int(peak.read_text()))


def command(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> float:
    """Time a command, in seconds. `env` is added to the environment. Raises NotComparableError if the command fails."""
    started = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise NotComparableError(f"{' '.join(argv[-4:])} failed with {done.returncode}:\n{said}")
    return seconds


def processor_seconds() -> float:
    """The processor time of all processes that this one has started and that have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def alternate(times: int, *sides: Callable[[], Taken]) -> list[Taken]:
    """Run all sides `times` times, in alternating order. Returns the median times and the peak memory of each side."""
    found: list[list[Taken]] = [[] for _ in sides]
    for turn in range(times):
        order = list(range(len(sides)))
        for number in order if turn % 2 == 0 else reversed(order):
            found[number].append(sides[number]())
    return [
        Taken(
            statistics.median(t.seconds for t in taken),
            max(t.kib for t in taken),
            statistics.median(t.processor for t in taken),
        )
        for taken in found
    ]
