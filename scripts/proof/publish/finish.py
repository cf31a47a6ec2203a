"""Finishes a built site for publishing: all of its pages, or none."""

from __future__ import annotations

from pathlib import Path

from proof.core.errors import UsageError, Where
from proof.core.limits import limited
from proof.publish import card, csp, feed, head, lean, markdown_pages, markup, styles, theme
from proof.publish.page import Page, paths
from proof.publish.scripts import Scripts
from proof.publish.styles import Styles

_KINDS = frozenset(  # of files that a site generator, a theme and docs/ may have
    ".html .css .js .map .json .xml .gz .svg .png .jpg .jpeg .gif .webp .avif .ico .woff .woff2 .ttf .eot".split()
)


def publish(site: Path, project: Path) -> list[Page]:
    """Finish every page of a project's built site, and write its cards, Markdown, feed, sitemap and robots.txt."""
    scripts = Scripts.of(project)
    pages = [_checked(Page(site, path), scripts) for path in paths(site)]
    _check_files(site)
    joined = styles.join(site, pages) if all(map(theme.is_material, pages)) else None
    finished = [_finished(page, joined) for page in pages]
    # Errors in a page are found above, before anything is written: a site is finished completely or not at all.
    lean.search_on_demand(site)
    feed.write(site, finished)
    markdown_pages.write_index(site, finished)
    for page in finished:
        page.path.write_text(page.html, "utf-8", newline="\n")
    return finished


def _check_files(site: Path) -> None:
    """A site generator copies files whose names say nothing of what they are, and a browser may take them for pages."""
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.suffix not in _KINDS:
            what = f"a `{path.suffix or path.name}` file is not published"
            raise UsageError(what, where=Where(path), hint="remove it from docs/, and build again")


def _checked(page: Page, scripts: Scripts) -> Page:
    with limited(Where(page.path)):
        theme.correct(page)
        markup.check(page, scripts)
        return page.settle()


def _finished(page: Page, joined: Styles | None) -> Page:
    with limited(Where(page.path)):
        files = page.script_files
        markdown_pages.write(page)
        if joined:
            lean.reduce_loading(page, joined)
        head.describe(page, card.draw(page, page.site))
        lean.merge_spans(page)
        lean.remove_indentation(page)
        # Last, because the policy has the hash of every inline script in the page.
        csp.add_policy(page, files)
        return page.settle()
