"""A built page, as the tree that a browser makes of its HTML. What is published is this tree, written out.

Every other module of this package reads and changes the tree. So nothing is read in two ways: not by a check and a
browser, and not by two steps of finishing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from proof.core.errors import UsageError, Where
from proof.core.files import read, read_text
from proof.core.limits import PUBLISHED

_BASE = re.compile(
    r'"base":\s*"([\w.~/%-]*)"|^\s*var base_url = "([\w.~/%-]*)"', re.ASCII
)  # in Material's settings, and in a script of MkDocs' own theme
# The types that a browser runs. With any other type a script element is data, which a policy does not restrict.
_SCRIPT_TYPES = frozenset({"", "module", "text/javascript", "application/javascript"})


class Page:
    """One HTML file of a site, in its current state of finishing."""

    def __init__(self, site: Path, path: Path, html: str | None = None) -> None:
        """A page with this HTML, or else with what is in its file."""
        self.site = site
        self.path = path
        self._html = read_text(path, below=site, limit=PUBLISHED) if html is None else html
        self._tree: LexborHTMLParser | None = None

    @property
    def tree(self) -> LexborHTMLParser:
        """The tree, made when it is first used."""
        if self._tree is None:
            self._tree = LexborHTMLParser(self._html, scripting=True)
        return self._tree

    @property
    def html(self) -> str:
        """The tree as HTML."""
        return _written(self.tree)

    def settle(self) -> Page:
        """Write the tree out and drop it, since a site may have a thousand pages.

        Raises UsageError if a browser would make another tree of what was written.
        """
        self._html, self._tree = self.html, None
        if self.html != self._html:
            what = f"a browser would not read this page as it was checked (page {self})"
            raise UsageError(what, where=Where(self.path), hint="use plain Markdown")
        self._tree = None
        return self

    @property
    def url(self) -> str:
        """Its address relative to the site's root, such as `layers/`."""
        return self.path.relative_to(self.site).as_posix().removesuffix("index.html")

    @property
    def base(self) -> str:
        """The path from it to the site's root: `./`, `../`, or `/…/` for a page that is shown at any depth."""
        texts = (_text(script) for script in self.tree.css("script"))
        match = next(filter(None, map(_BASE.search, texts)), None)
        return f"{(match[1] or match[2]) if match else '.'}".rstrip("/") + "/"

    @property
    def listed(self) -> bool:
        """True if search engines and the feed should list it, which excludes the 404 page."""
        return self.path.name == "index.html"

    @property
    def address(self) -> str:
        """Its absolute address, or "" if the site's address is not known."""
        link = self.tree.css_first("link[rel=canonical]")
        return attribute(link, "href") if link and self.listed else ""

    @property
    def title(self) -> str:
        """The text of its title."""
        title = self.tree.css_first("title")
        return title.text() if title else ""

    @property
    def inline_scripts(self) -> list[str]:
        """The texts of the scripts in it that a browser runs."""
        return [
            _text(script) for script in self.tree.css("script:not([src])") if attribute(script, "type") in _SCRIPT_TYPES
        ]

    @property
    def script_files(self) -> list[str]:
        """The addresses of the scripts that it loads, in order."""
        return [attribute(script, "src") for script in self.tree.css("script[src]")]

    @property
    def measured(self) -> list[str]:
        """The days on which its numbers were measured."""
        return [attribute(time, "datetime") for time in self.tree.css("time.measured")]

    def meta(self, name: str) -> str:
        """The first content of meta elements with this name or property, or ""."""
        return next(iter(self.metas(name)), "")

    def metas(self, name: str) -> list[str]:
        """Every content of meta elements with this name or property."""
        return [attribute(meta, "content") for meta in self.tree.css(f'meta[name="{name}"], meta[property="{name}"]')]

    def file(self, address: str) -> Path:
        """The file of the site at an address in the page."""
        return self.site / address.removeprefix(self.base).removeprefix("./")

    def content(self, address: str) -> bytes:
        """The content of the file at an address in the page. Raises a ProofError if there is none in the site."""
        try:
            return read(self.file(address), below=self.site, limit=PUBLISHED)
        except FileNotFoundError as error:
            what, hint = f"the site has no file `{address:.80}` (page {self})", "build the site again"
            raise UsageError(what, where=Where(self.path), hint=hint) from error

    def element(self, tag: str, text: str = "", **attributes: str) -> LexborNode:
        """A new element that is nowhere in the tree yet. A `_` in a name stands for a `-`."""
        node = self.tree.create_node(tag)
        for name, value in attributes.items():
            node.attrs[name.replace("_", "-")] = value
        if text:
            node.insert_child(text)
        return node

    def add_to_head(self, *elements: LexborNode) -> None:
        """Add elements to the head, after the charset, which has to be among the first bytes."""
        charset = self.tree.css_first("meta[charset]")
        for node in reversed(elements):
            if charset:
                charset.insert_after(node)
            elif self.tree.head:
                self.tree.head.insert_child(node)

    def need(self, selector: str) -> LexborNode:
        """The element of the theme that a step changes. Raises UsageError if the theme no longer has it."""
        node = self.tree.css_first(selector)
        if node is None:
            what = "the theme's markup has changed: this element is not in the page"
            hint = "look at the page, and adapt the selector in proof/publish"
            raise UsageError(what, where=Where(self.path), evidence=selector, hint=hint)
        return node

    def __str__(self) -> str:
        return self.url or "index.html"


def attribute(node: LexborNode, name: str) -> str:
    """The value of an attribute; "" if the element has none."""
    return node.attributes.get(name) or ""


def classes(node: LexborNode) -> set[str]:
    """The classes of an element."""
    return set(attribute(node, "class").split())


def digest(content: bytes) -> str:
    """The hash of a script, as a policy and the attribute `integrity` name it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def paths(site: Path) -> list[Path]:
    """The HTML files of a built site. Raises UsageError if there is none."""
    if not (site / "index.html").is_file():
        raise UsageError("this directory has no site", where=Where(site), hint="mkdocs build --strict")
    return sorted(site.rglob("*.html"))


def _written(tree: LexborHTMLParser) -> str:
    # A parser drops a line break at the start of these, so one more is written.
    boxes = [box for box in tree.css("pre, textarea") if box.text().startswith("\n")]
    for box in boxes:
        if box.first_child is not None:
            box.first_child.insert_before("\n")
    html = tree.html or ""
    for box in boxes:
        if box.first_child is not None:
            box.first_child.decompose()
    return html


def _text(script: LexborNode) -> str:
    return script.text() or ""
