"""The metadata in a page's head: title, image and dates for previews of links, and the address of the feed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborNode

from proof.publish import card
from proof.publish.page import Page


def describe(page: Page, image: str) -> None:
    """Add metadata for OpenGraph, Twitter and schema.org to the page.

    Absolute addresses are left out if the site's address is not known. The 404 page gets none of this.
    """
    if not page.listed:
        page.add_to_head(page.element("meta", name="robots", content="noindex"))
        return
    elements = [_meta(page, name, content) for name, content in _properties(page, image) if content]
    if page.address:
        # The theme would take `alternate` alone for another version of the site.
        feed = {"rel": "alternate feed", "type": "application/atom+xml", "title": "Feed"}
        elements += [
            page.element("link", **feed, href=f"{page.base}feed.xml"),
            page.element("script", _article(page, image), type="application/ld+json"),
        ]
    page.add_to_head(*elements)


def root(page: Page) -> str:
    """The site's address, derived from the page's."""
    return page.address.removesuffix(page.url)


def heading(page: Page) -> str:
    """The title of the page, without that of the site."""
    return page.title.partition(" · ")[0].strip()


def _properties(page: Page, image: str) -> list[tuple[str, str]]:
    picture = urljoin(root(page), image) if page.address else ""
    measured = page.measured
    return [
        ("og:type", "article"),
        ("og:title", heading(page)),
        ("og:description", page.meta("description")),
        ("og:url", page.address),
        ("og:image", picture),
        ("og:image:width", str(card.WIDTH) if picture else ""),
        ("og:image:height", str(card.HEIGHT) if picture else ""),
        ("og:image:alt", f"{heading(page)} {page.summary}".strip() if picture else ""),
        ("twitter:card", "summary_large_image" if picture else "summary"),
        ("article:modified_time", max(measured, default="")),
    ]


def _meta(page: Page, name: str, content: str) -> LexborNode:
    key = "name" if name.startswith("twitter:") else "property"
    return page.element("meta", **{key: name}, content=content)


def _article(page: Page, image: str) -> str:
    says: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": heading(page),
        "description": page.meta("description"),
        "url": page.address,
        "image": urljoin(root(page), image),
        "datePublished": page.meta("article:published_time"),
        "dateModified": max(page.measured, default=""),
        "keywords": page.metas("article:tag"),
    }
    if author := page.meta("author"):
        says["author"] = {"@type": "Organization", "name": author}
    # A `<` could end the script element.
    return json.dumps({key: value for key, value in says.items() if value}, ensure_ascii=False).replace("<", "\\u003c")
