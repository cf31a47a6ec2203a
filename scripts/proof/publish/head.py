"""The metadata in a page's head: title, image and dates for previews of links, and the address of the feed."""

from __future__ import annotations

import json
from urllib.parse import urljoin

from proof.publish import card
from proof.publish.page import Page


def describe(page: Page, image: str) -> None:
    """Add metadata for OpenGraph, Twitter and schema.org to the page.

    Absolute addresses are left out if the site's address is not known. The 404 page gets none of this.
    """
    if not page.listed:
        page.add_to_head(page.element("meta", name="robots", content="noindex"))
        return
    description, updated = page.meta("description"), max(page.measured, default="")
    properties = {
        "og:type": "article",
        "og:title": heading(page),
        "og:description": description,
        "article:modified_time": updated,
    }
    elements = []
    if page.address:
        picture = urljoin(root(page), image)
        properties |= {
            "og:url": page.address,
            "og:image": picture,
            "og:image:width": str(card.WIDTH),
            "og:image:height": str(card.HEIGHT),
            "og:image:alt": f"{heading(page)} {card.answer(page)}".strip(),
        }
        article = {
            "@context": "https://schema.org",
            "@type": "TechArticle",
            "headline": heading(page),
            "description": description,
            "url": page.address,
            "image": picture,
            "datePublished": page.meta("article:published_time"),
            "dateModified": updated,
            "keywords": page.metas("article:tag"),
            "author": {"@type": "Organization", "name": page.meta("author")} if page.meta("author") else "",
        }
        # A `<` could end the script element.
        text = json.dumps({key: value for key, value in article.items() if value}, ensure_ascii=False)
        elements = [
            # The theme would take `alternate` alone for another version of the site.
            page.element(
                "link", rel="alternate feed", type="application/atom+xml", title="Feed", href=f"{page.base}feed.xml"
            ),
            page.element("script", text.replace("<", "\\u003c"), type="application/ld+json"),
        ]
    page.add_to_head(
        *(page.element("meta", property=name, content=content) for name, content in properties.items() if content),
        page.element("meta", name="twitter:card", content="summary_large_image" if page.address else "summary"),
        *elements,
    )


def root(page: Page) -> str:
    """The site's address, derived from the page's."""
    return page.address.removesuffix(page.url)


def heading(page: Page) -> str:
    """The title of the page, without that of the site."""
    return page.title.partition(" · ")[0].strip()
