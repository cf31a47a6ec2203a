"""What may lie in docs/ and snippets/ when a site is built of them: they may come from a stranger.

A site generator follows links, and copies whatever is not a page as it is. So docs/ holds plain files of a few kinds,
and a script or a picture that can hold one only where mkdocs.yml names it: an HTML file would be a page that nobody
checked, on the site's own address.
"""

from __future__ import annotations

import os
from pathlib import Path

from proof.core.errors import PageError, RefusedError, Where
from proof.core.files import check_plain, kind
from proof.pages.site import Site
from proof.pages.site_config import named_files
from proof.snippets import context

# Pages, and what a browser never runs. Exactly these spellings: another program may read `.MD` in another way.
_COPIED = frozenset(".md .css .png .jpg .jpeg .gif .webp .avif .ico .woff2 .txt .csv".split())
_DEEPEST = 500  # bytes of a path in a snippet that anything is read from


def check(site: Site, docs: Path) -> None:
    """Raises RefusedError or PageError for a file that no site may be built of; called before each page of a build."""
    site.cached(f"files of {docs}", lambda: _check(site, docs))


def _check(site: Site, docs: Path) -> None:
    for folder in (docs, site.root / "snippets"):
        if folder.is_symlink():
            raise RefusedError("this folder is a link", where=Where(folder), hint="a folder of its own")
    if docs.is_dir():
        check_plain(docs)
        _check_kinds(named_files(site.config), docs)
    _check_snippets(site.root / "snippets")


def _check_kinds(named: set[str], docs: Path) -> None:
    for parent, _, names in os.walk(docs):
        for name in sorted(set(names) - context.left_out(parent, names)):
            path = Path(parent, name)
            if path.suffix not in _COPIED and path.relative_to(docs).as_posix() not in named:
                what = f"a file `{path.suffix or name}` would be published as it is, and nothing checks what it does"
                hint = "a page ends in .md; a script is named in mkdocs.yml: extra_javascript, or extra: scripts"
                raise PageError(what, where=Where(path), hint=hint)


def _check_snippets(snippets: Path) -> None:
    """Refuse a link, a pipe or a device below snippets/; a context may hold links that stay in it."""
    for entry in sorted(os.scandir(snippets), key=lambda entry: entry.name) if snippets.is_dir() else ():
        path = Path(entry.path)
        _check_entry(entry)
        if entry.is_dir(follow_symlinks=False):
            _check_snippet(path)
            context.check(path / "context")


def _check_snippet(snippet: Path) -> None:
    """The same in a snippet's directory, but for what is in its context, and what an editor leaves for a while."""
    pending = [str(snippet)]
    while pending:
        folder = pending.pop()
        if len(folder) - len(str(snippet)) > _DEEPEST:
            continue  # nothing reads what is there
        with os.scandir(folder) as entries:
            found = {entry.name: entry for entry in entries}
        for name in found.keys() - context.left_out(folder, list(found)):
            _check_entry(found[name])
            if found[name].is_dir(follow_symlinks=False) and found[name].path != f"{snippet}/context":
                pending.append(found[name].path)


def _check_entry(entry: os.DirEntry[str]) -> None:
    if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
        what = f"expected a file or directory, found a {kind(entry.stat(follow_symlinks=False).st_mode)}"
        raise RefusedError(what, where=Where(Path(entry.path)), hint=f"rm {entry.path}")
