"""What Material for MkDocs leaves to mend in its pages, and Zensical in part, each with its reason."""

from __future__ import annotations

from proof.publish.page import Page

_FIXES = (
    # It asks a forge for its stars and releases: a stranger, whom the policy would keep out with an error.
    (r' data-md-component="source"', ""),
    # An empty corner of a table heads nothing.
    (r"<th([^>]*)></th>", r"<td\1></td>"),
)
# Found in every page of Material's, or its markup has changed.
_MATERIAL_FIXES = (
    # A dialog needs a name.
    (r'(<div class="md-search" data-md-component="search" role="dialog")>', r'\1 aria-label="Search">'),
    # On a narrow screen it opens the navigation: it has to be reached by Tab, and to have a name.
    (
        r'(<label class="md-header__button md-icon" for="__drawer")>',
        r'\1 tabindex="0"><span class="hidden">Menu</span>',
    ),
)


def fix_markup(page: Page) -> Page:
    """The page, with what is wanting in the theme's markup."""
    for pattern, by in _FIXES:
        page = page.sub(pattern, by, least=0)
    for pattern, by in _MATERIAL_FIXES if is_material(page) else ():
        page = page.sub(pattern, by)
    return page


def is_material(page: Page) -> bool:
    """Whether the page has this theme's markup and scripts."""
    return "mkdocs-material" in page.reads.meta("generator")
