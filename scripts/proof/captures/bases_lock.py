"""snippets/bases.lock: which image each of the registry's bases was when its captures were made.

A line a base, `REFERENCE@DIGEST`. The tool alone writes it, together with those captures, so that a change of it is
read beside what it brought; whoever asks the registry next is told by it that a tag has moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from proof.captures.model import Capture
from proof.core.errors import ManifestError, Where
from proof.core.files import read_text, write_whole
from proof.snippets.base_images import Bases

FILE = "bases.lock"
_HEAD = "# Written by `proof update --bases registry`, and by nobody else.\n"
_LARGEST = 1_000_000  # bytes
_LINE = re.compile(r"([A-Za-z0-9._/:-]+)@(sha256:[0-9a-f]{64})")


def load(root: Path, known: Bases) -> dict[str, str]:
    """The digest of each base, by its name in bases.toml; ManifestError with the line that is none."""
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
                    hint=f"git checkout {path}",
                )
            if found[1] in names:  # one that bases.toml no longer has goes with the next update
                pinned[names[found[1]]] = found[2]
    return pinned


def moved(pinned: Mapping[str, str], found: Mapping[str, str], known: Bases) -> Iterator[str]:
    """For readers: each base whose tag stands for another image than the lock has."""
    for name, digest in found.items():
        if pinned.get(name, digest) != digest:
            yield f"{known.images[name].registry} has moved: it was {pinned[name]}, and now is {digest}"


def keep(root: Path, known: Bases, captures: Iterable[Capture]) -> None:
    """Lock the images that these captures were made of; what they do not name stays as it was."""
    pinned = load(root, known)
    for capture in captures:
        for name, origin in capture.provenance.bases.items():
            pinned[name] = origin.rpartition("@")[2]
    if pinned:
        lines = sorted(f"{known.images[name].registry}@{digest}\n" for name, digest in pinned.items())
        write_whole(root / "snippets" / FILE, _HEAD + "".join(lines))
