"""Results are remembered until a directory changes."""

import os
import time
from pathlib import Path

import pytest

from proof.core import folder_cache
from proof.core.folder_cache import FolderCache

SEEN = {"snippets": 1, "steps": {"note/run": False}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with one file."""
    made = tmp_path / "note"
    (made / "context").mkdir(parents=True)
    (made / "context" / "note.txt").write_text("a note")
    return made


def index(folder: Path, depends: str = "") -> FolderCache:
    return FolderCache(folder.parent / "cache" / "index.json", depends)


def look(folder: Path) -> None:
    """Store a result, some time after the files were written, as `proof status` does."""
    time.sleep(0.1)
    found = index(folder)
    found.put("note", folder, SEEN, began=folder_cache.now())
    found.save(whole=True)


def test_a_result_is_found_again(folder: Path) -> None:
    """A later run finds it, but not for another directory or under another name."""
    assert index(folder).get("note", folder) is None
    look(folder)
    assert index(folder).get("note", folder) == SEEN
    assert index(folder).get("note", folder.parent) is None
    assert index(folder).get("letter", folder) is None


@pytest.mark.parametrize("change", ["edited", "same size and time", "new", "gone", "mode", "another folder"])
def test_a_touched_folder_is_not_known(folder: Path, change: str) -> None:
    """Any change of a file counts, even one that keeps its size and modification time."""
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


def test_a_fresh_directory_is_not_stored(folder: Path) -> None:
    """A file that was just written may change again without a new time."""
    found = index(folder)
    (folder / "context" / "note.txt").write_text("new")
    found.put("note", folder, SEEN, began=folder_cache.now())
    found.save(whole=True)
    assert index(folder).get("note", folder) is None


def test_a_dependency_of_one_result(folder: Path) -> None:
    """A result may depend on a string that the caller passes."""
    time.sleep(0.1)
    found = index(folder)
    found.put("note", folder, SEEN, began=folder_cache.now(), depends="one base")
    found.save(whole=True)
    assert index(folder).get("note", folder, "one base") == SEEN
    assert index(folder).get("note", folder, "another base") is None


@pytest.mark.parametrize("whole", [True, False])
def test_unused_results(folder: Path, *, whole: bool) -> None:
    """They are dropped if the whole project was looked at, and kept otherwise."""
    look(folder)
    part = index(folder)
    part.put("letter", folder, SEEN, began=folder_cache.now())
    part.save(whole=whole)
    assert index(folder).get("letter", folder) == SEEN
    assert (index(folder).get("note", folder) is None) == whole


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2, "depends": "", "found": {"note": 3}}'])
def test_a_broken_file_is_ignored(folder: Path, text: str) -> None:
    """A damaged or edited file counts as empty."""
    look(folder)
    (folder.parent / "cache" / "index.json").write_text(text)
    assert index(folder).get("note", folder) is None
