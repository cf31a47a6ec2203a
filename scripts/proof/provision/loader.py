"""Bases → images in the engine: rebuilt from pinned packages, or pulled from their registry.

A rebuilt base has the layers, environment and command of the official image, made of files whose SHA-256 is pinned.
It enters the engine by `docker load`, as a pulled image would, so that its size is counted the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.core.files import write_whole
from proof.engines import cleanup, image_archive
from proof.engines.engine import Engine
from proof.engines.measure import Layers
from proof.provision import registry
from proof.provision.archive import build_archive
from proof.snippets.base_images import Base, Bases
from proof.snippets.places import Origin
from proof.system import temp_folders


@dataclass(frozen=True)
class Loaded:
    """A base that is in the engine."""

    name: str
    image_id: str
    diff_ids: tuple[str, ...]  # of its layers, the lowest first
    origin: str  # for readers: rebuilt from which files, or the registry's digest
    key: str  # what identifies its content: changes when the base moves


def ensure(bases: Bases, name: str, engine: Engine, *, origin: Origin, cache: Path, mirror: str = "") -> Loaded:
    """Have the base `name` in the engine, and say what it is. A base that is there already is left alone.

    `mirror` is the host, with a path if need be, of which a registry's bases are asked for in its place.
    """
    if origin == "rebuilt":
        return _rebuild(bases, name, engine, cache)
    return _pull(bases.images[name], engine, cache, mirror)


def _rebuild(bases: Bases, name: str, engine: Engine, cache: Path) -> Loaded:
    base, key = bases.images[name], bases.key(name)
    # Under the name that it has in this engine: loaded under another, it would take that from the user's own image.
    image_id = _loaded(
        base, key, engine, cache, lambda folder: build_archive(bases, name, folder, cache, tag=engine.scoped_name(name))
    )
    return Loaded(name, image_id, engine.diff_ids(name), bases.made_of(name), key)


def _pull(base: Base, engine: Engine, cache: Path, mirror: str) -> Loaded:
    reference = registry.at(base.registry, mirror)
    with temp_folders.folder("pull") as asked:
        digest = registry.resolve(reference, base.platform, asked)

    def archive(folder: Path) -> Path:
        registry.pull(reference, digest, base.platform, folder / "image.tar", engine.scoped_name(base.name))
        return folder / "image.tar"

    # The registry's own name for it, wherever it came from: the digest says that it is the same.
    image_id = _loaded(base, digest, engine, cache, archive)
    return Loaded(base.name, image_id, engine.diff_ids(base.name), f"{base.registry}@{digest}", digest)


def _loaded(base: Base, key: str, engine: Engine, cache: Path, make: Callable[[Path], Path]) -> str:
    """The id of the base in the engine: left alone where it is there, else loaded out of the archive of `make`."""
    known = cache / "bases" / f"{key.removeprefix('sha256:')}.json"
    ids: list[str] = json.loads(known.read_text()) if known.exists() else []  # one for each image store
    if (present := engine.image_id(base.name)) in ids:
        return str(present)
    with temp_folders.folder("base") as folder:
        archive = make(folder)
        if not engine.private:  # in a private engine bases stay, for the next run
            cleanup.claim(engine, base.name)
        with ThreadPoolExecutor(1) as meanwhile:  # the engine takes as long to read it
            counting = meanwhile.submit(_count, archive, cache)
            engine.load(archive)
            counting.result()
    loaded = engine.image_id(base.name)
    if loaded is None:
        raise CannotMeasureError(f"the engine loaded {base.name} and does not have it", where=base.where)
    write_whole(known, json.dumps(sorted({*ids, loaded})))
    return loaded


def _count(archive: Path, cache: Path) -> None:
    """Count the layers of a base once, for every image on it."""
    with archive.open("rb") as file:
        image_archive.measure(file, counted=Layers(cache / "layers"))
