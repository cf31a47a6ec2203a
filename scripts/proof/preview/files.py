"""Which files were saved: their times and sizes, compared a few times a second.

Asked and not notified, since it works alike on every system and file system; a thousand files take a few milliseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

TICK = 0.1  # seconds between two looks; an editor that writes in several steps is left to finish for as long


class Files:
    """The files below some paths, as they were at the last look."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._seen = dict(_stamps(*paths))

    def changed(self) -> set[Path]:
        """What was written, made or removed since the last look, once it has come to rest; waits for one tick."""
        found: set[Path] = set()
        while True:
            time.sleep(TICK)
            now = dict(_stamps(*self._paths))
            more = {Path(p) for p in now.keys() | self._seen.keys() if now.get(p) != self._seen.get(p)}
            self._seen = now
            found |= more
            if not more:
                return found

    def look(self, folder: Path) -> None:
        """Take the files below `folder` as they are now: whoever asks wrote them."""
        inside = f"{folder}{os.sep}"
        self._seen = {p: stamp for p, stamp in self._seen.items() if not p.startswith(inside)}
        self._seen.update(_stamps(folder))


def _stamps(*paths: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    pending = [os.fspath(path) for path in paths]
    while pending:
        path = pending.pop()
        try:
            if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - pathlib is ten times slower
                pending += [entry.path for entry in os.scandir(path)]
            else:
                found = os.lstat(path)
                yield path, (found.st_mtime_ns, found.st_size)
        except OSError:
            continue  # gone between two looks
