"""Reads figures that no snippet measures, with their sources: cited.toml, bench.toml and lint.toml.

scripts/bench and scripts/error-rate write the latter two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from proof.core.text import objection
from proof.core.toml_table import Table
from proof.core.units import is_whole
from proof.core.validate import is_number
from proof.facts import elsewhere
from proof.facts.values import Fact, Source
from proof.snippets.model import NAME

# Unit in the file → unit of the fact, and the factor between them.
_UNITS = {
    "B": ("B", 1),
    "MB": ("B", 1_000_000),
    "MiB": ("KiB", 1024),
    "s": ("s", 1),
    "count": ("count", 1),
    "ratio": ("", 1),
}
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")
CITED = ("cited.toml", "bench.toml", "lint.toml")  # below snippets/


def _owner(name: str, taken: set[str]) -> str:
    """The snippet directory with this name, or one whose variants could have it. Empty if there is none."""
    words = name.split("_")
    names = ("_".join(words[:length]) for length in range(len(words), 0, -1))
    return next((name for name in names if name in taken), "")


def _is_date(text: str) -> bool:
    """Whether it is a year, a month or a day."""
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def _cited(path: Path, taken: set[str], seen: set[str]) -> Iterator[Fact]:
    if not path.exists():
        return
    table = Table.read(path, below=path.parents[1])
    table.allow("source")
    for source in table.tables("source"):
        source.allow("name", "title", "date", "url", "facts", "sha256", "figures")
        name = source.text("name", required=True)
        if not NAME.fullmatch(name):
            raise source.error("name", f"invalid name '{name:.110}'", "use letters, digits and _, like edition_2020")
        if name in seen:
            raise source.error("name", f"two sources are called '{name}'", "use another name")
        seen.add(name)
        if owner := _owner(name, taken):
            what = "is already a snippet" if name == owner else f"could be a variant of the snippet '{owner}'"
            raise source.error("name", f"'{name}' {what}", "use another name")
        if (url := source.text("url")) and not re.fullmatch(r"https?://[!-~]+", url):
            raise source.error("url", f"invalid URL '{url}'", 'url = "https://example.com/"')
        copy = elsewhere.read(source, path.parent)
        day = source.text("date", required=copy is None)
        origin = Source(source.text("title", required=True), day, url)
        if why := objection(origin.title):
            raise source.error("title", f"`title` has {why}", "use Latin letters and digits")
        if copy is None and not _is_date(origin.date):
            raise source.error("date", f"invalid date '{origin.date:.40}'", "write YYYY, YYYY-MM or YYYY-MM-DD")
        for figure in source.subtables("figures"):
            if not NAME.fullmatch(figure.name):
                raise figure.error("", f"invalid name '{figure.name:.110}'", "use letters, digits and _, like size")
            yield copy.fact(figure, name, origin.title) if copy else _typed(figure, name, origin)


def _typed(figure: Table, source: str, origin: Source) -> Fact:
    """A figure whose value is in the file."""
    figure.allow("value", "unit")
    unit = figure.text("unit", required=True)
    if unit not in _UNITS:
        raise figure.error("unit", f"unknown unit '{unit}'", f"use one of: {', '.join(_UNITS)}")
    kept, factor = _UNITS[unit]
    value = figure.number("value", math.nan) * factor
    if not is_number(value):
        raise figure.error("value", "`value` must be a number", 'value = 7.64, unit = "MB"')
    if kept == "count" and not is_whole(value):
        raise figure.error("value", "a count is a whole number", 'unit = "ratio"')
    value = round(value) if kept in ("B", "count") else value
    return Fact(value, kept, f"{source}.{figure.name}", origin.title, origin)
