"""Remembers which snippets were found accurate, so that they are not run again until something changes.

This is like the test cache of `go test`. A verdict found in a private engine is kept until one of these changes: the
snippet's files with its captures, the recipes or locked digests of its bases, this tool, the engine's programs, or the
booted kernel. It also expires after a day. A new run could still find something else, for example because of the time
of day, so CI does not use this cache.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from proof.captures import bases_lock, store
from proof.captures.model import Capture
from proof.core import folder_cache
from proof.core.folder_cache import FolderCache
from proof.engines import private_daemon
from proof.runs.result import Result
from proof.snippets import capture_locations
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import Origin
from proof.snippets.model import Snippet

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LONGEST = 24 * 3600.0  # seconds that a verdict is kept: a snippet can depend on the date


class ResultCache:
    """The accurate verdicts of a project, on this machine."""

    def __init__(self, root: Path, cache: Path, known: Bases, platform: str, *, origin: Origin) -> None:
        self._origin = origin
        recipes = origin == "rebuilt"
        self._keys = {name: known.key(name) for name in known.images} if recipes else bases_lock.load(root, known)
        machine = f"{platform} {origin} {_machine()}"
        self._index = FolderCache.of("verdicts", root, cache, private_daemon.programs(), machine)
        self._began = folder_cache.now()  # files that change from now on may not be what was run

    def get(self, snippet: Snippet) -> Result | None:
        """The verdict of an earlier run, with what it measured, or None if the snippet has to run again."""
        if not snippet.bases.keys() <= self._keys.keys():
            return None  # only the registry can tell what image that is
        kept = self._index.get(snippet.name, snippet.folder, self._depends(snippet))
        old = store.load(capture_locations.folder_of(snippet.folder, self._origin, snippet.variant)) if kept else None
        if kept is None or old is None or not 0 <= time.time() - kept["at"] < _LONGEST:
            return None
        if not (values := kept["facts"]).keys() <= old.facts.keys():
            return None
        # Of another engine than the capture's, those facts are missing that the engine says in its own words.
        measured = {name: replace(old.facts[name], value=value) for name, value in values.items()}
        unseen = tuple(kept["not_compared"])
        return Result(snippet, "accurate", old=old, new=replace(old, facts=measured), not_compared=unseen, cached=True)

    def keep(self, results: Sequence[Result]) -> None:
        """Keep the accurate results. They must come from a private engine."""
        for result in results:
            if result.verdict == "accurate" and result.new and not result.cached:
                self._put(result, result.new)
        self._index.save(whole=False)

    def _put(self, result: Result, new: Capture) -> None:
        snippet, facts = result.snippet, {name: fact.value for name, fact in new.facts.items()}
        found = {"at": time.time(), "facts": facts, "not_compared": result.not_compared}
        self._index.put(snippet.name, snippet.folder, found, began=self._began, depends=self._depends(snippet))

    def _depends(self, snippet: Snippet) -> str:
        return " ".join(f"{name} {self._keys.get(name)}" for name in sorted(snippet.bases))


def _machine() -> str:
    """The Python and the booted kernel that the results depend on."""
    with contextlib.suppress(OSError):
        return f"{sys.version} {os.uname().release} {_BOOT.read_text()}"
    return str(time.time_ns())  # unknown, so nothing is found in the cache
