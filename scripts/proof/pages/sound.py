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

PROJECT, ALL_PAGES, SOME_PAGES = "project", "all pages", "some pages"  # what was read; the first implies the others


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
        self._root, self._snippets = root, root / "snippets"
        settings = [path for path in root.iterdir() if path.is_file()]
        # Each directory of packages changes when one of them is installed, replaced or removed.
        self._index = FolderCache.of("pages", root, cache, [*settings, *map(Path, sys.path)])
        self._began = folder_cache.now()

    def status(self) -> Status | None:
        """The state of the project, if nothing was wrong with it and nothing has changed."""
        found = self._get(PROJECT)
        return Status(found["counts"], notes=found["notes"]) if found else None

    def pages(self, snippets: Collection[str], *, everything: bool) -> tuple[list[Path], list[PageClaim]] | None:
        """The pages of an earlier check of these snippets, and their claims.

        `everything` asks for all pages, not only for those that use these snippets.
        """
        for which in (PROJECT, ALL_PAGES) if everything else (PROJECT, ALL_PAGES, SOME_PAGES):
            if found := self._get(which, snippets):
                claims = [PageClaim(Where(self._root / path, line), *said) for path, line, *said in found["claims"]]
                return [self._root / path for path in found["pages"]], claims
        return None

    def _get(self, which: str, snippets: Collection[str] = ()) -> Any | None:
        found = self._index.get(f"snippets of {which}", self._snippets)
        if found is None or not set(found["snippets"]).issuperset(snippets):
            return None
        return self._index.get(which, self._root / found["docs"])

    def keep_status(self, docs: Path, snippets: Collection[str], status: Status, claims: Collection[PageClaim]) -> None:
        """Remember the state of the project, whose pages are in the directory `docs`."""
        pages = [report.path for report in status.pages]
        self._keep(
            PROJECT, docs, snippets, {**self._stated(pages, claims), "counts": status.counts, "notes": status.notes}
        )

    def keep_pages(
        self, docs: Path, snippets: Collection[str], stated: tuple[list[Path], list[PageClaim]], *, everything: bool
    ) -> None:
        """Remember the pages in the directory `docs`, and their claims, of a check of these snippets."""
        self._keep(ALL_PAGES if everything else SOME_PAGES, docs, snippets, self._stated(*stated))

    def _stated(self, pages: Collection[Path], claims: Collection[PageClaim]) -> dict[str, Any]:
        return {
            "pages": [str(path.relative_to(self._root)) for path in pages],
            "claims": [
                (str(claim.where.path.relative_to(self._root)), claim.where.line, claim.sentence, claim.predicate)
                for claim in claims
            ],
        }

    def _keep(self, which: str, docs: Path, snippets: Collection[str], found: dict[str, Any]) -> None:
        self._index.put(which, docs, found, began=self._began)
        of = {"snippets": sorted(snippets), "docs": str(docs.relative_to(self._root))}
        self._index.put(f"snippets of {which}", self._snippets, of, began=self._began)
        self._index.save(whole=False)
