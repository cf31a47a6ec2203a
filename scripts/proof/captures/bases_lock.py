"""Reads and writes snippets/bases.lock: the digest of each registry base that the captures were made with.

One line per base, `REFERENCE@DIGEST`. `proof update` writes the file together with those captures, so a review shows
both. Later runs use these images, wherever the tags have moved, until `proof update --newest-bases` moves the lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from proof.captures.model import Capture
from proof.core.errors import ManifestError, RefusedError, Where, command
from proof.core.files import read_text, write_whole
from proof.snippets.base_images import Bases
from proof.snippets.commands import base_name
from proof.snippets.model import Snippet

FILE = "bases.lock"
_HEAD = "# Written by `proof update` with the captures, and by nobody else. It is committed, like they are.\n"
_LARGEST = 1_000_000  # bytes
_LINE = re.compile(r"([A-Za-z0-9._/:-]+)@(sha256:[0-9a-f]{64})")


def load(root: Path, known: Bases) -> dict[str, str]:
    """The digest of each base, by its name in bases.toml. Raises ManifestError for a malformed line."""
    path = root / "snippets" / FILE
    names = {base.registry: name for name, base in known.images.items()}
    pinned = {}
    try:
        text = read_text(path, below=root, limit=_LARGEST)
    except FileNotFoundError:
        return {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        if line and not line.startswith("#"):
            if not (found := _LINE.fullmatch(line)):
                raise ManifestError(
                    "expected an image with its digest",
                    where=Where(path, number),
                    evidence=line,
                    hint=command("git", "checkout", path),
                )
            if found[1] in names:  # the next update removes bases that bases.toml no longer has
                pinned[names[found[1]]] = found[2]
    return pinned


def moved(pinned: Mapping[str, str], found: Mapping[str, str], known: Bases) -> Iterator[str]:
    """Messages for users: each base whose tag no longer points to the locked image."""
    for name, digest in found.items():
        if pinned.get(name, digest) != digest:
            yield f"{known.images[name].registry} has moved: it was {pinned[name]}, now it is {digest}"


def locked(snippets: Iterable[Snippet], pinned: Mapping[str, str], *, complete: bool) -> dict[str, str]:
    """The digest of each base: from bases.lock, or from a Dockerfile if that has none, unless it is `complete`.

    Raises RefusedError for a digest in a Dockerfile that differs, or that a complete lock doesn't have.
    """
    found = dict(pinned)
    for snippet in snippets:
        for name, (digest, where) in snippet.pins.items():
            known = found.get(name, "") if complete else found.setdefault(name, digest)
            if known != digest:
                raise RefusedError(
                    f"this digest of {name} is not the one in {FILE}" if known else f"{FILE} has no digest of {name}",
                    where=where,
                    evidence=f"here      {digest}\nthe lock  {known or 'nothing'}",
                    hint=f"write @{known}; or move both: proof update --newest-bases"
                    if known
                    else 'leave the digest out; or pull the base images: bases = "registry" in proof.toml',
                )
    return found


def move_pins(snippets: Iterable[Snippet], digests: Mapping[str, str]) -> Iterator[Path]:
    """Write these digests, by base, into the Dockerfiles that name the bases with others. The paths that changed."""
    builds = [build for snippet in snippets for build in snippet.dockerfiles.values()]
    texts = {build.path: build.text for build in builds}
    moved = dict(texts)
    for build in builds:
        lines = moved[build.path].split("\n")
        for mention in build.needed:
            new = digests.get(base_name(mention.image), mention.digest)
            for number in range(mention.first - 1, mention.last) if mention.digest else ():
                lines[number] = lines[number].replace(f"@{mention.digest}", f"@{new}")
        moved[build.path] = "\n".join(lines)
    for path, text in moved.items():
        if text != texts[path]:
            write_whole(path, text)
            yield path


def keep(root: Path, known: Bases, captures: Iterable[Capture]) -> None:
    """Lock the images that these captures were made with. Other lines stay as they are."""
    pinned = load(root, known)
    for capture in captures:
        for name, origin in capture.provenance.bases.items():
            pinned[name] = origin.rpartition("@")[2]
    if pinned:
        lines = sorted(f"{known.images[name].registry}@{digest}\n" for name, digest in pinned.items())
        write_whole(root / "snippets" / FILE, _HEAD + "".join(lines))
