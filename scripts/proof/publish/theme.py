"""Corrections to the markup of Material for MkDocs (Zensical, in part) and of MkDocs' own theme, with reasons."""

from __future__ import annotations

from proof.publish.page import Page

# Material finds an author's table by the attribute that it does not have. With such a selector, a browser computes the
# style of the whole page again whenever a class of an element around a table changes, and the theme's script changes
# some. So these tables get a class, and what that script would put around each.
_PLAIN, _SCROLLS, _TABLE = "plain-table", "md-typeset__scrollwrap", "md-typeset__table"
ADDED = {_PLAIN, _SCROLLS, _TABLE}  # classes
UNMARKED, MARKED = "table:not([class])", f"table.{_PLAIN}"


def is_material(page: Page) -> bool:
    """True if the page was made with Material for MkDocs."""
    return "mkdocs-material" in page.meta("generator")


def correct(page: Page) -> None:
    """Correct the theme's markup in the page."""
    tree = page.tree
    # This loads the number of stars from the forge, which the policy would block with an error in the console.
    for node in tree.css('[data-md-component="source"]'):
        del node.attrs["data-md-component"]
    # An instruction to Internet Explorer. The only thing that a page may say in place of a server is its policy.
    for node in tree.css('meta[http-equiv="X-UA-Compatible"]'):
        node.decompose()
    # Styles of MkDocs' own theme: on the page for a missing address, and in the list of keys. A policy allows none.
    for node in tree.css('[style][id="404-page-not-found"], p[style="text-align: center"], th[style="width: 20%;"]'):
        del node.attrs["style"]
    # The empty corner cell of a table is not a header.
    for node in tree.css("th:empty"):
        node.replace_with(page.element("td", **{name: value or "" for name, value in node.attributes.items()}))
    if is_material(page):
        _correct_material(page)


def _correct_material(page: Page) -> None:
    # A dialog needs a name. Without the search plugin there is none.
    if page.tree.css_matches(".md-search"):
        page.need('.md-search[role="dialog"]').attrs["aria-label"] = "Search"
    # On narrow screens this opens the navigation. It must have a name, and be reachable by the Tab key.
    drawer = page.need('label.md-header__button[for="__drawer"]')
    drawer.attrs["tabindex"] = "0"
    drawer.insert_child(page.element("span", "Menu", **{"class": "hidden"}))
    wrap_tables(page)


def wrap_tables(page: Page) -> None:
    """Give each table without a class the class of MARKED, and a box in which it scrolls if it has no table inside."""
    for table in page.tree.css(UNMARKED):
        table.attrs["class"] = _PLAIN
    for table in page.tree.css(f"{MARKED}:not(:has(table))"):
        box = page.element("div", **{"class": _SCROLLS})
        inner = page.element("div", **{"class": _TABLE})
        inner.insert_child(table)
        box.insert_child(inner)
        table.replace_with(box)
