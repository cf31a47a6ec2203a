"""Compares the layers of two images, to show where a change of size comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from proof.captures.model import Capture, CapturedLayer
from proof.core.sequence_diff import blocks

# "base" is a layer of the base image; "copied" comes from COPY or ADD, "made" from RUN.
Kind = Literal["base", "copied", "made", "other"]


@dataclass(frozen=True)
class LayerChange:
    """One layer that changed, was added or was removed."""

    number: int  # position from the bottom, from 1, in the new image, or in the old one if it was removed
    kind: Kind
    instruction: str
    old: int | None  # bytes; None if added
    new: int | None  # bytes; None if removed

    @property
    def grew(self) -> int:
        """Growth in bytes; negative if it shrank."""
        return (self.new or 0) - (self.old or 0)


def layer_changes(old: Capture, new: Capture) -> list[LayerChange]:
    """Every layer that changed, was added or was removed. Their growths add up to that of the image."""
    return list(_changes(old.layers, new.layers))


def kind(layer: CapturedLayer) -> Kind:
    """The kind of a layer, from its base and its instruction in the image's history."""
    if layer.from_base:
        return "base"
    word = layer.instruction.split(" ", 1)[0].upper()
    return "copied" if word in ("COPY", "ADD") else "made" if word == "RUN" else "other"


def _changes(old: Sequence[CapturedLayer], new: Sequence[CapturedLayer]) -> Iterator[LayerChange]:
    # Unchanged layers are anchors. Between two anchors, layers are paired from the bottom, and a base layer is never
    # paired with one of the snippet's own.
    for i, j, k, m in blocks([_key(x) for x in old], [_key(x) for x in new]):
        for of_base in (True, False):
            before = [n for n in range(i, j) if old[n].from_base is of_base]
            after = [n for n in range(k, m) if new[n].from_base is of_base]
            for n in range(max(len(before), len(after))):
                was = old[before[n]] if n < len(before) else None
                now = new[after[n]] if n < len(after) else None
                shown = now or was
                assert shown is not None
                number = (after[n] if now else before[n]) + 1
                yield LayerChange(
                    number, kind(shown), shown.instruction, was.size if was else None, now.size if now else None
                )


def _key(layer: CapturedLayer) -> tuple[bool, str, int]:
    return layer.from_base, layer.digest, layer.size
