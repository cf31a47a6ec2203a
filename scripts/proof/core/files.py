"""Reading files that may be a stranger's, writing files that others read meanwhile, and explaining a failing disk."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from proof.core.errors import CannotMeasureError, RefusedError, Where

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CURES = {
    errno.EROFS: "make it writable",
    errno.EACCES: "give it to the user who runs this",
    errno.EPERM: "give it to the user who runs this",
    errno.EIO: "look at the disk",
    errno.ENOLCK: "use a folder on a file system with locks",
}
# What open(2) says of a link, of something that is not a directory, and of a socket or a device without a driver.
_NOT_AS_EXPECTED = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV)
_LONGEST = 500  # bytes of a path below a project's folder
_NEVER_FOLLOWED = os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | _NEVER_FOLLOWED  # to open a named pipe must not wait for a writer
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | _NEVER_FOLLOWED


@contextlib.contextmanager
def directory(path: Path, *, below: Path) -> Iterator[int]:
    """A descriptor of the directory `path`, to open what is in it by name.

    `below`, at or above it, is trusted: the project, or a directory that the user named. Every step from there is
    opened as a directory and never through a link, so that nothing which is swapped meanwhile can lead elsewhere.
    Raises RefusedError at the first step that is not a directory, and FileNotFoundError where there is none.
    """
    opened = _open(str(below), _DIRECTORY & ~os.O_NOFOLLOW, None, below)
    try:
        at = below
        for name in _steps(path, below):
            at /= name
            inner = _open(name, _DIRECTORY, opened, at)
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


def read_in(opened: int, path: Path, *, limit: int) -> bytes:
    """The content of `path`, a regular file in the directory that is `opened`, of at most `limit` bytes.

    It is checked once it is open, so that what was checked is what is read.
    Raises RefusedError for anything else, and FileNotFoundError where there is nothing.
    """
    descriptor = _open(path.name, _FILE, opened, path)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise _not("regular file", about.st_mode, path)
        # One byte more than it had, so that one which grows meanwhile is noticed.
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(min(about.st_size, limit) + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise RefusedError(f"this file has more than {limit:,} bytes", where=Where(path), hint="a shorter one")
    if len(content) > about.st_size:
        raise RefusedError("this file grew while it was read", where=Where(path), hint="run this again")
    return content


def read(path: Path, *, below: Path, limit: int) -> bytes:
    """The content of a regular file that may be a stranger's; see `directory` and `read_in`.

    Every file of a project and of a results directory is opened here: tests/unit/test_architecture.py looks for others.
    """
    with directory(path.parent, below=below) as opened:
        return read_in(opened, path, limit=limit)


def read_text(path: Path, *, below: Path, limit: int) -> str:
    """The same as text, its line ends as they are; RefusedError where it is not UTF-8."""
    try:
        return read(path, below=below, limit=limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("this is not UTF-8 text", where=Where(path), hint="save it as UTF-8") from error


def _steps(path: Path, below: Path) -> tuple[str, ...]:
    steps = path.relative_to(below).parts
    if ".." in steps:
        raise RefusedError("this path leads upwards", where=Where(path), hint="a path without `..`")
    return steps


def _open(name: str, flags: int, within: int | None, path: Path) -> int:
    """Open one name in a directory; `path` is what to call it."""
    try:
        return os.open(name, flags, dir_fd=within)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        if error.errno in _NOT_AS_EXPECTED:
            wanted = "directory" if flags & os.O_DIRECTORY else "regular file"
            with contextlib.suppress(FileNotFoundError):
                raise _not(wanted, os.lstat(name, dir_fd=within).st_mode, path) from error
        error.filename = str(path)
        raise


def _not(wanted: str, mode: int, path: Path) -> RefusedError:
    what = f"expected a {wanted}, found a {kind(mode)}"
    return RefusedError(what, where=Where(path), hint=f"rm {path}, or put a {wanted} there")


def check_plain(folder: Path) -> None:
    """RefusedError for anything below `folder` but files and directories.

    For what is written over, or read by a program that follows links.
    """
    pending = [str(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if len(entry.path) - len(str(folder)) > _LONGEST:
                        where = Where(Path(entry.path).parent)
                        raise RefusedError(f"a path is longer than {_LONGEST} bytes", where=where, hint="a shorter one")
                    pending.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False).st_mode
                    raise _not("file or directory", found, Path(entry.path))


def kind(mode: int) -> str:
    """What a file is, for a message."""
    kinds = (
        (stat.S_ISREG, "regular file"),
        (stat.S_ISDIR, "directory"),
        (stat.S_ISLNK, "symbolic link"),
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
    )
    return next((name for test, name in kinds if test(mode)), "device")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, its folder too: a reader finds the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, since other threads and processes may write the same file at this moment; and never an
    # existing one, which could be a link.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        created = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_FOLLOWED, 0o666)
        with os.fdopen(created, "wb") as file:
            file.write(text.encode())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def disk_error(error: OSError) -> CannotMeasureError | None:
    """What a failure of the disk means to the user; None for what is no failure of the disk."""
    where = Where(Path(str(error.filename))) if error.filename else None
    # A copy of a whole tree gathers what went wrong as text.
    if error.errno in _FULL or os.strerror(errno.ENOSPC) in str(error.args):
        return CannotMeasureError("the disk is full", where=where, hint="free some space, and run the same again")
    if error.errno in _CURES:
        return CannotMeasureError(str(error.strerror), where=where, hint=_CURES[error.errno])
    return None
