"""A built page and what its HTML contains. No other module of this package parses pages, except for the check."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

from proof.core.errors import UsageError, Where

_SIZE = re.compile(r"\d+(?:\.\d+)?(?:B|kB|MB|GB)")
_BASE = re.compile(
    r'^\s*var base_url = "([\w.~/%-]*)"', re.ASCII
)  # in MkDocs' own theme; Material has it in its settings
_BYTES = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SUMMARY = "in-short"  # the ID of the box with a page's answer: see proof/pages/summary.py
_NOT_SUMMARY = {"admonition-title", "claim"}  # classes of elements in it that are not part of its text
_VOID = {"br", "hr", "img", "input", "wbr"}  # elements without an end
# The types that a browser runs. With any other type a script element is data, which a policy does not restrict.
_SCRIPTS = {"", "module", "text/javascript", "application/javascript"}


@dataclass(frozen=True)
class Page:
    """One HTML file of a site, in its current state of finishing."""

    site: Path
    path: Path
    html: str
    reads: Reader  # the content of the page as it was built

    @property
    def url(self) -> str:
        """Its address relative to the site's root, such as `layers/`."""
        return self.path.relative_to(self.site).as_posix().removesuffix("index.html")

    @property
    def base(self) -> str:
        """The path from it to the site's root: `./`, `../`, or `/…/` for a page that is shown at any depth."""
        return self.reads.base.rstrip("/") + "/"

    @property
    def listed(self) -> bool:
        """True if search engines and the feed should list it, which excludes the 404 page."""
        return self.path.name == "index.html"

    @property
    def address(self) -> str:
        """Its absolute address, or "" if the site's address is not known."""
        return self.reads.canonical if self.listed else ""

    def file(self, address: str) -> Path:
        """The file of the site at an address in the page."""
        return self.site / address.removeprefix(self.base).removeprefix("./")

    def __str__(self) -> str:
        return self.url or "index.html"

    def sub(self, pattern: str, by: str | Callable[[re.Match[str]], str], *, least: int = 1) -> Page:
        """Replace markup in the page. Raises UsageError if the pattern is found less than `least` times."""
        html, count = re.subn(pattern, by, self.html)
        if count < least:
            raise UsageError(
                "the theme's markup has changed: this pattern is not in the page",
                where=Where(self.path),
                evidence=pattern,
                hint="look at the page, and adapt the pattern in proof/publish",
            )
        return replace(self, html=html)

    def in_head(self, *lines: str) -> Page:
        """Add lines to the head, after the charset, which has to be among the first bytes."""
        return self.sub(r'<meta charset="?utf-8"?\s*/?>', lambda m: "\n      ".join((m[0], *lines)))


@dataclass
class Reader(HTMLParser):
    """Collects what the other modules need to know about a page, in one pass."""

    title: str = ""
    canonical: str = ""
    base: str = "."
    metas: dict[str, list[str]] = field(default_factory=dict)  # contents of meta elements, by name or property
    scripts: list[str] = field(default_factory=list)  # the text of inline scripts
    styles: list[str] = field(default_factory=list)  # the addresses of style sheets, in order
    sizes: list[tuple[float, str]] = field(default_factory=list)  # in bold before the first h2, or in the summary
    measured: list[str] = field(default_factory=list)  # days on which the page's numbers were measured
    words: set[str] = field(default_factory=set)  # every element, class, id and value of an attribute

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside = ""
        self._value = ""
        self._lead = True
        self._bold = False
        self._summary: list[str] = []
        self._depth = 0  # of open elements in the summary, the box included; 0 outside
        self._left_out = 0  # the depth of an element in the summary that is not part of its text; 0 outside

    @property
    def summary(self) -> str:
        """The text of the box "In short" without its title, or ""."""
        return " ".join("".join(self._summary).split())

    def meta(self, name: str) -> str:
        """The first content of meta elements with this name, or ""."""
        return next(iter(self.metas.get(name, [])), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.words.add(tag)
        for value in has.values():
            self.words |= {value, *value.split()}
        self._open_in_summary(tag, has)
        match tag:
            case "meta" if "name" in has or "property" in has:
                self.metas.setdefault(has.get("name") or has["property"], []).append(has.get("content", ""))
            case "link" if has.get("rel") == "canonical":
                self.canonical = has.get("href", "")
            case "link" if has.get("rel") == "stylesheet":
                self.styles.append(has.get("href", ""))
            case "script" if "src" not in has and has.get("type", "") in _SCRIPTS:
                self._inside = "script"
                self.scripts.append("")
            case "script" if has.get("id") == "__config":
                self._inside = "config"
            case "title" if not self.title:
                self._inside = "title"
            case "h2":
                self._lead = False
            case "strong":
                self._bold = self._lead
            case "data" if (self._bold or self._depth) and "fact" in has.get("class", "").split():
                self._inside, self._value = "fact", has.get("value", "")
            case "time" if "measured" in has.get("class", "").split():
                self.measured.append(has.get("datetime", ""))

    def _open_in_summary(self, tag: str, has: dict[str, str]) -> None:
        if tag not in _VOID and (self._depth or (has.get("id") == _SUMMARY and not self._summary)):
            self._depth += 1
            if not self._left_out and _NOT_SUMMARY.intersection(has.get("class", "").split()):
                self._left_out = self._depth

    def _close_in_summary(self, tag: str) -> None:
        if tag not in _VOID and self._depth:
            self._left_out = 0 if self._left_out == self._depth else self._left_out
            self._depth -= 1

    def handle_endtag(self, tag: str) -> None:
        self._close_in_summary(tag)
        if tag in ("script", "title", "data"):
            self._inside = ""
        if tag == "strong":
            self._bold = False

    def handle_data(self, data: str) -> None:
        if self._depth and not self._left_out:
            self._summary.append(data)
        match self._inside:
            case "script":
                self.scripts[-1] += data
                if (found := _BASE.search(self.scripts[-1])) is not None:
                    self.base = found[1]
            case "title":
                self.title += data
            case "config" if (found := re.search(r'"base":\s*"([^"]*)"', data)) is not None:
                self.base = found[1]
            case "fact" if _SIZE.fullmatch(data) and _BYTES.fullmatch(self._value):
                self.sizes.append((float(self._value), data))


def reading(html: str) -> Reader:
    """Read the HTML of a page."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def load(site: Path, path: Path) -> Page:
    """Load a page from its file."""
    html = path.read_text("utf-8")
    return Page(site, path, html, reading(html))


def paths(site: Path) -> list[Path]:
    """The HTML files of a built site. Raises UsageError if there is none."""
    if not (site / "index.html").is_file():
        raise UsageError("this directory has no site", where=Where(site), hint="mkdocs build --strict")
    return sorted(site.rglob("*.html"))
