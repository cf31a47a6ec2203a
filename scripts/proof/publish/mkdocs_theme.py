"""Corrections to the markup of MkDocs' own theme, which is ProperDocs' too, each with its reason."""

from __future__ import annotations

from proof.publish.page import Page

_FIXES = (
    # An instruction to Internet Explorer. The only thing that a page may say in place of a server is its policy.
    (r'<meta http-equiv="X-UA-Compatible" content="IE=edge">', ""),
    # A policy allows no style in the markup: on the page for a missing address, and in the list of keys.
    (r'(<h1 id="404-page-not-found") style="text-align: center"', r"\1"),
    (r'<p style="text-align: center">(<strong>)', r"<p>\1"),
    (r'<th style="width: 20%;">', "<th>"),
)


def fix_markup(page: Page) -> Page:
    """Correct the theme's markup in the page. The pages of other themes have none of this."""
    for pattern, by in _FIXES:
        page = page.sub(pattern, by, least=0)
    return page
