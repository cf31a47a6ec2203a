"""Finds what is typed around a value and makes another value of it: a unit, a digit, a second value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from proof.pages.lint.sentence import plain

_PRIVATE = re.compile("[\ue000-\uf8ff]")
# What would make another amount of the value before it: units of size and time in full, short or slang, scales, signs.
_UNITS = (
    r"[kmgtpezy]i?(?:b(?:ytes?|its?|s)?)?|bits?|octets?"
    r"|(?:kilo|mega|giga|tera|peta|exa|zetta|yotta|kibi|mebi|gibi|tebi|pebi|exbi)(?:byte|bit)?s?|bytes?|megs?|gigs?"
    r"|(?:milli|micro|nano|pico)?seconds?|(?:milli|micro|nano|pico)s|[mµμunp]?s(?:ecs?)?|minutes?|mins?|hours?|hrs?"
    r"|days?|weeks?|fortnights?|months?|years?|yrs?|decades?|centur(?:y|ies)"
    r"|(?:dozen|hundred|thousand|grand|[a-z]{1,6}illion)s?|mln|bn|percent|per (?:cent|mille)|fold|[b-hj-zµμ]"
)
_UNIT_AFTER = re.compile(rf"([\ue000-\uf8ff])[\s-]?((?:{_UNITS})(?![\w'’])|[%‰‱×])", re.IGNORECASE)
# What touches a value, other than punctuation, is read as a part of it; so is a value with no word before the next.
_TOUCHING = re.compile(
    r"[\ue000-\uf8ff](?:\s*|[^\w\s()])[\ue000-\uf8ff]"
    r"|(?:[^\s(\[\"'“\N{LEFT SINGLE QUOTATION MARK}—–/-]|(?<!\w)[–-])[\ue000-\uf8ff]"
    r"|[\ue000-\uf8ff](?:[.,:'’/–-]?\d|[^\s.,:;!?)\]\"”'’…–—/-])"
)


def altered(text: str, value_of: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """What alters the values in a text, each with a hint. A private-use character stands for each value."""
    text = plain(" ".join(text.split()))
    for found in _UNIT_AFTER.finditer(text):
        what = f"the unit '{found[2]}' is typed after the value '{value_of(found[1])}'"
        yield what, "leave it out: a value is written with its unit. bytes(), percent() and times() write others"
    for found in _TOUCHING.finditer(_UNIT_AFTER.sub(r"\1", text)):
        both = _PRIVATE.sub(lambda mark: value_of(mark[0]), found[0])
        yield f"nothing separates '{both}' from a value", "put a word between them"
