"""The commit of a project, read by git without running programs that the project configures."""

import os
import subprocess
from pathlib import Path

import pytest

from proof.system import revision, sandbox
from tests.support.helpers import git
from tests.support.makers import write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a subdirectory of a repository."""
    top = tmp_path / "top"
    write(top, {"article/snippets/one/context/main.go": "package main\n", "article/snippets/one/snippet.toml": "\n"})
    git(tmp_path, "init", "--quiet", "top")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "--message", "All of it")
    return top / "article"


def test_a_commit(root: Path) -> None:
    """The short hash, with a + only if a snippet has changed since."""
    commit = git(root, "rev-parse", "HEAD")[:12]
    write(root, {"docs/index.md": "# A page\n"})
    assert revision.of(root) == commit
    write(root, {"snippets/one/context/main.go": "package other\n"})
    assert revision.of(root) == f"{commit}+"


def test_a_linked_checkout(root: Path, tmp_path: Path) -> None:
    """The commit of a linked worktree is found, too."""
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    assert revision.of(tmp_path / "linked/article") == git(root, "rev-parse", "HEAD")[:12]


def test_nothing_to_ask(tmp_path: Path) -> None:
    """Without a repository, the text says so."""
    assert revision.of(tmp_path) == "not under version control"


def test_without_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git, the commit is unknown, and that is not an error."""
    monkeypatch.setattr("proof.system.process.search_path", lambda: "/nowhere")
    assert revision.of(root) == "not known: git is not installed"


MONITOR = "[core]\nrepositoryformatversion = 0\n{bare}fsmonitor = \"touch '{canary}' #\"\n"


@pytest.mark.parametrize("walls", [True, False], ids=["in a sandbox", "without one"])
class TestSettings:
    """Repositories that make `git status` run a command."""

    @pytest.fixture(autouse=True)
    def without(self, monkeypatch: pytest.MonkeyPatch, *, walls: bool) -> None:
        if not walls:
            monkeypatch.setattr(sandbox, "for_git", lambda *_: [])

    def test_a_directory_that_looks_like_a_repository(self, root: Path, tmp_path: Path) -> None:
        """A pull request can add one, closer than the real repository."""
        canary = tmp_path / "canary"
        settings = MONITOR.format(bare="bare = false\nworktree = .\n", canary=canary)
        write(root, {"HEAD": "ref: refs/heads/main\n", "config": settings, "objects/keep": "", "refs/heads/keep": ""})
        control = subprocess.run(
            ["git", "-C", str(root), "-c", "safe.bareRepository=all", "status"],
            env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
            capture_output=True,
            check=False,
        )
        assert canary.exists(), control  # without our options it runs
        canary.unlink()
        assert revision.of(root) == "not under version control"
        assert not canary.exists()

    def test_settings_of_the_repository_itself(self, root: Path, tmp_path: Path) -> None:
        """They may come in an archive of a checkout."""
        canary = tmp_path / "canary"
        with (root.parent / ".git/config").open("a") as file:
            file.write(MONITOR.format(bare="", canary=canary))
        git(root, "status")
        assert canary.exists()
        canary.unlink()
        assert revision.of(root).startswith(git(root, "-c", "core.fsmonitor=false", "rev-parse", "HEAD")[:12])
        assert not canary.exists()


@pytest.mark.skipif(not sandbox._bubblewrap() and not os.environ.get("CI"), reason="no bubblewrap here")
def test_a_filter_finds_nothing_to_write_to(root: Path, tmp_path: Path) -> None:
    """Filters cannot be disabled, so a configured one runs, but in the sandbox."""
    canary = tmp_path / "canary"
    with (root.parent / ".git/config").open("a") as file:
        file.write(f'[filter "own"]\nclean = "touch {canary}; cat"\n')
    write(root, {"snippets/one/context/.gitattributes": "*.go filter=own\n"})
    # A new modification time makes git read the file, although its content is the same.
    (root / "snippets/one/context/main.go").write_text("package main\n")
    git(root, "status")
    assert canary.exists()
    canary.unlink()
    (root / "snippets/one/context/main.go").write_text("package next\n")
    assert revision.of(root).endswith("+")
    assert not canary.exists()
