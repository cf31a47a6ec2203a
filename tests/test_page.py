"""What is known of pages that were rendered."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown import Markdown

from proof import page, pages
from tests.helpers import captured, edit, tiny


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


def render(project: Path, name: str) -> page.Page:
    """As a site generator does."""
    md = Markdown(extensions=["proof", "pymdownx.superfences", "pymdownx.snippets"], extension_configs={
        "proof": {"project": str(project)},
        "pymdownx.snippets": {"base_path": [str(project / "snippets")]},
    })  # fmt: skip
    md.convert((project / "docs" / name).read_text("utf-8"))
    found = next(e.page for e in md.registeredExtensions if hasattr(e, "page"))
    assert isinstance(found, page.Page)
    return found


def test_a_rendered_page_is_not_rendered_again(project: Path) -> None:
    """A list of everything asks what the other pages state: a generator has just rendered them."""
    one = render(project, "index.md")
    assert [s.page for s in pages.scan(project, expand=False) if s.path.name == "index.md"] == [one]


def test_an_edited_page_is(project: Path) -> None:
    """The page as it is now counts."""
    one = render(project, "index.md")
    edit(project / "docs" / "index.md", "{{ transcript note/run }}", "")
    (now,) = [s.page for s in pages.scan(project, expand=False) if s.path.name == "index.md"]
    assert now is not one
    assert "note/run" in one.shown
    assert "note/run" not in now.shown


def test_other_facts_are_other_pages(project: Path) -> None:
    """What a page states over captures that are gone is not what it states."""
    one = render(project, "index.md")
    captured(project)  # written anew, and so read anew
    page._LOOKED.clear()
    (now,) = [s.page for s in pages.scan(project, expand=False) if s.path.name == "index.md"]
    assert now is not one
    assert now.book is not one.book
