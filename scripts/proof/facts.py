"""Captures → facts: every value that a page may state, with its unit, its source and its one way of being written.

Beside what was measured stand figures that others published, out of cited.toml, and those of one run of the benchmarks,
out of bench.toml: the same to compute with, and always shown as cited.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from proof import capture as captures
from proof import manifest
from proof.capture import Capture, Scalar
from proof.errors import PageError
from proof.table import Table
from proof.typed import is_number

# A unit as published → the unit that facts are kept in, and the factor.
_UNITS = {
    "B": ("B", 1),
    "MB": ("B", 1_000_000),
    "MiB": ("KiB", 1024),
    "s": ("s", 1),
    "count": ("count", 1),
    "ratio": ("", 1),
}
CITED = ("cited.toml", "bench.toml")  # figures that no snippet backs, each file with its sources
_STEPS = ("B", "kB", "MB", "GB", "TB")


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


class FactBook(Mapping[str, Fact]):
    """Every fact of a project, by name."""

    def __init__(self, captures: Mapping[str, Capture], cited: Iterable[Fact] = ()) -> None:
        self.captures = captures
        self.cited = {fact.name: fact for fact in cited}

    def measured_anew(self, captures: Mapping[str, Capture]) -> FactBook:
        """The same book with these captures in place of the committed ones."""
        return FactBook(ChainMap(dict(captures), cast(dict[str, Capture], self.captures)), self.cited.values())

    def __getitem__(self, name: str) -> Fact:
        snippet, _, fact = name.partition(".")
        if name not in self.cited:
            return _measured(snippet, fact, self.captures[snippet])
        if snippet in self.captures:  # what others published never takes the place of what was measured
            raise PageError(f"'{name:.110}' is both cited and measured", cure="another name in cited.toml")
        return self.cited[name]

    def __iter__(self) -> Iterator[str]:
        for snippet, capture in self.captures.items():
            yield from (f"{snippet}.{fact}" for fact in capture.facts)
        yield from self.cited

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load(snippets: Path) -> FactBook:
    """The facts of every snippet below the folder `snippets` that has a capture, and the cited figures.

    Raises ManifestError for figures that cannot be right; the book raises PageError for a fact whose capture the tool
    did not write.
    """
    taken = {path.name for path in snippets.iterdir() if path.is_dir()}
    seen: set[str] = set()
    cited = [fact for path in CITED for fact in _cited(snippets / path, taken, seen)]
    return FactBook(captures.Captures(snippets, _variants), cited)


def _variants(folder: Path) -> set[str]:
    return {snippet.variant for snippet in manifest.variants(folder)}


def _measured(snippet: str, name: str, capture: Capture) -> Fact:
    fact = capture.facts[name]
    return Fact(fact.value, fact.unit, f"{snippet}.{name}", fact.source, capture, fact.tolerance)


def _owner(name: str, taken: set[str]) -> str:
    """The snippet's directory that has this name, or whose variants could have it; empty where there is none."""
    words = name.split("_")
    names = ("_".join(words[:length]) for length in range(len(words), 0, -1))
    return next((name for name in names if name in taken), "")


def _cited(path: Path, taken: set[str], seen: set[str]) -> Iterator[Fact]:
    if not path.exists():
        return
    table = Table.read(path, below=path.parents[1])
    table.allow("source")
    for source in table.tables("source"):
        source.allow("name", "title", "date", "url", "figures")
        name = source.text("name", required=True)
        if not manifest.NAME.fullmatch(name):
            raise source.error("name", f"'{name:.110}' is not a name", "letters, digits and _, like edition_2020")
        if name in seen:
            raise source.error("name", f"two sources are called '{name}'", "another name")
        seen.add(name)
        if owner := _owner(name, taken):
            what = "is a snippet already" if name == owner else f"could be a variant of the snippet '{owner}'"
            raise source.error("name", f"'{name}' {what}", "another name")
        if (url := source.text("url")) and not re.fullmatch(r"https?://[!-~]+", url):
            raise source.error("url", f"'{url}' is no address of a page", 'url = "https://example.com/"')
        origin = Source(source.text("title", required=True), source.text("date", required=True), url)
        for figure in source.subtables("figures"):
            figure.allow("value", "unit")
            if not manifest.NAME.fullmatch(figure.name):
                raise figure.error("", f"'{figure.name:.110}' is not a name", "letters, digits and _, like size")
            unit = figure.text("unit", required=True)
            if unit not in _UNITS:
                raise figure.error("unit", f"'{unit}' is no unit", f"one of: {', '.join(_UNITS)}")
            kept, factor = _UNITS[unit]
            value = figure.number("value", math.nan) * factor
            if not is_number(value):
                raise figure.error("value", "`value` must be a number", 'value = 7.64, unit = "MB"')
            yield Fact(
                round(value) if kept in ("B", "count") else value,
                kept,
                f"{name}.{figure.name}",
                origin.title,
                origin,
            )


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
            return f"{float(value):.3g}" if abs(float(value)) < 999.5 else f"{float(value):,.0f}"


def size(number: float) -> str:
    """Bytes as Docker writes them: decimal units, three significant digits (270MB, 10.7MB, 53B)."""
    for unit in _STEPS[:-1]:
        text = f"{number:.3g}"
        if abs(number) < 1000 and "e" not in text:  # 999.7 rounds to 1e+03: that is 1 of the next unit
            return text + unit
        number /= 1000
    return f"{float(f'{number:.3g}'):g}{_STEPS[-1]}"


def binary(kib: float) -> str:
    """KiB as `du -h` writes them: binary units, one decimal (162.2M)."""
    for unit in ("K", "M", "G"):
        if kib < 1024:
            return f"{kib:.1f}{unit}"
        kib /= 1024
    return f"{kib:.1f}T"


def parse_binary(text: str) -> float:
    """KiB out of what `du -h` printed; ValueError where that is no size."""
    factor = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}.get(text[-1:].upper())
    kib = float(text[:-1]) * factor if factor else float(text) / 1024
    if not is_number(kib):
        raise ValueError(f"'{text:.40}' is no size")
    return kib
