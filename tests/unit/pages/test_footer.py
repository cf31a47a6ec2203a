"""What stands at the ends of a page: the box "In short", which can be linked to, and when it was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from markdown import Markdown

from proof.captures import store
from proof.facts import book
from proof.pages import footer
from proof.pages.page import Options, Page
from proof.pages.site import Site
from proof.snippets import capture_locations
from tests.support import makers


def text(root: Path, *snippets: str) -> str:
    line = footer.line(Page(Site(root), Options(root / "docs"), snippets=set(snippets)))
    return "" if line is None else "".join(line.itertext())


def test_a_page_says_when_it_was_last_measured(root: Path) -> None:
    """One day with its engine, or the oldest and the newest with every engine. Without captures it says nothing."""
    assert text(root) == text(root, "not_captured") == ""
    assert text(root, "note") == "Last measured on 2 January 2026 with Docker 26."
    capture = book.load(root / "snippets").captures["note"]
    newer = replace(capture.provenance, date="2026-11-23T22:57:31Z", engine="docker 29")
    store.save(replace(capture, provenance=newer), capture_locations.folder_of(root / "snippets/note", "rebuilt"))
    between = "Measured between 2 January 2026 and 23 November 2026 with Docker 26 and Docker 29."
    assert text(root, "note", "fails") == between


def test_every_tab_has_its_engine(root: Path) -> None:
    """A snippet that Docker 29 says in other words has a capture of each, and both are shown."""
    capture = book.load(root / "snippets").captures["note"]
    late = makers.by_engine(replace(capture, steps=()), "docker 29.7.2")
    store.save(late, capture_locations.folder_of(root / "snippets/note", "rebuilt", "", "docker-29"))
    assert text(root, "note") == "Last measured on 2 January 2026 with Docker 26 and Docker 29.7.2."


def test_the_first_box_in_short_has_an_address(root: Path) -> None:
    """An ID for links, a class for styles, and a link to itself as headings have one. Other boxes stay as they are."""
    md = Markdown(extensions=["admonition", "proof"], extension_configs={"proof": {"project": str(root)}})
    html = md.convert('!!! note "Other"\n\n    A.\n\n!!! note "In short"\n\n    B.\n\n!!! note "In short"\n\n    C.\n')
    assert '<div class="admonition note in-short" id="in-short">' in html
    assert '>In short<a class="headerlink" href="#in-short" title="Permanent link">¶</a></p>' in html
    assert html.count("in-short") == 3
    assert '<div class="admonition note">\n<p class="admonition-title">Other</p>' in html
