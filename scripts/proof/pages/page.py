"""The state of one page while it is rendered: its source, and everything that it states."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from proof.core.errors import ProofError, Where
from proof.core.files import read_text
from proof.facts.book import FactBook
from proof.facts.claims import Claim
from proof.facts.quantities import Quantity
from proof.snippets import project
from proof.snippets.model import Snippet

_LARGEST = 100_000  # bytes per page; the largest of this site has 16,000
_LONGEST = 500  # characters by which the line of an element is found
_MOST = 100  # problems that are listed of a page
# A line that is replaced with a list of everything, with one entry of it, or with the measurements of one snippet.
INDEX = re.compile(
    r"^\{\{\s*(?:(?P<list>proof|measurements|errors)|error\s+(?P<step>\S+)|measurements\s+(?P<snippet>\S+))\s*\}\}$"
)


@dataclass(frozen=True)
class Waiver:
    """A sentence that states something that no fact backs, and the reason why it may."""

    sentence: str
    reason: str


@dataclass
class Message:
    """An error message from one or more steps, with what to do about it, for the index of errors."""

    text: str
    name: str = ""  # its ID on the page
    steps: list[str] = field(default_factory=list)  # as snippet/step
    remedies: list[str] = field(default_factory=list)  # in Markdown, like the links
    links: list[str] = field(default_factory=list)  # to the pages that show it


@dataclass
class Page:
    """What a page states, collected while it is rendered."""

    root: Path  # the project
    docs: Path
    load_book: Callable[[], FactBook]
    list_pages: Callable[[], list[PageReport]]  # reports of all pages, for a page that lists them
    collect: bool = False  # collect every problem instead of stopping at the first
    draft: bool = False  # show stale captures, and say so, instead of stopping
    find_file: Callable[[str], Path | None] = lambda _: None  # the file with this text, if that is known
    stash: Callable[[str], str] = lambda html: html  # keeps HTML from Markdown, and returns the text that stands for it
    about_bases: str = ""  # the page, below `docs`, that says where base images come from; empty if there is none
    expand: bool = True  # generate index pages; off while an index page asks for the reports
    source: str = ""
    claims: list[Claim] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    problems: list[ProofError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what an author should know, although it is no problem
    shown: list[str] = field(default_factory=list)  # transcripts, as snippet/step
    messages: dict[str, Message] | None = None  # of an index of errors: those that it has not listed yet
    last_transcripts: dict[str, ET.Element] = field(default_factory=dict)  # of each snippet: the last one's element
    explorers: int = 0  # how many it has
    snippets: set[str] = field(default_factory=set)  # names of the snippets that it uses
    codes: set[str] = field(default_factory=set)  # names in its charts, which must be in a snippet, like names in prose
    labels: list[Quantity] = field(default_factory=list)  # versions, ports … in its charts, likewise
    lists: list[str] = field(default_factory=list)  # what it lists: proof, errors, measurements, measurements/snippet
    waived: str = ""  # why nothing on it needs a proof; empty if it does
    stated: dict[ET.Element, str] = field(default_factory=dict)  # the expressions, by the element with their value
    bound: int = 0  # how many numbers are backed by facts, cited figures or claims
    _read: dict[str, Snippet] = field(default_factory=dict)  # the snippets that it uses, by name

    @functools.cached_property
    def generated(self) -> bool:
        """Whether it is an index page. A step that only an index page shows does not count as shown."""
        return any(INDEX.match(line) for line in self.source.splitlines())

    @property
    def folder(self) -> Path:
        """The directory of the snippets."""
        return self.root / "snippets"

    @functools.cached_property
    def book(self) -> FactBook:
        """Every fact, loaded when the page uses the first one."""
        return self.load_book()

    def snippet(self, name: str) -> Snippet:
        """The snippet with this name."""
        if name not in self._read:
            self._read[name] = project.find(self.folder, name)
        return self._read[name]

    def release(self) -> None:
        """Drop what only rendering needs, to save memory: a site may have a thousand pages."""
        self._read.clear()
        self.stated.clear()
        self.last_transcripts.clear()

    def use(self, names: list[str]) -> None:
        """Record that the page uses the facts with these names."""
        used = {name.partition(".")[0] for name in names}
        self.snippets |= {name for name in used if name in self.book.captures or self.book.lacks(name)}

    def located(self, error: ProofError, token: str) -> ProofError:
        """The same error with the line of `token`, unless it has one. Whitespace in `token` matches any whitespace."""
        if error.where is None:
            error = type(error)(error.what, where=self.locate(token), evidence=error.evidence, hint=error.hint)
        return error

    @property
    def is_full(self) -> bool:
        """Whether no more problems are collected: finding the place of each takes time that grows with the page."""
        return len(self.problems) > _MOST

    def note(self, error: ProofError, token: str) -> None:
        """Raise a problem at `token`, or collect it if the page collects problems, up to _MOST."""
        if self.is_full:
            return
        if len(self.problems) == _MOST:
            error = type(error)(
                f"this page has more than {_MOST} problems", where=self.locate("#"), hint="fix these first"
            )
        error = self.located(error, token)
        if not self.collect:
            raise error
        self.problems.append(error)

    def locate(self, token: str, *, start: int = 0) -> Where | None:
        """The line where `token` is, from a position of the source on. None if no file contains this page."""
        return None if self.path is None else locate(self.root, self.path, token, below=self.source[start:].strip())

    @functools.cached_property
    def path(self) -> Path | None:
        """The file with exactly this text, because Python-Markdown does not know file names. None if there is none."""
        if not (wanted := self.source.strip()):
            return None
        if (found := self.find_file(wanted)) is not None:
            return found
        # A plugin of the site generator may have changed the text at its ends, so that only a part is in the file.
        return next((path for path in sorted(self.docs.rglob("*.md")) if wanted in page_text(self.root, path)), None)


def page_text(root: Path, path: Path) -> str:
    """The text of a page below the project, with newlines normalised, as a site generator reads it."""
    text = read_text(path, below=root, limit=_LARGEST)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def locate(root: Path, path: Path, token: str, *, below: str = "") -> Where:
    """The line of a page where `token` starts, at or below the text `below`; without a line if it is not there.

    Whitespace in `token` matches any whitespace.
    """
    pattern = re.compile(r"\s+".join(re.escape(word) for word in token[:_LONGEST].split()))
    text = page_text(root, path)
    found = pattern.search(text, max(0, text.rfind(below)) if below else 0)
    return Where(path, text.count("\n", 0, found.start()) + 1 if found else None)


class OnPage:
    """A processor of the extension. Its page changes with each `Markdown.reset`."""

    current: Callable[[], Page]

    @property
    def page(self) -> Page:
        """The page being rendered."""
        return self.current()


@dataclass(frozen=True)
class PageReport:
    """One page of a site with its file."""

    path: Path
    page: Page
    front: str = ""  # its front matter, in YAML
    own: tuple[ProofError, ...] = ()  # of an index page: what is wrong with its text without the lists

    @property
    def problems(self) -> list[ProofError]:
        """The problems that were collected."""
        return [*self.own, *self.page.problems]

    @functools.cached_property
    def title(self) -> str:
        """Its first heading, or its file name."""
        found = re.search(r"^# (.+)$", self.page.source, re.MULTILINE)
        return found[1].strip() if found else self.path.stem
