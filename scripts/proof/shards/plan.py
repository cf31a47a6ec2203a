"""Decides which shard runs which snippet. Shards are balanced by the captured durations, the same on every machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proof.captures.durations import durations
from proof.core.errors import UsageError
from proof.snippets.model import Snippet


@dataclass(frozen=True)
class Shard:
    """One part of a run."""

    number: int  # starting at 1
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse(text: str) -> Shard:
    """Parse a shard such as `2/3`. Raises UsageError if it is invalid."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if not found or int(found[1]) > int(found[2]):
        raise UsageError(f"invalid shard '{text}'", hint="write it like --shard 1/3, which is the first of three")
    return Shard(int(found[1]), int(found[2]))


def divide(seconds: Mapping[str, float], count: int) -> list[list[str]]:
    """Divide the names into `count` shards. The slowest come first; each goes to the shard with the least to do so far.

    With this rule no shard takes longer than the mean of all shards plus its own last snippet.
    """
    shards: list[list[str]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = min(range(count), key=lambda i: (loads[i], len(shards[i]), i))
        shards[least].append(name)
        loads[least] += seconds[name]
    return shards


def part(snippets: Sequence[Snippet], shard: Shard) -> list[Snippet]:
    """The snippets of one shard, in their original order. Raises UsageError if there are none."""
    mine = set(divide(durations(snippets), shard.count)[shard.number - 1])
    if not mine:
        raise UsageError(
            f"shard {shard} has no snippets: there are only {len(snippets)}",
            hint=f"use --shard {shard.number if shard.number <= len(snippets) else 1}/{len(snippets)}, or fewer shards",
        )
    return [snippet for snippet in snippets if snippet.name in mine]
