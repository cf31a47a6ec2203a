"""Writes feed.xml, sitemap.xml and robots.txt."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from proof.core.text import plain
from proof.publish import head
from proof.publish.page import Page

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def write(site: Path, pages: list[Page]) -> None:
    """Write the files. If the site's address is not known, write only robots.txt, which allows everything."""
    listed = [page for page in pages if page.address]
    robots = "User-agent: *\nAllow: /\n"
    if listed:
        _save(_feed(listed), site / "feed.xml")
        _save(_sitemap(listed), site / "sitemap.xml")
        # MkDocs's own, in which every page has the date of the build.
        (site / "sitemap.xml.gz").unlink(missing_ok=True)
        robots += f"Sitemap: {head.root(listed[0])}sitemap.xml\n"
    (site / "robots.txt").write_text(robots, "utf-8")


def _feed(pages: list[Page]) -> ET.Element:
    """The feed, with an entry for every page that has measurements, dated by the last of them."""
    front = next(page for page in pages if not page.url)
    measured = sorted((page for page in pages if page.measured), key=_day, reverse=True)
    feed = ET.Element("feed", {"xmlns": _ATOM})
    _add(feed, "title", head.heading(front))
    _add(feed, "id", f"{front.address}feed.xml")  # the address itself is the article's
    _add(feed, "updated", _moment(max((_day(page) for page in measured), default="1970-01-01")))
    _add(_add(feed, "author"), "name", front.meta("author") or head.heading(front))
    _add(feed, "link", href=front.address)
    _add(feed, "link", rel="self", href=f"{front.address}feed.xml")
    for page in measured:
        entry = _add(feed, "entry")
        _add(entry, "title", head.heading(page))
        _add(entry, "id", page.address)
        _add(entry, "link", href=page.address)
        _add(entry, "updated", _moment(_day(page)))
        _add(entry, "summary", page.meta("description"))
        for tag in page.metas("article:tag"):
            _add(entry, "category", term=tag)
    return feed


def _sitemap(pages: list[Page]) -> ET.Element:
    """The sitemap, with every page and, if it has measurements, the date of the last of them."""
    sitemap = ET.Element("urlset", {"xmlns": _SITEMAP})
    for page in pages:
        url = _add(sitemap, "url")
        _add(url, "loc", page.address)
        if page.measured:
            _add(url, "lastmod", _day(page))
    return sitemap


def _day(page: Page) -> str:
    return max(page.measured)


def _moment(day: str) -> str:
    return f"{day}T00:00:00Z"


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, {name: plain(value) for name, value in attributes.items()})
    element.text = plain(text) or None  # XML does not allow control characters
    return element


def _save(root: ET.Element, path: Path) -> None:
    ET.indent(root)
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)
