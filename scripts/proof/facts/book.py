"""Captures → facts: every value that a page may state, with its unit, its source and its one way of being written.

Beside what was measured stand figures that others published, out of cited.toml, and those of one run of the benchmarks,
out of bench.toml: the same to compute with, and always shown as cited.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from proof.captures import index
from proof.captures.model import Capture
from proof.core.errors import PageError
from proof.facts.cited import CITED, _cited
from proof.facts.values import Fact
from proof.snippets import manifest


class FactBook(Mapping[str, Fact]):
    """Every fact of a project, by name."""

    def __init__(self, captures: Mapping[str, Capture], cited: Iterable[Fact] = ()) -> None:
        self.captures = captures
        self.cited = {fact.name: fact for fact in cited}

    def with_captures(self, captures: Mapping[str, Capture]) -> FactBook:
        """The same book with these captures in place of the committed ones."""
        return FactBook(ChainMap(dict(captures), cast(dict[str, Capture], self.captures)), self.cited.values())

    def __getitem__(self, name: str) -> Fact:
        snippet, _, fact = name.partition(".")
        if name not in self.cited:
            return _measured(snippet, fact, self.captures[snippet])
        if snippet in self.captures:  # what others published never takes the place of what was measured
            raise PageError(f"'{name:.110}' is both cited and measured", hint="another name in cited.toml")
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
    return FactBook(index.Captures(snippets, _variants), cited)


def _variants(folder: Path) -> set[str]:
    return {snippet.variant for snippet in manifest.variants(folder)}


def _measured(snippet: str, name: str, capture: Capture) -> Fact:
    fact = capture.facts[name]
    return Fact(fact.value, fact.unit, f"{snippet}.{name}", fact.source, capture, fact.tolerance)
