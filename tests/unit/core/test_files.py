"""Reading untrusted files, writing files atomically, and explaining disk errors."""

import errno
import os
import re
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proof.cli import facts, main
from proof.core import files
from proof.core.errors import RefusedError
from tests.support.hostile import create
from tests.support.makers import write


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed write leaves the old text, and no temporary file."""
    files.write_whole(tmp_path / "a" / "b.json", "old")

    def full(self: Path, _: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(tmp_path / "a" / "b.json", "new")
    assert [(p.name, p.read_text()) for p in (tmp_path / "a").iterdir()] == [("b.json", "old")]


def test_threads_write_the_same_file(tmp_path: Path) -> None:
    """Each thread uses its own temporary file: in the end there is one of the texts, complete, and nothing else."""
    texts = [f"{number}" * 100_000 for number in range(8)]
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda text: files.write_whole(tmp_path / "a.json", text), texts * 10))
    assert (tmp_path / "a.json").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link at the target is replaced; a link at the name of the temporary file is an error."""
    outside = write(tmp_path, {"outside": "theirs"}) / "outside"
    (tmp_path / "a.json").symlink_to(outside)
    files.write_whole(tmp_path / "a.json", "ours")
    assert (outside.read_text(), (tmp_path / "a.json").read_text()) == ("theirs", "ours")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    (tmp_path / ".b.json.guessed").symlink_to(outside)
    with pytest.raises(FileExistsError):
        files.write_whole(tmp_path / "b.json", "ours")
    assert outside.read_text() == "theirs"


def test_a_written_file_follows_the_umask(tmp_path: Path) -> None:
    """The mode follows the umask, and the text is UTF-8 in any locale."""
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
    """The bytes are unchanged, up to the limit. The trusted part of the path may contain links."""
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
        ({"file": "x", "text": "01234567890"}, "x", "x: the file is larger than 10 bytes"),
        ({"file": "x", "size": 10**13}, "x", "x: the file is larger than 10 bytes"),
        ({"file": "x"}, "a/../x", "the path contains `..`"),
        ({"file": "x"}, "../good", "the path contains `..`"),
    ],
    ids=str,
)
def test_what_is_not_read(given: dict[str, Any], name: str, says: str, tmp_path: Path) -> None:
    """Links at any part of the path, special files and large files are refused. No descriptor is left open."""
    if "device" in given and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    create(write(tmp_path, {"good": "good"}), given)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(RefusedError, match=re.escape(says)):
        _read(tmp_path, name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["nothing", "no/thing", "x" * 300, "x/" * 3000 + "x"])
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    """The error is the same for a name of any length."""
    with pytest.raises(FileNotFoundError):
        _read(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "a/b", "a/b/file"])
def test_what_is_swapped_at_the_last_moment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that appears just before the file is opened is refused too."""
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


def test_a_growing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops at the size that the file had when it was opened."""
    write(tmp_path, {"x": "1234"})
    asking = os.fstat

    def shorter(descriptor: int) -> os.stat_result:
        found = list(asking(descriptor))
        found[6] = 3  # the size, before the file grew
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", shorter)
    with pytest.raises(RefusedError, match="grew while it was being read"):
        _read(tmp_path, "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (write(tmp_path, {"x": ""}) / "x").chmod(0)
    with pytest.raises(PermissionError) as error:
        _read(tmp_path, "x")
    found = files.disk_error(error.value)
    assert found is not None
    assert str(found).startswith(f"{tmp_path / 'x'}: Permission denied")


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
    """Links and special files are refused at any depth, and so are paths that are too long."""
    files.check_plain(write(tmp_path, {"a/b/good": ""}))
    create(tmp_path, given)
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
def test_disk_error(error: OSError, says: str) -> None:
    """A disk error is a failed measurement (code 3), with the file and a hint."""
    found = files.disk_error(error)
    assert found is not None
    assert found.code == 3
    assert str(found).splitlines()[0] == says
    assert found.hint


def test_the_directory_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a write names no file: then each directory that the tool writes to is named, if it is full."""
    full = SimpleNamespace(free=0)
    room = SimpleNamespace(free=1 << 40)
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full if path == tmp_path else room)
    found = files.disk_error(OSError(errno.ENOSPC, "No space left on device"))
    assert found
    assert found.what == f"the disk is full: {tmp_path}"


def test_a_missing_file_is_not_a_disk_error() -> None:
    """It would be a bug in the tool."""
    assert files.disk_error(FileNotFoundError(errno.ENOENT, "No such file or directory", "/a")) is None


def test_a_full_disk_is_code_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line prints one message, and no traceback."""

    def full(_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/b")

    monkeypatch.setattr(facts, "_run", full)
    assert main.main(["facts"]) == 3
    assert capsys.readouterr().err.startswith("proof: /a/b: the disk is full\n")
