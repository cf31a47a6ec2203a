"""Which layer of an image grew, and by how much: where a change of size comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from proof.captures.model import Capture, CapturedLayer
from proof.core.sequence_diff import blocks

# Whose layer it is: its base's, or its own with files that were copied in, or with what a command made.
Kind = Literal["base", "copied", "made", "other"]


@dataclass(frozen=True)
class LayerChange:
    """One layer that is not what it was."""

    number: int  # in the new image, or in the old one where it is gone; from the bottom, counted from 1
    kind: Kind
    instruction: str
    old: int | None  # bytes; None where there was no such layer
    new: int | None  # bytes; None where it is gone

    @property
    def grew(self) -> int:
        """By how many bytes; negative where it shrank."""
        return (self.new or 0) - (self.old or 0)


def layer_changes(old: Capture, new: Capture) -> list[LayerChange]:
    """Every layer whose content changed, came or went; their growths add up to the image's."""
    return list(_changes(old.layers, new.layers))


def kind(layer: CapturedLayer) -> Kind:
    """Whose layer it is, by the instruction that the image's history has of it."""
    if layer.from_base:
        return "base"
    word = layer.instruction.split(" ", 1)[0].upper()
    return "copied" if word in ("COPY", "ADD") else "made" if word == "RUN" else "other"


def _changes(old: Sequence[CapturedLayer], new: Sequence[CapturedLayer]) -> Iterator[LayerChange]:
    # Layers that nothing was done to hold the others in place; in between they are paired from the bottom, an own
    # layer never with one of the base.
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
