"""Makes a project: a page with a measured number, its snippet, and everything around them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files as resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from proof.core.errors import RefusedError, UsageError, Where
from proof.core.files import kind, write_new
from proof.snippets import schema
from proof.snippets.places import Origin

Generator = Literal["material", "mkdocs", "properdocs"]
GENERATORS: tuple[Generator, ...] = get_args(Generator)

_PAGE = "docs/index.md"
_PACKAGES = {"mkdocs": "", "properdocs": " properdocs properdocs-theme-mkdocs"}  # in addition to the tool's own
_SETTINGS = {"properdocs": "properdocs.yml"}


@dataclass(frozen=True)
class Made:
    """What was made, by paths relative to the project."""

    written: tuple[str, ...]
    kept: tuple[str, ...]  # what was there before, and is as it was


def default_generator() -> Generator:
    """The best one that is installed here."""
    return "material" if find_spec("material") else "mkdocs"


def make(root: Path, generator: Generator, bases: Origin) -> Made:
    """Make a project in the directory `root`, which may have other files. None of them is overwritten or followed.

    The project appears at the end, as a whole. If anything fails, what was made is removed.
    Raises UsageError if there is a project already, or if the directory cannot have one.
    """
    if os.path.lexists(root / "snippets"):
        raise UsageError(
            "there are snippets here already",
            where=Where(root / "snippets"),
            hint="proof new NAME makes another snippet; proof init DIR makes a project in another directory",
        )
    written: list[str] = []
    kept: list[str] = []
    with _undone_on_error() as undo:
        _make_folders(root, undo)
        for name, text in _around(generator, bases).items():
            _make_folders((root / name).parent, undo, below=root)
            try:
                write_new(root / name, text)
            except FileExistsError:
                kept.append(name)
                continue
            undo.callback(_quietly, (root / name).unlink)
            written.append(name)
        made = Path(tempfile.mkdtemp(prefix=".snippets-", dir=root))
        undo.callback(shutil.rmtree, made, ignore_errors=True)
        made.chmod(0o755)
        for name, text in _snippets(bases).items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            write_new(made / name, text)
            written.append(f"snippets/{name}")
        made.rename(root / "snippets")  # fails if there is something by now
    return Made(tuple(sorted(written)), tuple(sorted(kept)))


def _around(generator: Generator, bases: Origin) -> dict[str, str]:
    """The files of a project but for its snippets."""
    settings = "site-material.yml" if generator == "material" else "site-mkdocs.yml"
    builder = "properdocs" if generator == "properdocs" else "mkdocs"
    workflow = _file("workflow.yml").replace("BUILDER", builder).replace("PACKAGES", _PACKAGES[builder])
    return {
        ".github/workflows/proof.yml": workflow,
        ".gitignore": _file("gitignore"),
        _SETTINGS.get(generator, "mkdocs.yml"): f"{_file(settings)}{_file('extensions.yml')}",
        "proof.toml": _file("proof.toml").replace("BASES", bases),
        "docs/assets/proof.css": _file("proof.css"),
        _PAGE: _file("index.md"),
        **{f"schemas/{name}.json": f"{json.dumps(schema.of(name), indent=2)}\n" for name in schema.NAMES},
    }


def _snippets(bases: Origin) -> dict[str, str]:
    return {
        "bases.toml": _file(f"bases-{bases}.toml"),
        "hello/snippet.toml": _file("hello/snippet.toml"),
        "hello/context/Dockerfile": _file("hello/Dockerfile"),
        "hello/context/hello.txt": _file("hello/hello.txt"),
    }


def _file(name: str) -> str:
    return (resources("proof.starters") / "files" / name).read_text("utf-8")


def _make_folders(folder: Path, undo: contextlib.ExitStack, *, below: Path | None = None) -> None:
    """Make a directory, and those above it. Raises RefusedError where something else is in its place.

    Links are followed down to `below`, which the user named, and not from there.
    """
    if folder not in (below, folder.parent):
        _make_folders(folder.parent, undo, below=below)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        undo.callback(_quietly, folder.rmdir)
    followed = (below is None or folder == below) and folder.exists()
    found = folder.stat(follow_symlinks=followed).st_mode
    if not stat.S_ISDIR(found):
        what = f"expected a directory, found a {kind(found)}"
        raise RefusedError(what, where=Where(folder), hint="use another directory")


def _quietly(act: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):  # somebody else uses the directory by now
        act()


@contextlib.contextmanager
def _undone_on_error() -> Iterator[contextlib.ExitStack]:
    """What to do, last first, if the block fails."""
    with contextlib.ExitStack() as undo:
        yield undo
        undo.pop_all()
