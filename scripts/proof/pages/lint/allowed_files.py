"""Checks which files docs/ and snippets/ contain before a site is built, as they may come from an untrusted source.

A site generator follows links, and copies every file that is not a page unchanged. So docs/ may contain only regular
files of a few harmless types, and the scripts, style sheets and the icon that mkdocs.yml names. For example, an HTML
file would be an unchecked page of the site. A browser runs the scripts of an icon that is opened by its address, so an
icon in SVG may only have shapes.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from proof.core.errors import PageError, RefusedError, Where, command
from proof.core.files import check_plain, kind, read
from proof.core.site_config import named_files
from proof.core.text import first_invisible
from proof.pages.site import Site
from proof.snippets import context

# Pages, images and fonts. A host may serve text as a script. Case matters: other programs may treat `.MD` differently.
_COPIED = {
    ".md": rb"",
    ".png": rb"\x89PNG",
    **dict.fromkeys((".jpg", ".jpeg"), rb"\xff\xd8\xff"),
    ".gif": rb"GIF8",
    ".webp": rb"RIFF....WEBP",
    ".avif": rb"\0\0\0.ftyp",
    ".ico": rb"\x00\x00\x01\x00",
    ".woff2": rb"wOF2",
}  # how each begins
_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = frozenset(f"{_SVG}{name}" for name in "svg g title rect circle ellipse line polygon polyline path".split())
_OF_SHAPES = frozenset(
    "viewBox width height x y x1 y1 x2 y2 cx cy r rx ry d points transform opacity fill fill-rule fill-opacity stroke "
    "stroke-width stroke-linecap stroke-linejoin stroke-opacity".split()
)
_SUFFIX = re.compile(r".(\.[A-Za-z]\w*)")
_MARKUP = re.compile("[<>&\"'`#:\\[\\]%]")
_LARGEST = 20_000_000  # bytes of an image
_DEEPEST = 500  # bytes; nothing is read from longer paths in a snippet


def check(site: Site, docs: Path) -> None:
    """Raises RefusedError or PageError for a file that is not allowed. Called before each page of a build."""
    site.glance.get(("files", docs), lambda: _check(site, docs))


def _check(site: Site, docs: Path) -> None:
    for folder in (docs, site.root / "snippets"):
        if folder.is_symlink():
            raise RefusedError("this directory is a symbolic link", where=Where(folder), hint="use a real directory")
    if docs.is_dir():
        check_plain(docs)
        _check_kinds(named_files(site.config), docs)
    _check_snippets(site.root / "snippets")


def _check_kinds(named: set[str], docs: Path) -> None:
    for parent, folders, names in os.walk(docs):
        for name in folders:
            _check_suffix(Path(parent, name), name)
        for name in sorted(set(names) - context.ignored(names)):
            path = Path(parent, name)
            relative = path.relative_to(docs).as_posix()
            # Themes show the name of a page without a title, and the site generator prints it in a log.
            if _MARKUP.search(relative) or first_invisible(relative):
                what, hint = "the name of this file has markup or invisible characters", "give it a plain name"
                raise PageError(what, where=Where(path), hint=hint)
            if path.suffix == ".md":
                _check_suffix(path, path.stem)
            if relative in named:
                if path.suffix == ".svg":
                    _check_icon(path, docs)
                continue
            if path.suffix not in _COPIED:
                what = f"a `{path.suffix or name}` file would be published unchecked"
                hint = "end pages in .md; list scripts in mkdocs.yml, under extra_javascript or extra: scripts"
                raise PageError(what, where=Where(path), hint=f"{hint}, and style sheets under extra_css")
            begins = _COPIED[path.suffix]
            if begins and not re.match(begins, read(path, below=docs, limit=_LARGEST), re.DOTALL):
                what, hint = f"this is no {path.suffix} file: a browser might read it as something else", "convert it"
                raise PageError(what, where=Where(path), hint=hint)


def _check_suffix(path: Path, name: str) -> None:
    """Raises PageError for a directory that would stand in a file's place, such as that of a page or a script."""
    if suffix := _SUFFIX.search(name):
        what = f"a directory of the site would be called like a `{suffix[1]}` file"
        raise PageError(what, where=Where(path), hint="use a name without a dot")


def _check_icon(path: Path, docs: Path) -> None:
    """Raises PageError unless an SVG has shapes alone. It is read as a browser reads it: as XML."""
    text = read(path, below=docs, limit=_LARGEST)
    has_declarations = b"<!" in text or b"<?" in text  # of entities and style sheets
    try:
        drawn = [] if has_declarations else list(ET.fromstring(text).iter())  # noqa: S314
    except ET.ParseError:
        drawn = []
    others = [element.tag for element in drawn if element.tag not in _SHAPES]
    for name, value in (item for element in drawn for item in element.attrib.items()):
        if name not in _OF_SHAPES or ("(" in value and name != "transform"):  # url(…) would load something
            others.append(name)
    if others or not drawn:
        what, hint = "this icon has more than shapes", "use a few shapes with colors, or a .png file"
        raise PageError(what, where=Where(path), evidence=", ".join(others)[:200], hint=hint)


def _check_snippets(snippets: Path) -> None:
    """Refuse links, pipes and devices below snippets/. A context may contain links to its own files."""
    for entry in sorted(os.scandir(snippets), key=lambda entry: entry.name) if snippets.is_dir() else ():
        path = Path(entry.path)
        _check_entry(entry)
        if entry.is_dir(follow_symlinks=False):
            _check_snippet(path)
            context.check(path / "context")


def _check_snippet(snippet: Path) -> None:
    """Check a snippet's directory, except for its context and an editor's temporary files."""
    pending = [str(snippet)]
    while pending:
        folder = pending.pop()
        if len(folder) - len(str(snippet)) > _DEEPEST:
            continue  # nothing is read from there
        with os.scandir(folder) as entries:
            found = {entry.name: entry for entry in entries}
        for name in found.keys() - context.ignored(found):
            _check_entry(found[name])
            if found[name].is_dir(follow_symlinks=False) and found[name].path != f"{snippet}/context":
                pending.append(found[name].path)


def _check_entry(entry: os.DirEntry[str]) -> None:
    if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
        what = f"expected a file or directory, found a {kind(entry.stat(follow_symlinks=False).st_mode)}"
        where = Where(Path(entry.path))
        raise RefusedError(what, where=where, hint=command("rm", where))
