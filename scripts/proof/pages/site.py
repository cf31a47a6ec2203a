"""Keeps what a process knows about a site between pages, and reads it again when it changes.

Python-Markdown sets up a new extension for each page, and hundreds of pages use the same facts. Everything that is kept
from one page to the next is kept here.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from proof.captures.index import Captures
from proof.captures.staleness import NeverCapturedError, stale
from proof.core import folder_cache, site_config
from proof.core.errors import ProofError
from proof.core.site_file import site_file
from proof.facts import book as fact_book
from proof.facts.book import FactBook
from proof.pages.document import FRONT_MATTER, Document, page_text
from proof.pages.lint import manifest_texts
from proof.snippets import manifest, project, settings
from proof.snippets.model import Snippet

_AT_ONCE = 0.2  # seconds: pages that follow within this time belong to one build
T = TypeVar("T")


class Memory:
    """Results by name, each until the state of what it was made from changes."""

    def __init__(self) -> None:
        self._kept: dict[object, tuple[object, Any]] = {}

    def get(self, name: object, state: object, make: Callable[[], T]) -> T:
        """The result of the last call of `make` if the state is the same, else that of another call."""
        known, result = self._kept.get(name, (None, None))
        if name not in self._kept or known != state:
            result = make()
        self._kept[name] = state, result  # the same object is compared quicker than an equal one
        return result  # type: ignore[no-any-return]


class Glance:
    """What the files were like a moment ago, so that a build sees one state of them, and looks at them once.

    If you edit a file during a build, the site generator builds again, but not before this has expired.
    """

    def __init__(self) -> None:
        self._recent: dict[object, tuple[float, Any]] = {}  # name → when it expires, and the value

    def get(self, name: object, look: Callable[[], T]) -> T:
        """The result of `look`, kept while pages are rendered in quick succession."""
        until, value = self._recent.get(name, (0.0, None))
        if time.monotonic() >= until:
            value = look()
        self._recent[name] = time.monotonic() + _AT_ONCE, value
        return value  # type: ignore[no-any-return]

    def clear(self) -> None:
        """Look at the files again. Call this at the start of a build that may follow an edit at once."""
        self._recent.clear()


class Site:
    """The site of a project. Use `Site.at` to get one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.glance = Glance()
        self.memory = Memory()

    @staticmethod
    @functools.lru_cache(maxsize=4)
    def at(root: Path) -> Site:
        """The site of the project in this directory: for the whole process, as nothing else connects its extensions."""
        return Site(root)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the site generator. Raises UsageError if there are none."""
        path, written = self.glance.get("settings", lambda: ((file := site_file(self.root)), _written(file)))
        return self.memory.get("settings", written, lambda: site_config.load(path))

    @property
    def docs(self) -> Path:
        """The directory of the pages."""
        return self.root / str(self.config.get("docs_dir") or "docs")

    @property
    def book(self) -> FactBook:
        """Every fact, as captured; read again only if a file next to the captures has changed."""
        return self.memory.get("book", self._state(), lambda: fact_book.load(self.root / "snippets", self.variants))

    def variants(self, folder: Path) -> list[Snippet]:
        """The snippets in a directory, read again only if something below it has changed."""
        # After a change of any snippet, each is looked at.
        state = self.memory.get(("state", folder), self._state(), lambda: folder_cache.state(folder))
        return self.memory.get(("snippets", folder), state, lambda: manifest.variants(folder))

    def find(self, name: str) -> Snippet:
        """The snippet with this name. Raises UsageError if there is none."""
        return project.find(self.root / "snippets", name, self.variants)

    def document(self, text: str) -> Document:
        """The document with this text. Its file is known if there is one."""
        return Document(text, self.root, self.page_with)

    def page_with(self, text: str) -> Path | None:
        """The page with this text below its front matter; the first one if there are several."""
        pages = self.pages(self.docs)
        by_text = self.memory.get("pages by text", pages, lambda: {self._hash(p): p for p, _ in reversed(pages)})
        if (path := by_text.get(hash(text.strip()))) is not None:
            return path
        # A plugin of the site generator may have changed the text at its ends, so that only a part is in the file.
        return next((path for path, _ in pages if text.strip() in page_text(self.root, path)), None)

    def check_texts(self, snippet: Snippet) -> None:
        """Raise PageError if a text in the snippet's manifest may not be shown."""
        self.memory.get(("texts", snippet.name), snippet, lambda: manifest_texts.check(snippet))

    def stale(self, snippet: Snippet) -> list[ProofError]:
        """Why a page must not show the captures of a snippet as it is now. Empty if it may."""
        return self.memory.get(("stale", snippet.name), self._state(), lambda: self._stale(snippet))

    def _stale(self, snippet: Snippet) -> list[ProofError]:
        captures = self.book.captures
        if isinstance(captures, Captures) and snippet.name in captures:
            return list(stale(captures.of(snippet.name)))
        return [NeverCapturedError.of(snippet.name, snippet.where)]

    def pages(self, docs: Path) -> tuple[tuple[Path, int], ...]:
        """Every page below a directory, with its modification time."""
        return self.glance.get(
            ("pages", docs), lambda: tuple((path, path.stat().st_mtime_ns) for path in sorted(docs.rglob("*.md")))
        )

    def _hash(self, path: Path) -> int:
        text = page_text(self.root, path)
        front = FRONT_MATTER.match(text)
        return hash(text[front.end() if front else 0 :].strip())

    def _state(self) -> object:
        """What facts and captures depend on."""
        settings_file = self.root / settings.FILE
        return self.glance.get(
            "snippets", lambda: (folder_cache.state(self.root / "snippets"), _written(settings_file))
        )


def _written(path: Path) -> int:
    return path.lstat().st_mtime_ns if path.exists() else 0
