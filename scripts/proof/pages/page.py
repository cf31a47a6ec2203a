"""One page while it is rendered: its source, and everything that it states."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from proof.core.errors import ProofError, Where
from proof.core.files import read_text
from proof.facts.book import FactBook
from proof.facts.claims import Claim
from proof.snippets import project
from proof.snippets.model import Snippet

_LARGEST = 2_000_000  # bytes of one page
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
    load_book: Callable[[], FactBook]
    list_pages: Callable[[], list[PageReport]]  # what every page states, for one that lists it
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
    _read: dict[str, Snippet] = field(default_factory=dict)  # those that it takes from, by name

    @functools.cached_property
    def generated(self) -> bool:
        """Whether it lists everything there is, which is no reason to call a step shown."""
        return any(INDEX.match(line) for line in self.source.splitlines())

    @property
    def folder(self) -> Path:
        """Where the snippets are."""
        return self.root / "snippets"

    @functools.cached_property
    def book(self) -> FactBook:
        """Every fact, as captured when the page asked for the first one."""
        return self.load_book()

    def snippet(self, name: str) -> Snippet:
        """The snippet of this name."""
        if name not in self._read:
            self._read[name] = project.find(self.folder, name)
        return self._read[name]

    def release(self) -> None:
        """The snippets are not needed any more: of a thousand pages there is room for what they state alone."""
        self._read.clear()

    def use(self, names: list[str]) -> None:
        """Note the snippets whose facts the page states."""
        used = {name.partition(".")[0] for name in names}
        self.snippets |= {name for name in used if name in self.book.captures}

    def located(self, error: ProofError, token: str) -> ProofError:
        """The same error at the line where `token` stands, whatever blanks and line ends are in it."""
        if error.where is None:
            error = type(error)(error.what, where=self.locate(token), evidence=error.evidence, hint=error.hint)
        return error

    def note(self, error: ProofError, token: str) -> None:
        """A problem at `token`: raised, or kept where every problem is gathered."""
        error = self.located(error, token)
        if not self.collect:
            raise error
        self.problems.append(error)

    def locate(self, token: str) -> Where | None:
        """Where a piece of the page's source begins, whatever blanks are in it; None where no file holds the page."""
        if self.path is None:
            return None
        pattern = re.compile(r"\s+".join(re.escape(word) for word in token.split()))
        text = page_text(self.root, self.path)
        found = pattern.search(text, max(0, text.find(self.source.strip())))
        return Where(self.path, text.count("\n", 0, found.start()) + 1 if found else None)

    @functools.cached_property
    def path(self) -> Path | None:
        """The file that holds this very text: Python-Markdown is handed no file name."""
        wanted = self.source.strip()
        files = sorted(self.docs.rglob("*.md")) if wanted else []
        return next((path for path in files if wanted in page_text(self.root, path)), None)


def page_text(root: Path, path: Path) -> str:
    """The text of a page below the project, each line ended by a newline as a site generator reads it."""
    text = read_text(path, below=root, limit=_LARGEST)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class OnPage:
    """A part of the extension; the page that it works on is another one after each `Markdown.reset`."""

    current: Callable[[], Page]

    @property
    def page(self) -> Page:
        """The page that is rendered now."""
        return self.current()


@dataclass(frozen=True)
class PageReport:
    """One page of a site, and what it states."""

    path: Path
    page: Page

    @property
    def problems(self) -> list[ProofError]:
        """Everything that is wrong with it."""
        return self.page.problems

    @functools.cached_property
    def title(self) -> str:
        """Its first heading, or the name of its file."""
        found = re.search(r"^# (.+)$", self.page.source, re.MULTILINE)
        return found[1].strip() if found else self.path.stem
