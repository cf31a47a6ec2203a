"""The line at the end of a page: when what it states was measured."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import store
from proof.facts import book
from proof.pages import footer
from proof.pages.page import Options, Page
from proof.pages.site import Site
from proof.snippets import places, project
from tests.support import makers
from tests.support.helpers import captured, tiny


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


def page(root: Path, *snippets: str) -> Page:
    return Page(Site.at(root), Options(root / "docs"), snippets=set(snippets))


def text(element: ET.Element | None) -> str:
    assert element is not None
    return "".join(element.itertext())


def test_a_page_says_when_it_was_last_measured(root: Path) -> None:
    """One day, as text and machine-readable, with the engine."""
    line = footer.line(page(root, "note"))
    assert text(line) == "Last measured on 2 January 2026 with Docker 26."
    assert line is not None
    assert [time.get("datetime") for time in line.iter("time")] == ["2026-01-02"]


def test_captures_of_different_days_are_a_span(root: Path) -> None:
    """The oldest and the newest day are given, and every engine."""
    snippet = project.find(root / "snippets", "note")
    capture = book.load(root / "snippets").captures["note"]
    newer = replace(capture.provenance, date="2026-11-23T22:57:31Z", engine="docker 29")
    store.save(replace(capture, provenance=newer), places.folder_of(snippet.folder, "rebuilt", snippet.variant))
    line = footer.line(page(root, "note", "fails"))
    assert text(line) == "Measured between 2 January 2026 and 23 November 2026 with Docker 26 and Docker 29."


def test_every_tab_has_its_engine(root: Path) -> None:
    """A snippet that Docker 29 says in other words has a capture of each, and both are shown."""
    capture = book.load(root / "snippets").captures["note"]
    late = makers.by_engine(replace(capture, steps=()), "docker 29.7.2")
    store.save(late, places.folder_of(root / "snippets/note", "rebuilt", "", "docker-29"))
    Site.at.cache_clear()
    assert text(footer.line(page(root, "note"))) == "Last measured on 2 January 2026 with Docker 26 and Docker 29.7.2."


def test_a_page_without_captures_says_nothing(root: Path) -> None:
    assert footer.line(page(root)) is None
    assert footer.line(page(root, "not_captured")) is None
