"""What was found of a project's folders, while nobody touches them: as git's index knows which files need no reading.

Kept for each project in the tool's cache, where it can be deleted at will. A folder whose files are the same ones, of
the same size and with the same time of their last change, holds what it held: that time is set by the kernel alone.
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


class FolderCache:
    """What was found, by name; each of one folder of the project, and of what else it `depends` on."""

    def __init__(self, file: Path | None, depends: str) -> None:
        """Read `file`, if any, unless what everything depends on was another thing when it was written."""
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
        """Of the project `root`; all of it depends on these files, on the tool's own, and on what else is said.

        Without a `cache` nothing is known, and nothing is kept.
        """
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        files = sorted({*files, *Path(proof.__file__).parent.rglob("*.py")})
        depends = _hash([*(f"{path} {_of(path)}" for path in files), also])
        return cls(cache and cache / kind / f"{name}.json", depends)

    def get(self, name: str, folder: Path, depends: str = "") -> Any | None:
        """What was found under this name, if neither the folder nor what it depends on has changed since."""
        known = self._old.get(name)
        with contextlib.suppress(OSError):  # as of paths that are too long: whoever looks at the folder says so
            if known and known[0] == _stamp(folder, depends)[0]:
                self._new[name] = known
                return known[1]
        return None

    def put(self, name: str, folder: Path, found: Any, *, began: int, depends: str = "") -> None:
        """Keep what was found in a folder which was looked at from `began` (in nanoseconds) on; it must fit JSON."""
        try:
            stamp, last = _stamp(folder, depends)
        except OSError:
            return
        # What was written a moment ago may be written once more within the clock's resolution: looked at again then.
        if last < began - CLOCK_RESOLUTION:
            self._new[name] = stamp, found
            self._changed = True

    def save(self, *, whole: bool) -> None:
        """Keep what is known; where the project was seen as a `whole`, nothing of what was not asked for.

        Where it cannot be written, the folders are looked at again the next time.
        """
        kept = self._new if whole else self._old | self._new
        if self._file and (self._changed or kept.keys() != self._old.keys()):
            with contextlib.suppress(OSError):
                write_whole(self._file, json.dumps({"schema": _SCHEMA, "depends": self._depends, "found": kept}))


def now() -> int:
    """Nanoseconds, on the clock of the files."""
    return time.time_ns()


def _stamp(folder: Path, depends: str) -> tuple[str, int]:
    """What tells a state of the folder from every other one, and when it was last changed."""
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
