"""Makes a snippet: a directory with the files that a reader would copy, and a list of commands."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from proof.core.errors import ManifestError, UsageError, Where
from proof.core.files import read_text, write_new
from proof.snippets import base_images, context, manifest, project
from proof.snippets.model import NAME, NAME_HINT

_LARGEST = 250_000  # bytes of a manifest, as it is read

_MANIFEST = """\
title = "TITLE"
# The image to measure.
image = "example"

[[step]]
name = "build"
command = "docker build -t example ."
"""
_DOCKERFILE = """\
FROM BASE
COPY hello.txt /hello.txt
"""
_SCHEMA = "schemas/snippet.json"


def make(root: Path, name: str, like: str = "") -> Path:
    """Make the snippet `name` in the project in `root`, as a copy of the snippet `like` if it is given.

    It appears as a whole. Captures are not copied: those of another snippet prove nothing about this one.
    Raises UsageError for a name that cannot be used.
    """
    if not NAME.fullmatch(name):
        what = f"invalid snippet name {name!r:.60}: pages could not use {{{{ NAME.size }}}}"
        raise UsageError(what, hint=f"{NAME_HINT}, as in web_server")
    target = root / "snippets" / name
    if os.path.lexists(target) or _is_variant(root, name):
        raise UsageError(f"there is a snippet '{name}' already", where=Where(target), hint="use another name")
    # Next to snippets/, so that a run at the same time does not take it for one of them.
    with tempfile.TemporaryDirectory(prefix=".snippet-", dir=root) as folder:
        made = Path(folder) / name
        made.mkdir()
        if like:
            _copy(root, like, made)
        else:
            _write(root, name, made)
        made.rename(target)  # fails if there is something by now
    return target


def _is_variant(root: Path, name: str) -> bool:
    """Whether the matrix of another snippet makes one of this name."""
    try:
        project.find(root / "snippets", name)
    except ManifestError:
        return False  # another snippet is broken, which is no reason to refuse a new one
    except UsageError:
        return False
    return True


def _copy(root: Path, like: str, made: Path) -> None:
    known = [folder.name for folder in project.folders(root)]
    if like not in known:
        project.find(root / "snippets", like)  # raises an error with a suggestion, except for a variant
        raise UsageError(f"'{like}' is a variant of a snippet", hint="use the name of its directory")
    folder = root / "snippets" / like
    manifest.variants(folder)  # what is refused is not copied either
    text = read_text(folder / "snippet.toml", below=root, limit=_LARGEST)
    write_new(made / "snippet.toml", text)
    context.copy(folder / "context", made / "context")


def _write(root: Path, name: str, made: Path) -> None:
    text = _MANIFEST.replace("TITLE", name.replace("_", " ").capitalize())
    if (root / _SCHEMA).is_file():
        text = f"#:schema ../../{_SCHEMA}\n{text}"
    base = next(iter(base_images.load(root).images), "scratch")
    write_new(made / "snippet.toml", text)
    (made / "context").mkdir()
    write_new(made / "context" / "Dockerfile", _DOCKERFILE.replace("BASE", base))
    write_new(made / "context" / "hello.txt", "Hello, reader.\n")
