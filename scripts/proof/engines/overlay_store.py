"""Measures images from the files of a private engine's image store, which is faster than `docker image save`.

For each layer, Docker's classic store keeps the headers of its archive (tar-split.json.gz) and a directory with the
files. The archive is put together from these, byte for byte: its SHA-256 must be the layer's diff ID, and the SHA-256
of the configuration must be the image's id. So a base's layers are not exported again for each image built on it.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from proof.engines import image_archive
from proof.engines.image_archive import JSON_CAP, SIZES, UNREADABLE, Counted, Counts, Image, Limit, What

_DRIVER = "overlay2"
_IMAGES = Path("image", _DRIVER)  # the store's records of images and layers
_PIECE = 1 << 18  # bytes read at a time
_LINE = 2_000_000  # bytes of a line in tar-split.json: the padding at an archive's end comes in pieces of 1 MiB
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class NotInStoreError(Exception):
    """The image is not in the store, or in a format that is not known here. `docker image save` may still have it."""


def image_id(data: Path | None, name: str) -> str:
    """The id of the image with this name, such as `alpine:3.22`. Raises NotInStoreError if it is not found.

    Here and below, `data` is the engine's data directory, or None if that is not known.
    """
    with _reading(data) as folder:
        held = json.loads((folder / _IMAGES / "repositories.json").read_bytes())["Repositories"]
        return str(held[name.rpartition(":")[0]][name])


def diff_ids(data: Path | None, image_id: str) -> tuple[str, ...]:
    """The diff IDs of an image's layers, the lowest first. Raises NotInStoreError if they are not found."""
    with _reading(data) as folder:
        return _layers(_config(folder, image_id))


def measure(
    data: Path | None, image_id: str, counted: Counts, *, what: What = SIZES, limit: Limit | None = None
) -> Image:
    """Measure an image of the engine, as `image_archive.measure` measures a saved one.

    Raises NotInStoreError if the store's files are not as expected, CannotMeasureError if the image exceeds a limit.
    """
    limit, members = limit or Limit(), 0
    with _reading(data) as folder:
        config = _config(folder, image_id)
        layers: list[Counted] = []
        chain = ""  # the chain ID: identifies a layer together with all layers below it
        for diff_id in _layers(config):
            limit.check()  # layers that are known are read too: from the cache
            chain = _sha256(f"{chain} {diff_id}".encode()) if chain else diff_id
            name = diff_id.removeprefix("sha256:")
            if (known := counted.get(name)) is None:
                known = _count(folder, chain, diff_id, what=what, limit=limit)
                counted.put(name, known)
            members = image_archive.counted_members(members, known)
            layers.append(known)
        return image_archive.assembled(config, layers, what, limit)


@contextlib.contextmanager
def _reading(data: Path | None) -> Iterator[Path]:
    """Turn every error from unexpected files into NotInStoreError."""
    if data is None:
        raise NotInStoreError("the engine's data directory is not known")
    try:
        yield data
    except (OSError, *UNREADABLE) as error:
        raise NotInStoreError(repr(error)) from error


def _config(data: Path, image_id: str) -> bytes:
    with (data / _IMAGES / "imagedb/content" / image_id.replace(":", "/")).open("rb") as file:
        config = file.read(JSON_CAP)
    if _sha256(config) != image_id:
        raise NotInStoreError(f"the configuration of {image_id} has another SHA-256")
    return config


def _layers(config: bytes) -> tuple[str, ...]:
    found = tuple(json.loads(config)["rootfs"]["diff_ids"])
    if not all(_DIGEST.fullmatch(diff_id) for diff_id in found):
        raise NotInStoreError("a layer is not named by its SHA-256")  # the name becomes part of a path
    return found


def _count(data: Path, chain: str, diff_id: str, *, what: What, limit: Limit) -> Counted:
    about = data / _IMAGES / "layerdb" / chain.replace(":", "/")
    if not re.fullmatch(r"[\w-]+", folder := (about / "cache-id").read_text()):
        raise NotInStoreError(f"invalid directory name {folder!r:.100}")
    files = Path(os.path.realpath(data / _DRIVER / folder / "diff"))
    with gzip.open(about / "tar-split.json.gz") as split:
        archive = _Archive(_pieces(cast(IO[bytes], split), files))
        found = image_archive.count(cast(IO[bytes], archive), what=what, limit=limit)
        while archive.read(_PIECE):  # what follows the last member
            limit.check()
    if archive.digest() != diff_id:
        raise NotInStoreError(f"the layer {diff_id} has another SHA-256")
    return found


def _pieces(split: IO[bytes], files: Path) -> Iterator[bytes]:
    """The archive of a layer in pieces. Each line of `split` has either raw headers or the name of a file."""
    while line := split.readline(_LINE):
        if len(line) == _LINE:
            raise NotInStoreError(f"a line has {_LINE:,} bytes or more")
        entry: dict[str, Any] = json.loads(line)
        if entry["type"] == 2:
            yield base64.b64decode(entry["payload"])
        elif left := entry.get("size", 0):
            with _open(files, entry["name"]) as content:
                while left > 0 and (piece := content.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece


def _open(files: Path, name: str) -> IO[bytes]:
    """Open a regular file of a layer, and nothing else. The name comes from the image and is not trusted.

    It may be absolute or have `..` in it, a directory in it may be a link to the host's /etc, and the file may be a
    device that acts when it is opened.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not _is_without_links(str(files / path.parent)):
        raise NotInStoreError(f"{name!r:.100} is outside its layer")
    if not stat.S_ISREG(os.lstat(files / path).st_mode):
        raise NotInStoreError(f"{name!r:.100} is not a regular file")
    return os.fdopen(os.open(files / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


@lru_cache(maxsize=1024)  # an archive lists the files of a directory one after another
def _is_without_links(folder: str) -> bool:
    return os.path.realpath(folder) == folder


class _Archive(io.RawIOBase):
    """A file, made of pieces, that is read once from beginning to end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            if (piece := next(self._pieces, None)) is None:
                return 0
            self._hash.update(piece)
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def digest(self) -> str:
        """SHA-256 of everything read so far."""
        return f"sha256:{self._hash.hexdigest()}"


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
