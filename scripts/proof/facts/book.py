"""Collects the facts of a project: every value that a page may use, with its unit and its source.

Besides measured facts, there are figures that others published (cited.toml) and those of one run of the benchmarks
(bench.toml). Expressions can use them alike, but pages always show them as cited.
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
    """Every fact of a project, by name.

    Raises PageError if a name is both cited and measured, or if its capture was not written by the tool.
    """

    def __init__(self, captures: Mapping[str, Capture], cited: Iterable[Fact] = ()) -> None:
        self.captures = captures
        self.cited = {fact.name: fact for fact in cited}

    def with_captures(self, captures: Mapping[str, Capture]) -> FactBook:
        """A copy in which these captures replace the committed ones of the same snippets."""
        return FactBook(ChainMap(dict(captures), cast(dict[str, Capture], self.captures)), self.cited.values())

    def __getitem__(self, name: str) -> Fact:
        snippet, _, fact = name.partition(".")
        if name not in self.cited:
            return _measured(snippet, fact, self.captures[snippet])
        if snippet in self.captures:  # a cited figure never replaces a measured one
            raise PageError(f"'{name:.110}' is both cited and measured", hint="rename the source in cited.toml")
        return self.cited[name]

    def __iter__(self) -> Iterator[str]:
        for snippet, capture in self.captures.items():
            yield from (f"{snippet}.{fact}" for fact in capture.facts)
        yield from self.cited

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load(snippets: Path) -> FactBook:
    """The facts of every captured snippet below the directory `snippets`, and the cited figures.

    Raises ManifestError for an invalid cited.toml or bench.toml. Captures are read on demand.
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
