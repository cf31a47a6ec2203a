"""Which snippets were found right, and have not been touched since: as git's index knows which files need no reading.

Kept for each project in the tool's cache, where it can be deleted at will. A folder whose files are the same ones, of
the same size and with the same time of their last change, holds what it held: that time is set by the kernel alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from proof.files import write_whole
from proof.manifest import MOMENT

_SCHEMA = 1


@dataclass(frozen=True)
class Seen:
    """What a folder holds, in which nothing is wrong."""

    snippets: int
    facts: int
    steps: dict[str, bool]  # as snippet/step, and whether it is meant to be shown by no page


class Fresh:
    """What was seen of a project's folders."""

    def __init__(self, file: Path | None, depends: str) -> None:
        """Read `file`, if any, unless what all folders depend on was another thing when it was written."""
        self._file, self._depends = file, depends
        self._old: dict[str, tuple[str, Seen]] = {}
        self._new: dict[str, tuple[str, Seen]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            data = json.loads(file.read_bytes() if file else "{}")
            if (data["schema"], data["depends"]) == (_SCHEMA, depends):
                self._old = {name: (stamp, Seen(**seen)) for name, (stamp, seen) in data["folders"].items()}

    @classmethod
    def of(cls, root: Path, cache: Path | None, *depends: Path) -> Fresh:
        """Of the project `root`; all its folders depend on the files `depends`, and on the tool's own.

        Without a `cache` nothing is known, and nothing is kept.
        """
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        files = (*depends, *Path(__file__).parent.rglob("*.py"))
        return cls(cache and cache / "status" / f"{name}.json", _hash(f"{path} {_of(path)}" for path in sorted(files)))

    def get(self, folder: Path) -> Seen | None:
        """What is in the folder, if it is known and right."""
        known = self._old.get(folder.name)
        if known is None or known[0] != _stamp(folder)[0]:
            return None
        self._new[folder.name] = known
        return known[1]

    def put(self, folder: Path, seen: Seen, *, began: int) -> None:
        """Nothing is wrong in the folder, which was looked at from `began` (in nanoseconds) on."""
        stamp, last = _stamp(folder)
        # What was written a moment ago may be written once more within the clock's resolution: looked at again then.
        if last < began - MOMENT:
            self._new[folder.name] = stamp, seen
            self._changed = True

    def save(self) -> None:
        """Keep what was seen; where that cannot be written, it is looked at again the next time."""
        if self._file and (self._changed or self._new.keys() != self._old.keys()):
            folders = {name: (stamp, asdict(seen)) for name, (stamp, seen) in self._new.items()}
            with contextlib.suppress(OSError):
                write_whole(self._file, json.dumps({"schema": _SCHEMA, "depends": self._depends, "folders": folders}))


def now() -> int:
    """Nanoseconds, on the clock of the files."""
    return time.time_ns()


def _stamp(folder: Path) -> tuple[str, int]:
    """What tells a state of the folder from every other one, and when it was last changed."""
    files = sorted(_files(os.fspath(folder)))
    return _hash(f"{path} {state}" for path, state in files), max((state[0] for _, state in files), default=0)


def _files(folder: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for entry in os.scandir(folder):
        yield entry.path, _state(entry.stat(follow_symlinks=False))
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)


def _of(path: Path) -> tuple[int, int, int]:
    try:
        return _state(path.stat())
    except FileNotFoundError:
        return 0, 0, 0


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ctime_ns, found.st_size, found.st_ino


def _hash(lines: Iterator[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
