"""Titles, descriptions and the navigation state nothing that a page would have to prove."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from proof.core import site_config
from proof.core.errors import ManifestError, ProofError, UsageError
from proof.pages.document import FRONT_MATTER
from proof.pages.lint import metadata
from proof.pages.page import WHOLE_PAGE, Options, Page, PageReport, Waiver
from proof.pages.site import Site
from tests.support.makers import write


def said(root: Path, config: dict[str, Any], front: str = "", *, waived: str = "") -> list[str]:
    """What is reported for a site of one page, as `file:line what`."""
    (root / "docs").mkdir(exist_ok=True)
    (root / "mkdocs.yml").write_text(
        "site_name: A site\nsite_description: It has 3 layers\nnav:\n  - Twice as fast: a.md\n"
    )
    path = root / "docs/index.md"
    path.write_text(f"{front}# A page\n")
    waivers = [Waiver(WHOLE_PAGE, waived)] if waived else []
    page = Page(Site(root), Options(root / "docs"), waivers=waivers)
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
    front = f"---\n{key}: It has 3 layers\n---\n"
    assert said(tmp_path, {}, front) == [f"index.md:2 {NUMBER}"]
    assert said(tmp_path, {}, front, waived="limits") == []
    assert said(tmp_path, {}, f"---\n{key}: It has layers\n---\n") == []
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
        checked(tmp_path, front)


@pytest.mark.parametrize("marks", ["[", "{a: ", "- "])
def test_endless_front_matter(tmp_path: Path, marks: str) -> None:
    """It ends soon."""
    with pytest.raises(UsageError, match=r"index\.md.*: .*nested too deeply"):
        checked(tmp_path, f"a:\n  {marks * 5000}")


@pytest.mark.parametrize(
    ("front", "line"), [("a: [", 3), ("a: 1\nb: }", 3), ("- a list", 0), ("just text", 0), ("date: 2020-13-45", 0)]
)
def test_invalid_front_matter(tmp_path: Path, front: str, line: int) -> None:
    """It is an error in that file, with the line if the reader of YAML knows it."""
    with pytest.raises(ManifestError) as error:
        checked(tmp_path, front)
    assert f"index.md:{line or ' '}" in str(error.value)


def checked(tmp_path: Path, front: str) -> None:
    """Check a page with this front matter, as a build does."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"---\n{front}\n---\n", "utf-8")
    metadata.check(tmp_path, tmp_path / "docs")


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
        ("search: { boost: .nan }", "this `search`"),
        ("search: { boost: .inf }", "this `search`"),
        (f"search: {{ boost: 0x{'f' * 5000} }}", "this `search`"),
        ("search: { other: true }", "this `search`"),
        (f"tags: [0x{'f' * 5000}]", "this `tags`"),
        ("icon: nonexistent", "this `icon`"),
        ("status: new md-overlay transcript", "this `status`"),
        ("other: x", "this `other`"),
        ("title: !!python/name:os.system", "have no meaning here"),
        ("title: &a x\ntags: [*a]", "have no meaning here"),
        ("a: [", "invalid YAML"),
        ("- a list", "is no mapping"),
        ("just text", "is no mapping"),
    ],
)
def test_what_front_matter_may_not_hold(tmp_path: Path, front: str, says: str) -> None:
    """Themes write it into pages and the search index as it is. All of it is reported at once."""
    docs = write(tmp_path / "docs", {f"{name}.md": f"---\n{front}\n---\n\n# A page\n" for name in "ab"})
    with pytest.raises(UsageError) as refused:
        metadata.check(tmp_path, docs)
    first, second = refused.value, *refused.value.also
    assert says in first.what
    assert says in second.what
    assert [problem.where.path for problem in (first, second) if problem.where] == [docs / "a.md", docs / "b.md"]


@pytest.mark.parametrize("front", ["\n".join(f"k{i:x}:" for i in range(20_000)), f"title: {'10000 ' * 20_000}"])
def test_long_front_matter_is_an_error_in_time(tmp_path: Path, front: str) -> None:
    """Not more problems are listed than anybody reads, and none repeats a long text."""
    began = time.process_time()
    messages = said(tmp_path, {}, f"---\n{front}\n---\n")
    with pytest.raises(ProofError):
        metadata.check(tmp_path, tmp_path / "docs")
    assert time.process_time() - began < 15
    assert len(messages) <= 25
    assert sum(map(len, messages)) < 20_000


def test_what_front_matter_may_hold(tmp_path: Path) -> None:
    """A few keys, with plain texts."""
    front = (
        "title: A “page”\nsubtitle: It's one\ndescription: Dots, commas & more\nsummary: A\nauthor: B\n"
        "date: 2026-11-23\ntags: [one, two]\nsearch: { boost: 0.001, exclude: true }\nhide: [navigation, toc]\n"
        "status: new\n"
    )
    metadata.check(tmp_path, write(tmp_path / "docs", {"a.md": f"---\n{front}---\n\n# A page\n"}))


def test_lines_that_mkdocs_takes_for_front_matter(tmp_path: Path) -> None:
    """It reads `key: value` lines at the top of a page without `---`, too."""
    docs = write(tmp_path / "docs", {"a.md": "\nNote: a page may begin so.\n"})
    metadata.check(tmp_path, docs)
    with pytest.raises(UsageError, match=r"b\.md:1: MkDocs would take this line for front matter"):
        metadata.check(tmp_path, write(docs, {"b.md": "title: <b>\n\n# A page\n"}))


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
