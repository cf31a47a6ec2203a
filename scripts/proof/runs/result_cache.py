"""Which snippets a run has found accurate, and nothing that this depends on has changed since.

Neither `proof check` nor `proof update` runs them again, as `go test` does not run a test again that passed. What an
accurate verdict of a private engine depends on are the snippet's own files, its captures among them, the recipes of its
bases, this tool, the programs of the engine, the kernel as it was booted, and how long ago that was. Another run could
find what has to do with none of them: so CI, where it is asked whether the world has moved, never takes this for an
answer.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from proof.captures import store
from proof.captures.model import Capture
from proof.core import folder_cache
from proof.core.folder_cache import FolderCache
from proof.engines import private_daemon
from proof.runs.result import Result, as_shown
from proof.snippets import places
from proof.snippets.base_images import Bases
from proof.snippets.model import Snippet
from proof.snippets.places import Origin

_ORIGIN: Origin = "rebuilt"  # what a registry holds is known when it is asked
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LONGEST = 24 * 3600.0  # seconds: a clock is what any program can see


class ResultCache:
    """The accurate verdicts of a project, on this machine."""

    def __init__(self, root: Path, cache: Path, known: Bases, platform: str) -> None:
        self._keys = {name: known.key(name) for name in known.images}
        self._index = FolderCache.of("verdicts", root, cache, private_daemon.programs(), f"{platform} {_machine()}")
        self._began = folder_cache.now()  # whatever is changed from now on is not what was run

    def get(self, snippet: Snippet) -> Result | None:
        """The verdict of an earlier run, with what it measured; None where another run might come to another one."""
        kept = self._index.get(snippet.name, snippet.folder, self._depends(snippet))
        old = store.load(places.folder_of(snippet.folder, _ORIGIN, snippet.variant)) if kept else None
        if kept is None or old is None or not 0 <= time.time() - kept["at"] < _LONGEST:
            return None
        if old.facts.keys() != (values := kept["facts"]).keys():
            return None
        measured = {name: replace(fact, value=values[name]) for name, fact in old.facts.items()}
        return Result(snippet, "accurate", old=old, new=replace(old, facts=measured), cached=True)

    def keep(self, results: Sequence[Result]) -> None:
        """Keep those that are accurate; the engine that found them was a private one."""
        for result in results:
            # What `proof update` found accurate is not what `proof check` is asked where pages show another capture.
            if as_shown(result).verdict == "accurate" and result.new and not result.cached:
                self._put(result.snippet, result.new)
        self._index.save(whole=False)

    def _put(self, snippet: Snippet, new: Capture) -> None:
        found = {"at": time.time(), "facts": {name: fact.value for name, fact in new.facts.items()}}
        self._index.put(snippet.name, snippet.folder, found, began=self._began, depends=self._depends(snippet))

    def _depends(self, snippet: Snippet) -> str:
        return " ".join(f"{name} {self._keys.get(name)}" for name in sorted(snippet.bases))


def _machine() -> str:
    """What is beneath the engine."""
    with contextlib.suppress(OSError):
        return f"{sys.version} {os.uname().release} {_BOOT.read_text()}"
    return str(time.time_ns())  # of which nothing is known
