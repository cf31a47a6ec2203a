"""Asks git for the commit of a project, for the provenance of its captures, and for earlier versions of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from proof.core.errors import CannotMeasureError, UsageError
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


class _Ask(Protocol):
    def __call__(self, *words: str, deadline: float = 10) -> process.Completed: ...


def of(root: Path) -> str:
    """The commit, with `+` if a snippet has changed since, or the reason why it is unknown, for readers."""
    ask = _asking(root)
    if ask is None:
        return "not under version control"
    try:
        commit = ask("rev-parse", "--short=12", "HEAD")
        if commit.exit != 0:
            return "not under version control"
        paths = ("snippets/*/context/*", "snippets/*.toml")
        changed = ask("status", "--porcelain", "--ignore-submodules=all", "--", *paths, deadline=60)
        return commit.text().strip() + ("+" if changed.output.strip() else "")
    except CannotMeasureError:
        return "not known: git is not installed"


@dataclass(frozen=True)
class Version:
    """What a file had in it after a commit."""

    commit: str
    day: str  # of the commit, as YYYY-MM-DD
    content: bytes


def history(root: Path, path: Path) -> tuple[list[Version], bool]:
    """The versions of a file below the project, the oldest first, and whether the clone has all of them.

    Raises CannotMeasureError if git isn't installed or does not answer in time, and UsageError without a repository.
    """
    ask = _asking(root)
    if ask is None or (shallow := ask("rev-parse", "--is-shallow-repository")).exit != 0:
        raise UsageError("not under version control", hint="git init, and commit the captures")
    name = f"./{path.relative_to(root)}"
    log = ask("log", "--format=%h %cs", "--abbrev=12", "--reverse", "--no-show-signature", "--", name, deadline=60)
    versions = []
    for commit, day in map(str.split, log.text().splitlines()):
        content = ask("show", "--no-textconv", f"{commit}:{name}")
        if content.exit == 0:  # else the commit removed it
            versions.append(Version(commit, day, content.output))
    return versions, shallow.text().strip() == "false"


def _asking(root: Path) -> _Ask | None:
    """A function that runs a git command in the project. None if it is in no repository."""
    env = _ENV | {"PATH": process.search_path()}
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return None
    confined = sandbox.for_git(env, _places(top), root)
    # In CI the checkout may belong to another user.
    settings = [word for setting in (f"safe.directory={top}", *_PLAIN) for word in ("-c", setting)]
    git = ("git", *settings, "-C", str(root))

    def ask(*words: str, deadline: float = 10) -> process.Completed:
        return process.run([*git, *words], env=env, deadline=deadline, sandbox=confined)

    return ask


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
