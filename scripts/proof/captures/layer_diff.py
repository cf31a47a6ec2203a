"""Compares the layers of two images, to show where a change of size comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from proof.captures.model import Capture, CapturedLayer

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


def layer_changes(old: Capture, new: Capture) -> Iterator[LayerChange]:
    """Every layer that changed, was added or was removed. Their growths add up to that of the image.

    Layers that both images have are left out. The others are paired from the bottom, a base's with a base's.
    """
    for of_base in (True, False):
        before, after = (_others(*images, of_base=of_base) for images in ((old, new), (new, old)))
        for was, now in zip_longest(before, after):
            number, shown = now or was
            yield LayerChange(number, kind(shown), shown.instruction, was and was[1].size, now and now[1].size)


def _others(image: Capture, other: Capture, *, of_base: bool) -> Iterator[tuple[int, CapturedLayer]]:
    """The layers that the other image does not have, each with its position."""
    common = Counter(map(_key, other.layers))
    for number, layer in enumerate(image.layers, start=1):
        common[_key(layer)] -= 1
        if common[_key(layer)] < 0 and layer.from_base is of_base:
            yield number, layer


def kind(layer: CapturedLayer) -> Kind:
    """The kind of a layer, from its base and its instruction in the image's history."""
    if layer.from_base:
        return "base"
    word = layer.instruction.split(" ", 1)[0].upper()
    return "copied" if word in ("COPY", "ADD") else "made" if word == "RUN" else "other"


def _key(layer: CapturedLayer) -> tuple[bool, str, int]:
    return layer.from_base, layer.digest, layer.size
