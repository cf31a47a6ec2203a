"""The image store of a private engine, read from its files: the layers as `docker image save` would put them together.

For each layer the classic store keeps the headers of its archive (tar-split.json.gz) and a folder with the files. Read
from there, the layers of a base need not be written out for each image that is built on it. What is read is the archive
itself, byte for byte: its SHA-256 must be the layer's diff ID, and that of the configuration the image's id.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from proof import image as images
from proof.image import Counted, Counts, Image

_DRIVER = "overlay2"
_IMAGES = Path("image", _DRIVER)  # what is known of them
_PIECE = 1 << 18  # bytes read at a time


class NotInStoreError(Exception):
    """The store does not hold it in the form that is known here; `docker image save` does."""


def image_id(data: Path | None, name: str) -> str:
    """The id of the image of this name, in the form `alpine:3.22`; NotInStoreError where there is none, or no telling.

    `data` is the folder in which the engine keeps its data, here and below; None where that is not known.
    """
    with _reading(data) as folder:
        held = json.loads((folder / _IMAGES / "repositories.json").read_bytes())["Repositories"]
        return str(held[name.rpartition(":")[0]][name])


def diff_ids(data: Path | None, image_id: str) -> tuple[str, ...]:
    """The layers of an image, the lowest first; NotInStoreError where its files do not tell."""
    with _reading(data) as folder:
        return _layers(_config(folder, image_id))


def measure(data: Path | None, image_id: str, counted: Counts, *, compress: bool = False) -> Image:
    """Measure an image of the engine, as `image.measure` measures a saved one.

    Raises NotInStoreError where that cannot be done from its files.
    """
    with _reading(data) as folder:
        config = _config(folder, image_id)
        layers: list[Counted] = []
        chain = ""  # names a layer together with all that are below it
        for diff_id in _layers(config):
            chain = _sha256(f"{chain} {diff_id}".encode()) if chain else diff_id
            name = diff_id.removeprefix("sha256:")
            if (known := counted.get(name)) is None:
                known = _count(folder, chain, diff_id, compress=compress)
                counted.put(name, known)
            layers.append(known)
        return images.assembled(config, layers)


@contextlib.contextmanager
def _reading(data: Path | None) -> Iterator[Path]:
    """What is not there in the form that is known here is not guessed."""
    if data is None:
        raise NotInStoreError("its files are not known")
    try:
        yield data
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError, zlib.error, tarfile.TarError) as error:
        raise NotInStoreError(repr(error)) from error


def _config(data: Path, image_id: str) -> bytes:
    config = (data / _IMAGES / "imagedb/content" / image_id.replace(":", "/")).read_bytes()
    if _sha256(config) != image_id:
        raise NotInStoreError(f"the configuration of {image_id} has another SHA-256")
    return config


def _layers(config: bytes) -> tuple[str, ...]:
    return tuple(json.loads(config)["rootfs"]["diff_ids"])


def _count(data: Path, chain: str, diff_id: str, *, compress: bool) -> Counted:
    about = data / _IMAGES / "layerdb" / chain.replace(":", "/")
    files = data / _DRIVER / (about / "cache-id").read_text() / "diff"
    with gzip.open(about / "tar-split.json.gz") as split:
        archive = _Archive(_pieces(cast(IO[bytes], split), files))
        found = images.count(cast(IO[bytes], archive), compress=compress)
        archive.read()  # what is behind the last member
    if archive.digest() != diff_id:
        raise NotInStoreError(f"the layer {diff_id} has another SHA-256")
    return found


def _pieces(split: IO[bytes], files: Path) -> Iterator[bytes]:
    """The archive of a layer: of `split`, a line each, headers as they are, and the names of files with a content."""
    for line in split:
        entry: dict[str, Any] = json.loads(line)
        if entry["type"] == 2:
            yield base64.b64decode(entry["payload"])
        elif left := entry.get("size", 0):
            with open(files / entry["name"], "rb", opener=_quietly) as content:
                while left > 0 and (piece := content.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece


def _quietly(path: str, flags: int) -> int:
    """Open a file and never wait for one: a name out of an image may lead to anything."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


class _Archive(io.RawIOBase):
    """Pieces as a file that is read once, from the beginning to the end."""

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
        """SHA-256 of all that was read."""
        return f"sha256:{self._hash.hexdigest()}"


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
