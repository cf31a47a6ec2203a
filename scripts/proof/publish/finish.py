"""Finishes a built site for publishing: all of its pages, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from proof.core.errors import ProofError, UsageError, Where
from proof.core.spread import Spread
from proof.publish import card, csp, feed, head, lean, markup, material, mkdocs_theme, styles
from proof.publish.page import Page, load, paths
from proof.publish.scripts import Scripts
from proof.publish.styles import Styles

_SHARE = 10  # pages that are worth another process

_Item = TypeVar("_Item")


def publish(site: Path, project: Path, spread: Spread | None = None) -> list[Page]:
    """Finish every page of a project's built site, and write its cards, feed, sitemap and robots.txt.

    With `spread`, several processes work on the pages of a large site: see system/parallel.
    """
    scripts = Scripts.of(project)
    pages = _each(partial(_checked, site, scripts), paths(site), spread)
    joined = styles.join(site, pages) if all(map(material.is_material, pages)) else None
    finished = _each(partial(_finished, scripts, joined), pages, spread)
    # Errors in a page are found above, before anything is written: a site is finished completely or not at all.
    lean.search_on_demand(site)
    feed.write(site, finished)
    for page in finished:
        page.path.write_text(page.html, "utf-8", newline="\n")
    return finished


def _checked(site: Path, scripts: Scripts, path: Path) -> Page:
    page = material.fix_markup(mkdocs_theme.fix_markup(load(site, path)))
    if "Content-Security-Policy" in page.html:
        raise UsageError("this site is already finished", where=Where(site), hint="build it again: mkdocs build")
    # After the corrections: their quotes could end an attribute in which a stranger has hidden an element.
    markup.check(page, scripts)
    return page


def _finished(scripts: Scripts, joined: Styles | None, page: Page) -> Page:
    lighter = lean.reduce_loading(page, joined) if joined else page
    described = head.describe(lighter, card.draw(lighter, page.site))
    # Last, because the policy has the hash of every inline script in the page.
    return csp.add_policy(lean.merge_spans(lean.remove_indentation(described)), scripts)


def _each(function: Callable[[_Item], Page], items: Sequence[_Item], spread: Spread | None) -> list[Page]:
    """The results of the function for all items. What another process could not do is done here, with its error."""
    results = spread(partial(_tried, function), items, share=_SHARE) if spread else []
    return [result or function(item) for result, item in zip(results or [None] * len(items), items, strict=True)]


def _tried(function: Callable[[_Item], Page], item: _Item) -> Page | None:
    try:
        return function(item)
    except ProofError:
        return None
