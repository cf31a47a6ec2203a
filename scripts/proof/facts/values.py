"""Values with units, and facts: values with a name and an origin."""

from __future__ import annotations

from dataclasses import dataclass, field

from proof.captures.model import Capture
from proof.core.units import Scalar, format_value


@dataclass(frozen=True)
class Value:
    """A number or a text with its unit. An empty unit means a plain number, like a ratio."""

    value: Scalar
    unit: str
    exact: Scalar | None = field(default=None, kw_only=True)  # the number that a formatted text shows

    def __str__(self) -> str:
        return format_value(self.value, self.unit)


@dataclass(frozen=True)
class Source:
    """The publication that a cited figure comes from."""

    title: str
    date: str  # YYYY, YYYY-MM or YYYY-MM-DD
    url: str  # empty if there is none


@dataclass(frozen=True)
class Sum(Source):
    """The publication of a figure, and the capture of what was added to it."""

    capture: Capture


@dataclass(frozen=True)
class Fact(Value):
    """A value with its origin: measured here, published elsewhere, or the sum of both."""

    name: str  # snippet.fact, or source.figure
    source: str  # how it was measured, or who published it
    origin: Capture | Source
    tolerance: float = 0.0  # relative: how much it may differ from run to run; a claim must allow for it

    @property
    def capture(self) -> Capture | None:
        """The capture that it comes from, at least in part. None for a cited figure."""
        if isinstance(self.origin, Sum):
            return self.origin.capture
        return None if isinstance(self.origin, Source) else self.origin
