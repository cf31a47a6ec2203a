"""Titles, descriptions and the navigation state nothing that a page would have to prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import ProofError
from proof.pages import metadata, site_config
from proof.pages.metadata import FRONT_MATTER
from proof.pages.page import Page, PageReport


def said(root: Path, config: dict[str, Any], front: str = "", *, waived: str = "") -> list[str]:
    """What is reported for a site of one page, as `file:line what`."""
    (root / "docs").mkdir(exist_ok=True)
    (root / "mkdocs.yml").write_text(
        "site_name: A site\nsite_description: It has 3 layers\nnav:\n  - Twice as fast: a.md\n"
    )
    path = root / "docs/index.md"
    path.write_text(f"{front}# A page\n")
    page = Page(root, root / "docs", load_book=dict, list_pages=list, waived=waived)  # type: ignore[arg-type]
    read = FRONT_MATTER.match(path.read_text())
    page.source = path.read_text()[read.end() if read else 0 :]
    found = metadata.problems(root, config, [PageReport(path, page, read[1] if read else "")])
    return [f"{problem.where.path.name}:{problem.where.line} {problem.what}" for problem in found if problem.where]


NUMBER = "the number '3 layers' is typed, not measured"


@pytest.mark.parametrize("key", ["site_name", "site_description", "copyright"])
def test_settings(tmp_path: Path, key: str) -> None:
    """Each text of the settings is read."""
    assert said(tmp_path, {key: "It has 3 layers"}) == [f"mkdocs.yml:2 {NUMBER}"]
    assert said(tmp_path, {key: "It has layers"}) == []


def test_navigation(tmp_path: Path) -> None:
    """Its titles are read on every level."""
    nav = [{"Start": "a.md"}, {"Section": [{"Twice as fast": "b.md"}, "c.md"]}, "d.md"]
    assert said(tmp_path, {"nav": nav}) == ["mkdocs.yml:4 the number 'Twice' is typed, not measured"]


@pytest.mark.parametrize("key", ["title", "description", "summary"])
def test_front_matter(tmp_path: Path, key: str) -> None:
    """Each text of the front matter is read, unless the page needs no proof."""
    front = f"---\n{key}: It has 3 layers\n---\n"
    assert said(tmp_path, {}, front) == [f"index.md:2 {NUMBER}"]
    assert said(tmp_path, {}, front, waived="limits") == []
    assert said(tmp_path, {}, f"---\n{key}: It has layers\n---\n") == []
    for begin, end in (("--- ", "---"), ("---", "..."), ("\ufeff---", "---")):  # MkDocs reads them, too
        assert said(tmp_path, {}, f"{begin}\n{key}: It has 3 layers\n{end}\n") == [f"index.md:2 {NUMBER}"]


@pytest.mark.parametrize(
    ("front", "says"),
    [
        ("tags: [\"x <iframe srcdoc='<script src=/assets/evil.txt></script>'>\"]", "this `tags`"),
        ("tags: x", "this `tags`"),
        ("tags: [{a: <b>}]", "this `tags`"),
        ("title: </title><script>", "this `title`"),
        ("title: '&lt;/title&gt;&lt;script&gt;'", "this `title`"),
        ('title: A "quote"', "this `title`"),
        ('title: "a\\u202eb"', "this `title`"),
        ('title: "a\\nb"', "this `title`"),
        ("title: 3", "this `title`"),
        (f"title: {'a' * 201}", "this `title`"),
        ('description: x"><link rel="canonical" href="https://evil.example', "this `description`"),
        ("date: '<b>'", "this `date`"),
        ("template: evil.html", "this `template`"),
        ("search: { boost: '<b>' }", "this `search`"),
        ("search: { <b>: 2 }", "this `search`"),
        ("hide: ['<b>']", "this `hide`"),
        ("icon: <b>", "this `icon`"),
        ("other: x", "this `other`"),
        ("title: !!python/name:os.system", "no aliases and no tags"),
        ("title: &a x\ntags: [*a]", "no aliases and no tags"),
        ("title: x\nsearch:\n  boost: *b", "no aliases and no tags"),
        ("title: ! x", "no aliases and no tags"),
        ("!!map {title: x}", "no aliases and no tags"),
        ("search: {<<: [{boost: 1}, {boost: &b 2}]}", "no aliases and no tags"),
        (f"title: {'[' * 5000}", "nested too deeply"),
        ("date: 2026-02-31", "invalid YAML: day is out of range"),
        ("a: [", "invalid YAML"),
        ("- a list", "is no mapping"),
        ("just text", "is no mapping"),
    ],
)
def test_what_front_matter_may_not_hold(tmp_path: Path, front: str, says: str) -> None:
    """Themes write it into pages and the search index as it is. A build stops there, and `proof status` lists it."""
    assert says in said(tmp_path, {}, f"---\n{front}\n---\n")[0]
    with pytest.raises(ProofError) as refused:
        metadata.check(tmp_path, tmp_path / "docs")
    assert says in refused.value.what
    assert refused.value.where is not None
    assert refused.value.where.path == tmp_path / "docs/index.md"


def test_what_front_matter_may_hold(tmp_path: Path) -> None:
    """A few keys, with plain texts."""
    front = (
        "title: A “page”\nsubtitle: It's one\ndescription: Dots, commas & more\nsummary: A\nauthor: B\n"
        "date: 2026-11-23\ntags: [one, two]\nsearch: { boost: 0.001, exclude: true }\nhide: [navigation, toc]\n"
        "icon: material/emoticon-happy\nstatus: new\n"
    )
    assert said(tmp_path, {}, f"---\n{front}---\n") == []
    metadata.check(tmp_path, tmp_path / "docs")


def test_lines_that_mkdocs_takes_for_front_matter(tmp_path: Path) -> None:
    """It reads `key: value` lines at the top of a page without `---`, too."""
    assert said(tmp_path, {}, "title: <b>\n\n") == ["index.md:1 MkDocs would take this line for front matter"]
    assert said(tmp_path, {}, "\nNote: a page may begin so.\n\n") == []


def test_invalid_front_matter_is_reported_with_its_line(tmp_path: Path) -> None:
    front = "---\ntitle: A page\nsearch:\n  boost: *b\n---\n"
    assert said(tmp_path, {}, front) == ["index.md:4 invalid YAML: front matter has no aliases and no tags"]


def test_settings_with_tags(tmp_path: Path) -> None:
    """A default in the settings is read, and other tags import nothing."""
    path = tmp_path / "mkdocs.yml"
    path.write_text(
        "site_description: !ENV [NOWHERE, It has 3 layers]\nother: !!python/name:os.system\nurl: !ENV NAME\n"
    )
    config = site_config.load(path)
    assert config == {"site_description": "It has 3 layers", "other": None, "url": None}
    assert said(tmp_path, config) == [f"mkdocs.yml:2 {NUMBER}"]


def test_inherited_settings(tmp_path: Path) -> None:
    """What nobody reads cannot be checked."""
    (tmp_path / "mkdocs.yml").write_text("INHERIT: base.yml\n")
    (problem,) = metadata.problems(tmp_path, {"INHERIT": "base.yml"}, [])
    assert problem.what == "settings from another file are not read"
