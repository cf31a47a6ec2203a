"""TODO."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Literal, get_args

from proof.core import files
from proof.core.errors import PageError, RefusedError, Where

Origin = Literal["registry", "rebuilt"]  # of the base images
ORIGINS: tuple[Origin, ...] = get_args(Origin)  # a page shows the first of them that there is
_UNFINISHED = re.compile(rf"\.({'|'.join(ORIGINS)})\.new-[0-9]+")  # what `save` writes, until it is whole


def folder_of(snippet_folder: Path, origin: str, variant: str = "") -> Path:
    """Where the captures of one origin of bases are, of a matrix those of one `variant`."""
    return snippet_folder / "captured" / variant / origin


def trusted(folder: Path) -> Path:
    """The project around a snippet's capture, or the directory of results around another."""
    for captured in (folder, *folder.parents[:2]):
        if captured.name == "captured":  # snippets/NAME/captured
            return captured.parents[2]
    return folder.parents[1]  # DIR/captures/NAME


def check(folder: Path) -> None:
    """Raises PageError for a link or a device there: what is read may come from a stranger, and is written over."""
    try:
        with contextlib.suppress(FileNotFoundError), files.directory(folder, below=trusted(folder)):
            files.check_plain(folder)
    except RefusedError as error:
        raise PageError(error.what, where=error.where, hint=error.hint) from error


def check_declared(captured: Path, variants: Collection[str]) -> None:
    """Raises PageError for anything in a snippet's `captured` that is not of one of its variants and an origin.

    Nothing is ever compared with it, so it could hold any number. What a run that was killed left is not read.
    """
    places = {captured / variant for variant in variants}
    allowed = places | {place / origin for place in places for origin in ORIGINS} | {captured}
    for folder in {captured, *places}:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not (path in allowed and path.is_dir()) and not _UNFINISHED.fullmatch(path.name):
                raise undeclared(path, "the manifest has no such variant, and there is no such origin of bases")


def undeclared(path: Path, why: str) -> PageError:
    """The error for a file or directory that holds captures of nothing."""
    return PageError(
        f"{path.name!r:.110} is not a capture of this snippet",
        where=Where(path),
        evidence=why,
        hint=f"git rm -r {shlex.quote(str(Where(path)))}",
    )


def name_of(folder: Path, variant: str = "") -> str:
    """What the snippet in a folder is called, or its `variant` where it is a matrix."""
    return f"{folder.name}_{re.sub('[^a-z0-9]', '_', variant.lower())}" if variant else folder.name
