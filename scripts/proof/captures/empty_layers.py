"""Completes the layers of an image that Podman built.

Docker makes a layer for each WORKDIR, and Podman makes none: a new directory is part of the next layer. Such a layer
has no files, so both images contain the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from proof.captures import derived
from proof.captures.model import Capture, CapturedLayer
from proof.snippets.model import Snippet


def completed(new: Capture, old: Capture, snippet: Snippet) -> Capture:
    """What `new` measured, with the empty layers of `old` if Podman made `new` and Docker `old`."""
    if (old.engine.kind, new.engine.kind) != ("docker", "podman") or len(old.layers) <= len(new.layers):
        return new
    layers = tuple(_completed(old.layers, new.layers))
    return replace(new, layers=layers, facts=new.facts | derived.of_image(snippet, layers))


def _completed(old: Sequence[CapturedLayer], new: Sequence[CapturedLayer]) -> Iterator[CapturedLayer]:
    left = list(reversed(new))
    for layer in old:
        if layer.instruction.startswith("WORKDIR ") and not (layer.from_base or layer.size or layer.files):
            yield layer
        elif left:
            yield left.pop()
    yield from reversed(left)
