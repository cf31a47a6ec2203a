"""Files written whole, and what a failure of the disk means."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proof.cli import facts, main
from proof.core import files
from proof.core.errors import RefusedError
from tests.support.hostile import create_entry
from tests.support.makers import write


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new text, or on a failure the old one, and nothing beside it."""
    files.write_whole(tmp_path / "a" / "b.json", "old")

    def full(self: Path, _: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(tmp_path / "a" / "b.json", "new")
    assert [(p.name, p.read_text()) for p in (tmp_path / "a").iterdir()] == [("b.json", "old")]


def test_threads_write_the_same_file(tmp_path: Path) -> None:
    """Each has a temporary file of its own: what is left is one of the texts, whole, and nothing else."""
    texts = [f"{number}" * 100_000 for number in range(8)]
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda text: files.write_whole(tmp_path / "a.json", text), texts * 10))
    assert (tmp_path / "a.json").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link where the file goes is replaced; one where the temporary file goes is left alone."""
    outside = write(tmp_path, {"outside": "theirs"}) / "outside"
    (tmp_path / "a.json").symlink_to(outside)
    files.write_whole(tmp_path / "a.json", "ours")
    assert (outside.read_text(), (tmp_path / "a.json").read_text()) == ("theirs", "ours")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    (tmp_path / ".b.json.guessed").symlink_to(outside)
    with pytest.raises(FileExistsError):
        files.write_whole(tmp_path / "b.json", "ours")
    assert outside.read_text() == "theirs"


def test_a_written_file_is_as_the_umask_says(tmp_path: Path) -> None:
    """As any other file that the user makes: in UTF-8, whatever the locale."""
    before = os.umask(0o027)
    try:
        files.write_whole(tmp_path / "a.json", "é\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def _read(root: Path, name: str) -> bytes:
    return files.read(root / name, below=root, limit=10)


def test_a_file_is_read(tmp_path: Path) -> None:
    """Its bytes as they are, up to the limit; the trusted part of its path may be a link."""
    write(tmp_path, {"real/a/b.txt": b"0123\r\n\xff\0"})
    (tmp_path / "project").symlink_to("real")
    assert _read(tmp_path / "project", "a/b.txt") == b"0123\r\n\xff\0"
    with pytest.raises(RefusedError, match="not UTF-8 text"):
        files.read_text(tmp_path / "real" / "a" / "b.txt", below=tmp_path, limit=10)


@pytest.mark.parametrize(
    ("given", "name", "says"),
    [
        ({"link": "x", "to": "/etc/passwd"}, "x", "x: expected a regular file, found a symbolic link"),
        ({"link": "x", "to": "good"}, "x", "x: expected a regular file, found a symbolic link"),
        ({"link": "x", "to": "x"}, "x", "x: expected a regular file, found a symbolic link"),
        ({"link": "x", "to": "/dev/zero"}, "x", "x: expected a regular file, found a symbolic link"),
        ({"link": "a", "to": "/etc"}, "a/passwd", "a: expected a directory, found a symbolic link"),
        ({"link": "a", "to": "."}, "a/good", "a: expected a directory, found a symbolic link"),
        ({"link": "a/b", "to": "/"}, "a/b/etc/passwd", "b: expected a directory, found a symbolic link"),
        ({"pipe": "x"}, "x", "x: expected a regular file, found a named pipe"),
        ({"pipe": "a"}, "a/x", "a: expected a directory, found a named pipe"),
        ({"socket": "x"}, "x", "x: expected a regular file, found a socket"),
        ({"device": "x"}, "x", "x: expected a regular file, found a device"),
        ({"device": "a"}, "a/x", "a: expected a directory, found a device"),
        ({"folder": "x"}, "x", "x: expected a regular file, found a directory"),
        ({"file": "a"}, "a/x", "a: expected a directory, found a regular file"),
        ({"file": "x", "text": "01234567890"}, "x", "x: this file has more than 10 bytes"),
        ({"file": "x", "size": 10**13}, "x", "x: this file has more than 10 bytes"),
        ({"file": "x"}, "a/../x", "this path leads upwards"),
        ({"file": "x"}, "../good", "this path leads upwards"),
    ],
    ids=str,
)
def test_what_is_not_read(given: dict[str, Any], name: str, says: str, tmp_path: Path) -> None:
    """Links, whatever they lead to, at every step; what has no end; what is too long. No descriptor is left open."""
    if "device" in given and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    create_entry(write(tmp_path, {"good": "good"}), given)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(RefusedError, match=re.escape(says)):
        _read(tmp_path, name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["nothing", "no/thing", "x" * 300, "x/" * 3000 + "x"])
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    """One error for it, be its name as long as it may."""
    with pytest.raises(FileNotFoundError):
        _read(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "a/b", "a/b/file"])
def test_what_is_swapped_at_the_last_moment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is put there after all before it was opened is refused like one that was there before."""
    root = write(tmp_path, {"project/a/b/file": "ours", "secret/b/file": "secret", "secret/file": "secret"}) / "project"
    opening, target = os.open, root / name

    def swap(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == target.name and not target.is_symlink():
            target.rename(tmp_path / "away")
            target.symlink_to(tmp_path / "secret" / name.removeprefix("a").removeprefix("/"))
        return opening(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(RefusedError, match="found a symbolic link"):
        files.read(root / "a/b/file", below=root, limit=10)


def test_a_file_that_grows_is_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is what it had when it was opened."""
    write(tmp_path, {"x": "1234"})
    asking = os.fstat

    def shorter(descriptor: int) -> os.stat_result:
        found = list(asking(descriptor))
        found[6] = 3  # its size, a moment ago
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", shorter)
    with pytest.raises(RefusedError, match="grew while it was read"):
        _read(tmp_path, "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (write(tmp_path, {"x": ""}) / "x").chmod(0)
    with pytest.raises(PermissionError) as error:
        _read(tmp_path, "x")
    trouble = files.trouble(error.value)
    assert trouble is not None
    assert str(trouble).startswith(f"{tmp_path / 'x'}: Permission denied")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"link": "a/x", "to": "good"}, "found a symbolic link"),
        ({"link": "a/x", "to": "/"}, "found a symbolic link"),
        ({"pipe": "a/b/c/x"}, "found a named pipe"),
        ({"file": "x", "depth": 300}, "a path is longer than 500 bytes"),
    ],
    ids=str,
)
def test_a_tree_that_is_not_plain(given: dict[str, Any], says: str, tmp_path: Path) -> None:
    """At any depth; and one that is deeper than any is not descended."""
    files.check_plain(write(tmp_path, {"a/b/good": ""}))
    create_entry(tmp_path, given)
    with pytest.raises(RefusedError, match=says):
        files.check_plain(tmp_path)


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
    assert trouble.hint


def test_no_trouble_of_the_disk() -> None:
    """A file that is missing is a mistake of ours, and not called anything else."""
    assert files.trouble(FileNotFoundError(errno.ENOENT, "No such file or directory", "/a")) is None


def test_a_full_disk_is_code_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is met: one message, and no traceback."""

    def full(_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/b")

    monkeypatch.setattr(facts, "_run", full)
    assert main.main(["facts"]) == 3
    assert capsys.readouterr().err.startswith("proof: /a/b: the disk is full\n")
