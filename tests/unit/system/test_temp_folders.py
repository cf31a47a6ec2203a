"""Temporary directories: removed with their run, however it ends, and not with any other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proof.system import locks, temp_folders

LEAVE = """
import os, pathlib
from proof.system import temp_folders as scratch
with scratch.folder("dead", pathlib.Path()) as folder:
    print(folder, flush=True)
    os._exit(9)
"""


def leave(parent: Path) -> Path:
    """A temporary directory of a killed run."""
    done = subprocess.run([sys.executable, "-c", LEAVE], cwd=parent, capture_output=True, text=True, check=False)
    return parent / done.stdout.strip()


def test_gone_at_the_end(tmp_path: Path) -> None:
    """The directory exists and is locked during the block, and is removed afterwards with its content."""
    with temp_folders.folder("one", tmp_path) as folder:
        (folder / "file").write_text("text")
        assert locks.take(folder) is None
    assert list(tmp_path.iterdir()) == []


def test_of_a_killed_run(tmp_path: Path) -> None:
    """The next run removes the directory of a killed run, but not those of live runs."""
    dead = leave(tmp_path)
    (dead / "file").write_text("text")
    assert dead.is_dir()
    with temp_folders.folder("one", tmp_path) as one, temp_folders.folder("two", tmp_path) as two:
        assert sorted(tmp_path.iterdir()) == sorted([one, two])


def test_what_is_somebody_elses(tmp_path: Path) -> None:
    """Other names, links and directories of other users are left alone."""
    (tmp_path / "proof-of-concept").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "proof-scratch-link").symlink_to("elsewhere")
    names = {"proof-of-concept", "elsewhere", "proof-scratch-link"}
    if os.geteuid() == 0:
        (tmp_path / "proof-scratch-theirs").mkdir()
        os.chown(tmp_path / "proof-scratch-theirs", 12345, 12345)
        names.add("proof-scratch-theirs")
    temp_folders.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names


def test_swept_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another run removes the directory before it is locked, it is created again."""
    take, made = locks.take, []

    def late(path: Path, *, wait: bool = False) -> int | None:
        made.append(path)
        if len(made) == 1:
            path.rmdir()
        return take(path, wait=wait)

    monkeypatch.setattr(locks, "take", late)
    with temp_folders.folder("one", tmp_path) as folder:
        assert [folder] == made[1:] == list(tmp_path.iterdir())
