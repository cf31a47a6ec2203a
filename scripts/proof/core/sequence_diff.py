"""Finds where two lists differ, in bounded time for lists of any length.

The time of `difflib.SequenceMatcher` grows with the product of the lengths, and with their cube if items repeat. For a
program that prints one line a hundred thousand times it takes days.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

_MOST = 256  # items of each list that are compared individually


class Block(NamedTuple):
    """`old[old_from:old_to]` is replaced by `new[new_from:new_to]`; either may be empty."""

    old_from: int
    old_to: int
    new_from: int
    new_to: int


def blocks(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[Block]:
    """The differences, in order.

    The common beginning and end are removed first. If what remains is long, it is a single block.
    """
    first, most = 0, min(len(old), len(new))
    while first < most and old[first] == new[first]:
        first += 1
    last = 0
    while last < most - first and old[-1 - last] == new[-1 - last]:
        last += 1
    before, after = old[first : len(old) - last], new[first : len(new) - last]
    if not before and not after:
        return
    if len(before) > _MOST or len(after) > _MOST:
        yield Block(first, first + len(before), first, first + len(after))
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Block(first + i, first + j, first + k, first + m)
