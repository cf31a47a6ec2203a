"""Locks: one holder at a time, who can be named, and who releases the lock when it ends."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from proof.system import locks

HOLD = """
import pathlib, sys, time
from proof.system import locks as lock
held = lock.take(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_one_holder(tmp_path: Path) -> None:
    """The lock is available again once its holder releases it."""
    first = locks.take(tmp_path)
    assert first is not None
    assert locks.take(tmp_path) is None
    os.close(first)
    second = locks.take(tmp_path)
    assert second is not None
    os.close(second)


def test_a_removed_path_cannot_be_locked(tmp_path: Path) -> None:
    """If the last holder removes the path, those who wait for the lock get an error."""
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


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only on Linux the kernel names the holder of a lock")
def test_the_holder_is_named_and_its_lock_ends_with_it(tmp_path: Path) -> None:
    """The process, command, time and machine are named. Once it is killed, the lock is free."""
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
    """A waiting run reports the holder once, and continues when the lock is free."""
    told: list[str] = []
    first = locks.take(tmp_path)
    assert first is not None
    timer = threading.Timer(0.5, os.close, [first])
    timer.start()
    with locks.holding(tmp_path, on_wait=told.append):
        assert locks.take(tmp_path) is None
    timer.join()
    assert len(told) == 1
