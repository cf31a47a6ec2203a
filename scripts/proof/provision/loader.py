"""Loads base images into the engine: rebuilt from pinned packages, or pulled from their registry.

A rebuilt base has the layers, environment and command of the official image, made from files with a pinned SHA-256. It
is loaded with `docker load`, like a pulled one, so that the engine counts its size in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.core.files import write_whole
from proof.engines import cleanup
from proof.engines.interface import Engine
from proof.provision import pulls
from proof.provision.archive import build_archive
from proof.snippets import base_images
from proof.snippets.base_images import Base, Bases
from proof.snippets.capture_locations import Origin
from proof.snippets.commands import full_name
from proof.system import temp_folders


@dataclass(frozen=True)
class Loaded:
    """A base image in the engine."""

    name: str
    image_id: str
    diff_ids: tuple[str, ...]  # of its layers, from the bottom
    origin: str  # the files it was rebuilt from, or the registry's digest, for readers
    key: str  # identifies its content


def ensure(
    bases: Bases, name: str, engine: Engine, *, origin: Origin, cache: Path, locked: str = "", mirror: str = ""
) -> Loaded:
    """Make sure that the engine has the base `name`, and describe it. If it is there already, it is not loaded again.

    From a registry, the image with the digest `locked` is pulled; without one, what the tag names today. `mirror` is
    a host, optionally with a path, to pull from instead of the registry.
    """
    if origin == "rebuilt":
        return _rebuild(bases, name, engine, cache)
    return _pull(bases.images[name], engine, cache, locked, mirror)


def _rebuild(bases: Bases, name: str, engine: Engine, cache: Path) -> Loaded:
    base, key = bases.images[name], bases.key(name)

    def archive(folder: Path) -> Path:
        # With its name in this engine: another name may belong to an image of the user.
        compressed = engine.info().image_store == "containerd"
        return build_archive(bases, name, folder, cache, tag=engine.names.image(name), compressed=compressed)

    image_id = _loaded(base, key, engine, cache, archive)
    return Loaded(name, image_id, engine.diff_ids(name), bases.made_of(name), key)


def _pull(base: Base, engine: Engine, cache: Path, locked: str, mirror: str) -> Loaded:
    reference, digest = pulls.at(base.registry, mirror), locked
    if not digest:
        with temp_folders.folder("pull") as asked:
            digest = pulls.resolve(reference, base.platform, asked)

    def archive(folder: Path) -> Path:
        path, compressed = folder / "image.tar", engine.info().image_store == "containerd"
        tag = full_name(base_images.reference(engine.names.image(base.name)))
        pulls.pull(reference, digest, base.platform, path, tag, compressed=compressed)
        return path

    # The origin is the registry's name even with a mirror, because the digest proves that the image is the same.
    image_id = _loaded(base, digest, engine, cache, archive)
    return Loaded(base.name, image_id, engine.diff_ids(base.name), f"{base.registry}@{digest}", digest)


def _loaded(base: Base, key: str, engine: Engine, cache: Path, make: Callable[[Path], Path]) -> str:
    """The id of the base in the engine, after loading the archive that `make` creates if it is not there."""
    record = cache / "bases" / f"{key.removeprefix('sha256:')}.json"
    ids: list[str] = json.loads(record.read_text()) if record.exists() else []  # one for each kind of image store
    if (present := engine.image_id(base.name)) in ids:
        return str(present)
    with temp_folders.folder("base") as folder:
        archive = make(folder)
        cleanup.claim(engine, base.name)
        engine.load(archive)
    loaded = engine.image_id(base.name)
    if loaded is None:
        raise CannotMeasureError(f"the engine loaded {base.name} but does not have it", where=base.where)
    write_whole(record, json.dumps(sorted({*ids, loaded})))
    return loaded
