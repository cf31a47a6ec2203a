"""Remembers what was found in a project's directories until they change, as git's index does for files.

There is one JSON file per project in the tool's cache; it can be deleted at any time. A directory is unchanged if it
has the same files (by inode), with the same sizes and change times (ctime). Only the kernel can set the ctime.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import proof
from proof.core.files import write_whole

CLOCK_RESOLUTION = 50_000_000  # nanoseconds: several times the coarsest clock of a common file system
_SCHEMA = 2


def name_of(root: Path) -> str:
    """What a project is called in the cache."""
    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]


class FolderCache:
    """Results by name. Each is valid for one directory of the project, and for a string `depends`."""

    def __init__(self, file: Path | None, depends: str) -> None:
        """Read `file`, if there is one. Its content is ignored if it was written with another `depends`."""
        self._file, self._depends = file, depends
        self._old: dict[str, tuple[str, Any]] = {}
        self._new: dict[str, tuple[str, Any]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            data = json.loads(file.read_bytes() if file else "{}")
            if (data["schema"], data["depends"]) == (_SCHEMA, depends):
                self._old = {str(name): (str(stamp), found) for name, (stamp, found) in data["found"].items()}

    @classmethod
    def of(cls, kind: str, root: Path, cache: Path | None, files: Iterable[Path], also: str = "") -> FolderCache:
        """The cache of `kind` for the project `root`. It depends on these files, on the tool's source and on `also`.

        If `cache` is None, nothing is read or stored.
        """
        name = name_of(root)
        files = sorted({*files, *Path(proof.__file__).parent.rglob("*.py")})
        depends = _hash([*(f"{path} {_of(path)}" for path in files), also])
        return cls(cache and cache / kind / f"{name}.json", depends)

    def get(self, name: str, folder: Path, depends: str = "") -> Any | None:
        """The result stored under `name`, or None if there is none, or the directory or `depends` changed since."""
        known = self._old.get(name)
        with contextlib.suppress(OSError):  # a path that is too long, say; whoever reads the directory reports it
            if known and known[0] == _stamp(folder, depends)[0]:
                self._new[name] = known
                return known[1]
        return None

    def put(self, name: str, folder: Path, found: Any, *, began: int, depends: str = "") -> None:
        """Store a result, which must be JSON data. `began` is when reading the directory started, from `now()`."""
        try:
            stamp, last = _stamp(folder, depends)
        except OSError:
            return
        # A file that was just written may change again without a new time, so such a directory is not stored.
        if last < began - CLOCK_RESOLUTION:
            self._new[name] = stamp, found
            self._changed = True

    def save(self, *, whole: bool) -> None:
        """Write the file. If the `whole` project was looked at, drop all results that nobody asked for.

        If it cannot be written, the directories are read again next time.
        """
        kept = self._new if whole else self._old | self._new
        if self._file and (self._changed or kept.keys() != self._old.keys()):
            with contextlib.suppress(OSError):
                write_whole(self._file, json.dumps({"schema": _SCHEMA, "depends": self._depends, "found": kept}))


def now() -> int:
    """The time in nanoseconds, comparable to the times of files."""
    return time.time_ns()


def state(folder: Path) -> str:
    """A hash of the state of everything below a directory: it changes if a file is written, renamed or removed.

    It is another one each time where something cannot be looked at, as at the end of a path that is too long: whoever
    reads the directory reports that.
    """
    try:
        return _stamp(folder, "")[0]
    except OSError:
        return str(now())


def _stamp(folder: Path, depends: str) -> tuple[str, int]:
    """A hash of the state of the directory, and the time of its last change in nanoseconds."""
    files = [(os.fspath(folder), _of(folder)), *sorted(_files(os.fspath(folder)))]
    return _hash([*(f"{path} {state}" for path, state in files), depends]), max(state[0] for _, state in files)


def _files(folder: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                yield entry.path, _state(entry.stat(follow_symlinks=False))
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def _of(path: Path) -> tuple[int, int, int]:
    try:
        return _state(path.stat())
    except FileNotFoundError:
        return 0, 0, 0


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ctime_ns, found.st_size, found.st_ino


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
