"""The state of one page while it is rendered: its source, and everything that it states."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proof.core.errors import ProofError, Where
from proof.facts.book import FactBook
from proof.pages.document import MARK, Document, unmarked
from proof.pages.lint.claims import Claim
from proof.pages.lint.quantities import Quantity
from proof.pages.site import Site
from proof.snippets.model import Snippet

_MOST = 100  # problems that are listed of a page
# A line that is replaced with a list of everything, with one entry of it, or with the measurements of one snippet.
INDEX = re.compile(
    rf"^\{{\{{{MARK}?\s*(?:(?P<list>proof|measurements|errors)"
    r"|error\s+(?P<step>\S+)|measurements\s+(?P<snippet>\S+))\s*\}\}$"
)
WHOLE_PAGE = "a page"  # the sentence of a waiver for all of them


@dataclass(frozen=True)
class Waiver:
    """A sentence that states something that no fact backs, and the reason why it may."""

    sentence: str
    reason: str


@dataclass(frozen=True)
class Use:
    """Where a page uses something of a snippet."""

    where: Where
    kind: str  # fact, claim, chart, file, transcript or explorer
    text: str  # as its author wrote it
    names: tuple[str, ...]  # of facts, steps or snippets

    @property
    def facts(self) -> list[str]:
        """The names of facts among them."""
        return [name for name in self.names if "." in name]

    @property
    def snippets(self) -> list[str]:
        """The snippets that they belong to."""
        return [re.split("[./]", name)[0] for name in self.names]


@dataclass(frozen=True)
class Chart:
    """A figure. Its title is Markdown of the page; its inside is HTML that no Markdown processor reads."""

    kind: str
    title: str
    inside: str
    facts: list[str]


@dataclass(frozen=True)
class Options:
    """How pages are rendered."""

    docs: Path
    collect: bool = False  # collect every problem instead of stopping at the first
    draft: bool = False  # show stale captures, and say so, instead of stopping
    expand: bool = True  # generate index pages; off while an index page asks for the reports
    about_bases: str = ""  # the page, below `docs`, that says where base images come from; empty if there is none


@dataclass
class Rendering:
    """What is needed only while a page is rendered."""

    list_pages: Callable[[], list[PageReport]] = list  # reports of all pages, for a page that lists them
    stash: Callable[[str], str] = str  # keeps HTML from Markdown, and returns the text that stands for it
    stated: dict[ET.Element, str] = field(default_factory=dict)  # the expressions, by the element with their value
    places: dict[ET.Element, int] = field(default_factory=dict)  # where in the text an element is
    transcripts: dict[ET.Element, str] = field(default_factory=dict)  # the snippet, by the element with a step of it
    panels: dict[ET.Element, str] = field(default_factory=dict)  # tabs of transcripts, with the words of which engine
    charts: dict[str, Chart] = field(default_factory=dict)  # by the mark that stands for each
    beside: dict[ET.Element, list[str]] = field(default_factory=dict)  # the facts of a cell's row, of a caption's chart
    named: dict[ET.Element, tuple[str, str]] = field(default_factory=dict)  # the heads of a cell's row and column
    explorers: int = 0  # how many the page has
    codes: set[str] = field(default_factory=set)  # names in its charts, which must be in a snippet, like names in prose
    labels: list[Quantity] = field(default_factory=list)  # versions, ports … in its charts, likewise
    messages: dict[str, Any] | None = None  # of an index of errors: those that it has not listed yet


@dataclass
class Page:
    """What a page states, collected while it is rendered."""

    site: Site
    options: Options
    document: Document = field(default_factory=Document)
    rendering: Rendering = field(default_factory=Rendering)
    claims: list[Claim] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    problems: list[ProofError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what an author should know, although it is no problem
    shown: list[str] = field(default_factory=list)  # transcripts, as snippet/step
    snippets: set[str] = field(default_factory=set)  # names of the snippets that it uses
    uses: list[Use] = field(default_factory=list)  # where it uses them, without its claims
    bound: int = 0  # how many numbers are backed by facts, cited figures or claims

    @property
    def root(self) -> Path:
        """The directory of the project."""
        return self.site.root

    @property
    def source(self) -> str:
        """Its text below the front matter."""
        return self.document.text

    @property
    def waived(self) -> bool:
        """Whether nothing on it needs a proof."""
        return any(waiver.sentence == WHOLE_PAGE for waiver in self.waivers)

    @functools.cached_property
    def lists(self) -> list[str]:
        """What it lists: proof, errors, measurements, or measurements/snippet."""
        lines = filter(None, map(INDEX.match, self.source.splitlines()))
        return [f"measurements/{line['snippet']}" if line["snippet"] else line["list"] or "errors" for line in lines]

    @property
    def generated(self) -> bool:
        """Whether it is an index page. A step that only an index page shows does not count as shown."""
        return bool(self.lists)

    @functools.cached_property
    def book(self) -> FactBook:
        """Every fact, loaded when the page uses the first one."""
        return self.site.book

    def snippet(self, name: str) -> Snippet:
        """The snippet with this name."""
        return self.site.find(name)

    def shown_snippet(self, name: str) -> Snippet:
        """The snippet with this name, of which the page shows something. Raises PageError if a text of it can't be."""
        snippet = self.snippet(name)
        self.snippets.add(name)
        self.site.check_texts(snippet)
        return snippet

    def keep(self) -> None:
        """Keep this page, which is completely rendered, in case that another one asks for it: see `rendered`."""
        self.rendering = Rendering()  # to save memory: a site may have a thousand pages
        for expand in (self.options.expand,) if self.generated else (True, False):
            rendered(self.site, self.book)[self.source.strip(), expand] = self

    def note_use(self, kind: str, text: str, names: Iterable[str], at: int | str | None) -> None:
        """Record where the page uses these facts, steps or snippets."""
        if where := self.where(at):
            self.uses.append(Use(where, kind, text, tuple(names)))

    def use(self, names: list[str]) -> None:
        """Record that the page uses the facts with these names."""
        used = {name.partition(".")[0] for name in names}
        self.snippets |= {name for name in used if name in self.book.captures or self.book.lacks(name)}

    @property
    def is_full(self) -> bool:
        """Whether no more problems are collected: finding the place of each takes time that grows with the page."""
        return len(self.problems) > _MOST

    def note(self, error: ProofError, at: int | str | None) -> None:
        """Raise a problem, or collect it if the page collects problems, up to _MOST.

        Unless it has a place already, it is at `at`: a position of the text, or words to look for.
        """
        if self.is_full:
            return
        if len(self.problems) == _MOST:
            error = type(error)(
                f"this page has more than {_MOST} problems", where=self.where("#"), hint="fix these first"
            )
        if error.where is None:
            what, evidence = unmarked(error.what), unmarked(error.evidence)
            error = type(error)(what, where=self.where(at), evidence=evidence, hint=unmarked(error.hint))
        if not self.options.collect:
            raise error
        self.problems.append(error)

    def where(self, at: int | str | None) -> Where | None:
        """The line of a position, of the first mark in a text, or of words. None if no file has the page's text."""
        if isinstance(at, str):
            place = self.document.place(at)
            return self.document.where(self.document.find(unmarked(at)) if place is None else place)
        return self.document.where(at)

    def place(self, element: ET.Element, words: str) -> int | None:
        """The position of an element. If it has no mark, in the title of a chart say, that of the words in it."""
        place = self.rendering.places.get(element)
        return self.document.find(words) if place is None else place


def rendered(site: Site, book: FactBook) -> dict[tuple[str, bool], Page]:
    """The pages that this process has rendered with the facts of `book`, by their source and whether they expand."""
    return site.memory.get("rendered", book, dict)


class OnPage:
    """A processor of the extension. Its page changes with each `Markdown.reset`."""

    def __init__(self, *of_processor: Any, current: Callable[[], Page]) -> None:
        super().__init__(*of_processor)
        self._current = current

    @property
    def page(self) -> Page:
        """The page being rendered."""
        return self._current()


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
