"""Locks: one holder, who is named, and none that outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError
from proof.system import locks

HOLD = """
import pathlib, sys, time
from proof.system import locks as lock
held = lock.take(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_one_holder(tmp_path: Path) -> None:
    """A second one gets nothing, until the first lets go."""
    first = locks.take(tmp_path)
    assert first is not None
    assert locks.take(tmp_path) is None
    os.close(first)
    second = locks.take(tmp_path)
    assert second is not None
    os.close(second)


def test_what_was_removed_is_not_held(tmp_path: Path) -> None:
    """A lock on what its last holder took away meanwhile is none."""
    folder = tmp_path / "a"
    folder.mkdir()
    held = locks.take(folder)
    assert held is not None
    errors: list[Exception] = []

    def wait() -> None:
        try:
            locks.take(folder, wait=True)
        except FileNotFoundError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    folder.rmdir()
    os.close(held)
    waiting.join(5)
    assert len(errors) == 1


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel names a lock's holder on Linux alone")
def test_the_holder_is_named_and_its_lock_ends_with_it(tmp_path: Path) -> None:
    """Process, command, time and machine of another process; killed, it holds nothing any more."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = locks.holder(tmp_path)
        assert said.startswith(f"process {other.pid} on {os.uname().nodename}, `{sys.executable} -c ")
        assert time.strftime(", since %Y-%m-%dT", time.gmtime()) in said
        assert locks.take(tmp_path) is None
        other.kill()
    held = locks.take(tmp_path)
    assert held is not None
    os.close(held)


def test_the_second_waits_and_says_so_once(tmp_path: Path) -> None:
    """What waits tells whom for, once, and goes on when the lock is free."""
    told: list[str] = []
    first = locks.take(tmp_path)
    assert first is not None
    timer = threading.Timer(0.5, os.close, [first])
    timer.start()
    with locks.holding(tmp_path, on_wait=told.append):
        assert locks.take(tmp_path) is None
    timer.join()
    assert len(told) == 1


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is never let go of is no reason to wait for ever."""
    monkeypatch.setattr(locks, "_PATIENCE", 0.1)
    first = locks.take(tmp_path)
    assert first is not None
    with (
        pytest.raises(CannotMeasureError, match="another run is writing here: "),
        locks.holding(tmp_path, on_wait=lambda _: None),
    ):
        pass
    os.close(first)
