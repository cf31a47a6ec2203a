"""Collects the facts of a project: every value that a page may use, with its unit and its source.

Besides measured facts, there are figures that others published (cited.toml) and those of one run of the benchmarks
(bench.toml). Expressions can use them alike, but pages always show them as cited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from proof.captures.index import Captures
from proof.captures.model import Capture
from proof.captures.staleness import NeverCapturedError
from proof.core.errors import PageError
from proof.facts.cited import CITED, _cited
from proof.facts.values import Fact
from proof.snippets import manifest, project


class FactBook(Mapping[str, Fact]):
    """Every fact of a project, by name.

    Raises PageError if a name is both cited and measured, or if its capture was not written by the tool, and
    NeverCapturedError if its snippet has no capture.
    """

    def __init__(
        self, captures: Mapping[str, Capture], cited: Iterable[Fact] = (), measured: Mapping[str, Capture] | None = None
    ) -> None:
        self.captures = captures
        self.cited = {fact.name: fact for fact in cited}
        self._measured = measured or {}

    __eq__ = object.__eq__  # comparing the facts of two books would read all captures
    __hash__ = object.__hash__

    def with_captures(self, measured: Mapping[str, Capture]) -> FactBook:
        """A copy in which the facts of these captures replace the committed ones."""
        return FactBook(self.captures, self.cited.values(), measured)

    def __getitem__(self, name: str) -> Fact:
        snippet, _, fact = name.partition(".")
        if name in self.cited:
            if snippet in self._measured or snippet in self.captures:  # a cited figure never replaces a measured one
                raise PageError(f"'{name:.110}' is both cited and measured", hint="rename the source in cited.toml")
            return self.cited[name]
        for capture in self._of(snippet):
            if fact in capture.facts:
                return _measured(snippet, fact, capture)
        if self.lacks(snippet):
            raise NeverCapturedError.of(snippet)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            return super().__contains__(name)
        except NeverCapturedError:
            return False

    def lacks(self, snippet: str) -> bool:
        """Whether there is a snippet of this name that was never captured."""
        known = self.captures
        return snippet not in self._measured and isinstance(known, Captures) and known.lacks(snippet)

    def shown(self, snippet: str) -> tuple[Capture, ...]:
        """The committed captures of a snippet that pages show, the first one first. Empty if there is none."""
        known = self.captures
        if snippet not in known:
            return ()
        return known.shown(snippet) if isinstance(known, Captures) else (known[snippet],)

    def everywhere(self, name: str) -> list[Fact]:
        """A fact in each environment in which it was measured, the one that pages use first."""
        first = self[name]
        snippet, _, fact = name.partition(".")
        if name in self.cited or not isinstance(self.captures, Captures):
            return [first]
        return [_measured(snippet, fact, c) for c in self.captures.of(snippet).current if fact in c.facts]

    def _of(self, snippet: str) -> Iterator[Capture]:
        """The captures with the facts of a snippet. Some facts are of other engines only."""
        if snippet in self._measured:
            yield self._measured[snippet]
        yield from self.shown(snippet)

    def __iter__(self) -> Iterator[str]:
        for snippet in dict.fromkeys([*self.captures, *self._measured]):
            yield from dict.fromkeys(f"{snippet}.{fact}" for capture in self._of(snippet) for fact in capture.facts)
        yield from self.cited

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load(snippets: Path, read: project.Read = manifest.variants) -> FactBook:
    """The facts of every captured snippet below the directory `snippets`, and the cited figures.

    Raises ManifestError for an invalid cited.toml or bench.toml. Captures are read on demand.
    """
    taken = {path.name for path in snippets.iterdir() if path.is_dir()}
    seen: set[str] = set()
    cited = [fact for path in CITED for fact in _cited(snippets / path, taken, seen)]
    return FactBook(Captures(snippets, read), cited)


def _measured(snippet: str, name: str, capture: Capture) -> Fact:
    fact = capture.facts[name]
    return Fact(fact.value, fact.unit, f"{snippet}.{name}", fact.source, capture, fact.tolerance)
