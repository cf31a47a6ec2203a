"""Corrections to the markup of Material for MkDocs, and in part of Zensical, each with its reason."""

from __future__ import annotations

from proof.publish.page import Page

# The theme finds an author's table by the attribute that it does not have. With such a selector, a browser computes the
# style of the whole page again whenever a class of an element around a table changes, and the theme's script changes
# some. So these tables get a class, and what that script would put around each.
_PLAIN, _SCROLLS, _TABLE = "plain-table", "md-typeset__scrollwrap", "md-typeset__table"
ADDED = {_PLAIN, _SCROLLS, _TABLE}  # classes
UNMARKED, MARKED = "table:not([class])", f"table.{_PLAIN}"
_INNERMOST = rf'(?s)<table class="{_PLAIN}"(?:(?!<table\b).)*?</table>'

_FIXES = (
    # This loads the number of stars from the forge, which the policy would block with an error in the console.
    (r' data-md-component="source"', ""),
    # The empty corner cell of a table is not a header.
    (r"<th([^>]*)></th>", r"<td\1></td>"),
)
# Every page of Material must have these if it has the first words, or the theme's markup has changed.
_MATERIAL_FIXES = (
    # A dialog needs a name. Without the search plugin there is none.
    (
        "md-search",
        r'(<div class="md-search" data-md-component="search" role="dialog")>',
        r'\1 aria-label="Search">',
    ),
    # On narrow screens this opens the navigation. It must have a name, and be reachable by the Tab key.
    (
        "",
        r'(<label class="md-header__button md-icon" for="__drawer")>',
        r'\1 tabindex="0"><span class="hidden">Menu</span>',
    ),
)


def fix_markup(page: Page) -> Page:
    """Correct the theme's markup in the page."""
    for pattern, by in _FIXES:
        page = page.sub(pattern, by, least=0)
    if not is_material(page):
        return page
    for words, pattern, by in _MATERIAL_FIXES:
        page = page.sub(pattern, by) if words in page.html else page
    return wrap_tables(page)


def wrap_tables(page: Page) -> Page:
    """Give each table without a class the class of MARKED, and a box in which it scrolls if it has no table inside."""
    page = page.sub(r"<table((?![^>]*\sclass\b)[^>]*)>", rf'<table class="{_PLAIN}"\1>', least=0)
    return page.sub(_INNERMOST, rf'<div class="{_SCROLLS}"><div class="{_TABLE}">\g<0></div></div>', least=0)


def is_material(page: Page) -> bool:
    """True if the page was made with Material for MkDocs."""
    return "mkdocs-material" in page.reads.meta("generator")
