"""The pages of single snippets: what they show, how the index lists them, and that they are written by the tool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proof.pages import measurement_pages, scan
from proof.pages.page import PageReport
from proof.pages.status import status
from tests.support.helpers import REPOSITORY, captured, tiny
from tests.support.makers import write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a page for all measurements."""
    root = captured(tiny(tmp_path))
    write(root, {"docs/all/index.md": "# All\n\n{{ measurements }}\n"})
    return root


def rendered(root: Path, name: str) -> PageReport:
    """The report of a page, with its lists."""
    return next(report for report in scan.scan(root) if report.path == root / "docs" / name)


def test_without_pages_of_snippets_all_is_on_one(project: Path) -> None:
    """A project that has one page for everything keeps it: nothing is written."""
    before = sorted(project.rglob("*.md"))
    assert measurement_pages.write_missing(project) == []
    assert sorted(project.rglob("*.md")) == before
    assert {"note", "fails"} <= rendered(project, "all/index.md").page.snippets


def test_a_page_is_written_for_every_other_snippet(project: Path) -> None:
    """Once one snippet has a page of its own, the others get theirs next to it; the next time, nothing is written."""
    write(project, {"docs/all/note.md": "{{ measurements note }}\n"})
    written = measurement_pages.write_missing(project)
    assert project / "docs/all/fails.md" in written
    assert {path.parent for path in written} == {project / "docs/all"}
    assert measurement_pages.write_missing(project) == []
    assert status(project).problems == []


def test_the_page_of_a_snippet_shows_every_step(project: Path) -> None:
    """Also those that another page shows. Its facts are those of this snippet."""
    write(project, {"docs/all/note.md": "{{ measurements note }}\n"})
    report = rendered(project, "all/note.md")
    assert report.page.snippets == {"note"}
    assert report.page.shown == ["note/build", "note/run", "note/image_ls"]
    assert report.problems == []


def test_a_snippet_without_a_page_is_on_the_index(project: Path) -> None:
    """So that nothing is missing if an author forgot the page."""
    write(project, {"docs/all/note.md": "{{ measurements note }}\n"})
    index = rendered(project, "all/index.md")
    assert "fails" in index.page.snippets
    assert not any(step.startswith("note/") for step in index.page.shown)


def test_a_page_of_a_snippet_that_is_gone_is_reported(project: Path) -> None:
    """With its line, and the name that was probably meant."""
    write(project, {"docs/all/note.md": "{{ measurements not }}\n"})
    (problem,) = rendered(project, "all/note.md").problems
    assert "docs/all/note.md:1: there is no snippet 'not' - did you mean 'note'?" in str(problem)


def test_a_page_names_no_directory_elsewhere(project: Path) -> None:
    """What lies outside of snippets/ isn't shown, even if it looks like a snippet."""
    shutil.copytree(project / "snippets/note", project / "other")
    write(project, {"docs/all/note.md": "{{ measurements ../other }}\n"})
    (problem,) = rendered(project, "all/note.md").problems
    assert "docs/all/note.md:1: there is no snippet '../other'" in str(problem)


def test_every_snippet_of_this_site_has_a_page() -> None:
    """`proof update` and `scripts/reference` write those that are missing."""
    folder = REPOSITORY / "docs" / "measurements"
    pages = {path.stem for path in folder.glob("*.md")} - {"index"}
    assert pages == {path.parent.name for path in REPOSITORY.glob("snippets/*/snippet.toml")}, "run scripts/reference"
