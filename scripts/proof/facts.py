"""Captures → facts: every value that a page may state, with its unit, its source and its one way of being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from proof import capture as captures
from proof.capture import Capture, Scalar

_STEPS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Value:
    """A number or a text with its unit; an empty unit is a plain ratio."""

    value: Scalar
    unit: str

    def __str__(self) -> str:
        return written(self.value, self.unit)


@dataclass(frozen=True)
class Fact(Value):
    """A value that was measured."""

    name: str  # snippet.fact
    source: str  # how it was measured
    capture: Capture


class FactBook(Mapping[str, Fact]):
    """Every fact of a project, by name."""

    def __init__(self, captures: Mapping[str, Capture]) -> None:
        self.captures = captures
        self._facts = {
            f"{snippet}.{name}": Fact(fact.value, fact.unit, f"{snippet}.{name}", fact.source, capture)
            for snippet, capture in captures.items()
            for name, fact in capture.facts.items()
        }

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def load(snippets: Path) -> FactBook:
    """The facts of every snippet below the folder `snippets` that has a capture."""
    found = {}
    for manifest in sorted(snippets.glob("*/snippet.toml")):
        if (capture := captures.best(manifest.parent)) is not None:
            found[manifest.parent.name] = capture
    return FactBook(found)


def written(value: Scalar, unit: str) -> str:
    """A value as a page states it: sizes as `docker image ls` prints them, everything else in its own usual way."""
    match unit:
        case "B":
            return size(float(value))
        case "KiB":
            return binary(float(value))
        case "s":
            return f"{float(value):.3g} s"
        case "count":
            return f"{int(value):,}"
        case "text":
            return str(value)
        case _:
            return f"{float(value):.3g}"


def size(number: float) -> str:
    """Bytes as Docker writes them: decimal units, three significant digits (270MB, 10.7MB, 53B)."""
    for unit in _STEPS[:-1]:
        text = f"{number:.3g}"
        if abs(number) < 1000 and "e" not in text:  # 999.7 rounds to 1e+03: that is 1 of the next unit
            return text + unit
        number /= 1000
    return f"{number:.4g}{_STEPS[-1]}"


def binary(kib: float) -> str:
    """KiB as `du -h` writes them: binary units, one decimal (162.2M)."""
    for unit in ("K", "M", "G"):
        if kib < 1024:
            return f"{kib:.1f}{unit}"
        kib /= 1024
    return f"{kib:.1f}T"


def parse_binary(text: str) -> float:
    """KiB out of what `du -h` printed."""
    factor = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}.get(text[-1:].upper())
    return float(text[:-1]) * factor if factor else float(text) / 1024
