"""scripts/refresh, end to end: results → a branch of captures alone on a remote, and a pull request's text."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proof import results as files
from proof.capture import CapturedFact
from tests.helpers import REPOSITORY, captured, results, tiny

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tiny project as a clone of a bare repository, with the scripts and an environment that is set up already."""
    root = captured(tiny(tmp_path))
    results(root)
    (root / "scripts").mkdir()
    for name in ("refresh", "lib.sh"):
        (root / "scripts" / name).write_bytes((REPOSITORY / "scripts" / name).read_bytes())
        (root / "scripts" / name).chmod(0o755)
    (root / "scripts" / "bootstrap").write_text("#!/bin/sh\n")
    (root / "scripts" / "bootstrap").chmod(0o755)
    (root / ".venv").mkdir()
    (root / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (root / ".gitignore").write_text("/.venv\n/build/\n")
    (root / "requirements.lock").write_text((REPOSITORY / "requirements.lock").read_text())
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "before")
    git(root, "init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(root, "push", "--quiet", "origin", "main")
    return root


def git(root: Path, *arguments: str) -> str:
    """What git says."""
    return subprocess.run([*GIT, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def refresh(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script, without a token: it stops short of opening the pull request."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "COLUMNS": "80"}
    return subprocess.run(
        ["scripts/refresh", *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
    )


def measured(root: Path, folder: Path, *, size: int) -> Path:
    """The results of a refresh in which the snippet `note` came to `size` bytes."""
    count, fails, note = results(root)
    assert note.new
    facts = {**note.new.facts, "size": CapturedFact(size, "B", "")}
    grown = replace(note, verdict="written", new=replace(note.new, facts=facts))
    files.save([count, fails, grown], folder, root=root, origin="rebuilt", seconds=1)
    return folder


def test_captures_are_proposed_on_a_branch_of_their_own(clone: Path, tmp_path: Path) -> None:
    """One commit with one file, pushed; main stays as it was; the text has the fact, old and new."""
    before = git(clone, "rev-parse", "main").strip()
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    done = refresh(clone, "captures", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    remote = tmp_path / "remote.git"
    (branch,) = git(remote, "for-each-ref", "--format=%(refname:short)", "refs/heads/refresh").split()
    assert branch.startswith("refresh/captures-")
    assert git(remote, "diff", "--name-only", "main", branch).split() == [
        "snippets/note/captured/rebuilt/capture.json",
    ]
    assert git(remote, "rev-parse", "main").strip() == git(clone, "rev-parse", "main").strip() == before
    assert git(remote, "log", "-1", "--format=%an %s", branch).strip() == "github-actions[bot] Captures, measured again"
    assert "9MB (9,000,000 B)" in (clone / "build" / "captures.md").read_text()
    assert f"gh pr create --head {branch}" in done.stdout


def test_nothing_is_proposed_where_nothing_changed(clone: Path, tmp_path: Path) -> None:
    """No branch, no pull request."""
    folder = tmp_path / "part"
    files.save(results(clone), folder, root=clone, origin="rebuilt", seconds=1)
    done = refresh(clone, "captures", str(folder))
    assert (done.returncode, "Nothing has changed" in done.stdout) == (0, True)
    assert git(tmp_path / "remote.git", "for-each-ref", "refs/heads/refresh") == ""


def test_what_is_no_result_is_not_proposed(clone: Path, tmp_path: Path) -> None:
    """A file that no result has, beside good captures: refused, and nothing is pushed."""
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    (folder / "captures" / "note" / "post-checkout").write_text("#!/bin/sh\n")
    done = refresh(clone, "captures", str(folder))
    assert done.returncode == 2
    assert "no result has such a file" in done.stderr
    assert git(clone, "status", "--porcelain") == ""
    assert git(tmp_path / "remote.git", "for-each-ref", "refs/heads/refresh") == ""


def test_uncommitted_changes_are_not_swept_along(clone: Path, tmp_path: Path) -> None:
    """The branch holds what was handed over, and nothing that lay around."""
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    (clone / "docs" / "index.md").write_text("# Other\n")
    done = refresh(clone, "captures", str(folder))
    assert (done.returncode, "not committed" in done.stderr) == (2, True)


def test_a_newer_lock_is_proposed(clone: Path, tmp_path: Path) -> None:
    """A package with its hash: a branch with the one file."""
    lock = tmp_path / "requirements.lock"
    text = (REPOSITORY / "requirements.lock").read_text()
    lock.write_text(text + f"zzz==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    done = refresh(clone, "lock", str(lock))
    assert done.returncode == 0, done.stdout + done.stderr
    (branch,) = git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname:short)", "refs/heads/refresh").split()
    assert git(tmp_path / "remote.git", "diff", "--name-only", "main", branch).split() == ["requirements.lock"]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.invalid/simple",
        "--extra-index-url=https://example.invalid",
        "-r other.txt",
        "evil @ https://example.invalid/evil.whl",
        "evil",
        "evil>=1",
        "./evil",
        "evil==1.0 --index-url https://example.invalid \\",
        "    --hash=md5:00",
    ],
)
def test_a_line_that_no_lock_has_is_refused(line: str, clone: Path, tmp_path: Path) -> None:
    """An option or an address would have pip fetch from elsewhere."""
    lock = tmp_path / "requirements.lock"
    lock.write_text((REPOSITORY / "requirements.lock").read_text() + line + "\n")
    done = refresh(clone, "lock", str(lock))
    assert (done.returncode, "no line of a lock" in done.stderr) == (2, True)
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.parametrize("arguments", [(), ("captures",), ("other", "x")])
def test_wrong_use_is_said(arguments: tuple[str, ...], clone: Path) -> None:
    """Code 2."""
    assert refresh(clone, *arguments).returncode == 2
