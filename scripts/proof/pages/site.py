"""Caches what a process knows about a site between pages, and reads it again when it changes.

Python-Markdown sets up a new extension for each page, and hundreds of pages use the same facts. Everything that is kept
from one page to the next is kept here.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from proof.captures import bases_lock
from proof.captures.index import SnippetCaptures
from proof.captures.staleness import stale
from proof.core import folder_cache, site_config
from proof.core.errors import ProofError
from proof.core.site_file import site_file
from proof.facts import book as fact_book
from proof.facts import cited
from proof.facts.book import FactBook
from proof.pages.metadata import FRONT_MATTER
from proof.pages.page import Page, PageReport, page_text
from proof.snippets import base_images, places, settings
from proof.snippets.model import Snippet

_DEEPEST = 2  # levels below captured/: variant and origin
_AT_ONCE = 0.1  # seconds: pages that follow within this time belong to one build
_LONGER = 10  # … or within this many times what looking at the files took: a busy machine takes longer for everything
_LONGEST = 1.0  # seconds
_KEPT = 4  # sites
T = TypeVar("T")


class Site:
    """The site of a project. Use `Site.at` to get one."""

    _known: dict[Path, Site] = {}  # noqa: RUF012 - the cache of the whole process

    def __init__(self, root: Path) -> None:
        self.root = root
        self._recent: dict[str, tuple[float, Any]] = {}  # key → when it expires, and the value
        self._kept = 0.0  # seconds until something there expires, if looking took long
        self._book: tuple[object, FactBook] | None = None  # state of the captures, and the facts read from them
        self._texts: dict[Path, tuple[int, int]] = {}  # by page: its modification time, and a hash of its text
        self._config: tuple[int, dict[str, Any]] | None = None  # modification time of mkdocs.yml, and its settings
        self._rendered: dict[tuple[str, bool], Page] = {}  # by source and `expand`, all with the same book
        self._bases: tuple[object, dict[str, str], dict[str, str]] | None = None  # state of the files, keys, digests
        self._stale: dict[str, tuple[object, list[ProofError]]] = {}  # by snippet: state of its files, and problems
        self._reports: tuple[object, FactBook, list[PageReport]] | None = None  # the last scan: pages, book, reports

    @classmethod
    def at(cls, root: Path) -> Site:
        """The site of the project in this directory, from the cache if the process knows it."""
        if root not in cls._known:
            while len(cls._known) >= _KEPT:
                del cls._known[next(iter(cls._known))]
            cls._known[root] = cls(root)
        return cls._known[root]

    @classmethod
    def forget(cls) -> None:
        """Clear the cache."""
        cls._known.clear()

    @classmethod
    def look_again(cls) -> None:
        """Call this at the start of a build that may follow an edit at once: see `cached`."""
        for known in cls._known.values():
            known._recent.clear()  # noqa: SLF001 - of the same class

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the site generator. Raises UsageError if there are none."""
        path = site_file(self.root)
        written = path.lstat().st_mtime_ns if path.exists() else 0
        if self._config is None or self._config[0] != written:
            self._config = written, site_config.load(path)
        return self._config[1]

    @property
    def docs(self) -> Path:
        """The directory of the pages."""
        return self.root / str(self.config.get("docs_dir") or "docs")

    @property
    def book(self) -> FactBook:
        """Every fact, as captured; read again only if a capture has changed."""
        state = self.cached("captures", self._captures)
        if self._book is None or self._book[0] != state:
            self._book = state, fact_book.load(self.root / "snippets")
        return self._book[1]

    def page_with(self, text: str) -> Path | None:
        """The page with exactly this text below its front matter; the first one if there are several."""
        return self.cached("pages", self._read_pages).get(hash(text.strip()))

    def stale(self, snippet: Snippet) -> list[ProofError]:
        """Why a page must not show the captures of a snippet as it is now. Empty if it may.

        Hashing a snippet's files takes longer than asking for their state, and several pages use the same snippet.
        """
        written, keys, pinned = self.cached("bases", self._read_bases)
        state = written, folder_cache.state(snippet.folder)
        if snippet.name not in self._stale or self._stale[snippet.name][0] != state:
            self._stale[snippet.name] = state, list(stale(SnippetCaptures(snippet, lambda: (keys, pinned))))
        return self._stale[snippet.name][1]

    def cached(self, what: str, look: Callable[[], T]) -> T:
        """The result of `look`, cached while pages are rendered in quick succession.

        So a build sees one state of the files. If you edit a file during a build, the site generator builds again, but
        not before this cache has expired.
        """
        until, found = self._recent.get(what, (0.0, None))
        if (began := time.monotonic()) >= until:
            found = look()
            self._kept = min(max(self._kept, _LONGER * (time.monotonic() - began)), _LONGEST)
        self._recent[what] = time.monotonic() + max(_AT_ONCE, self._kept), found
        return found  # type: ignore[no-any-return]

    def rendered(self, source: str, book: FactBook, *, expand: bool) -> Page | None:
        """The page with this source, if this process has already rendered it with `book`."""
        page = self._rendered.get((source.strip(), expand))
        return page if page is not None and page.book is book else None

    def keep(self, page: Page) -> None:
        """Cache a completely rendered page."""
        page.release()
        if self._rendered and next(iter(self._rendered.values())).book is not page.book:
            self._rendered.clear()
        for expand in (page.expand,) if page.generated else (True, False):
            self._rendered[page.source.strip(), expand] = page

    def reports(self, written: object, book: FactBook, make: Callable[[], list[PageReport]]) -> list[PageReport]:
        """The reports of the last scan if the pages (`written`) and the book are unchanged, else those from `make`.

        Each index page asks for them.
        """
        if self._reports is None or self._reports[0] != written or self._reports[1] is not book:
            self._reports = written, book, make()
        return self._reports[2]

    def _read_pages(self) -> dict[int, Path]:
        """Each page by a hash of its text below the front matter. Only pages that have changed are read again."""
        found: dict[int, Path] = {}
        for path in sorted(self.docs.rglob("*.md")):
            written = path.stat().st_mtime_ns
            if self._texts.get(path, (0, 0))[0] != written:
                text = page_text(self.root, path)
                front = FRONT_MATTER.match(text)
                self._texts[path] = written, hash(text[front.end() if front else 0 :].strip())
            found.setdefault(self._texts[path][1], path)
        return found

    def _read_bases(self) -> tuple[object, dict[str, str], dict[str, str]]:
        """The state of the files about base images, the keys of the rebuilt ones, and the digests of the others."""
        snippets = self.root / "snippets"
        files = (snippets / base_images.FILE, snippets / bases_lock.FILE, self.root / settings.FILE)
        written = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
        if self._bases is None or self._bases[0] != written:
            known = base_images.load(self.root)
            keys = {name: known.key(name) for name in known.images}
            self._bases = written, keys, bases_lock.load(self.root, known)
        return self._bases

    def _captures(self) -> tuple[object, ...]:
        """The state of the captures: each file with its modification time."""
        snippets = self.root / "snippets"
        times = []
        for path in (f"{snippets}/{name}" for name in cited.CITED):
            with contextlib.suppress(FileNotFoundError):
                times.append((path, os.stat(path).st_mtime_ns))  # noqa: PTH116 - quicker
        several: list[object] = []  # of snippets with captures of several engines: an edit decides which are shown
        for folder in os.scandir(snippets):
            pending = [(f"{folder.path}/captured", 0)]
            while pending:
                parent, depth = pending.pop()
                inner = []
                with contextlib.suppress(OSError), os.scandir(parent) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            inner.append(entry)
                        else:
                            with contextlib.suppress(FileNotFoundError):
                                times.append((entry.path, entry.stat(follow_symlinks=False).st_mtime_ns))
                if depth < _DEEPEST:
                    pending += [(entry.path, depth + 1) for entry in inner]
                if len(places.NAMES.intersection(entry.name for entry in inner)) > 1:
                    several.append(folder_cache.state(Path(folder.path)))
        return *sorted(times), *several
