"""Keeps what a process knows about a site between pages, and reads it again when it changes.

Python-Markdown sets up a new extension for each page, and hundreds of pages use the same facts. Everything that is kept
from one page to the next is kept here.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from proof.captures import bases_lock
from proof.captures.index import Captures, SnippetCaptures
from proof.captures.staleness import stale
from proof.core import folder_cache, site_config
from proof.core.errors import ProofError
from proof.core.site_file import site_file
from proof.facts import book as fact_book
from proof.facts import cited
from proof.facts.book import FactBook
from proof.pages.document import FRONT_MATTER, Document, page_text
from proof.pages.lint import manifest_texts
from proof.snippets import base_images, manifest, places, project, settings
from proof.snippets.model import Snippet

_DEEPEST = 2  # levels below captured/: variant and origin
_AT_ONCE = 0.1  # seconds: pages that follow within this time belong to one build
_LONGER = 10  # … or within this many times what looking at the files took: a busy machine takes longer for everything
_LONGEST = 1.0  # seconds
_KEPT = 4  # sites
T = TypeVar("T")


class Memory:
    """Results by name, each until the state of what it was made from changes."""

    def __init__(self) -> None:
        self._kept: dict[object, tuple[object, Any]] = {}

    def get(self, name: object, state: object, make: Callable[[], T]) -> T:
        """The result of the last call of `make` if the state is the same, else that of another call."""
        if name not in self._kept or self._kept[name][0] != state:
            self._kept[name] = state, make()
        return self._kept[name][1]  # type: ignore[no-any-return]


class Glance:
    """What the files were like a moment ago, so that a build sees one state of them, and looks at them once.

    If you edit a file during a build, the site generator builds again, but not before this has expired.
    """

    def __init__(self) -> None:
        self._recent: dict[object, tuple[float, Any]] = {}  # name → when it expires, and the value
        self._kept = 0.0  # seconds until something there expires, if looking took long

    def get(self, name: object, look: Callable[[], T]) -> T:
        """The result of `look`, kept while pages are rendered in quick succession."""
        until, found = self._recent.get(name, (0.0, None))
        if (began := time.monotonic()) >= until:
            found = look()
            self._kept = min(max(self._kept, _LONGER * (time.monotonic() - began)), _LONGEST)
        self._recent[name] = time.monotonic() + max(_AT_ONCE, self._kept), found
        return found  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Look at the files again."""
        self._recent.clear()


class Site:
    """The site of a project. Use `Site.at` to get one."""

    _known: dict[Path, Site] = {}  # noqa: RUF012 - of the whole process: nothing else connects its extensions

    def __init__(self, root: Path) -> None:
        self.root = root
        self.glance = Glance()
        self.memory = Memory()

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
        """Call this at the start of a build that may follow an edit at once: see `Glance`."""
        for known in cls._known.values():
            known.glance.clear()

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the site generator. Raises UsageError if there are none."""
        path = site_file(self.root)
        return self.memory.get("settings", _written(path), lambda: site_config.load(path))

    @property
    def docs(self) -> Path:
        """The directory of the pages."""
        return self.root / str(self.config.get("docs_dir") or "docs")

    @property
    def book(self) -> FactBook:
        """Every fact, as captured; read again only if a capture has changed."""
        state = self.glance.get("captures", lambda: _captures(self.root / "snippets"))
        return self.memory.get("book", state, lambda: fact_book.load(self.root / "snippets", self.variants))

    def variants(self, folder: Path) -> list[Snippet]:
        """The snippets in a directory, read again only if something below it has changed."""
        state = self.glance.get(folder, lambda: folder_cache.state(folder))
        return self.memory.get(("snippets", folder), state, lambda: manifest.variants(folder))

    def find(self, name: str) -> Snippet:
        """The snippet with this name. Raises UsageError if there is none."""
        return project.find(self.root / "snippets", name, self.variants)

    def document(self, text: str) -> Document:
        """The document with this text. Its file is known if there is one."""
        return Document(text, self.root, self.page_with)

    def page_with(self, text: str) -> Path | None:
        """The page with this text below its front matter; the first one if there are several."""
        texts = self.glance.get("pages by text", self._by_text)
        if (path := texts.get(hash(text.strip()))) is not None:
            return path
        # A plugin of the site generator may have changed the text at its ends, so that only a part is in the file.
        return next((p for p, _ in _pages(self.docs) if text.strip() in page_text(self.root, p)), None)

    def check_texts(self, snippet: Snippet) -> None:
        """Raise PageError if a text in the snippet's manifest may not be shown."""
        self.memory.get(("texts", snippet.name), snippet, lambda: manifest_texts.check(snippet))

    def stale(self, snippet: Snippet) -> list[ProofError]:
        """Why a page must not show the captures of a snippet as it is now. Empty if it may.

        Hashing a snippet's files takes longer than asking for their state, and several pages use the same snippet.
        """
        written, keys, pinned = self.glance.get("bases", self._read_bases)
        state = self.glance.get(snippet.folder, lambda: folder_cache.state(snippet.folder))

        def problems() -> list[ProofError]:
            captures = self.book.captures
            read = (
                captures.of(snippet.name).all if isinstance(captures, Captures) and snippet.name in captures else None
            )
            return list(stale(SnippetCaptures(snippet, lambda: (keys, pinned), captures=read)))

        return self.memory.get(("stale", snippet.name), (written, state), problems)

    def pages(self, docs: Path) -> tuple[tuple[Path, int], ...]:
        """Every page below a directory, with its modification time."""
        return self.glance.get(("pages", docs), lambda: _pages(docs))

    def _by_text(self) -> dict[int, Path]:
        """Each page by a hash of its text below the front matter. Only pages that have changed are read again."""
        found: dict[int, Path] = {}
        for path, written in _pages(self.docs):  # now, as they are read at once
            found.setdefault(self.memory.get(path, written, partial(self._hash, path)), path)
        return found

    def _hash(self, path: Path) -> int:
        text = page_text(self.root, path)
        front = FRONT_MATTER.match(text)
        return hash(text[front.end() if front else 0 :].strip())

    def _read_bases(self) -> tuple[object, dict[str, str], dict[str, str]]:
        """The state of the files about base images, the keys of the rebuilt ones, and the digests of the others."""
        snippets = self.root / "snippets"
        files = (snippets / base_images.FILE, snippets / bases_lock.FILE, self.root / settings.FILE)

        def read() -> tuple[dict[str, str], dict[str, str]]:
            known = base_images.load(self.root)
            return {name: known.key(name) for name in known.images}, bases_lock.load(self.root, known)

        written = [_written(path) for path in files]
        return written, *self.memory.get("bases", written, read)


def _pages(docs: Path) -> tuple[tuple[Path, int], ...]:
    return tuple((path, path.stat().st_mtime_ns) for path in sorted(docs.rglob("*.md")))


def _written(path: Path) -> int:
    return path.lstat().st_mtime_ns if path.exists() else 0


def _captures(snippets: Path) -> tuple[object, ...]:
    """The state of the captures: each file with its modification time."""
    times = [(str(path), _written(path)) for path in (snippets / name for name in cited.CITED)]
    several: list[object] = []  # of snippets with captures of several engines: an edit decides which are shown
    for folder in os.scandir(snippets):
        files, folders = _tree(f"{folder.path}/captured")
        times += files
        if any(len(places.NAMES & inside) > 1 for inside in folders):
            several.append(folder_cache.state(Path(folder.path)))
    return *sorted(times), *several


def _tree(captured: str) -> tuple[list[tuple[str, int]], list[set[str]]]:
    """The files below a directory with their modification times, and the names of the directories in each directory."""
    files, folders = [], []
    pending = [(captured, 0)]
    while pending:
        parent, depth = pending.pop()
        names: set[str] = set()
        for entry in _entries(parent):
            if entry.is_dir(follow_symlinks=False):
                names.add(entry.name)
                pending += [(entry.path, depth + 1)] if depth < _DEEPEST else []
            else:
                with contextlib.suppress(FileNotFoundError):
                    files.append((entry.path, entry.stat(follow_symlinks=False).st_mtime_ns))
        folders.append(names)
    return files, folders


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from entries
