"""Where the captures of a snippet are stored, and checks that nothing else is there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from proof.core import files
from proof.core.errors import PageError, RefusedError, Where, command
from proof.snippets.engine_version import WORDINGS, EngineVersion, Wording

Origin = Literal["registry", "rebuilt"]  # of the base images
ORIGINS: tuple[Origin, ...] = get_args(Origin)  # pages show the first one that has been captured


class Location(NamedTuple):
    """Which capture of a snippet it is: on which bases, and in the words of which engines."""

    origin: Origin
    wording: Wording = "docker-28"

    def __str__(self) -> str:
        return self.origin if self.wording == "docker-28" else f"{self.origin}-{self.wording}"

    def folder(self, snippet_folder: Path, variant: str = "") -> Path:
        """Its directory, for one `variant` of a matrix."""
        return snippet_folder.joinpath("captured", variant, str(self))


LOCATIONS = tuple(Location(origin, wording) for origin in ORIGINS for wording in WORDINGS)
NAMES = frozenset(map(str, LOCATIONS))
_UNFINISHED = re.compile(rf"\.({'|'.join(NAMES)})\.(?:new|old)-[0-9]+")  # while `captures.store.save` writes it


def is_unfinished(name: str) -> bool:
    """Whether this is the name of a directory that `captures.store.save` was writing or replacing."""
    return _UNFINISHED.fullmatch(name) is not None


def location_of(origin: Origin, engine: EngineVersion) -> Location | None:
    """Where this engine's captures belong; None if they are not kept."""
    return None if engine.wording is None else Location(origin, engine.wording)


def folder_of(snippet_folder: Path, origin: Origin, variant: str = "", wording: Wording = "docker-28") -> Path:
    """The directory of the captures for one origin of base images, and for one `variant` of a matrix."""
    return Location(origin, wording).folder(snippet_folder, variant)


def trusted(folder: Path) -> Path:
    """The trusted directory above a capture: the project, or for results the directory that holds them."""
    for captured in (folder, *folder.parents[:2]):
        if captured.name == "captured":  # snippets/NAME/captured
            return captured.parents[2]
    return folder.parents[1]  # DIR/captures/NAME


def check(folder: Path) -> None:
    """Raises PageError for links, devices and the like: captures may be untrusted, and are overwritten."""
    try:
        with contextlib.suppress(FileNotFoundError), files.directory(folder, below=trusted(folder)):
            files.check_plain(folder)
    except RefusedError as error:
        raise PageError(error.what, where=error.where, hint=error.hint) from error


def check_declared(captured: Path, variants: Collection[str]) -> None:
    """Raises PageError for anything in a snippet's `captured` that belongs to none of its variants and origins.

    Such captures are never compared with anything, so they could contain any number. Leftovers of killed runs are
    ignored.
    """
    names = set(variants) - {""}
    allowed = {"": names | (NAMES if "" in variants else set()), **dict.fromkeys(sorted(names), NAMES)}
    for folder, known in allowed.items():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(captured / folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                is_known = entry.name in known and entry.is_dir(follow_symlinks=False)
                if not is_known and not is_unfinished(entry.name):
                    raise undeclared(Path(entry.path), "not a variant in the manifest, nor a kind of capture")


def undeclared(path: Path, why: str) -> PageError:
    """The error for a file or directory in `captured` that does not belong to any capture."""
    return PageError(
        f"{path.name!r:.110} is not a capture of this snippet",
        where=Where(path),
        evidence=why,
        hint=command("git", "rm", "-r", Where(path)),
    )


def name_of(folder: Path, variant: str = "") -> str:
    """The name of the snippet in `folder`, or of its `variant` if it has a matrix."""
    return f"{folder.name}_{re.sub('[^a-z0-9]', '_', variant.lower())}" if variant else folder.name
