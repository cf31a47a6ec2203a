"""Remembers what is known of a project in which nothing was wrong, so that it is not read again until it changes.

What can be wrong depends on the files of docs/ and snippets/, on the settings next to them, and on the Python packages
that render pages. This module imports nothing that renders them.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proof.core import folder_cache
from proof.core.errors import ProofError, Where, exit_code_of
from proof.core.folder_cache import FolderCache

if TYPE_CHECKING:
    from proof.pages.page import PageReport


@dataclass(frozen=True)
class PageClaim:
    """A sentence of a page, and what must hold for it to be true."""

    where: Where
    sentence: str
    predicate: str


@dataclass(frozen=True)
class Status:
    """The state of a project."""

    counts: dict[str, int]  # of snippets, steps, facts, pages, claims and numbers that are bound
    problems: list[ProofError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what a user should know, although it is no problem
    pages: list[PageReport] = field(default_factory=list)  # if they had to be read

    @property
    def code(self) -> int:
        """The exit code: 2 if something is broken, 1 if something is stale or false, else 0."""
        return exit_code_of(self.problems)


class Sound:
    """What is known of a sound project, on this machine. If `cache` is None, nothing is remembered.

    Create it before the project is read: it may change while that happens.
    """

    def __init__(self, root: Path, cache: Path | None) -> None:
        self._snippets = root / "snippets"
        settings = [path for path in root.iterdir() if path.is_file()]
        # Each directory of packages changes when one of them is installed, replaced or removed.
        self._index = FolderCache.of("pages", root, cache, [*settings, *map(Path, sys.path)])
        self._began = folder_cache.now()

    def status(self) -> Status | None:
        """The state of the project, if nothing was wrong with it and nothing has changed."""
        kept = self._get(())
        return Status(**kept["status"]) if kept and kept["status"] else None

    def pages(self, snippets: Collection[str]) -> tuple[list[Path], list[PageClaim]] | None:
        """The pages and their claims, as read when nothing was wrong with them or with these snippets."""
        if (kept := self._get(snippets)) is None:
            return None
        claims = [PageClaim(Where(Path(path), line), *stated) for path, line, *stated in kept["claims"]]
        return [*map(Path, kept["pages"])], claims

    def _get(self, snippets: Collection[str]) -> Any | None:
        of = self._index.get("snippets", self._snippets)
        if of is None or not set(of["names"]).issuperset(snippets):
            return None
        return self._index.get("pages", Path(of["docs"]))

    def keep(
        self,
        docs: Path,
        snippets: Collection[str],
        pages: Collection[Path],
        claims: Collection[PageClaim],
        status: Status | None = None,
    ) -> None:
        """Remember all pages in the directory `docs`, their claims, and if it is known, the state of the project."""
        stated = {
            "pages": [*map(str, pages)],
            "claims": [(str(c.where.path), c.where.line, c.sentence, c.predicate) for c in claims],
            "status": {"counts": status.counts, "notes": status.notes} if status else None,
        }
        self._index.put("pages", docs, stated, began=self._began)
        of = {"names": sorted(snippets), "docs": str(docs)}
        self._index.put("snippets", self._snippets, of, began=self._began)
        self._index.save(whole=True)
