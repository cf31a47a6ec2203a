"""scripts/refresh, end to end: from results to a branch with only captures, and the text of a pull request."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proof.shards import result_files
from proof.snippets.capture_locations import NAMES
from tests.support.helpers import LAYERS, REPOSITORY, captured, git, of_layers, results, succeeded, tiny
from tests.support.makers import write

LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tiny project as a clone of a bare repository, with the scripts and a virtual environment."""
    root = captured(tiny(tmp_path))
    results(root)
    for name in ("scripts/refresh", "scripts/lib.sh", *LOCKS):
        write(root, {name: (REPOSITORY / name).read_bytes()})
    # The real scripts need a package index. Here, bootstrap does nothing, and lock copies files from ../newer.
    write(root, {"scripts/bootstrap": "#!/bin/sh\n", "scripts/lock": "#!/bin/sh\ncp ../newer/* .\n"})
    for name in ("refresh", "bootstrap", "lock"):
        (root / "scripts" / name).chmod(0o755)
    (root / ".venv").mkdir()
    (root / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (root / ".gitignore").write_text("/.venv\n/build/\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "before")
    git(root, "init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(root, "push", "--quiet", "origin", "main")
    return root


def refresh(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script without a token, so that it does not open a pull request."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "COLUMNS": "80"}
    return subprocess.run(
        ["scripts/refresh", *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
    )


def both(root: Path, kind: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run both halves of a refresh, like the two jobs of the workflow."""
    done = refresh(root, kind, *arguments)
    assert git(root, "status", "--porcelain") == ""
    return refresh(root, "propose", kind, "build/proposal") if done.returncode == 0 else done


def branches(tmp_path: Path) -> list[str]:
    """The branches of the remote, except main."""
    return git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname:short)", "refs/heads/refresh").split()


def measured(root: Path, folder: Path, *, size: int) -> Path:
    """The results of a refresh in which the image of `note` has `size` bytes."""
    count, fails, note = results(root)
    assert note.new
    layers = (LAYERS[0], replace(LAYERS[1], size=size - LAYERS[0].size))
    grown = replace(note, verdict="written", new=of_layers(note.new, note.snippet, layers))
    result_files.save([count, fails, grown], folder, root=root, origin="rebuilt", seconds=1)
    return folder


def test_captures_are_proposed_on_their_own_branch(clone: Path, tmp_path: Path) -> None:
    """A commit with one file is pushed, main is unchanged, and the text shows the new value."""
    before = git(clone, "rev-parse", "main")
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    done = succeeded(both(clone, "captures", str(folder)))
    remote = tmp_path / "remote.git"
    (branch,) = branches(tmp_path)
    assert branch.startswith("refresh/captures-")
    assert git(remote, "diff", "--name-only", "main", branch).split() == [
        "snippets/note/captured/rebuilt/capture.json",
    ]
    assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "main") == before
    assert git(remote, "log", "-1", "--format=%an %s", branch) == "github-actions[bot] Captures, measured again"
    assert "9MB (9,000,000 B)" in (clone / "build" / "proposal" / "body.md").read_text()
    assert f"gh pr create --head {branch}" in done.stdout


def test_nothing_is_proposed_where_nothing_changed(clone: Path, tmp_path: Path) -> None:
    """Without changes there is no branch and no pull request."""
    folder = tmp_path / "part"
    result_files.save(results(clone), folder, root=clone, origin="rebuilt", seconds=1)
    done = both(clone, "captures", str(folder))
    assert (done.returncode, "Nothing to propose" in done.stdout) == (0, True)
    assert branches(tmp_path) == []


def test_an_unexpected_file_is_not_proposed(clone: Path, tmp_path: Path) -> None:
    """An unexpected file next to valid captures is refused, and nothing is pushed."""
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    (folder / "captures" / "note" / "post-checkout").write_text("#!/bin/sh\n")
    done = refresh(clone, "captures", str(folder))
    assert done.returncode == 2
    assert "results have no such file" in done.stderr
    assert git(clone, "status", "--porcelain") == ""
    assert branches(tmp_path) == []


def test_uncommitted_changes_are_refused(clone: Path, tmp_path: Path) -> None:
    """They could end up on the branch."""
    folder = measured(clone, tmp_path / "part", size=9_000_000)
    (clone / "docs" / "index.md").write_text("# Other\n")
    done = refresh(clone, "captures", str(folder))
    assert (done.returncode, "uncommitted changes" in done.stderr) == (2, True)


def newer(tmp_path: Path, extra: str | bytes, name: str = "requirements.lock") -> None:
    """Prepare the result of scripts/lock: the current locks, with `extra` at the end of one of them."""
    extra = extra.encode() if isinstance(extra, str) else extra
    write(
        tmp_path / "newer",
        {lock: (REPOSITORY / lock).read_bytes() + (extra if lock == name else b"") for lock in LOCKS},
    )


@pytest.mark.parametrize("name", LOCKS)
def test_a_newer_lock_is_proposed(name: str, clone: Path, tmp_path: Path) -> None:
    """A new package with its hash is proposed on a branch with one file."""
    newer(tmp_path, f"zzz==1.0 \\\n    --hash=sha256:{'0' * 64}\n", name)
    succeeded(both(clone, "lock"))
    (branch,) = branches(tmp_path)
    assert git(tmp_path / "remote.git", "diff", "--name-only", "main", branch).split() == [name]
    assert (clone / name).read_text().endswith(f"    --hash=sha256:{'0' * 64}\n")


@pytest.mark.parametrize("line", ["--index-url https://example.invalid/simple", "# \u2028--index-url x", "a\x0cb"])
def test_an_invalid_line_in_a_lock_is_refused(line: str, clone: Path, tmp_path: Path) -> None:
    """An option or a URL could make pip download from elsewhere. test_lib.py has more cases."""
    newer(tmp_path, f"{line}\n")
    assert refresh(clone, "lock").returncode == 2
    assert branches(tmp_path) == []


def proposal(clone: Path, kind: str, change: Callable[[], object]) -> subprocess.CompletedProcess[str]:
    """Run the second half of a refresh on a proposal with this change."""
    change()
    git(clone, "add", "--all", "--force", "--", ".", ":!build", ":!.venv")
    patch = git(clone, "diff", "--cached", "--binary", "--full-index")
    git(clone, "reset", "--quiet", "--hard")
    git(clone, "clean", "--quiet", "-ffd")
    write(clone, {"build/proposal/change.patch": f"{patch}\n", "build/proposal/body.md": "text"})
    return refresh(clone, "propose", kind, "build/proposal")


def a_link(root: Path) -> None:
    (root / "snippets/note/captured/rebuilt/x.txt").symlink_to("/etc/passwd")


def a_link_in_place_of_a_file(root: Path) -> None:
    record = root / "snippets/note/captured/rebuilt/capture.json"
    record.unlink()
    record.symlink_to("/etc/passwd")


def a_repository(root: Path) -> None:
    inner = root / "snippets/note/captured/registry"
    inner.mkdir()
    git(inner, "init", "--quiet")
    git(inner, "commit", "--quiet", "--allow-empty", "--message", "x")


CAPTURED = "snippets/note/captured/rebuilt"
EVIL: dict[str, Callable[[Path], object]] = {
    "a script": lambda root: write(root, {"scripts/refresh": "#!/bin/sh\ntouch ../pwned\n"}),
    "what a script reads": lambda root: write(root, {"scripts/lib.sh": "touch ../pwned\n"}),
    "a workflow": lambda root: write(root, {".github/workflows/x.yml": ""}),
    "attributes": lambda root: write(root, {".gitattributes": "* filter=x\n"}),
    "a snippet": lambda root: write(root, {"snippets/note/snippet.toml": ""}),
    "other JSON": lambda root: write(root, {f"{CAPTURED}/package.json": "{}"}),
    "a name with a newline": lambda root: write(root, {f"{CAPTURED}/a.txt\nb": ""}),
    "a name that is a command": lambda root: write(root, {f"{CAPTURED}/###[error]x.txt": ""}),
    "a name that is not ASCII": lambda root: write(root, {f"{CAPTURED}/é.txt": ""}),
    "a capture of no place": lambda root: write(root, {f"{CAPTURED}-docker-30/capture.json": "{}"}),
    "a nested directory": lambda root: write(root, {f"{CAPTURED}/rebuilt/x/run.txt": ""}),
    "a program": lambda root: (root / CAPTURED / "capture.json").chmod(0o755),
    "a link": a_link,
    "a link in place of a file": a_link_in_place_of_a_file,
    "a repository": a_repository,
    "a lock": lambda root: write(root, {"requirements.lock": ""}),
}


@pytest.mark.parametrize("place", sorted(NAMES))
@pytest.mark.parametrize("variant", ["", "1.27/"])
def test_a_capture_of_any_kind_is_proposed(place: str, variant: str, clone: Path, tmp_path: Path) -> None:
    """On either bases, in the words of any Docker, of each variant."""
    files = ("capture.json", "contents.json", "run.txt")
    names = [f"snippets/note/captured/{variant}{place}/{name}" for name in files]
    succeeded(proposal(clone, "captures", lambda: write(clone, dict.fromkeys(names, "new\n"))))
    (branch,) = branches(tmp_path)
    proposed = git(tmp_path / "remote.git", "diff", "--name-only", "main", branch).split()
    assert set(proposed) <= set(names)
    assert set(names[:2]) <= set(proposed)


@pytest.mark.parametrize("change", EVIL.values(), ids=EVIL)
def test_a_proposal_with_other_changes_is_refused(
    change: Callable[[Path], object], clone: Path, tmp_path: Path
) -> None:
    """The half with the token does not trust the proposal: it checks all files before it writes any."""
    before = git(clone, "rev-parse", "HEAD")
    done = proposal(clone, "captures", lambda: change(clone))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "files other than captures were changed" in done.stderr
    assert "##" not in done.stderr
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == (before, "")
    assert branches(tmp_path) == []
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("lock", "requirements.lock", "--index-url https://example.invalid\n"),
        (
            "lock",
            "requirements.lock",
            "# This file was autogenerated by uv via the following command:\n#    scripts/lock\n###[add-path]x\n",
        ),
        ("lock", "pyproject.toml", ""),
        ("lock", "requirements-dev.lock", ""),
        ("lock", "requirements-other.lock", ""),
    ],
)
def test_a_lock_is_checked_before_it_is_pushed(kind: str, name: str, content: str, clone: Path, tmp_path: Path) -> None:
    """The half with the token checks it again."""
    done = proposal(clone, kind, lambda: write(clone, {name: content}))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "##" not in done.stderr
    assert branches(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        "diff",
        "diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n+++ b/../x\n",
        'diff --git "a/N" "b/N"\n--- "a/N"\n+++ "b/N"\n@@ -1 +1 @@\n-a\n+b\n'.replace("N", r"x\n::error::y"),
    ],
)
def test_an_invalid_patch_is_refused(content: str, clone: Path, tmp_path: Path) -> None:
    write(clone, {"build/proposal/change.patch": content, "build/proposal/body.md": ""})
    done = refresh(clone, "propose", "captures", "build/proposal")
    assert (done.returncode, "does not fit this commit" in done.stderr) == (2, True)
    assert not any(line.startswith("::") for line in done.stderr.splitlines())
    assert not (tmp_path / "x").exists()


def test_a_proposal_that_is_a_link_is_refused(clone: Path) -> None:
    """The link could lead to any file of the runner, which would end up in the pull request."""
    write(clone, {"build/proposal/change.patch": ""})
    (clone / "build/proposal/body.md").symlink_to("/etc/passwd")
    done = refresh(clone, "propose", "captures", "build/proposal")
    assert (done.returncode, "is not a proposal" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("captures",), ("lock", "x"), ("propose", "lock"), ("propose", "other", "x")],
)
def test_wrong_use_is_reported(arguments: tuple[str, ...], clone: Path) -> None:
    """Exit code 2."""
    assert refresh(clone, *arguments).returncode == 2
