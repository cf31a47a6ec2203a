"""Files written whole, and what a failure of the disk means."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from proof import cli, files


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new text, or on a failure the old one, and nothing beside it."""
    files.write_whole(tmp_path / "a" / "b.json", "old")

    def full(self: Path, _: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(tmp_path / "a" / "b.json", "new")
    assert [(p.name, p.read_text()) for p in (tmp_path / "a").iterdir()] == [("b.json", "old")]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), "/a/b: the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/a/b"), "/a/b: Read-only file system"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "/a/b: Permission denied"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]), "the disk is full"),
    ],
)
def test_trouble(error: OSError, says: str) -> None:
    """It could not be measured, with the file and a cure."""
    trouble = files.trouble(error)
    assert trouble is not None
    assert trouble.code == 3
    assert str(trouble).splitlines()[0] == says
    assert trouble.cure


def test_no_trouble_of_the_disk() -> None:
    """A file that is missing is a mistake of ours, and not called anything else."""
    assert files.trouble(FileNotFoundError(errno.ENOENT, "No such file or directory", "/a")) is None


def test_a_full_disk_is_code_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is met: one message, and no traceback."""

    def full(_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/b")

    monkeypatch.setattr(cli, "_facts", full)
    assert cli.main(["facts"]) == 3
    assert capsys.readouterr().err.startswith("proof: /a/b: the disk is full\n")
