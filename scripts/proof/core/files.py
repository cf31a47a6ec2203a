"""Reads untrusted files, writes files atomically, and explains disk errors."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from proof.core.errors import CannotMeasureError, RefusedError, Where
from proof.core.settings import cache_folder

_NO_ROOM = 1_000_000  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT)
_HINTS = {
    errno.EROFS: "make it writable",
    errno.EACCES: "give your user access to it",
    errno.EPERM: "give your user access to it",
    errno.ENOTDIR: "replace the file that is in its way with a directory",
    errno.EIO: "check the disk",
    errno.ENOLCK: "use a directory on a file system that supports locks",
}
# Errors of open(2) for a link, for something that is not a directory, and for a socket or a device without a driver.
_NOT_AS_EXPECTED = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV)
_LONGEST = 500  # bytes of a path, relative to the directory that is checked
_NEVER_FOLLOWED = os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | _NEVER_FOLLOWED  # or opening a named pipe would wait for a writer
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | _NEVER_FOLLOWED


@contextlib.contextmanager
def directory(path: Path, *, below: Path) -> Iterator[int]:
    """A file descriptor of the directory `path`, for opening the files in it.

    `below` is `path` itself or a directory above it, and is trusted: the project, or a directory that the user named.
    From there, each part of the path is opened relative to the one before, without following links. So nobody can
    redirect the path by replacing a part of it in the meantime.
    Raises RefusedError if a part is not a directory, and FileNotFoundError if it does not exist.
    """
    opened = _open(str(below), _DIRECTORY & ~os.O_NOFOLLOW, None, below)
    try:
        steps = _steps(path, below)
        for depth, name in enumerate(steps, start=1):
            inner = _open(name, _DIRECTORY, opened, below, steps[:depth])
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


def read_in(opened: int, path: Path, *, limit: int) -> bytes:
    """The content of the regular file `path`, of at most `limit` bytes. `opened` is the descriptor of its directory.

    The file is checked after it is opened, so it cannot be replaced between the check and the read.
    Raises RefusedError for anything else, and FileNotFoundError if it does not exist.
    """
    descriptor = _open(path.name, _FILE, opened, path)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise _not("regular file", about.st_mode, path)
        content = _content(descriptor, min(about.st_size, limit) + 1)  # one byte more, to notice a file that is growing
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise RefusedError(f"the file is larger than {limit:,} bytes", where=Where(path), hint="make it smaller")
    if len(content) > about.st_size:
        raise RefusedError("the file grew while it was being read", where=Where(path), hint="try again")
    return content


def read(path: Path, *, below: Path, limit: int) -> bytes:
    """The content of an untrusted regular file; see `directory` and `read_in` for the arguments and errors.

    All files of a project or a results directory are read here. tests/unit/test_architecture.py checks that.
    """
    with directory(path.parent, below=below) as opened:
        return read_in(opened, path, limit=limit)


def read_text(path: Path, *, below: Path, limit: int) -> str:
    """Like `read`, as text with its line endings unchanged. Raises RefusedError if it is not UTF-8."""
    try:
        return read(path, below=below, limit=limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("the file is not UTF-8 text", where=Where(path), hint="save it as UTF-8") from error


def _content(descriptor: int, size: int) -> bytes:
    """At most `size` bytes of a file. One system call returns less for a file of gigabytes, or on some file systems."""
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more
    return content


def _steps(path: Path, below: Path) -> tuple[str, ...]:
    above = below.parts
    if path.parts[: len(above)] != above:
        raise ValueError(f"{path} is not below {below}")
    steps = path.parts[len(above) :]
    if ".." in steps:
        raise RefusedError("the path contains `..`", where=Where(path), hint="use a path without `..`")
    return steps


def _open(name: str, flags: int, within: int | None, place: Path, steps: Sequence[str] = ()) -> int:
    """Open a name in the directory `within`. Errors call it `place`, followed by `steps`."""
    try:
        return os.open(name, flags, dir_fd=within)
    except OSError as error:
        path = place.joinpath(*steps)
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
    return RefusedError(what, where=Where(path), hint=f"replace {path} with a {wanted}")


def check_plain(folder: Path) -> None:
    """Raises RefusedError if anything below `folder` is neither a regular file nor a directory.

    For directories that are overwritten, or read by programs that follow links.
    """
    pending = [str(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if len(entry.path) - len(str(folder)) > _LONGEST:
                        where = Where(Path(entry.path).parent)
                        raise RefusedError(f"a path is longer than {_LONGEST} bytes", where=where, hint="shorten it")
                    pending.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False).st_mode
                    raise _not("file or directory", found, Path(entry.path))


def kind(mode: int) -> str:
    """The kind of a file, from its `st_mode`, for messages."""
    kinds = (
        (stat.S_ISREG, "regular file"),
        (stat.S_ISDIR, "directory"),
        (stat.S_ISLNK, "symbolic link"),
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
    )
    return next((name for test, name in kinds if test(mode)), "device")


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically, and create its directory: readers see either the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A unique name, because other threads and processes may be writing the same file. Never an existing file, which
    # could be a link.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        created = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_FOLLOWED, 0o666)
        with os.fdopen(created, "wb") as file:
            file.write(text.encode())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_new(path: Path, text: str) -> None:
    """Write a new file atomically. Raises FileExistsError if there is anything in its place, also a link to nothing."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        created = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_FOLLOWED, 0o666)
        with os.fdopen(created, "wb") as file:
            file.write(text.encode())
        os.link(temporary, path)  # renaming would replace what is there
    finally:
        temporary.unlink(missing_ok=True)


def _full_folders() -> list[Path]:
    """The directories that the tool writes to whose disk has no room. An error of a write names no file."""
    written = dict.fromkeys((cache_folder(), Path(tempfile.gettempdir()), Path.cwd()))
    existing = [next(path for path in (folder, *folder.parents) if path.exists()) for folder in written]
    return [folder for folder in existing if shutil.disk_usage(folder).free < _NO_ROOM]


def disk_error(error: OSError) -> CannotMeasureError | None:
    """The error to show for a failure of the disk or its permissions; None for other errors."""
    where = Where(Path(str(error.filename))) if error.filename else None
    # shutil.copytree collects its errors as text.
    if error.errno in _FULL or os.strerror(errno.ENOSPC) in str(error.args):
        full = "" if where else "".join(f": {folder}" for folder in _full_folders())
        hint = "free some space, then run the command again"
        return CannotMeasureError(f"the disk is full{full}", where=where, hint=hint)
    if error.errno in _HINTS:
        return CannotMeasureError(str(error.strerror), where=where, hint=_HINTS[error.errno])
    return None
