"""TODO."""

from __future__ import annotations

from dataclasses import dataclass, field

from proof.captures.model import Capture
from proof.core.units import Scalar, written


@dataclass(frozen=True)
class Value:
    """A number or a text with its unit; an empty unit is a plain ratio."""

    value: Scalar
    unit: str
    exact: Scalar | None = field(default=None, kw_only=True)  # of a formatted text: the number that it is made of

    def __str__(self) -> str:
        return written(self.value, self.unit)


@dataclass(frozen=True)
class Source:
    """Who published a figure that is not ours."""

    title: str
    date: str  # YYYY-MM-DD
    url: str  # empty where there is none


@dataclass(frozen=True)
class Fact(Value):
    """A value with where it comes from: measured here, or published elsewhere."""

    name: str  # snippet.fact, or source.figure
    source: str  # how it was measured, or who published it
    origin: Capture | Source
    tolerance: float = 0.0  # by which share of itself it may differ from run to run; a claim must leave room for it
