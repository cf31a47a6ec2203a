"""The git commit of a project, for the provenance of its captures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.system import process, sandbox

_ENV = {
    "PATH": "",  # filled in below
    "HOME": "/nonexistent",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}
# A repository's settings can make git run programs. These options ignore directories that merely look like a bare
# repository, and disable file system monitors and hooks. Filters cannot be disabled; they run in a sandbox if possible.
_PLAIN = ("safe.bareRepository=explicit", "core.fsmonitor=false", "core.hooksPath=/dev/null")


def of(root: Path) -> str:
    """The commit, with `+` if a snippet has changed since, or the reason why it is unknown, for readers."""
    env = _ENV | {"PATH": process.search_path()}
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return "not under version control"
    confined = sandbox.for_git(env, _places(top), root)
    # In CI the checkout may belong to another user.
    settings = [word for setting in (f"safe.directory={top}", *_PLAIN) for word in ("-c", setting)]
    git = ("git", *settings, "-C", str(root))
    try:
        commit = process.run([*git, "rev-parse", "--short=12", "HEAD"], env=env, deadline=10, sandbox=confined)
        if commit.exit != 0:
            return "not under version control"
        paths = ("snippets/*/context/*", "snippets/*.toml")
        words = ("status", "--porcelain", "--ignore-submodules=all", "--", *paths)
        changed = process.run([*git, *words], env=env, deadline=60, sandbox=confined)
        return commit.text().strip() + ("+" if changed.output.strip() else "")
    except CannotMeasureError:
        return "not known: git is not installed"


def is_uncommitted(revision: str) -> bool:
    """Whether this revision says that a snippet had changed since the commit, so that no commit holds it."""
    return revision.endswith("+")


def _places(top: Path) -> Iterator[Path]:
    """The directories of a checkout: its own, and for a linked worktree also that of the repository."""
    yield top
    if (link := top / ".git").is_file():
        with link.open(encoding="utf-8") as file:
            folder = Path(file.read(4096).removeprefix("gitdir: ").strip())
        yield from (parent for parent in folder.parents if parent.name == ".git")
