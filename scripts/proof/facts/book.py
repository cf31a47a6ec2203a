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
from proof.facts import official
from proof.facts.cited import CITED, _cited
from proof.facts.values import Fact
from proof.snippets import base_images, manifest, project
from proof.snippets.base_images import Bases


class FactBook(Mapping[str, Fact]):
    """Every fact of a project, by name.

    Raises PageError if a name is both cited and measured, or if its capture was not written by the tool, and
    NeverCapturedError if its snippet has no capture.
    """

    def __init__(
        self,
        captures: Mapping[str, Capture],
        cited: Iterable[Fact] = (),
        measured: Mapping[str, Capture] | None = None,
        bases: Bases | None = None,
        origin: str | None = None,
    ) -> None:
        self.captures = captures
        self.cited = {fact.name: fact for fact in cited}
        self._measured = measured or {}
        self._bases, self._origin = bases, origin
        self._official = official.read(bases, self.cited) if bases else {}

    __eq__ = object.__eq__  # comparing the facts of two books would read all captures
    __hash__ = object.__hash__

    def with_captures(self, measured: Mapping[str, Capture]) -> FactBook:
        """A copy in which the facts of these captures replace the committed ones.

        The others are on the same bases too, where there are any: sizes on different ones can't be compared.
        """
        origin = next((capture.environment.bases for capture in measured.values()), None)
        return FactBook(self.captures, self.cited.values(), measured, self._bases, origin)

    def on(self, origin: str) -> FactBook:
        """A copy with the facts that were measured on these bases, for snippets that have any."""
        return FactBook(self.captures, self.cited.values(), self._measured, self._bases, origin)

    def __getitem__(self, name: str) -> Fact:
        snippet, _, fact = name.partition(".")
        if name in self.cited:
            if snippet in self._measured or snippet in self.captures:  # a cited figure never replaces a measured one
                raise PageError(f"'{name:.110}' is both cited and measured", hint="rename the source in cited.toml")
            return self.cited[name]
        for capture in self._of(snippet):
            if (value := self._in(snippet, fact, capture)) is not None:
                return value
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
        """The committed captures of a snippet that pages show, or those on the book's bases. Empty if there is none."""
        known = self.captures
        if snippet not in known:
            return ()
        return known.shown(snippet, self._origin) if isinstance(known, Captures) else (known[snippet],)

    def names(self, snippet: str) -> list[str]:
        """The names of a snippet's facts. Those of its first capture come before those that only another one has."""
        every = [
            f"{snippet}.{name}"
            for capture in self._of(snippet)
            for name in (*capture.facts, *official.TOTALS)
            if name in capture.facts or self._total(snippet, name, capture)
        ]
        return list(dict.fromkeys(every))

    def unofficial(self, snippet: str) -> dict[str, Fact] | None:
        """What is cited of the official base of a snippet's image, if pages show it on one that only resembles it."""
        base = self._base(snippet)
        if (
            self._bases is None
            or self._bases.is_official(base)
            or not any(capture.environment.bases == "rebuilt" for capture in self._of(snippet))
        ):
            return None
        return self._official.get(base, {})

    def _base(self, snippet: str) -> str:
        """The base of the image that a snippet measures. Empty if it measures none, or was never captured."""
        known = self.captures
        if isinstance(known, Captures) and snippet in known:
            return known.of(snippet).snippet.image_base() or ""
        return ""

    def _in(self, snippet: str, name: str, capture: Capture) -> Fact | None:
        """The value of a fact in one capture, if it has it."""
        if (total := self._total(snippet, name, capture)) is not None:
            return total
        return _measured(snippet, name, capture) if name in capture.facts else None

    def _total(self, snippet: str, name: str, capture: Capture) -> Fact | None:
        """The size of an image on the official base. None for another fact, or if that base's size isn't cited."""
        if name not in official.TOTALS or (cited := self._official.get(self._base(snippet), {}).get(name)) is None:
            return None
        return official.total(f"{snippet}.{name}", capture, cited)

    def everywhere(self, name: str) -> list[Fact]:
        """A fact in each environment in which it was measured, the one that pages use first."""
        snippet, _, fact = name.partition(".")
        if name in self.cited or not isinstance(self.captures, Captures):
            return [self[name]]
        every = (self._in(snippet, fact, capture) for capture in self.captures.of(snippet).current)
        return [found for found in every if found]

    def _of(self, snippet: str) -> Iterator[Capture]:
        """The captures with the facts of a snippet. Some facts are of other engines only."""
        if snippet in self._measured:
            yield self._measured[snippet]
        yield from self.shown(snippet)

    def __iter__(self) -> Iterator[str]:
        for snippet in dict.fromkeys([*self.captures, *self._measured]):
            yield from self.names(snippet)
        yield from self.cited

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load(snippets: Path, read: project.Read = manifest.variants) -> FactBook:
    """The facts of every captured snippet below the directory `snippets`, and the cited figures.

    Raises ManifestError for an invalid cited.toml, bench.toml or bases.toml. Captures are read on demand.
    """
    taken = {path.name for path in snippets.iterdir() if path.is_dir()}
    seen: set[str] = set()
    cited = [fact for path in CITED for fact in _cited(snippets / path, taken, seen)]
    bases = base_images.load(snippets.parent) if (snippets / base_images.FILE).exists() else None
    return FactBook(Captures(snippets, read), cited, bases=bases)


def _measured(snippet: str, name: str, capture: Capture) -> Fact:
    fact = capture.facts[name]
    return Fact(fact.value, fact.unit, f"{snippet}.{name}", fact.source, capture, fact.tolerance)
