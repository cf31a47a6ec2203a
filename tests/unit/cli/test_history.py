"""`proof history`: how a number moved over the commits of its capture."""

import json
from pathlib import Path

import pytest

from tests.support.helpers import captured, git, tiny
from tests.support.in_process import proof

RECORD = "snippets/note/captured/rebuilt/capture.json"


def commit(root: Path) -> str:
    """Commit everything, and return the name of the commit as it is printed."""
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git(root, "rev-parse", "--short=12", "HEAD").strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with captures, not yet committed, in a repository."""
    found = captured(tiny(tmp_path))
    git(found, "init", "--quiet")
    return found


def change(root: Path, size: object) -> None:
    """Give the captured fact another value, and the file another content in any case."""
    data = json.loads((root / RECORD).read_text("utf-8"))
    data["facts"]["own_size"]["value"] = size
    data["provenance"]["revision"] = f"{data['provenance']['revision']}0"
    (root / RECORD).write_text(json.dumps(data), "utf-8")


def test_each_value_is_printed_once_with_its_first_commit(root: Path) -> None:
    """Versions that can't be read, or lack the fact, are left out."""
    (whole := root / RECORD).rename(kept := root / "kept")
    for text in ("{", "[]", '{"facts": {"own_size": {"value": {}}}}', "[" * 9999):
        whole.write_text(text, "utf-8")
        commit(root)
    whole.write_text(kept.read_text("utf-8"), "utf-8")
    kept.unlink()
    change(root, 1_000_000)
    first = commit(root)
    change(root, 1_000_000)
    commit(root)
    change(root, 2_000_000)
    last = commit(root)
    done = proof("history", "note.own_size", cwd=root)
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head == "note.own_size, as captured in rebuilt:"
    assert [line[10:].split("  the same in")[0] for line in lines] == [
        f"  {first}  1MB  1,000,000 B",
        f"  {last}  2MB  2,000,000 B",
    ]
    assert "the same in 2 commits, the last on 20" in lines[0]


def test_as_json_it_lists_every_commit(root: Path) -> None:
    change(root, 1)
    commit(root)
    change(root, 1)
    commit(root)
    found = json.loads(proof("history", "note.own_size", "--json", cwd=root).stdout)
    assert (found["name"], found["unit"], found["complete"]) == ("note.own_size", "B", True)
    assert [each["value"] for each in found["commits"]] == [1, 1]


def test_a_shallow_clone_says_so(root: Path, tmp_path: Path) -> None:
    commit(root)
    change(root, 1)
    commit(root)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", "shallow")
    done = proof("history", "note.own_size", cwd=tmp_path / "shallow")
    assert done.stdout.splitlines()[-1] == "This clone is shallow, so older commits are missing: git fetch --unshallow"
    assert len(done.stdout.splitlines()) == 3
    found = json.loads(proof("history", "note.own_size", "--json", cwd=tmp_path / "shallow").stdout)
    assert found["complete"] is False


@pytest.mark.parametrize("name", ["note.nothing", "note", "leaflet.size"])
def test_what_is_not_measured_has_no_history(name: str, root: Path) -> None:
    commit(root)
    done = proof("history", name, cwd=root)
    assert done.returncode == 2
    assert "is no measured fact" in done.stderr


def test_without_a_repository(tmp_path: Path) -> None:
    done = proof("history", "note.own_size", cwd=captured(tiny(tmp_path)))
    assert done.returncode == 2
    assert "not under version control" in done.stderr
