"""What the cache knows about rendered pages."""

from pathlib import Path
from typing import Any

from markdown import Markdown

from proof.pages import page, scan
from proof.pages.site import Site
from tests.support.helpers import captured, edit


def markdown(root: Path, **options: Any) -> Markdown:
    """Set up like in a site generator."""
    options = {"project": str(root), **options}
    return Markdown(extensions=["proof", "pymdownx.superfences"], extension_configs={"proof": options})


def of(md: Markdown) -> page.Page:
    """The page that was rendered last."""
    rendered = next(e.page for e in md.registeredExtensions if hasattr(e, "page"))
    assert isinstance(rendered, page.Page)
    return rendered


def index_of(root: Path) -> page.Page:
    """What a list of everything takes from the index."""
    (rendered,) = [report.page for report in scan.scan(root, expand=False) if report.path.name == "index.md"]
    return rendered


def test_a_rendered_page_is_not_rendered_again(root: Path) -> None:
    """An index page needs the reports of the other pages, which the generator has just rendered; until one changes."""
    md = markdown(root)
    md.convert((root / "docs/index.md").read_text("utf-8"))
    first = of(md)
    assert index_of(root) is first
    edit(root / "docs" / "index.md", "{{ transcript note/run }}", "")
    Site.at(root).glance.clear()
    edited = index_of(root)
    assert edited is not first
    assert ("note/run" in first.shown, "note/run" in edited.shown) == (True, False)
    captured(root)  # written anew, and so read anew
    Site.at(root).glance.clear()
    assert index_of(root).book is not edited.book


CHART = """``` chart
kind = "bars"
title = "Sizes"
rows = [{ name = "a note", value = "note.size" }]
```
"""


def test_a_markdown_can_be_used_again(root: Path) -> None:
    """After `reset`, nothing of one page is left in the next."""
    index = (root / "docs/index.md").read_text("utf-8")
    again = markdown(root, collect=True)
    for text in (index, CHART, "{{ note.size }} {{ claim: note.layers > 99 }}", CHART, index):
        fresh = markdown(root, collect=True)
        assert again.reset().convert(text) == fresh.convert(text)
        mine, theirs = of(again), of(fresh)
        for name in ("source", "claims", "waivers", "shown", "snippets", "bound"):
            assert getattr(mine, name) == getattr(theirs, name)
        assert [str(p) for p in mine.problems] == [str(p) for p in theirs.problems]


def test_a_page_that_cannot_be_read_leaves_the_next_one_alone(root: Path) -> None:
    """A scan continues, and nothing of that page gets into the next one."""
    docs = root / "docs"
    (docs / "aaa.md").write_text("- one\n\n    {{ note.size\n")
    (docs / "bbb.md").write_text("{{ note.size }}\n\n- code\n")
    found = {s.path.name: s for s in scan.scan(root, expand=False)}
    assert [p.what for p in found["aaa.md"].problems] == ["this `{{` is never closed"]
    assert not found["bbb.md"].problems
    assert found["bbb.md"].page.bound == 1
