"""Reads all pages of a site: renders them with the site's Markdown extensions, but without the site generator.

`proof status` and the index pages use it to learn what the pages state.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from markdown import Markdown

from proof.core.errors import LimitError, ManifestError, ProofError, UsageError, Where
from proof.core.files import check_plain
from proof.core.site_file import site_file
from proof.facts.book import FactBook
from proof.pages.document import FRONT_MATTER, page_text
from proof.pages.extension import ProofExtension, check_project
from proof.pages.page import INDEX, Options, Page, PageReport, rendered
from proof.pages.site import Site


def scan(
    root: Path, book: FactBook | None = None, *, expand: bool = True, naming: Collection[str] = ()
) -> list[PageReport]:
    """A report for each page of the project, rendered with the facts of `book` (by default, the captured ones).

    Problems are collected, not raised. Without `expand`, index pages are not generated, so that they can in turn call
    this to list what the other pages state. With `naming`, only pages that contain one of these words are read.

    Raises UsageError if there are no pages.
    """
    site = Site.at(root)
    book = site.book if book is None else book
    pages = _pages(site)
    if naming:
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, naming))})\b")
        pages = tuple((path, written) for path, written in pages if named.search(page_text(root, path)))
    reader = Reader(site, book)
    reports = site.memory.get("reports", (pages, book), lambda: [reader.read(path, expand=False) for path, _ in pages])
    return [_expanded(reader, report) if expand and report.page.generated else report for report in reports]


def all_read(root: Path, *, expand: bool = True) -> list[PageReport]:
    """Like `scan`, for what reports no problems of pages. Raises LimitError if one of them could not be read."""
    reports = scan(root, expand=expand)
    for problem in (problem for report in reports for problem in report.problems):
        if isinstance(problem, LimitError):
            raise problem
    return reports


def _pages(site: Site) -> tuple[tuple[Path, int], ...]:
    """Every page, with its modification time."""
    docs = site.docs
    if docs.is_dir():  # a link could make the site generator publish any file of this machine
        site.glance.get("plain files", lambda: check_plain(docs))
    pages = site.pages(docs)
    if not pages:
        raise UsageError(f"no pages in {docs}", hint="write docs/index.md")
    return pages


def _expanded(reader: Reader, own: PageReport) -> PageReport:
    """The report of an index page with its lists, and what is wrong with its own text."""
    whole = reader.read(own.path, expand=True)
    texts = {str(problem) for problem in whole.problems}
    return replace(whole, own=tuple(problem for problem in own.problems if str(problem) not in texts))


def for_index(page: Page) -> list[PageReport]:
    """The reports of all pages, for an index page."""
    return scan(page.root, page.book, expand=False)


def as_html(site: Site, paths: Iterable[Path]) -> Iterator[tuple[Path, str, str]]:
    """Pages, each with its front matter as it was written, and its content as HTML.

    Raises the first problem of a page.
    """
    md = _markdown(site)
    for path in paths:
        text = page_text(site.root, path)
        front = FRONT_MATTER.match(text)
        html = md.reset().convert(text[front.end() :] if front else text)
        page: Page = next(e.page for e in md.registeredExtensions if isinstance(e, ProofExtension))
        if page.problems:
            raise page.problems[0]
        yield path, f"{front[0].rstrip()}\n\n" if front else "", html


class Reader:
    """Reads one page after another with one Markdown instance, as setting one up is slow."""

    def __init__(self, site: Site, book: FactBook) -> None:
        self._site, self._book = site, book
        self._md: Markdown | None = None

    def read(self, path: Path, *, expand: bool) -> PageReport:
        """The report of a page. Its problems are collected there."""
        text = page_text(self._site.root, path)
        front = FRONT_MATTER.match(text)
        text = text[front.end() :] if front else text
        page = rendered(self._site, self._book).get((text.strip(), expand)) or self.render(text, expand=expand)
        return PageReport(path, page, front[1] if front else "")

    def render(self, text: str, *, expand: bool) -> Page:
        """A page with this text, rendered. Its problems are collected there."""
        if not expand and INDEX.fullmatch(text.strip()):  # nothing else is on the page of a snippet's measurements
            return Page(self._site, Options(self._site.docs, expand=False), self._site.document(text))
        md = self._md.reset() if self._md else _markdown(self._site)
        self._md = None  # not reusable if it fails in the middle of a page
        page: Page = next(e.page for e in md.registeredExtensions if isinstance(e, ProofExtension))
        page.book, page.options = self._book, replace(page.options, expand=expand)
        try:
            md.convert(text)
            self._md = md
        except ProofError as error:
            page.problems.append(error)
        return page


def _markdown(site: Site) -> Markdown:
    check_project(site, site.docs)
    where = Where(site_file(site.root))
    listed = site.config.get("markdown_extensions") or []
    if not any(entry == "proof" or (isinstance(entry, dict) and "proof" in entry) for entry in listed):
        what, hint = "the site does not use the extension `proof`", "add proof to markdown_extensions"
        raise ManifestError(what, where=where, hint=hint)
    try:
        pairs = [next(iter(entry.items())) if isinstance(entry, dict) else (entry, {}) for entry in listed]
        options = {name: {k: v for k, v in (of or {}).items() if v is not None} for name, of in pairs}
        options["proof"] |= {"project": str(site.root), "collect": True}
        return Markdown(extensions=list(options), extension_configs=options)
    except ProofError:
        raise
    except Exception as error:  # an extension may raise anything about its settings
        what = f"these markdown_extensions cannot be set up: {type(error).__name__}: {error}"
        raise ManifestError(what, where=where, hint="correct their names and settings") from error
