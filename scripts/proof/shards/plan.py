"""Which shard runs which snippet: balanced by how long each took when captured, and the same on all machines."""

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

    number: int  # counted from 1
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse(text: str) -> Shard:
    """`2/3` as a shard; UsageError where it is none."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if not found or int(found[1]) > int(found[2]):
        raise UsageError(f"'{text}' is no shard", hint="--shard 1/3, which is the first of three")
    return Shard(int(found[1]), int(found[2]))


def divide(seconds: Mapping[str, float], count: int) -> list[list[str]]:
    """The names in `count` shards, the longest first and each into the shard that has least to do so far.

    No shard takes longer than the mean of all plus its own last snippet, which is what this rule is known for.
    """
    shards: list[list[str]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = min(range(count), key=lambda i: (loads[i], len(shards[i]), i))
        shards[least].append(name)
        loads[least] += seconds[name]
    return shards


def part(snippets: Sequence[Snippet], shard: Shard) -> list[Snippet]:
    """The snippets of one shard, in their own order; UsageError where it has none: a run of nothing proves nothing."""
    mine = set(divide(durations(snippets), shard.count)[shard.number - 1])
    if not mine:
        raise UsageError(
            f"shard {shard} has no snippet: there are {len(snippets)} in all",
            hint=f"--shard {shard.number if shard.number <= len(snippets) else 1}/{len(snippets)}, or fewer shards",
        )
    return [snippet for snippet in snippets if snippet.name in mine]
