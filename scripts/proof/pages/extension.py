"""The Python-Markdown extension: fills facts, transcripts and files into a page, or stops the build.

    {{ single.size }}                             a fact, or an expression over facts, inside a sentence
    {{ transcript single/build }}                 a captured step, alone in its paragraph
    {{ tab docker-29 }} The files take …          a paragraph in one tab of the transcript above it
    {{ explorer single multi }}                   what is in one or two images, alone in its paragraph
    ``` chart                                     a picture of facts, described in TOML: see proof.pages.charts
    --8<-- "single/context/Dockerfile"            a file of a snippet, alone on its line in a fence
    {{ claim: multi.layers == 2 }}                after a sentence: what must hold for it to be true
    {{ waiver: why }}                             after a sentence, or above a fence: why it needs no fact
    {{ page waiver: why }}                        alone on its line: why no sentence of the page needs one
    {{ proof }}                                   everything that was claimed, waived and cited
    {{ measurements }}                            every snippet: its commands, outputs and facts
    {{ measurements single }}                     those of one snippet, on a page of its own
    {{ error single/build }}                      the message of an expected failure, and where it is explained
    {{ errors }}                                  every such message that the page has not listed yet

It does not import MkDocs, so any site generator that runs Python-Markdown extensions can build the pages. Nothing here
can start a process: pages are rendered from committed captures alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from click import echo, get_current_context
from markdown import Extension, Markdown

from proof.core import errors
from proof.core.limits import limited
from proof.core.site_file import site_file
from proof.pages.lint import allowed_files, markdown_limits, markup, metadata
from proof.pages.page import Options, Page, PageReport, Rendering
from proof.pages.processors import inline
from proof.pages.processors.charts import Charts
from proof.pages.processors.explorers import Explorers
from proof.pages.processors.finish import Finish, Unmark
from proof.pages.processors.lists import Lists
from proof.pages.processors.source import Source
from proof.pages.processors.transcripts import InTabs, Transcripts
from proof.pages.processors.waivers import Waivers
from proof.pages.site import Site
from proof.pages.stopping import stopping
from proof.snippets import project


class ProofExtension(Extension):
    """Registers the processors. The options are described in `config`."""

    page: Page  # the one being converted, or the last one

    def __init__(self, *, list_pages: Callable[[Page], list[PageReport]], **options: Any) -> None:
        self._list_pages = list_pages  # injected, because listing the pages means rendering them with this extension
        self.config = {
            "project": ["", "the directory with snippets/ (default: the project around the working directory)"],
            "docs": ["docs", "the directory of the pages, below the project"],
            "collect": [False, "collect every problem of a page instead of stopping at the first"],
            "draft": [False, "show stale captures, and say so at each, instead of stopping"],
            "about_bases": ["", "the page, below docs, that says where base images come from"],
            "classes": [[], "classes that attribute lists and fences may set, and types of admonitions"],
            "built_later": [[], "addresses that pages may link although the site generator does not know them"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Called by Python-Markdown when it is set up. MkDocs does that for each page, others once."""
        self._site = Site.at(project.find_root(Path(self.getConfig("project") or ".").absolute()))
        self._docs = self._site.root / self.getConfig("docs")
        if _generating():
            self._check_before_reading()
        self._md, self._is_restricted = md, False
        md.registerExtension(self)
        md.convert = partial(self._convert, md.convert)  # type: ignore[method-assign]
        current = lambda: self.page  # noqa: E731
        # First, to see the page as it was written: before superfences (25), which takes every fence as code.
        md.preprocessors.register(Source(md, current=current), "proof_source", 100)
        markdown_limits.register(md, current)
        for number, element in enumerate((Charts, Transcripts, InTabs, Explorers, Lists, Waivers)):
            processor = element(md.parser, current=current)
            md.parser.blockprocessors.register(processor, f"proof_{element.__name__.lower()}", 176 - number)
        # After code spans (190), before escapes (180) and everything that could take a `*` or `_` as emphasis.
        md.inlinePatterns.register(inline.Inline(inline.PATTERN, md, current=current), "proof_fact", 185)
        # After inline processing (20), before attribute lists (8), which read what authors wrote.
        md.treeprocessors.register(Unmark(md, current=current), "proof_marks", 9)
        # After attribute lists, before the table of contents (5) reads the headings.
        md.treeprocessors.register(Finish(md, current=current), "proof_audit", 7)

    def _check_before_reading(self) -> None:
        """Stop a site generator now: it reads all front matter before it converts a page, and may never end."""
        try:
            check_project(self._site, self._docs)
        except errors.ProofError as error:
            for each in (error, *error.also):
                echo(str(each), err=True)
            # Not an Exception, of which MkDocs would make an error in its settings.
            raise SystemExit(error.code) from error

    def _convert(self, convert: Callable[[str], str], text: str) -> str:
        """Convert a page, which has to end: a stranger may have written it."""
        try:
            check_project(self._site, self._docs)
            self.page.document = self._site.document(text)
            path = self.page.document.path
            with limited(errors.Where(path) if path else None):
                return convert(text)
        except errors.ProofError as error:
            if self.getConfig("collect"):
                raise
            raise stopping(error) from error

    def reset(self) -> None:
        """Called by Python-Markdown when all extensions are set up, and before each page except the first."""
        if not self._is_restricted:
            self._is_restricted = True
            self._restrict()
        options = Options(
            self._docs,
            collect=self.getConfig("collect"),
            # An author edits a snippet there, and looks at the page before running it.
            draft=self.getConfig("draft") or _generating("serve"),
            about_bases=self.getConfig("about_bases"),
        )
        rendering = Rendering(lambda: self._list_pages(self.page), functools.cache(self._md.htmlStash.store))
        self.page = Page(self._site, options, rendering=rendering)

    def _restrict(self) -> None:
        """Take out the processors of other extensions that could publish what an author may not write."""
        if "snippet" in self._md.preprocessors:
            what = "pymdownx.snippets would publish any file that a link leads to"
            where = errors.Where(site_file(self._site.root))
            raise stopping(errors.PageError(what, where=where, hint="remove it there"))
        classes, later = self.getConfig("classes"), self.getConfig("built_later")

        def note(error: errors.ProofError, at: str) -> None:
            self.page.note(error, at)

        markup.restrict(self._md, lambda: self.page, note, classes=classes, later=later)


def check_project(site: Site, docs: Path) -> None:
    """Raise a ProofError for a file or for front matter that is not allowed, in any page."""
    allowed_files.check(site, docs)
    site.memory.get("front matter", site.pages(docs), lambda: metadata.check(site.root, docs))


def _generating(command: str | None = None) -> bool:
    """Whether this is a command of a site generator, and this one of its commands. They use Click."""
    context = get_current_context(silent=True)
    return context is not None and command in (None, context.info_name)
