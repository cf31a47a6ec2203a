"""Makes a project: a page with a measured number, its snippet, and everything around them."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass
from importlib.resources import files as resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from proof.core.errors import RefusedError, UsageError, Where
from proof.core.files import kind, write_new
from proof.snippets import schema
from proof.snippets.capture_locations import Origin

Generator = Literal["material", "mkdocs", "properdocs"]

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

    `snippets` appears last and as a whole: until then, the same call goes on where an earlier one failed.
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
    root.mkdir(parents=True, exist_ok=True)
    files = _around(generator, bases)
    for name in files:
        _check_folders(root, Path(name))
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            write_new(root / name, text)
        except FileExistsError:
            kept.append(name)
        else:
            written.append(name)
    with tempfile.TemporaryDirectory(prefix=".snippets-", dir=root) as folder:
        made = Path(folder) / "snippets"
        for name, text in _snippets(bases).items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            write_new(made / name, text)
            written.append(f"snippets/{name}")
        made.rename(root / "snippets")  # fails if there is something by now
    return Made(tuple(sorted(written)), tuple(sorted(kept)))


def _check_folders(root: Path, name: Path) -> None:
    """Raise RefusedError if something else, such as a link, is where the directories of a file have to be."""
    for parent in name.parents:
        folder = root / parent
        if parent.name and os.path.lexists(folder) and not stat.S_ISDIR(mode := folder.lstat().st_mode):
            what = f"expected a directory, found a {kind(mode)}"
            raise RefusedError(what, where=Where(folder), hint="use another directory")


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
