"""Reads facts that another site measured, out of the copy of its facts.json that is kept next to cited.toml.

The copy is pinned by its SHA-256, so that a reviewer who has seen the number once has seen the one that is shown.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from proof.core import files
from proof.core.errors import ManifestError, command
from proof.core.limits import limited
from proof.core.text import objection
from proof.core.toml_table import Table
from proof.core.units import is_whole
from proof.core.validate import is_number
from proof.facts.values import Fact, Source

SCHEMA = 2  # of facts.json: see docs/tool/facts.md
_LARGEST = 20_000_000  # bytes; that of a site with 1,700 facts has 4,000,000
_UNITS = ("B", "KiB", "s", "count", "")  # of numbers
_AS_PUBLISHED = "keep the file as it was published"
_LONGEST = 1_000  # characters of a text


@dataclass(frozen=True)
class Copy:
    """The copy of a facts.json: from where, and each of its facts by name."""

    url: str
    facts: dict[str, Any]

    def fact(self, figure: Table, source: str, title: str) -> Fact:
        """The fact that a figure of cited.toml names. Raises ManifestError if it wasn't measured, or isn't valid."""
        figure.allow("fact")
        wanted = figure.text("fact", required=True)
        found = self.facts.get(wanted)
        if not isinstance(found, dict) or found.get("kind") != "measured":
            what = f"`{wanted:.110}` is no measured fact of that site"
            raise figure.error("fact", what, "cite what it cites from where that comes from")
        try:
            first = found["values"][0]
            value, unit, day = first["value"], found["unit"], first["date"][:10]
            date.fromisoformat(day)
            engine, platform = first["environment"]["engine"], first["environment"]["platform"]
            said = f"{title}, {wanted}, measured with {engine} on {platform}"
            place = found["place"] if _is_address(found.get("place")) else self.url
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise figure.error("fact", f"`{wanted:.110}` can't be read: {error!r:.60}", _AS_PUBLISHED) from error
        if why := objection(said) if _fits(value, unit) else "no valid value":
            raise figure.error("fact", f"`{wanted:.110}` has {why}", _AS_PUBLISHED)
        return Fact(value, unit, f"{source}.{figure.name}", said, Source(said, day, place))


def read(source: Table, folder: Path) -> Copy | None:
    """The copy of another site's facts that a source of cited.toml names. None if it names none.

    Raises ManifestError if the copy is missing, isn't the one that was pinned, or can't be read.
    """
    if not (url := source.text("facts")):
        return None
    if not _is_address(url):
        raise source.error("facts", f"invalid URL '{url:.110}'", 'facts = "https://example.com/facts.json"')
    path = folder / f"{source.text('name')}.facts.json"
    pinned = source.text("sha256", required=True)
    try:
        content = files.read(path, below=folder.parent, limit=_LARGEST)
    except FileNotFoundError as error:
        hint = command("curl", "-fsSo", f"snippets/{path.name}", url)
        raise source.error("facts", f"snippets/{path.name} is missing", hint) from error
    if (digest := hashlib.sha256(content).hexdigest()) != pinned:
        what = f"snippets/{path.name} isn't the pinned file"
        raise source.error("sha256", what, f'look at what has changed, then write sha256 = "{digest}"')
    try:
        with limited(source.where("facts")):
            return Copy(url, _facts(content))
    except ManifestError as error:
        raise source.error("facts", f"snippets/{path.name}: {error.what}", error.hint) from error


@functools.lru_cache(maxsize=4)
def _facts(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
        if data["schema"] != SCHEMA:
            raise ManifestError(f"it has schema {data['schema']!r:.20}, not {SCHEMA}", hint="update the tool")
        return {fact["name"]: fact for fact in data["facts"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError("it is no facts.json", hint=_AS_PUBLISHED) from error


def _is_address(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"https?://[!-~]+", text) is not None


def _fits(value: Any, unit: object) -> bool:
    """Whether it is a value with its unit, as this tool writes them."""
    if isinstance(value, str):
        return unit == "text" and len(value) <= _LONGEST and not objection(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_number(value):
        return False
    return unit in _UNITS and (is_whole(value) or unit not in ("B", "count"))
