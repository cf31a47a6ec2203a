"""Writes captures that another machine measured into this repository, for `proof accept`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from proof.captures import bases_lock, index, store
from proof.runs.result import Result
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import Origin, location_of


def accept(root: Path, known: Bases, results: Sequence[Result], origin: Origin) -> list[Result]:
    """Save every capture that `proof update` wrote on the other machine, and return the results that have one.

    A capture in other words stays, even if these prove it wrong: only a run on this machine removes one. The images of
    their bases are written to the lock file if they come from a registry. In each returned result, `old` is the capture
    that pages showed before, which may be for bases of another origin.
    """
    taken = []
    for result in results:
        if result.verdict == "written" and result.new:
            snippet = result.snippet
            shown = index.best(snippet.folder, snippet.variant)
            location = location_of(origin, result.new.engine)
            assert location is not None  # as result_files.load has checked
            store.save(result.new, location.folder(snippet.folder, snippet.variant))
            taken.append(replace(result, old=shown))
    if origin == "registry":
        bases_lock.keep(root, known, [result.new for result in taken if result.new])
    return taken
