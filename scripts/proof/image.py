"""A saved image → its layers, measured: what no table and no `inspect` agree on, counted from the files themselves."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from proof.errors import CannotMeasureError

_JSON_CAP = 20_000_000  # bytes of one configuration or manifest
_CONTENT = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.tar)?")  # how an archive names what it holds by its hash
_BLOCK = 512  # bytes of a tar header
_PIECE = 1 << 18  # bytes read at a time


@dataclass(frozen=True)
class Layer:
    """One layer of an image."""

    diff_id: str  # the engine's own name of it: changes with every build
    digest: str  # ours, over what is in it and no times: the same for the same files
    size: int  # bytes of regular files and of symlink targets
    files: int  # regular files
    compressed: int | None  # bytes, gzipped as a registry would send it; None where that was not measured
    instruction: str  # as the history of the image has it


@dataclass(frozen=True)
class Image:
    """An image, measured."""

    id: str  # of its configuration
    layers: tuple[Layer, ...]
    platform: str
    user: str
    command: str  # ENTRYPOINT and CMD, as JSON
    environment: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers: what `docker image ls` shows of an image that was pulled or loaded."""
        return sum(layer.size for layer in self.layers)


Counted = tuple[str, int, int, int | None]  # digest, bytes, files and compressed bytes of one layer


class Counts(Protocol):
    """Where counted layers are kept, by the SHA-256 under which an archive names them."""

    def get(self, name: str) -> Counted | None: ...
    def put(self, name: str, counts: Counted) -> None: ...


def measure(archive: IO[bytes], *, compress: bool = False, counted: Counts | None = None) -> Image:
    """Read the output of `docker image save` as a stream, holding none of its files in memory.

    `compress` also counts what each layer takes when it is gzipped, which takes its time. `counted` holds the layers
    that are known already, and is handed those that are new.
    Raises CannotMeasureError where it is no such archive, or holds more than one image.
    """
    documents: dict[str, bytes] = {}
    measured: dict[str, Counted] = {}
    links: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=archive, mode="r|") as outer:
            for member in outer:
                if member.issym() or member.islnk():
                    # A symbolic link counts from its own folder, a hard one from the root of the archive.
                    up = "../" * member.name.count("/") if member.islnk() else ""
                    links[member.name] = up + member.linkname
                elif counted and (name := _content_of(member.name)) and (known := counted.get(name)):
                    measured[member.name] = known
                elif member.isreg() and (content := outer.extractfile(member)) is not None:
                    head = content.read(_BLOCK)
                    if _is_layer(head):
                        measured[member.name] = count(content, head=head, compress=compress)
                        if counted and (name := _content_of(member.name)):
                            counted.put(name, measured[member.name])
                    elif member.size <= _JSON_CAP:
                        documents[member.name] = head + content.read()
        manifests: list[dict[str, Any]] = json.loads(documents["manifest.json"])
        if len(manifests) != 1:
            raise CannotMeasureError(f"the archive holds {len(manifests)} images, not one")
        config_bytes = documents[manifests[0]["Config"]]
        names = [_follow(name, links) for name in manifests[0]["Layers"]]
        return assembled(config_bytes, [measured[name] for name in names])
    except (tarfile.TarError, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise CannotMeasureError(f"the saved image could not be read: {error!r}") from error


def _content_of(member: str) -> str:
    """The SHA-256 by which an archive names a layer, and nothing for what is named otherwise."""
    return found[1] if (found := _CONTENT.fullmatch(member)) else ""


def assembled(config_bytes: bytes, found: list[Counted]) -> Image:
    """An image of its configuration and its counted layers, the lowest first."""
    config: dict[str, Any] = json.loads(config_bytes)
    settings = config.get("config") or {}
    instructions = [h.get("created_by", "") for h in config.get("history") or [] if not h.get("empty_layer")]
    if len(instructions) != len(found):
        instructions = [""] * len(found)
    return Image(
        id="sha256:" + hashlib.sha256(config_bytes).hexdigest(),
        layers=tuple(
            Layer(diff_id, digest, size, files, compressed, instruction)
            for diff_id, (digest, size, files, compressed), instruction in zip(
                config["rootfs"]["diff_ids"], found, instructions, strict=True
            )
        ),
        platform="/".join(v for v in (config["os"], config["architecture"], config.get("variant")) if v),
        user=settings.get("User") or "",
        command=json.dumps([*(settings.get("Entrypoint") or []), *(settings.get("Cmd") or [])]),
        environment=tuple(settings.get("Env") or ()),
    )


def base_layers(image: Image, base: Sequence[str]) -> int:
    """How many layers of `image` are those of its base, whose diff IDs are given: all of them, as an exact prefix.

    Raises CannotMeasureError where they are not.
    """
    mine = [layer.diff_id for layer in image.layers[: len(base)]]
    if mine != list(base):
        raise CannotMeasureError(
            "the image does not begin with the layers of its base",
            evidence=f"image {[d[:19] for d in mine]}\nbase  {[d[:19] for d in base]}",
        )
    return len(base)


def count(archive: IO[bytes], *, head: bytes = b"", compress: bool = False) -> Counted:
    """Count what is in the archive of a layer, of which the first bytes may have been read into `head` already."""
    content = _Joined(head, archive, compress=compress)
    entries: list[str] = []
    size = files = 0
    with tarfile.open(fileobj=cast(IO[bytes], content), mode="r|*", bufsize=_PIECE) as layer:
        for member in layer:
            inner = ""
            if member.isreg():
                stream = layer.extractfile(member)
                assert stream is not None
                inner = _hash(stream)
                size += member.size
                files += 1
            elif member.issym():
                size += len(member.linkname.encode("utf-8", "surrogateescape"))
            fields = (
                *(member.name, member.type.decode("ascii", "replace"), member.mode, member.uid, member.gid),
                *(member.size if member.isreg() else 0, member.linkname, inner),
            )
            entries.append(json.dumps(fields))
    digest = "sha256:" + hashlib.sha256("\n".join(sorted(entries)).encode()).hexdigest()
    return digest, size, files, content.compressed()


def _hash(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_PIECE):
        digest.update(chunk)
    return digest.hexdigest()


def _is_layer(head: bytes) -> bool:
    # A tar archive names itself in its first header; an empty one is zeros; a compressed one is gzip or zstd.
    return head[257:262] == b"ustar" or (bool(head) and not head.strip(b"\0")) or head[:2] == b"\x1f\x8b"


def _follow(name: str, links: dict[str, str]) -> str:
    for _ in range(len(links)):
        if name not in links:
            break
        folder = name.rpartition("/")[0].split("/")
        for part in links[name].split("/"):
            folder = folder[:-1] if part == ".." else [*folder, part]
        name = "/".join(part for part in folder if part)
    return name


class _Joined:
    """A stream whose first bytes were already read, and that can be compressed as it passes by."""

    def __init__(self, head: bytes, rest: IO[bytes], *, compress: bool = False) -> None:
        self._head, self._rest = head, rest
        # gzip's own header and trailer, 18 bytes, are counted at the end.
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS) if compress else None
        self._written = 0

    def read(self, size: int = -1) -> bytes:
        head, self._head = (self._head[:size], self._head[size:]) if size >= 0 else (self._head, b"")
        wanted = size - len(head) if size >= 0 else -1
        data = head + (self._rest.read(wanted) if wanted else b"")
        if self._compressor:
            self._written += len(self._compressor.compress(data))
        return data

    def compressed(self) -> int | None:
        """Bytes of the whole stream, gzipped; reads what is left of it."""
        if self._compressor is None:
            return None
        while self.read(_PIECE):
            pass
        return self._written + len(self._compressor.flush()) + 18
