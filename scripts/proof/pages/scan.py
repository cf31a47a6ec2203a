"""All pages of a site as the tool reads them: rendered with the site's own Markdown extensions, without the site.

`scan` is what `proof status` and the Proof page know of the pages.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from markdown import Markdown

from proof.core.errors import ManifestError, ProofError, UsageError, Where
from proof.core.files import check_plain
from proof.facts.book import FactBook
from proof.pages.extension import ProofExtension
from proof.pages.page import Page, PageReport, page_text
from proof.pages.site import Site

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def scan(
    root: Path, book: FactBook | None = None, *, expand: bool = True, naming: Collection[str] = ()
) -> list[PageReport]:
    """Every page of the project, rendered over the facts of `book` (the captured ones, unless given).

    Problems are gathered, not raised. Without `expand` the pages that list everything stay as they were written, so
    that they in turn can list what the others state. With `naming`, only the pages in which one of these words stands.
    """
    site = Site.at(root)
    known, docs = site.book if book is None else book, site.docs
    if docs.is_dir():
        check_plain(docs)  # a site generator follows links: one could publish any file of this machine
    pages = sorted(docs.rglob("*.md"))
    if not pages:
        raise UsageError(f"there is no page in {docs}", hint="write docs/index.md")
    if naming:
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, naming))})\b")
        pages = [path for path in pages if named.search(page_text(root, path))]
    reader = _Reader(site, known)
    written = tuple((path, path.stat().st_mtime_ns) for path in pages)
    found = site.reports(written, known, lambda: [reader.read(path, expand=False) for path in pages])
    return [reader.read(p.path, expand=True) if expand and p.page.generated else p for p in found]


def for_index(page: Page) -> list[PageReport]:
    """What every page states, for a page that lists it."""
    return scan(page.root, page.book, expand=False)


class _Reader:
    """Reads one page after another. To set up a Markdown takes as long as a short page: it is used again."""

    def __init__(self, site: Site, book: FactBook) -> None:
        self._site, self._book = site, book
        self._md: Markdown | None = None

    def read(self, path: Path, *, expand: bool) -> PageReport:
        """What a page states; whatever is wrong with it is among its problems."""
        text = _FRONT_MATTER.sub("", page_text(self._site.root, path))
        if (known := self._site.rendered(text, self._book, expand=expand)) is not None:
            return PageReport(path, known)
        md = self._md.reset() if self._md else _markdown(self._site)
        self._md = None  # one that was left in the middle of a page is in no state to begin another
        page: Page = next(e.page for e in md.registeredExtensions if isinstance(e, ProofExtension))
        page.book, page.expand = self._book, expand
        try:
            md.convert(text)
            self._md = md
        except ProofError as error:
            page.problems.append(error)
        return PageReport(path, page)


def _markdown(site: Site) -> Markdown:
    names, options = [], {}
    for entry in site.config.get("markdown_extensions") or []:
        name, settings = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        names.append(name)
        options[name] = {key: value for key, value in (settings or {}).items() if value is not None}
    if "proof" not in names:
        raise ManifestError(
            "the site does not use the extension `proof`",
            where=Where(site.root / "mkdocs.yml"),
            hint="markdown_extensions: [proof]",
        )
    options["proof"] = {**options["proof"], "project": str(site.root), "collect": True}
    return Markdown(extensions=names, extension_configs=options)
