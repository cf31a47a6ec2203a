"""Finds what calls a size official that was measured on a rebuilt base, or compares it with one that is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from proof.facts.book import FactBook

# The sizes that include a base, each with the size on the official one that belongs next to it.
_TOTALS = {
    **dict.fromkeys(("size", "base_size", "disk_usage"), "official_size"),
    **dict.fromkeys(("transfer_size", "base_transfer_size", "content_size"), "official_transfer_size"),
}
# The official image, the official Go 1.27 image, the official one; or its name in code, which stands as one character.
_CALLED_OFFICIAL = re.compile(
    r"(?i)\bofficial[\ue000-\uf8ff]?(?:\s+[\w.'’\ue000-\uf8ff-]+){0,3}?\s+(?:(?:images?|bases?|ones?)\b|[\ue000-\uf8ff])"
)


def unlike(names: Iterable[str], beside: Collection[str], book: FactBook, words: str = "") -> Iterator[tuple[str, str]]:
    """What is wrong where a sentence, a chart or a row states these facts, and all those `beside` them, and hints.

    A total on a rebuilt base that isn't the official image needs the official total next to any cited number of bytes,
    next to the official total of another image, and in a sentence or a row whose `words` name an official image. Only
    the size of the base itself may stand next to that of the official one.
    """
    cited = (name for name in beside if name in book.cited and book.cited[name].unit == "B")
    totals = (name for name in beside if name.partition(".")[2] in _TOTALS.values())
    other = next(chain(cited, totals), None)
    for name in dict.fromkeys(names):
        snippet, _, fact = name.partition(".")
        if (total := _TOTALS.get(fact)) is None or (sizes := book.unofficial(snippet)) is None:
            continue
        own = sizes[total].name if total in sizes and fact.startswith("base_") else ""
        if f"{snippet}.{total}" in beside or own in beside or not (other or _CALLED_OFFICIAL.search(words)):
            continue
        why = f"{other}, next to it, isn't" if other else "these words name an official image"
        needed = f"state {own or f'{snippet}.{total}'}"
        hint = needed if total in sizes else f"give the base an `{total}` in bases.toml"
        yield f"{name} is on a rebuilt base, but {why}", f"{hint}, or add {{{{ waiver: why }}}}"
