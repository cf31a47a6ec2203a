"""Builds the image archive of a rebuilt base from its packages."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import IO, cast

from proof.core.errors import ManifestError, PackageError, Where
from proof.provision.alpine import copy_without
from proof.provision.packages import fetch
from proof.snippets.base_images import Bases, Layer
from proof.snippets.commands import full_name

_LARGEST = 1 << 30  # bytes of an unpacked layer; the one with Go has 230 million


def build_archive(
    bases: Bases, name: str, folder: Path, cache: Path, *, tag: str = "", compressed: bool = False
) -> Path:
    """Write the rebuilt base to `folder`, as an archive for `docker load`. `tag` replaces its own name.

    With `compressed`, the layers are gzipped as a registry sends them: containerd's store keeps them as they come, and
    counts them in the sizes that it shows.
    The same recipe gives the same bytes on every machine.
    Raises ManifestError if a layer does not match its `diff_id`, or if its package lacks the content.
    """
    layers = [
        _layer(bases, layer, folder / f"layer{position}.tar", cache)
        for position, (_, layer) in enumerate(bases.chain(name))
    ]
    config = _config(bases, name, [diff_id for diff_id, _ in layers])
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    names = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id, _ in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [full_name(tag or name)], "Layers": names}]).encode()
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for (_, path), member in zip(layers, names, strict=True):
            stored = _gzipped(path) if compressed else path
            with stored.open("rb") as file:
                tar.addfile(_file(member, stored.stat().st_size), file)
            stored.unlink()  # it is in the archive now; saves half of the disk space
        for content, member in ((config, config_name), (manifest, "manifest.json")):
            tar.addfile(_file(member, len(content)), io.BytesIO(content))
    return archive


def _layer(bases: Bases, layer: Layer, path: Path, cache: Path) -> tuple[str, Path]:
    """Write the archive of a layer to `path`, and return its diff ID with the path."""
    package = fetch(bases.packages[layer.package], cache) if layer.package else None
    with path.open("wb") as out:
        try:
            _write_layer(layer, package, cast(IO[bytes], _Bounded(out, layer.where)))
        except KeyError as error:
            raise ManifestError(
                f"the package does not contain what this layer needs: {error.args[0]}",
                where=layer.where,
                hint="list the content of the package",
            ) from error
    with path.open("rb") as file:
        diff_id = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    if layer.diff_id and diff_id != layer.diff_id:
        raise ManifestError(
            "this layer does not match its `diff_id`",
            where=layer.where,
            evidence=f"expected {layer.diff_id}\nbuilt    {diff_id}",
            hint="check the package and the blob",
        )
    return diff_id, path


def _config(bases: Bases, name: str, diff_ids: list[str]) -> bytes:
    """The configuration of the image, with the diff IDs of its layers."""
    base = bases.images[name]
    system, architecture = base.platform.split("/")[:2]
    history = [
        {"created": owner.created, "created_by": layer.instruction, "comment": "buildkit.dockerfile.v0"}
        for owner, layer in bases.chain(name)
    ]
    config = {
        "architecture": architecture,
        "os": system,
        "created": base.created,
        "config": {"Env": base.config.env, "Cmd": base.config.command, "WorkingDir": base.config.workdir},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    }
    return json.dumps(config, sort_keys=True).encode()


def _gzipped(path: Path) -> Path:
    """Replace a file by a gzipped one; the same content gives the same bytes."""
    packed = path.with_suffix(".gz")
    with path.open("rb") as file, packed.open("wb") as out, gzip.GzipFile("", "wb", 6, out, mtime=0) as into:
        shutil.copyfileobj(file, into, 1 << 20)
    path.unlink()
    return packed


class _Bounded:
    """A file with a size limit, because a small package can unpack to more than the disk can hold."""

    def __init__(self, out: IO[bytes], where: Where) -> None:
        self._out, self._where = out, where

    def write(self, data: bytes) -> int:
        if self._out.tell() + len(data) > _LARGEST:
            raise PackageError(
                f"this layer is larger than {_LARGEST:,} bytes",
                where=self._where,
                hint="list the content of the package",
            )
        return self._out.write(data)

    def tell(self) -> int:
        return self._out.tell()


def _write_layer(layer: Layer, package: Path | None, out: IO[bytes]) -> None:
    if package and layer.blob:
        with zipfile.ZipFile(package) as wheel, wheel.open(layer.blob) as stored, gzip.open(stored) as blob:
            if layer.without_apk:
                copy_without(cast(IO[bytes], blob), out, layer.without_apk)
            else:
                shutil.copyfileobj(blob, out, 1 << 20)
        return
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        if package and layer.tree is not None:
            with zipfile.ZipFile(package) as wheel:
                _copy_tree(wheel, tar, layer)
        for directory in layer.directories:
            tar.addfile(_directory(directory, int(layer.mode, 8)))


def _copy_tree(wheel: zipfile.ZipFile, tar: tarfile.TarFile, layer: Layer) -> None:
    assert layer.tree is not None
    made: set[Path] = set()
    if not any(name.startswith(layer.tree) for name in wheel.namelist()):
        raise KeyError(f"a directory {layer.tree}")
    for info in sorted(wheel.infolist(), key=lambda i: i.filename):
        name = info.filename.removeprefix(layer.tree)
        if name == info.filename or not name or name.endswith("/") or name in layer.drop:
            continue
        target = layer.at + name
        for parent in reversed(Path(target).parents[:-1]):
            if parent not in made:
                made.add(parent)
                tar.addfile(_directory(str(parent), 0o755))
        with wheel.open(info) as content:
            tar.addfile(_file(target, info.file_size, (info.external_attr >> 16) & 0o777), content)


def _file(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info


def _directory(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info
