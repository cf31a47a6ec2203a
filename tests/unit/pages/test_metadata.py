"""Titles, descriptions and the navigation state nothing that a page would have to prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proof.core import site_config
from proof.core.errors import LimitError, ManifestError
from proof.pages import metadata
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
    front = f"---\nother: 3 layers\n{key}: It has 3 layers\n---\n"
    assert said(tmp_path, {}, front) == [f"index.md:2 {NUMBER}"]
    assert said(tmp_path, {}, front, waived="limits") == []
    assert said(tmp_path, {}, f"---\n{key}: It has layers\n---\n") == []
    assert said(tmp_path, {}, f"---\n{key}: [one, 3 layers]\n---\n") == [f"index.md:2 {NUMBER}"]
    for begin, end in (("--- ", "---"), ("---", "..."), ("\ufeff---", "---")):  # MkDocs reads them, too
        assert said(tmp_path, {}, f"{begin}\n{key}: It has 3 layers\n{end}\n") == [f"index.md:2 {NUMBER}"]


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("title: A page\nsearch: { boost: &b 2 }", 3),
        ("title: A page\ntags:\n  - *b", 4),
        ("title: !!str 3", 2),
        ("title: ! 3", 2),
        ("!!map {title: A page}", 2),
        ("title: !!python/name:os.system", 2),
        ("a: &a {b: 1}\nc: {<<: [*a, *a]}", 2),
    ],
)
def test_front_matter_has_no_aliases_and_no_tags(tmp_path: Path, front: str, line: int) -> None:
    """With aliases, a short text is a huge value."""
    with pytest.raises(ManifestError, match=rf"index\.md:{line}: .*have no meaning here"):
        said(tmp_path, {}, f"---\n{front}\n---\n")


def test_endless_front_matter(tmp_path: Path) -> None:
    """Reading it has a deadline, like all that a stranger has written."""
    with pytest.raises(LimitError, match=r"index\.md: this is nested too deeply"):
        said(tmp_path, {}, f"---\na: {'[' * 5000}\n---\n")


@pytest.mark.parametrize(
    ("front", "line"), [("a: [", 3), ("a: 1\nb: }", 3), ("- a list", 0), ("just text", 0), ("date: 2020-13-45", 0)]
)
def test_invalid_front_matter(tmp_path: Path, front: str, line: int) -> None:
    """It is an error in that file, with the line if the reader of YAML knows it."""
    with pytest.raises(ManifestError) as error:
        said(tmp_path, {}, f"---\n{front}\n---\n")
    assert f"index.md:{line or ' '}" in str(error.value)


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
