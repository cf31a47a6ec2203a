"""Which folders need no second look."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from proof.core import folder_cache
from proof.core.folder_cache import FolderCache
from proof.pages import status
from tests.support.helpers import captured, edit, tiny

SEEN = {"snippets": 1, "steps": {"note/run": False}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that nobody has written to for a while."""
    made = tmp_path / "note"
    (made / "context").mkdir(parents=True)
    (made / "context" / "note.txt").write_text("a note")
    return made


def index(folder: Path, depends: str = "") -> FolderCache:
    return FolderCache(folder.parent / "cache" / "index.json", depends)


def look(folder: Path) -> None:
    """As `proof status` does, some time after the files were written."""
    time.sleep(0.1)
    found = index(folder)
    found.put("note", folder, SEEN, began=folder_cache.now())
    found.save(whole=True)


def test_what_was_right_is_known_again(folder: Path) -> None:
    """In another run too; and nothing is known of another folder, or under another name."""
    assert index(folder).get("note", folder) is None
    look(folder)
    assert index(folder).get("note", folder) == SEEN
    assert index(folder).get("note", folder.parent) is None
    assert index(folder).get("letter", folder) is None


@pytest.mark.parametrize("change", ["edited", "same size and time", "new", "gone", "mode", "another folder"])
def test_a_touched_folder_is_not_known(folder: Path, change: str) -> None:
    """Whatever was done to a file of it, one that keeps its size and its time of writing included."""
    look(folder)
    note = folder / "context" / "note.txt"
    match change:
        case "edited":
            note.write_text("another note")
        case "same size and time":
            before = note.stat()
            note.write_text("A NOTE")
            os.utime(note, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "new":
            (folder / "context" / "more").mkdir()
        case "gone":
            note.unlink()
        case "mode":
            note.chmod(0o755)
        case _:
            folder.rename(folder.with_name("old"))
            (folder / "context").mkdir(parents=True)
            (folder / "context" / "note.txt").write_text("a note")
    assert index(folder).get("note", folder) is None


def test_what_was_just_written_is_looked_at_again(folder: Path) -> None:
    """Within the clock's resolution it may be written once more, and its time would not tell."""
    found = index(folder)
    (folder / "context" / "note.txt").write_text("new")
    found.put("note", folder, SEEN, began=folder_cache.now())
    found.save(whole=True)
    assert index(folder).get("note", folder) is None


def test_what_all_depend_on(folder: Path) -> None:
    """Where the bases or the tool are others, nothing is known."""
    look(folder)
    assert index(folder, "other bases").get("note", folder) is None


def test_what_one_depends_on(folder: Path) -> None:
    """Beside its folder, of which it is told when it is asked for."""
    time.sleep(0.1)
    found = index(folder)
    found.put("note", folder, SEEN, began=folder_cache.now(), depends="one base")
    found.save(whole=True)
    assert index(folder).get("note", folder, "one base") == SEEN
    assert index(folder).get("note", folder, "another base") is None


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_not_asked_for(folder: Path, *, whole: bool) -> None:
    """It is forgotten where the whole project was looked at, and stays where only a part was."""
    look(folder)
    part = index(folder)
    part.put("letter", folder, SEEN, began=folder_cache.now())
    part.save(whole=whole)
    assert index(folder).get("letter", folder) == SEEN
    assert (index(folder).get("note", folder) is None) == whole


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2, "depends": "", "found": {"note": 3}}'])
def test_a_broken_index_knows_nothing(folder: Path, text: str) -> None:
    """What a full disk or a hand left there is thrown away."""
    look(folder)
    (folder.parent / "cache" / "index.json").write_text(text)
    assert index(folder).get("note", folder) is None


class TestStatus:
    """`proof status`, which keeps what it saw."""

    def test_the_same_is_said(self, tmp_path: Path) -> None:
        """Once more, out of the index: the same counts, and the same faults of pages."""
        project, cache = captured(tiny(tmp_path)), tmp_path / "cache"
        edit(project / "docs/index.md", "{{ transcript note/run }}", "")
        time.sleep(0.1)
        first = status.status(project, cache)
        again = status.status(project, cache)
        assert list((cache / "status").iterdir())
        assert (again.snippets, again.steps, again.facts) == (first.snippets, first.steps, first.facts)
        assert list(map(str, again.problems)) == list(map(str, first.problems))

    def test_a_fault_is_said_until_it_is_mended(self, tmp_path: Path) -> None:
        """A stale folder is never kept as right; one that was right is looked at once it is touched."""
        project, cache = captured(tiny(tmp_path)), tmp_path / "cache"
        time.sleep(0.1)
        assert not status.status(project, cache).problems
        edit(project / "snippets/note/context/note.txt", "a note", "a letter")
        for _ in range(2):
            assert "note is stale: context/note.txt changed" in str(status.status(project, cache).problems[0])
            time.sleep(0.1)
        edit(project / "snippets/note/context/note.txt", "a letter", "a note")
        assert not status.status(project, cache).problems

    def test_a_moved_base(self, tmp_path: Path) -> None:
        """It concerns folders that nobody touched."""
        project, cache = captured(tiny(tmp_path)), tmp_path / "cache"
        time.sleep(0.1)
        assert not status.status(project, cache).problems
        edit(project / "snippets/bases.toml", '["/bin/sh"]', '["/bin/ash"]')
        assert any("the base alpine:3.22 changed" in str(p) for p in status.status(project, cache).problems)
