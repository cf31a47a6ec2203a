"""A built page, and what its HTML says: the one place that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

from proof.core.errors import UsageError, Where

_SIZE = re.compile(r"\d+(?:\.\d+)?(?:B|kB|MB|GB)")
_BYTES = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
# What a browser would run. Any other type is data, which no policy is asked about.
_SCRIPTS = {"", "module", "text/javascript", "application/javascript"}


@dataclass(frozen=True)
class Page:
    """One HTML file of a site, with its text as far as it is finished."""

    site: Path
    path: Path
    html: str
    reads: Reader  # what it said as it was built

    @property
    def url(self) -> str:
        """Its address below the site's, as `layers/`."""
        return self.path.relative_to(self.site).as_posix().removesuffix("index.html")

    @property
    def base(self) -> str:
        """The way from it to the site's root: nothing, `../`, or `/…/` for a page that is shown at any depth."""
        return self.reads.base.rstrip("/") + "/"

    @property
    def listed(self) -> bool:
        """Whether it is to be found by search engines and feeds: the page for what is missing is not."""
        return self.path.name == "index.html"

    @property
    def address(self) -> str:
        """Where it is published, or nothing where the build was not told: then nothing absolute can be said."""
        return self.reads.canonical if self.listed else ""

    def __str__(self) -> str:
        return self.url or "index.html"

    def sub(self, pattern: str, by: str | Callable[[re.Match[str]], str], *, least: int = 1) -> Page:
        """The page with a piece of its markup exchanged, found at least that often: a theme may change."""
        html, count = re.subn(pattern, by, self.html)
        if count < least:
            raise UsageError(
                "the theme no longer writes what is to be changed in its pages",
                where=Where(self.path),
                evidence=pattern,
                hint="look at the page, and let the pattern in scripts/publish follow",
            )
        return replace(self, html=html)

    def in_head(self, *lines: str) -> Page:
        """The page with more in its head: behind the charset, which has to be among the first bytes."""
        return self.sub(r'<meta charset="?utf-8"?\s*/?>', lambda m: "\n      ".join((m[0], *lines)))


@dataclass
class Reader(HTMLParser):
    """Gathers what the other modules ask for, in one pass."""

    title: str = ""
    canonical: str = ""
    base: str = "."
    metas: dict[str, list[str]] = field(default_factory=dict)  # by name or property
    scripts: list[str] = field(default_factory=list)  # text of the inline ones
    styles: list[str] = field(default_factory=list)  # addresses, in their order
    sizes: list[tuple[float, str]] = field(default_factory=list)  # that the lead puts in bold: bytes, as written
    measured: list[str] = field(default_factory=list)  # days, first and last
    words: set[str] = field(default_factory=set)  # every class, id and value of an attribute

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside = ""
        self._value = ""
        self._lead = True
        self._bold = False

    def meta(self, name: str) -> str:
        """The first value of a meta element, or nothing."""
        return next(iter(self.metas.get(name, [])), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        for value in has.values():
            self.words |= {value, *value.split()}
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
            case "data" if self._bold and "fact" in has.get("class", "").split():
                self._inside, self._value = "fact", has.get("value", "")
            case "time" if "measured" in has.get("class", "").split():
                self.measured.append(has.get("datetime", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "title", "data"):
            self._inside = ""
        if tag == "strong":
            self._bold = False

    def handle_data(self, data: str) -> None:
        match self._inside:
            case "script":
                self.scripts[-1] += data
            case "title":
                self.title += data
            case "config" if (found := re.search(r'"base":\s*"([^"]*)"', data)) is not None:
                self.base = found[1]
            case "fact" if _SIZE.fullmatch(data) and _BYTES.fullmatch(self._value):
                self.sizes.append((float(self._value), data))


def reading(html: str) -> Reader:
    """What a text says."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def load(site: Path, path: Path) -> Page:
    """A page as it is."""
    html = path.read_text("utf-8")
    return Page(site, path, html, reading(html))


def read(site: Path) -> list[Page]:
    """Every page of a site that was built and not finished yet."""
    paths = sorted(site.rglob("*.html"))
    if not (site / "index.html").is_file():
        raise UsageError("there is no site here", where=Where(site), hint="mkdocs build --strict")
    pages = [load(site, path) for path in paths]
    if any("Content-Security-Policy" in page.html for page in pages):
        raise UsageError("this site is finished already", where=Where(site), hint="build it again: mkdocs build")
    return pages
