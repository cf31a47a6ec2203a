"""TODO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from proof.captures import bases_lock, index, store
from proof.runs.result import Result
from proof.snippets import places
from proof.snippets.base_images import Bases


def accept(root: Path, known: Bases, results: Sequence[Result], origin: str) -> list[Result]:
    """Write every capture that `proof update` wrote there, lock the images of their bases, and return these results.

    `old` of each is what its pages showed before, which may be the capture of another origin of bases.
    """
    taken = []
    for result in results:
        if result.verdict == "written" and result.new:
            snippet = result.snippet
            shown = index.best(snippet.folder, snippet.variant)
            store.save(result.new, places.folder_of(snippet.folder, origin, snippet.variant))
            taken.append(replace(result, old=shown))
    if origin == "registry":
        bases_lock.keep(root, known, [result.new for result in taken if result.new])
    return taken
