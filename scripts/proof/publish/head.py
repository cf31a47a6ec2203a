"""The metadata in a page's head: title, image and dates for previews of links, and the address of the feed."""

from __future__ import annotations

from urllib.parse import urljoin

from proof.publish import card
from proof.publish.page import Page


def describe(page: Page, image: str) -> None:
    """Add metadata for previews of links to the page, which OpenGraph and Twitter have defined.

    Absolute addresses are left out if the site's address is not known. The 404 page gets none of this.
    """
    if not page.listed:
        page.add_to_head(page.element("meta", name="robots", content="noindex"))
        return
    properties = {
        "og:type": "article",
        "og:title": heading(page),
        "og:description": page.meta("description"),
        "article:modified_time": max(page.measured, default=""),
    }
    elements = []
    if page.address:
        properties |= {
            "og:url": page.address,
            "og:image": urljoin(root(page), image),
            "og:image:width": str(card.WIDTH),
            "og:image:height": str(card.HEIGHT),
            "og:image:alt": f"{heading(page)} {card.answer(page)}".strip(),
        }
        # The theme would take `alternate` alone for another version of the site.
        feed = {"rel": "alternate feed", "type": "application/atom+xml", "title": "Feed"}
        elements = [page.element("link", **feed, href=f"{page.base}feed.xml")]
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
