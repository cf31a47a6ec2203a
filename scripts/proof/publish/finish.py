"""Finishes a built site for publishing: all of its pages, or none."""

from __future__ import annotations

from pathlib import Path

from proof.publish import card, csp, feed, head, lean, markup, material, mkdocs_theme, styles
from proof.publish.page import Page, read
from proof.publish.scripts import Scripts


def publish(site: Path, project: Path) -> list[Page]:
    """Finish every page of a project's built site, and write its cards, feed, sitemap and robots.txt."""
    built, scripts = [mkdocs_theme.fix_markup(page) for page in read(site)], Scripts.of(project)
    for page in built:
        markup.check(page, scripts)
    pages = [material.fix_markup(page) for page in built]
    if all(material.is_material(page) for page in pages):
        joined = styles.join(site, pages)
        pages = [lean.reduce_loading(page, joined) for page in pages]
    described = [head.describe(page, card.draw(page, site)) for page in pages]
    # Last, because the policy has the hash of every inline script in the page.
    finished = [csp.add_policy(lean.merge_spans(lean.remove_indentation(page)), scripts) for page in described]
    # Errors in a page are found above, before anything is written: a site is finished completely or not at all.
    lean.search_on_demand(site)
    feed.write(site, finished)
    for page in finished:
        page.path.write_text(page.html, "utf-8", newline="\n")
    return finished
