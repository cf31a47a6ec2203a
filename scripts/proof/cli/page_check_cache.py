"""Remembers the claims of pages in which nothing was wrong, so that these are not read again until something changes.

What can be wrong with a page depends on the files of docs/ and snippets/, on the settings next to them, and on the
Python packages that render it. Whether its claims hold for new measurements is not remembered: see `conclude`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from proof.core import folder_cache
from proof.core.folder_cache import FolderCache
from proof.pages.site import Site
from proof.pages.status import PageClaim

_ALL, _SOME = "all pages", "some pages"  # the names of what is remembered


@dataclass(frozen=True)
class SoundPages:
    """Pages in which nothing was wrong, and their claims."""

    pages: list[Path]
    claims: list[PageClaim]


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

    def get(self, snippets: Collection[str], *, everything: bool) -> SoundPages | None:
        """What an earlier check of these snippets found, or None if something has changed since, or was wrong.

        `everything` asks for all pages, not only for those that use these snippets.
        """
        for pages in (_ALL,) if everything else (_ALL, _SOME):  # who needs some of the pages can use all
            found = self._index.get(f"snippets of {pages}", self._snippets)
            if found and set(found["snippets"]).issuperset(snippets) and (docs := self._index.get(pages, self._docs)):
                claims = [PageClaim(self._root / path, *rest) for path, *rest in docs["claims"]]
                return SoundPages([self._root / path for path in docs["pages"]], claims)
        return None

    def put(self, sound: SoundPages, snippets: Collection[str], *, everything: bool) -> None:
        """Remember what a check of these snippets found."""
        pages = _ALL if everything else _SOME
        docs = {
            "pages": [str(path.relative_to(self._root)) for path in sound.pages],
            "claims": [(str(c.path.relative_to(self._root)), c.sentence, c.predicate) for c in sound.claims],
        }
        self._index.put(pages, self._docs, docs, began=self._began)
        self._index.put(f"snippets of {pages}", self._snippets, {"snippets": sorted(snippets)}, began=self._began)
        self._index.save(whole=False)
