"""Measures an image from the archive that `docker image save` writes: the size and digest of each layer.

Sizes are counted from the files in the layers, because the tables and `inspect` of different engines disagree. The
content of an archive is not trusted: there are limits to the memory and the time that reading it may take.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Self, cast

from proof.core.errors import CannotMeasureError
from proof.core.validate import validate
from proof.engines.image_contents import Member, Row, contents, member_of
from proof.system import process

DEADLINE = 300.0  # seconds to measure one image; the largest of the article takes three
JSON_CAP = 20_000_000  # bytes of the configuration and the manifests of an image
_FILE = 100_000_000_000  # bytes of one file in an image; a sparse file is small on disk, but is read in full
_HEADERS = 20_000  # bytes of headers of one file: names and links have at most 4,096, and tarfile is slow on more
_ENTRIES = 100_000_000  # bytes of memory for the entries of a layer; the 15,000 of Go's image take four million
_ENTRY = 60  # bytes of memory that an entry takes in addition to its text
_ALL_MEMBERS = 2_000_000  # entries of all layers together whose paths are compared
_BLOCK = 512  # bytes of a tar header
_PIECE = 1 << 18  # bytes read at a time
_REMOVED = ".wh."  # a file with this prefix says that a layer removes the one without it
_GZIP = b"\x1f\x8b"  # how a gzip file begins
# What reading an image raises if the image is malformed or in a format that is not known here.
_UNREADABLE = (
    *(tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError),
    *(LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError),
)


@dataclass(frozen=True)
class Layer:
    """One layer of an image."""

    diff_id: str  # the engine's name for it, which changes with every build
    digest: str  # ours, computed without times and directories: the same for the same files
    size: int  # bytes of regular files and of symlink targets
    files: int  # number of regular files
    compressed: int | None  # bytes if gzipped, as a registry sends it; None if not measured
    instruction: str  # as in the image's history
    contents: tuple[Row, ...] = ()  # its directories and files; empty if not asked for


@dataclass(frozen=True)
class Image:
    """A measured image."""

    id: str  # `sha256:…` of its configuration
    layers: tuple[Layer, ...]
    platform: str
    user: str
    command: str  # ENTRYPOINT and CMD, as JSON

    @property
    def size(self) -> int:
        """Bytes of all layers: what `docker image ls` shows for an image that was pulled or loaded."""
        return sum(layer.size for layer in self.layers)


class Counted(NamedTuple):
    """What was counted in one layer."""

    digest: str
    size: int  # bytes
    files: int
    compressed: int | None  # bytes
    members: tuple[Member, ...]  # empty if they were not asked for


@dataclass(frozen=True)
class What:
    """What to measure of an image in addition to its size."""

    compress: bool = False  # also count the gzipped bytes of each layer, which is slow
    contents: tuple[str, ...] | None = None  # also list the files, and these paths in any case; None for no list


SIZES = What()


class Limit:
    """When to give up measuring: after a number of seconds, or when the run ends."""

    def __init__(self, seconds: float = DEADLINE) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds

    def check(self) -> None:
        """Raises CannotMeasureError after the deadline, and KeyboardInterrupt if the run is ending."""
        if process.is_ending():
            raise KeyboardInterrupt
        if time.monotonic() > self._until:
            raise CannotMeasureError(
                f"the image could not be measured in {self._seconds:g} s",
                hint="make the image smaller; a sparse file counts with its full size",
            )


def measure(archive: IO[bytes], *, what: What = SIZES, limit: Limit | None = None) -> Image:
    """Measure the output of `docker image save`, read as a stream without keeping any of its files in memory.

    Raises CannotMeasureError if it is not such an archive, holds more than one image, or exceeds a limit.
    """
    limit = limit or Limit()
    documents: dict[str, bytes] = {}
    layers: dict[str, Counted] = {}
    room, listed = JSON_CAP, 0
    try:
        for member, content in _Archive(archive, limit):
            if content is None:
                continue
            head = content.peek(_BLOCK)[:_BLOCK]
            if _is_layer(head):
                layers[member.name] = count(content, packed=head.startswith(_GZIP), what=what, limit=limit)
                listed += len(layers[member.name].members)
                if listed > _ALL_MEMBERS:
                    raise CannotMeasureError(
                        f"the image has too many files to list: {listed:,}", hint="leave out `contents`"
                    )
            elif member.size <= room:
                room -= member.size
                documents[member.name] = content.read()
        manifests: list[dict[str, Any]] = json.loads(documents["manifest.json"])
        if len(manifests) != 1:
            raise CannotMeasureError(f"the archive holds {len(manifests)} images, not one")
        config = documents[manifests[0]["Config"]]
        return _image(config, [layers[name] for name in manifests[0]["Layers"]], what, limit)
    except _UNREADABLE as error:
        raise CannotMeasureError(f"the saved image could not be read: {error!r:.200}") from error


def _image(config_bytes: bytes, counted: Sequence[Counted], what: What, limit: Limit) -> Image:
    """The image with this configuration and these layers, the lowest first."""
    config: dict[str, Any] = json.loads(config_bytes)
    settings = config.get("config") or {}
    instructions = [h.get("created_by", "") for h in config.get("history") or [] if not h.get("empty_layer")]
    if len(instructions) != len(counted):
        instructions = [""] * len(counted)
    rows: Sequence[tuple[Row, ...]] = [()] * len(counted)
    if what.contents is not None:
        rows = contents([layer.members for layer in counted], what.contents, check=limit.check)
    image = Image(
        id="sha256:" + hashlib.sha256(config_bytes).hexdigest(),
        layers=tuple(
            Layer(diff_id, layer.digest, layer.size, layer.files, layer.compressed, instruction, inside)
            for diff_id, layer, instruction, inside in zip(
                config["rootfs"]["diff_ids"], counted, instructions, rows, strict=True
            )
        ),
        platform="/".join(v for v in (config["os"], config["architecture"], config.get("variant")) if v),
        user=settings.get("User") or "",
        command=json.dumps([*(settings.get("Entrypoint") or []), *(settings.get("Cmd") or [])]),
    )
    return validate(image)


def base_layers(image: Image, base: Sequence[str]) -> int:
    """How many layers of `image` belong to its base, whose diff IDs are given.

    Raises CannotMeasureError unless the image begins with exactly these layers.
    """
    mine = [layer.diff_id for layer in image.layers[: len(base)]]
    if mine != list(base):
        raise CannotMeasureError(
            "the image does not begin with the layers of its base",
            evidence=f"image {[d[:19] for d in mine]}\nbase  {[d[:19] for d in base]}",
        )
    return len(base)


def count(archive: IO[bytes], *, packed: bool = False, what: What = SIZES, limit: Limit | None = None) -> Counted:
    """Measure the archive of a layer, which may be `packed` by gzip."""
    limit = limit or Limit()
    # Decompressing a little at a time keeps memory small however large the result is.
    plain = gzip.GzipFile(fileobj=archive) if packed else archive
    # A layer that is already compressed counts as the others do: what it takes depends on the engine's own compressor.
    sent = _Compressed(cast(IO[bytes], plain), limit) if what.compress else None
    entries: list[str] = []
    members: list[Member] = []
    size = files = 0
    room = _ENTRIES
    for member, stream in _Archive(cast(IO[bytes], sent or plain), limit):
        content = ""
        if stream is not None:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
            size += member.size
            files += 1
        elif member.issym():
            size += len(member.linkname.encode("utf-8", "surrogateescape"))
        if what.contents is not None:
            members.append(member_of(member))
            room -= len(member.name) + len(member.linkname) + 2 * _ENTRY
        if not member.isdir():  # listed too if only something in it changed, which depends on the image store
            entries.append(_entry(member, content))
            room -= len(entries[-1]) + _ENTRY
        if room < 0:
            raise CannotMeasureError(
                f"a layer has too many files to list: more than {max(len(members), len(entries)):,}",
                hint="use fewer files, or shorter names",
            )
    digest = hashlib.sha256("\n".join(sorted(entries)).encode()).hexdigest()
    return Counted(f"sha256:{digest}", size, files, sent.total() if sent else None, tuple(members))


def _entry(member: tarfile.TarInfo, content: str) -> str:
    """What counts of an entry in the digest of its layer: all but times and the names of users."""
    if member.name.rpartition("/")[2].startswith(_REMOVED):
        return json.dumps([member.name])  # its mode depends on the image store
    kind, size = member.type.decode("ascii", "replace"), member.size if member.isreg() else 0
    return json.dumps([member.name, kind, member.mode, member.uid, member.gid, size, member.linkname, content])


def _is_layer(head: bytes) -> bool:
    # A tar archive has "ustar" in its first header, an empty one is all zeros, a compressed one is gzip.
    return head[257:262] == b"ustar" or (bool(head) and not head.strip(b"\0")) or head.startswith(_GZIP)


class _Header(tarfile.TarInfo):
    """A header that has to be valid. By itself tarfile takes an invalid one for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined] # undocumented
            raise CannotMeasureError(f"a file in the image has an invalid header: {error}") from error


class _Archive:
    """A tar archive that is read once, from beginning to end, in bounded memory.

    By itself tarfile keeps every member, and reads headers of any length into memory. Here it gets only a limited
    number of bytes for the headers of one member, and each member is dropped before the next.
    """

    def __init__(self, source: IO[bytes], limit: Limit) -> None:
        self._source, self._limit = source, limit
        self._position = 0
        self._headers: int | None = None  # bytes of headers that may still be read; None while reading a file's content

    def __iter__(self) -> Iterator[tuple[tarfile.TarInfo, io.BufferedReader | None]]:
        """Each member with its content, or with None if it is not a regular file."""
        self._headers = _HEADERS
        with tarfile.TarFile(fileobj=cast(IO[bytes], self), encoding="utf-8", tarinfo=_Header) as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined] # undocumented
                if member.issparse() or not 0 <= member.size <= _FILE:
                    raise CannotMeasureError(f"a file in the image claims {member.size:,} bytes: {member.name!r:.100}")
                self._headers = None
                yield member, cast(io.BufferedReader, archive.extractfile(member)) if member.isreg() else None
                self._headers = _HEADERS

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer at the end."""
        if self._headers is not None:
            self._headers -= size
            if self._headers < 0:
                raise CannotMeasureError(f"a file in the image has more than {_HEADERS:,} bytes of headers")
        data = self._piece(size)
        while len(data) < size and (piece := self._piece(size - len(data))):
            data += piece
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Skip forward to this position."""
        if position < self._position:
            raise tarfile.StreamError("the archive points backwards")
        while position > self._position and self._piece(min(position - self._position, _PIECE)):
            pass

    def _piece(self, size: int) -> bytes:
        self._limit.check()
        piece = self._source.read(size)
        self._position += len(piece)
        return piece


class _Compressed:
    """A stream that also counts what its content takes when gzipped."""

    def __init__(self, source: IO[bytes], limit: Limit) -> None:
        self._source, self._limit = source, limit
        # Without gzip's header and trailer: their 18 bytes are added at the end.
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._written = 0

    def read(self, size: int) -> bytes:
        self._limit.check()
        data = self._source.read(size)
        self._written += len(self._compressor.compress(data))
        return data

    def total(self) -> int:
        """Bytes of the whole stream when gzipped, after reading the rest of it."""
        while self.read(_PIECE):
            pass
        return self._written + len(self._compressor.flush()) + 18
