"""The pages of single snippets: what they show, how the index lists them, and that they are written by the tool."""

import shutil
from pathlib import Path

import pytest

from proof.pages import measurement_pages, scan
from proof.pages.page import PageReport
from proof.pages.status import status
from tests.support.helpers import REPOSITORY
from tests.support.makers import write

ONE = "{{ measurements note }}\n"


@pytest.fixture
def project(root: Path) -> Path:
    """A project with a page for all measurements, and one for those of a snippet."""
    return write(root, {"docs/all/index.md": "# All\n\n{{ measurements }}\n", "docs/all/note.md": ONE})


def rendered(root: Path, name: str) -> PageReport:
    """The report of a page, with its lists."""
    return next(report for report in scan.scan(root) if report.path == root / "docs" / name)


def test_without_pages_of_snippets_all_is_on_one(project: Path) -> None:
    """A project that has one page for everything keeps it: nothing is written."""
    (project / "docs/all/note.md").unlink()
    assert measurement_pages.write_missing(project) == []
    assert {"note", "fails"} <= rendered(project, "all/index.md").page.snippets


def test_a_page_is_written_for_every_other_snippet(project: Path) -> None:
    """Once one snippet has a page of its own, the others get theirs next to it; the next time, nothing is written."""
    written = measurement_pages.write_missing(project)
    assert project / "docs/all/fails.md" in written
    assert {path.parent for path in written} == {project / "docs/all"}
    assert measurement_pages.write_missing(project) == []
    assert status(project).problems == []


def test_the_page_of_a_snippet_shows_every_step(project: Path) -> None:
    """Also those that another page shows, with the facts of this snippet alone. The others are on the index."""
    report = rendered(project, "all/note.md")
    assert report.page.snippets == {"note"}
    assert report.page.shown == ["note/build", "note/run", "note/image_ls"]
    assert report.problems == []
    index = rendered(project, "all/index.md")
    assert "fails" in index.page.snippets
    assert not any(step.startswith("note/") for step in index.page.shown)


@pytest.mark.parametrize(("name", "near"), [("not", " - did you mean 'note'?"), ("../other", ""), (".", "")])
def test_a_page_of_what_is_no_snippet_is_reported(name: str, near: str, project: Path) -> None:
    """With its line, and the name that was probably meant. What lies outside of snippets/ isn't shown."""
    shutil.copytree(project / "snippets/note", project / "other")
    write(project, {"docs/all/note.md": ONE.replace("note", name)})
    (problem,) = rendered(project, "all/note.md").problems
    assert f"docs/all/note.md:1: there is no snippet '{name}'{near}" in str(problem)


def test_every_snippet_of_this_site_has_a_page() -> None:
    """`proof update` and `scripts/reference` write those that are missing."""
    folder = REPOSITORY / "docs" / "measurements"
    pages = {path.stem for path in folder.glob("*.md")} - {"index"}
    assert pages == {path.parent.name for path in REPOSITORY.glob("snippets/*/snippet.toml")}, "run scripts/reference"
