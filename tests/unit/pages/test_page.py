"""What the cache knows about rendered pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markdown import Markdown

from proof.pages import page, scan
from proof.pages.site import Site
from tests.support.helpers import captured, edit, tiny


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


def markdown(project: Path, **options: Any) -> Markdown:
    """Set up like in a site generator."""
    options = {"project": str(project), **options}
    return Markdown(extensions=["proof", "pymdownx.superfences"], extension_configs={"proof": options})


def of(md: Markdown) -> page.Page:
    """The page that was rendered last."""
    found = next(e.page for e in md.registeredExtensions if hasattr(e, "page"))
    assert isinstance(found, page.Page)
    return found


def render(project: Path, name: str) -> page.Page:
    """Render like a site generator."""
    md = markdown(project)
    md.convert((project / "docs" / name).read_text("utf-8"))
    return of(md)


def test_a_rendered_page_is_not_rendered_again(project: Path) -> None:
    """An index page needs the reports of the other pages, which the generator has just rendered."""
    one = render(project, "index.md")
    assert [s.page for s in scan.scan(project, expand=False) if s.path.name == "index.md"] == [one]


def test_an_edited_page_is(project: Path) -> None:
    """An edited page is rendered again."""
    one = render(project, "index.md")
    edit(project / "docs" / "index.md", "{{ transcript note/run }}", "")
    (now,) = [s.page for s in scan.scan(project, expand=False) if s.path.name == "index.md"]
    assert now is not one
    assert "note/run" in one.shown
    assert "note/run" not in now.shown


def test_other_facts_are_other_pages(project: Path) -> None:
    """A page that was rendered with old captures is rendered again."""
    one = render(project, "index.md")
    captured(project)  # written anew, and so read anew
    Site.at.cache_clear()
    (now,) = [s.page for s in scan.scan(project, expand=False) if s.path.name == "index.md"]
    assert now is not one
    assert now.book is not one.book


CHART = """``` chart
kind = "bars"
title = "Sizes"
rows = [{ name = "a note", value = "note.size" }]
```
"""


def test_a_markdown_can_be_used_again(project: Path) -> None:
    """After `reset`, nothing of one page is left in the next."""
    index = (project / "docs/index.md").read_text("utf-8")
    again = markdown(project, collect=True)
    for text in (index, CHART, "{{ note.size }} {{ claim: note.layers > 99 }}", CHART, index):
        fresh = markdown(project, collect=True)
        assert again.reset().convert(text) == fresh.convert(text)
        mine, theirs = of(again), of(fresh)
        for name in ("source", "claims", "waivers", "shown", "snippets", "bound"):
            assert getattr(mine, name) == getattr(theirs, name)
        assert [str(p) for p in mine.problems] == [str(p) for p in theirs.problems]


def test_a_page_that_cannot_be_read_leaves_the_next_one_alone(project: Path) -> None:
    """A scan continues, and nothing of that page gets into the next one."""
    docs = project / "docs"
    (docs / "aaa.md").write_text("- one\n\n    {{ note.size\n")
    (docs / "bbb.md").write_text("{{ note.size }}\n\n- code\n")
    found = {s.path.name: s for s in scan.scan(project, expand=False)}
    assert [p.what for p in found["aaa.md"].problems] == ["this `{{` is never closed"]
    assert not found["bbb.md"].problems
    assert found["bbb.md"].page.bound == 1
