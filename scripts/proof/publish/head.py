"""The metadata in a page's head: title, image and dates for previews of links, and the address of the feed."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import urljoin

from proof.publish import card
from proof.publish.page import Page


def describe(page: Page, image: str) -> Page:
    """Add metadata for OpenGraph, Twitter and schema.org to the page.

    Absolute addresses are left out if the site's address is not known. The 404 page gets none of this.
    """
    if not page.listed:
        return page.in_head('<meta name="robots" content="noindex">')
    lines = [_meta(name, content) for name, content in _properties(page, image) if content]
    if page.address:
        # The theme would take `alternate` alone for another version of the site.
        feed = f'<link rel="alternate feed" type="application/atom+xml" title="Feed" href="{page.base}feed.xml">'
        lines += [feed, f'<script type="application/ld+json">{_article(page, image)}</script>']
    return page.in_head(*lines)


def root(page: Page) -> str:
    """The site's address, derived from the page's."""
    return page.address.removesuffix(page.url)


def heading(page: Page) -> str:
    """The title of the page, without that of the site."""
    return page.reads.title.partition(" · ")[0].strip()


def _properties(page: Page, image: str) -> list[tuple[str, str]]:
    picture = urljoin(root(page), image) if page.address else ""
    measured = page.reads.measured
    return [
        ("og:type", "article"),
        ("og:title", heading(page)),
        ("og:description", page.reads.meta("description")),
        ("og:url", page.address),
        ("og:image", picture),
        ("og:image:width", str(card.WIDTH) if picture else ""),
        ("og:image:height", str(card.HEIGHT) if picture else ""),
        ("og:image:alt", f"{heading(page)} {page.reads.summary}".strip() if picture else ""),
        ("twitter:card", "summary_large_image" if picture else "summary"),
        ("article:modified_time", max(measured, default="")),
    ]


def _meta(name: str, content: str) -> str:
    key = "name" if name.startswith("twitter:") else "property"
    return f'<meta {key}="{name}" content="{escape(content)}">'


def _article(page: Page, image: str) -> str:
    says: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": heading(page),
        "description": page.reads.meta("description"),
        "url": page.address,
        "image": urljoin(root(page), image),
        "datePublished": page.reads.meta("article:published_time"),
        "dateModified": max(page.reads.measured, default=""),
        "keywords": page.reads.metas.get("article:tag", []),
    }
    if author := page.reads.meta("author"):
        says["author"] = {"@type": "Organization", "name": author}
    # A `<` could end the script element.
    return json.dumps({key: value for key, value in says.items() if value}, ensure_ascii=False).replace("<", "\\u003c")
