"""Finds what compares a size that others published with one that was measured on another base than theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from proof.facts.book import FactBook

# The sizes that include a base, each with the size on the official one that belongs next to it.
_TOTALS = {
    **dict.fromkeys(("size", "base_size", "disk_usage"), "official_size"),
    **dict.fromkeys(("transfer_size", "base_transfer_size", "content_size"), "official_transfer_size"),
}


def unlike(names: Iterable[str], beside: Collection[str], book: FactBook) -> Iterator[tuple[str, str]]:
    """What is wrong where a sentence, a chart or a row states these facts, and all those `beside` them, and hints.

    A total on a rebuilt base that isn't the official image needs the official total next to any cited number of bytes.
    Only the size of the base itself may stand next to that of the official one.
    """
    cited = next((name for name in beside if name in book.cited and book.cited[name].unit == "B"), None)
    for name in dict.fromkeys(names) if cited else ():
        snippet, _, fact = name.partition(".")
        if (total := _TOTALS.get(fact)) is None or (sizes := book.unofficial(snippet)) is None:
            continue
        own = sizes[total].name if total in sizes and fact.startswith("base_") else ""
        if f"{snippet}.{total}" not in beside and own not in beside:
            what = f"{name} is on a rebuilt base, not the official one, but next to it {cited} is cited"
            needed = f"state {own or f'{snippet}.{total}'}"
            hint = needed if total in sizes else f"give the base an `{total}` in bases.toml"
            yield what, f"{hint}, or add {{{{ waiver: why }}}}"
