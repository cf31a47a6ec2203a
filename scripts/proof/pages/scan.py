"""All pages of a site as the tool reads them: rendered with the site's own Markdown extensions, without the site.

`scan` is what `proof status` and the Proof page know of the pages.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown import Markdown

from proof.core.errors import ManifestError, ProofError, UsageError, Where
from proof.core.files import check_plain, read_text
from proof.facts.book import FactBook
from proof.pages.page import Page, captured, page_text, rendered

_LARGEST = 1_000_000  # bytes of mkdocs.yml
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True)
class PageReport:
    """One page and what it states."""

    path: Path
    page: Page

    @property
    def problems(self) -> list[ProofError]:
        """Everything that is wrong with it."""
        return self.page.problems

    @functools.cached_property
    def title(self) -> str:
        """Its first heading, or where there is none the file's name."""
        found = re.search(r"^# (.+)$", self.page.source, re.MULTILINE)
        return found[1].strip() if found else self.path.stem


# The last scan: two pages that list everything, and the scan that they are part of, ask for the same one.
_LAST: dict[str, Any] = {}


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without running what its `!!python/name:` tags name."""


_Loader.add_multi_constructor("", lambda _loader, _suffix, _node: None)


def scan(
    root: Path, book: FactBook | None = None, *, expand: bool = True, naming: Collection[str] = ()
) -> list[PageReport]:
    """Every page of the project, rendered over the facts of `book` (the captured ones, unless given).

    Problems are gathered, not raised. Without `expand` the pages that list everything stay as they were written, so
    that they in turn can list what the others state. With `naming`, only the pages in which one of these words stands.
    """
    known = captured(root / "snippets") if book is None else book
    config = _config(root)
    docs = root / str(config.get("docs_dir") or "docs")
    if docs.is_dir():
        check_plain(docs)  # a site generator follows links: one could publish any file of this machine
    pages = sorted(docs.rglob("*.md"))
    if not pages:
        raise UsageError(f"there is no page in {docs}", hint="write docs/index.md")
    if naming:
        named = re.compile(rf"\b(?:{'|'.join(map(re.escape, naming))})\b")
        pages = [path for path in pages if named.search(page_text(root, path))]
    stamp = (root, tuple((path, path.stat().st_mtime_ns) for path in pages))
    reader = _Reader(root, known)
    if _LAST.get("key") != stamp or _LAST.get("book") is not known:
        _LAST.update(key=stamp, book=known)
        _LAST["pages"] = [reader.read(path, expand=False) for path in pages]
    found: list[PageReport] = _LAST["pages"]
    return [reader.read(p.path, expand=True) if expand and p.page.generated else p for p in found]


class _Reader:
    """Reads one page after another. To set up a Markdown takes as long as a short page: it is used again."""

    def __init__(self, root: Path, book: FactBook) -> None:
        self._root, self._book = root, book
        self._md: Markdown | None = None

    def read(self, path: Path, *, expand: bool) -> PageReport:
        """What a page states; whatever is wrong with it is among its problems."""
        text = _FRONT_MATTER.sub("", page_text(self._root, path))
        if (known := rendered(self._root, text, self._book, expand=expand)) is not None:
            return PageReport(path, known)
        md = self._md.reset() if self._md else _markdown(self._root)
        self._md = None  # one that was left in the middle of a page is in no state to begin another
        # Ours is the one that keeps the page. Its module is not imported here: it shows what this one finds.
        page: Page = next(e.page for e in md.registeredExtensions if hasattr(e, "page"))
        page.book, page.expand = self._book, expand
        try:
            md.convert(text)
            self._md = md
        except ProofError as error:
            page.problems.append(error)
        return PageReport(path, page)


def _markdown(root: Path) -> Markdown:
    names, options = [], {}
    for entry in _config(root).get("markdown_extensions") or []:
        name, settings = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        names.append(name)
        options[name] = {key: value for key, value in (settings or {}).items() if value is not None}
    if "proof" not in names:
        raise ManifestError(
            "the site does not use the extension `proof`",
            where=Where(root / "mkdocs.yml"),
            hint="markdown_extensions: [proof]",
        )
    options["proof"] = {**options["proof"], "project": str(root), "collect": True}
    return Markdown(extensions=names, extension_configs=options)


def named(root: Path) -> set[str]:
    """The files below docs/ that mkdocs.yml names as scripts and as the site's picture."""
    config = _config(root)
    scripts = [*(config.get("extra_javascript") or []), *((config.get("extra") or {}).get("scripts") or [])]
    paths = [entry["path"] if isinstance(entry, dict) else entry for entry in scripts]
    theme = config.get("theme")
    return {str(path) for path in (*paths, theme.get("favicon") if isinstance(theme, dict) else None) if path}


def _config(root: Path) -> dict[str, Any]:
    path = root / "mkdocs.yml"
    try:
        return _parsed(path, path.lstat().st_mtime_ns)
    except FileNotFoundError as error:
        raise UsageError(f"there is no {path}", hint="proof needs the site's mkdocs.yml to read its pages") from error


@functools.lru_cache(maxsize=4)
def _parsed(path: Path, stamp: int) -> dict[str, Any]:
    del stamp
    try:
        data = yaml.load(read_text(path, below=path.parent, limit=_LARGEST), _Loader)  # noqa: S506 - a SafeLoader that skips tags
    except yaml.YAMLError as error:
        raise ManifestError(f"this is no YAML: {error}", where=Where(path), hint="https://yaml.org") from error
    return dict(data or {})
