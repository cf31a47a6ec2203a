"""Finds what compares a size on an official base with one that was measured on a rebuilt base."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from proof.facts.book import FactBook

# The sizes that include a base, each with the size on the official one that belongs next to it.
_TOTALS = {
    **dict.fromkeys(("size", "base_size", "disk_usage"), "official_size"),
    **dict.fromkeys(("transfer_size", "base_transfer_size", "content_size"), "official_transfer_size"),
}


def unlike(names: Iterable[str], beside: Collection[str], book: FactBook) -> Iterator[tuple[str, str]]:
    """What is wrong where a sentence, a chart or a row states these facts, and all those `beside` them, and hints.

    A total on a rebuilt base that isn't the official image needs the official total next to any cited number of bytes,
    and next to the official total of another image. Only the size of the base itself may stand next to that of the
    official one.
    """
    cited = (name for name in beside if name in book.cited and book.cited[name].unit == "B")
    totals = (name for name in beside if name.partition(".")[2] in _TOTALS.values())
    other = next(chain(cited, totals), None)
    for name in dict.fromkeys(names) if other else ():
        snippet, _, fact = name.partition(".")
        if (total := _TOTALS.get(fact)) is None or (sizes := book.unofficial(snippet)) is None:
            continue
        own = sizes[total].name if total in sizes and fact.startswith("base_") else ""
        if f"{snippet}.{total}" not in beside and own not in beside:
            what = f"{name} is on a rebuilt base, but {other}, next to it, isn't"
            needed = f"state {own or f'{snippet}.{total}'}"
            hint = needed if total in sizes else f"give the base an `{total}` in bases.toml"
            yield what, f"{hint}, or add {{{{ waiver: why }}}}"
