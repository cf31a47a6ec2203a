"""Remembers the claims of pages in which nothing was wrong, so that these are not read again until something changes.

What can be wrong with a page depends on the files of docs/ and snippets/, on the settings next to them, and on the
Python packages that render it. Whether its claims hold for new measurements is not remembered: see `conclude`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from proof.core import folder_cache
from proof.core.folder_cache import FolderCache
from proof.pages.site import Site
from proof.pages.status import PageClaim

_ALL, _SOME = "all pages", "some pages"  # the names of what is remembered


class PageCheckCache:
    """What is known of the sound pages of a project, on this machine. If `cache` is None, nothing is remembered.

    Create it before the pages are read: they may change while that happens.
    """

    def __init__(self, root: Path, cache: Path | None) -> None:
        self._root, self._snippets, self._docs = root, root / "snippets", Site.at(root).docs
        settings = [path for path in root.iterdir() if path.is_file()]
        # Each directory of packages changes when one of them is installed, replaced or removed.
        self._index = FolderCache.of("pages", root, cache, [*settings, *map(Path, sys.path)])
        self._began = folder_cache.now()

    def get(self, snippets: Collection[str], *, everything: bool) -> tuple[list[Path], list[PageClaim]] | None:
        """The pages of an earlier check of these snippets, and their claims.

        None if there was no such check, if it found anything wrong, or if something has changed since. `everything`
        asks for all pages, not only for those that use these snippets.
        """
        for which in (_ALL,) if everything else (_ALL, _SOME):  # a check of some can use what is known of all
            found = self._index.get(f"snippets of {which}", self._snippets)
            if found and set(found["snippets"]).issuperset(snippets) and (docs := self._index.get(which, self._docs)):
                claims = [PageClaim(self._root / path, *rest) for path, *rest in docs["claims"]]
                return [self._root / path for path in docs["pages"]], claims
        return None

    def put(self, pages: list[Path], claims: list[PageClaim], snippets: Collection[str], *, everything: bool) -> None:
        """Remember the pages and claims of a check of these snippets that found nothing wrong."""
        which = _ALL if everything else _SOME
        docs = {
            "pages": [str(path.relative_to(self._root)) for path in pages],
            "claims": [(str(c.path.relative_to(self._root)), c.sentence, c.predicate) for c in claims],
        }
        self._index.put(which, self._docs, docs, began=self._began)
        self._index.put(f"snippets of {which}", self._snippets, {"snippets": sorted(snippets)}, began=self._began)
        self._index.save(whole=False)
