"""Pages in which nothing was wrong are not read again until a change that could cause a problem."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from proof.cli.page_check import PageCheck
from proof.core.errors import PageError
from proof.facts import book
from proof.pages import scan, status
from proof.pages.site import Site
from proof.snippets import project
from tests.support.helpers import captured, edit, tiny

PAGE = "docs/index.md"
Change = Callable[[Path, pytest.MonkeyPatch], object]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project in which nothing is wrong."""
    made = captured(tiny(tmp_path))
    time.sleep(0.1)
    yield made
    Site.at.cache_clear()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Called each time that pages are read."""
    calls = Mock(wraps=scan.scan)
    monkeypatch.setattr(scan, "scan", calls)
    return calls


def check(root: Path, *names: str, everything: bool = True) -> PageCheck:
    """What a new process finds on the pages."""
    Site.at.cache_clear()
    return PageCheck.of(root, project.load_all(root, list(names)), everything=everything, cache=root.parent / "cache")


def test_sound_pages_are_read_once(root: Path, read: Mock) -> None:
    """The second check knows the same pages and claims."""
    first = check(root)
    assert first == check(root)
    assert [path.name for path in first.pages] == ["index.md"]
    assert [claim.predicate for claim in first.claims] == ["note.own_layers == 1"]
    assert read.call_count == 1


def test_a_problem_is_found_each_time(root: Path, read: Mock) -> None:
    """Nothing is remembered of pages with a problem. Once it is solved, they are read once more."""
    edit(root / PAGE, "own_layers == 1", "own_layers == 2")
    for _ in range(2):
        assert "docs/index.md:6" in str(check(root).problems[0])
    assert read.call_count == 2
    edit(root / PAGE, "own_layers == 2", "own_layers == 1")
    time.sleep(0.1)
    assert not check(root).problems
    assert not check(root).problems
    assert read.call_count == 3


CHANGES: dict[str, Change] = {
    "a page": lambda root, _: edit(root / PAGE, "A shell", "The shell"),
    "a new page": lambda root, _: (root / "docs/more.md").write_text("# More\n"),
    "the site's settings": lambda root, _: edit(root / "mkdocs.yml", "site_name", "# \nsite_name"),
    "a new file in the directory of the project": lambda root, _: (root / "an_extension.py").touch(),
    "a snippet": lambda root, _: edit(root / "snippets/note/snippet.toml", "title", "# \ntitle"),
    "a capture": lambda root, _: (root / "snippets/note/captured/rebuilt/run.txt").write_text("edited"),
    "the cited figures": lambda root, _: (root / "snippets/cited.toml").write_text("# none\n"),
    "a package": lambda root, patch: patch.setattr(sys, "path", [*sys.path, str(root)]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change(root: Path, read: Mock, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """After any change that could cause a problem, the pages are read again."""
    check(root)
    CHANGES[change](root, monkeypatch)
    check(root)
    assert read.call_count == 2


def test_a_claim_is_compared_with_new_measurements(root: Path) -> None:
    """If it is false, the error names its line, although the page was not read."""
    check(root)
    known = book.load(root / "snippets")
    capture = known.captures["note"]
    layers = capture.facts["own_layers"]
    new = replace(capture, facts={**capture.facts, "own_layers": replace(layers, value=2)})
    stated = check(root).claims
    assert status.false_claims(stated, known) == []
    (error,) = status.false_claims(stated, known.with_captures({"note": new}))
    assert "docs/index.md:6: this claim is no longer true" in str(error)


def test_some_pages(root: Path, read: Mock) -> None:
    """A check of some snippets uses what is known of all, but a check of all does not use what was read for some."""
    assert [path.name for path in check(root, "note", everything=False).pages] == ["index.md"]
    (root / "docs/more.md").write_text("# More\n")
    time.sleep(0.1)
    assert len(check(root).pages) == 2
    assert read.call_count == 2
    assert len(check(root, "count", everything=False).pages) == 2
    assert read.call_count == 2


def test_a_part_of_the_snippets(root: Path) -> None:
    """A shard checks all pages, but only that they show its own steps. So a full check reads the pages again."""
    edit(root / PAGE, "{{ transcript fails/run }}", "")
    time.sleep(0.1)
    assert not check(root, "note").problems
    assert "no page shows fails/run" in str(check(root).problems[0])


def test_with_broken_snippets(root: Path, read: Mock) -> None:
    """Then the pages are read each time: some of their problems are left out, because they come from those snippets."""
    check(root)
    broken = [PageError("a broken snippet")]
    for _ in range(2):
        PageCheck.of(root, project.load_all(root), everything=True, broken=broken, cache=root.parent / "cache")
    assert read.call_count == 3
