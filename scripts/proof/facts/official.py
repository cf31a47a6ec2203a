"""Computes the size of an image on the official base: our own layers as measured, and the base's size as cited."""

from __future__ import annotations

from collections.abc import Mapping

from proof.captures.model import Capture
from proof.core import units
from proof.core.errors import ManifestError
from proof.core.text import did_you_mean
from proof.facts.values import Fact, Source, Sum
from proof.snippets.base_images import Bases

# The name of each total, with the measured facts of the whole image and of its own layers.
TOTALS = {
    "official_size": ("size", "own_size"),
    "official_transfer_size": ("transfer_size", "own_transfer_size"),
}


def read(bases: Bases, cited: Mapping[str, Fact]) -> dict[str, dict[str, Fact]]:
    """What bases.toml cites of official images: for each base, the figures by the name of their total.

    Raises ManifestError, with the line, for the name of something else.
    """
    found: dict[str, dict[str, Fact]] = {}
    for base in bases.images.values():
        for total in TOTALS:
            if (figure := getattr(base.official, total)) is None:
                continue
            fact = cited.get(figure.name)
            if fact is None or fact.unit != "B":
                sizes = [name for name, other in cited.items() if other.unit == "B"]
                what = f"is in {fact.unit or 'no unit'}, not in bytes" if fact else "is no cited figure"
                raise ManifestError(
                    f"'{figure.name:.110}' {what}{did_you_mean(figure.name, sizes)}",
                    where=figure.where,
                    hint="name a size in cited.toml, like source.size",
                )
            found.setdefault(base.name, {})[total] = fact
    return found


def total(name: str, capture: Capture, cited: Fact) -> Fact | None:
    """The total `name`, as in `single.official_size`. None if the capture has no such image."""
    whole, own = (capture.facts.get(part) for part in TOTALS[name.partition(".")[2]])
    if whole is None or own is None:
        return None
    if capture.environment.bases == "registry":  # it was measured on the official base
        return Fact(whole.value, "B", name, whole.source, capture, whole.tolerance)
    assert isinstance(cited.origin, Source)
    assert isinstance(own.value, int)
    assert isinstance(cited.value, int)
    value, ours = own.value + cited.value, units.size(own.value)
    source = f"our own layers, {ours}, as measured, on the official base, {cited}, as cited: {cited.source}"
    origin = Sum(cited.origin.title, cited.origin.date, cited.origin.url, capture)
    return Fact(value, "B", name, source, origin, round(own.tolerance * own.value / value, 9))
