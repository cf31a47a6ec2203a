"""Bases → images in the engine: rebuilt from pinned packages, or pulled from their registry.

A rebuilt base has the layers, environment and command of the official image, made of files whose SHA-256 is pinned.
It enters the engine by `docker load`, as a pulled image would, so that its size is counted the same way.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from proof import image as images
from proof import process, registry, scratch, traces
from proof.bases import Base, Bases, Layer, Origin, Package
from proof.commands import full_name
from proof.engine import Engine
from proof.errors import CannotMeasureError, ManifestError, PackageError, Where
from proof.files import write_whole
from proof.measure import Layers

_LARGEST = 1 << 30  # bytes of a layer, unpacked: that of Go has 230 million
_LONGEST = 20_000_000  # bytes of a file that is read at once: Alpine's package database has 20 thousand
_APK_DB = "lib/apk/db/installed"
_APK_WORLD = "etc/apk/world"


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


def fetch(package: Package, cache: Path) -> Path:
    """The package's file, checked against its SHA-256 at every use; downloaded where the cache lacks it.

    pip fetches it, so that a mirror or proxy in the user's pip configuration is honoured.
    Raises PackageError where it cannot be had or is another file.
    """
    path = cache / "packages" / package.wheel
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        interpreter, abi, platform = package.wheel.removesuffix(".whl").rsplit("-", 3)[1:]
        with scratch.folder("package", path.parent) as folder:
            requirement = folder / "requirement.txt"
            requirement.write_text(f"{package.project}=={package.version} --hash=sha256:{package.sha256}\n")
            done = process.run(
                [
                    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
                    *("--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)),
                    *("--platform", platform, "--implementation", interpreter[:2], "--abi", abi),
                    *("-r", str(requirement)),
                ],
                env=os.environ,  # pip's own settings live there; no snippet ever sees it
                deadline=900,
            )
            if done.exit != 0 or not (folder / package.wheel).exists():
                raise PackageError(
                    f"the package {package} could not be downloaded",
                    where=package.where,
                    evidence=done.last_lines(),
                    cure=f"look at the network, or put {package.wheel} into {path.parent}",
                )
            (folder / package.wheel).replace(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise PackageError(
            f"{path} is not the pinned file of {package}",
            where=package.where,
            evidence=f"pinned {package.sha256}\nfound  {found}",
            cure=f"rm {path}",
        )
    return path


def _rebuild(bases: Bases, name: str, engine: Engine, cache: Path) -> Loaded:
    base, key = bases.images[name], bases.key(name)
    # Under the name that it has in this engine: loaded under another, it would take that from the user's own image.
    image_id = _loaded(
        base, key, engine, cache, lambda folder: build_archive(bases, name, folder, cache, tag=engine.local(name))
    )
    return Loaded(name, image_id, engine.diff_ids(name), bases.made_of(name), key)


def _pull(base: Base, engine: Engine, cache: Path, mirror: str) -> Loaded:
    reference = registry.at(base.registry, mirror)
    with scratch.folder("pull") as asked:
        digest = registry.resolve(reference, base.platform, asked)

    def archive(folder: Path) -> Path:
        registry.pull(reference, digest, base.platform, folder / "image.tar", engine.local(base.name))
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
    with scratch.folder("base") as folder:
        archive = make(folder)
        if not engine.private:  # in a private engine bases stay, for the next run
            traces.claim(engine, base.name)
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
        images.measure(file, counted=Layers(cache / "layers"))


def build_archive(bases: Bases, name: str, folder: Path, cache: Path, *, tag: str = "") -> Path:
    """Write the rebuilt base as an archive for `docker load`, under `tag` if not under its own name.

    The same recipe gives the same bytes everywhere.
    Raises ManifestError where a layer is not the official one that its recipe promises.
    """
    base = bases.images[name]
    layers: list[tuple[str, Path]] = []
    history = []
    for position, (owner, layer) in enumerate(bases.chain(name)):
        path = folder / f"layer{position}.tar"
        package = fetch(bases.packages[layer.package], cache) if layer.package else None
        with path.open("wb") as out:
            try:
                _write_layer(layer, package, cast(IO[bytes], _Bounded(out, layer.where)))
            except KeyError as error:
                raise ManifestError(
                    f"the package lacks what this layer is made of: {error.args[0]}",
                    where=layer.where,
                    cure="see the package",
                ) from error
        with path.open("rb") as file:
            diff_id = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if layer.diff_id and diff_id != layer.diff_id:
            raise ManifestError(
                "this layer is not the one that it promises to be",
                where=layer.where,
                evidence=f"promised {layer.diff_id}\nbuilt    {diff_id}",
                cure="check the package and the blob",
            )
        layers.append((diff_id, path))
        history.append({"created": owner.created, "created_by": layer.instruction, "comment": "buildkit.dockerfile.v0"})
    config = json.dumps(
        {
            "architecture": base.platform.split("/")[1],
            "os": base.platform.split("/")[0],
            "created": base.created,
            "config": {"Env": base.env, "Cmd": base.command, "WorkingDir": base.workdir},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for diff_id, _ in layers]},
            "history": history,
        },
        sort_keys=True,
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    names = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id, _ in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [full_name(tag or name)], "Layers": names}]).encode()
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for (_, path), member in zip(layers, names, strict=True):
            info = tarfile.TarInfo(member)
            info.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(info, file)
            path.unlink()  # the archive holds it now: half the disk
        for content, member in ((config, config_name), (manifest, "manifest.json")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return archive


class _Bounded:
    """A file that takes so many bytes: a package of some kilobytes can unpack to more than any disk holds."""

    def __init__(self, out: IO[bytes], where: Where) -> None:
        self._out, self._where = out, where

    def write(self, data: bytes) -> int:
        if self._out.tell() + len(data) > _LARGEST:
            raise PackageError(
                f"this layer has more than {_LARGEST:,} bytes", where=self._where, cure="look at what is in the package"
            )
        return self._out.write(data)

    def tell(self) -> int:
        return self._out.tell()


def _write_layer(layer: Layer, package: Path | None, out: IO[bytes]) -> None:
    if package and layer.blob:
        with zipfile.ZipFile(package) as wheel, wheel.open(layer.blob) as stored, gzip.open(stored) as blob:
            if layer.without_apk:
                _copy_without(cast(IO[bytes], blob), out, layer.without_apk)
            else:
                while chunk := blob.read(1 << 20):
                    out.write(chunk)
        return
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        if package and layer.tree is not None:
            with zipfile.ZipFile(package) as wheel:
                _copy_tree(wheel, tar, layer)
        for directory in layer.directories:
            tar.addfile(_directory(directory, layer.mode))


def _copy_tree(wheel: zipfile.ZipFile, tar: tarfile.TarFile, layer: Layer) -> None:
    assert layer.tree is not None
    made: set[str] = set()
    if not any(name.startswith(layer.tree) for name in wheel.namelist()):
        raise KeyError(f"a folder {layer.tree}")
    for info in sorted(wheel.infolist(), key=lambda i: i.filename):
        name = info.filename.removeprefix(layer.tree)
        if name == info.filename or not name or name.endswith("/") or name in layer.drop:
            continue
        target = layer.at + name
        for parent in reversed(list(Path(target).parents)[:-1]):
            if str(parent) not in made:
                made.add(str(parent))
                tar.addfile(_directory(str(parent), 0o755))
        member = tarfile.TarInfo(target)
        member.size, member.mode = info.file_size, (info.external_attr >> 16) & 0o777
        with wheel.open(info) as content:
            tar.addfile(member, content)


def _copy_without(blob: IO[bytes], out: IO[bytes], without: tuple[str, ...]) -> None:
    """Copy a layer without what these Alpine packages put into it, their records in the package database included."""
    with tarfile.open(fileobj=blob, mode="r:") as source:
        database = source.extractfile(_APK_DB)
        assert database is not None
        records = database.read(_LONGEST).decode().split("\n\n")
        dropped = [r for r in records if any(f"P:{name}" in r.splitlines() for name in without)]
        if len(dropped) != len(without):
            raise KeyError(f"one of the Alpine packages {', '.join(without)}")
        files = set().union(*(_apk_paths(r) for r in dropped)) - set().union(
            *(_apk_paths(r) for r in records if r not in dropped)
        )
        edits = {_APK_DB: "\n\n".join(r for r in records if r not in dropped).encode()}
        with contextlib.suppress(KeyError):  # a layer that adds no package of its own choice has none
            world = source.extractfile(_APK_WORLD)
            assert world is not None
            kept = [line for line in world.read(_LONGEST).decode().splitlines() if line not in without]
            edits[_APK_WORLD] = ("\n".join(kept) + "\n").encode()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as target:
            for member in source:
                if member.name.rstrip("/") in files:
                    continue
                if (edit := edits.get(member.name)) is not None:
                    member.size = len(edit)
                    target.addfile(member, io.BytesIO(edit))
                else:
                    target.addfile(member, source.extractfile(member) if member.isreg() else None)


def _apk_paths(record: str) -> set[str]:
    """The folders (F:) and files (R:, in the folder above it) of one record of Alpine's package database."""
    paths, folder = set(), ""
    for line in record.splitlines():
        if line.startswith("F:"):
            folder = line[2:]
            paths.add(folder)
        elif line.startswith("R:"):
            paths.add(f"{folder}/{line[2:]}")
    return paths


def _directory(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info
