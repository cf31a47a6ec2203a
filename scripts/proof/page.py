"""One page while it is rendered: its source, and everything that it states."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

from proof import facts, manifest
from proof.claims import Claim
from proof.errors import ProofError, Where
from proof.facts import FactBook
from proof.manifest import Snippet

INDEX = re.compile(r"^\{\{\s*(proof|measurements|errors)\s*\}\}$")  # a line that stands for a list of everything


@dataclass(frozen=True)
class Waiver:
    """A sentence that states something no fact backs, and why it may."""

    sentence: str
    reason: str


@dataclass
class Page:
    """What a page states, gathered while it is rendered."""

    root: Path  # of the project
    docs: Path
    collect: bool = False  # gather every problem, instead of stopping at the first
    expand: bool = True  # fill in the indexes: off where an index asks what the pages state
    source: str = ""
    claims: list[Claim] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    problems: list[ProofError] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # transcripts, as snippet/step
    snippets: set[str] = field(default_factory=set)  # that it takes anything from
    codes: set[str] = field(default_factory=set)  # names in its pictures, which must be in a snippet as those in prose
    bound: int = 0  # numbers that facts, cited figures or claims back

    @property
    def generated(self) -> bool:
        """Whether it lists everything there is, which is no reason to call a step shown."""
        return any(INDEX.match(line) for line in self.source.splitlines())

    @property
    def folder(self) -> Path:
        """Where the snippets are."""
        return self.root / "snippets"

    @functools.cached_property
    def book(self) -> FactBook:
        """Every fact, as captured; read again for the next page if a capture has changed by then."""
        records = [
            *self.folder.glob("*/captured/*/*"),
            *self.folder.glob("*/captured/*/*/*"),
            *(path for name in facts.CITED if (path := self.folder / name).exists()),
        ]
        return _book(self.folder, tuple(sorted((str(p), p.stat().st_mtime_ns) for p in records)))

    def snippet(self, name: str) -> Snippet:
        """The snippet of this name."""
        return manifest.find(self.folder, name)

    def use(self, names: list[str]) -> None:
        """Note the snippets whose facts the page states."""
        self.snippets |= {name.partition(".")[0] for name in names} & set(self.book.captures)

    def located(self, error: ProofError, token: str) -> ProofError:
        """The same error at the line where `token` stands, whatever blanks and line ends are in it."""
        if error.where is None:
            error = type(error)(error.what, where=self.locate(token), evidence=error.evidence, cure=error.cure)
        return error

    def note(self, error: ProofError, token: str) -> None:
        """A problem at `token`: raised, or kept where every problem is gathered."""
        error = self.located(error, token)
        if not self.collect:
            raise error
        self.problems.append(error)

    def locate(self, token: str) -> Where | None:
        """Where a piece of the page's source begins, whatever blanks are in it; None where no file holds the page."""
        # Python-Markdown is handed a text and no file name, so the page is the one that holds this very text.
        pattern = re.compile(r"\s+".join(re.escape(word) for word in token.split()))
        for path in sorted(self.docs.rglob("*.md")):
            text = path.read_text("utf-8", "replace")
            start = text.find(self.source.strip())
            if self.source.strip() and start >= 0:
                found = pattern.search(text, start)
                return Where(path, text.count("\n", 0, found.start()) + 1 if found else None)
        return None


@functools.lru_cache(maxsize=4)
def _book(snippets: Path, stamp: tuple[tuple[str, int], ...]) -> FactBook:
    del stamp  # it is what tells one state of the captures from the next
    return facts.load(snippets)
