"""Which state of a project's source its captures were made of, as git knows it."""

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
# What the settings of a repository could have git run: a directory that only looks like one is none, and no file
# system monitor or hook is started. Its filters cannot be switched off; they run in a sandbox where there is one.
_PLAIN = ("safe.bareRepository=explicit", "core.fsmonitor=false", "core.hooksPath=/dev/null")


def of(root: Path) -> str:
    """A commit, with `+` where a snippet was changed since; for readers where there is none."""
    env = _ENV | {"PATH": process.search_path()}
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return "not under version control"
    confined = sandbox.for_git(env, _places(top), root)
    # In CI the checkout may be another user's than the one who measures.
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


def _places(top: Path) -> Iterator[Path]:
    """The directories that hold a checkout: of a linked one, that of the repository too."""
    yield top
    if (link := top / ".git").is_file():
        with link.open(encoding="utf-8") as file:
            folder = Path(file.read(4096).removeprefix("gitdir: ").strip())
        yield from (parent for parent in folder.parents if parent.name == ".git")
