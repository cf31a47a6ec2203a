"""Finds stale captures, and captures that contradict themselves, without an engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from proof.captures import index
from proof.captures.buildkit_log import image_names, written_image
from proof.captures.model import Capture
from proof.core import units
from proof.core.errors import PageError, ProofError, Where
from proof.snippets.model import Snippet


class StaleError(ProofError):
    """A capture does not match the current snippet."""

    code = 1


def stale(snippet: Snippet, keys: dict[str, str], pinned: dict[str, str]) -> Iterator[ProofError]:
    """Why the captures that pages show do not match the current snippet, and where they contradict themselves.

    `keys` are the keys of the rebuilt bases by name, `pinned` the digests of the registry bases in bases.lock.
    """
    found = index.shown(snippet, keys, pinned)
    if not found:
        hint = f"proof update {snippet.name}"
        yield StaleError(f"{snippet.name} was never captured", where=snippet.where, hint=hint)
    for place, capture in found.items():
        folder = place.folder(snippet.folder, snippet.variant)
        hint = f"proof update {snippet.name}{' --bases registry' if place.origin == 'registry' else ''}"
        for change in index.changed_inputs(snippet, capture, keys, pinned):
            yield StaleError(f"{snippet.name} is stale: {change}", where=snippet.where, hint=hint)
        for name in capture.tampered:
            yield StaleError(f"{snippet.name}: {name} was edited by hand", where=Where(folder / name), hint=hint)
        yield from contradictions(capture, folder)


def hidden(snippet: Snippet, keys: dict[str, str], pinned: dict[str, str]) -> Iterator[str]:
    """A message for each capture that pages leave out because it is stale, although another one is not."""
    shown = index.shown(snippet, keys, pinned)
    for place, capture in index.each(snippet.folder, snippet.variant, next((p.origin for p in shown), None)):
        if place not in shown:
            changes = ", ".join(map(str, index.changed_inputs(snippet, capture, keys, pinned)))
            words = f"{snippet.name}: pages leave out the words of {capture.provenance.engine}, which are stale"
            yield f"{words}: {changes}; run proof update {snippet.name} with that engine"


def contradictions(capture: Capture, folder: Path) -> Iterator[ProofError]:
    """Contradictions in the transcripts of one capture: a tag with two IDs, or a size that was not measured."""
    hint = f"proof update {capture.snippet}"
    ids: dict[str, str] = {}
    for step in capture.steps:
        if built := written_image(step.output):
            # A build moves its tag to a new image, so IDs seen before no longer apply.
            short = built.removeprefix("sha256:")[:12]
            ids = {name.split(":")[0]: short for name in image_names(step.output)}
        for repository, image, size in re.findall(
            r"^(\S+) +\S+ +([0-9a-f]{12}) +.*? ([\d.]+[kMGT]?B)\s*$", step.output, re.MULTILINE
        ):
            where = Where(folder / f"{step.name}.txt")
            if ids.setdefault(repository, image) != image:
                what = f"{repository} has two IDs in the transcripts of {capture.snippet}"
                yield PageError(what, where=where, evidence=f"{ids[repository]}\n{image}", hint=hint)
            measured = capture.facts.get("size")
            if measured and capture.provenance.image_store != "containerd" and len(ids) == 1:
                written = units.written(measured.value, "B")
                if size != written:
                    what = f"the table says {size}, but the layers hold {written}"
                    yield PageError(what, where=where, hint=hint)
