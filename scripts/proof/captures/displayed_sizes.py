"""Checks the sizes that Docker 29 displays for an image, which do not follow from its layers.

DISK USAGE is CONTENT SIZE, the image as a registry has it, and what the store unpacks. For another platform, it unpacks
nothing. If a table of images in the same capture has both, they have to be those of the facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from proof.captures.model import Capture
from proof.core import units
from proof.snippets.model import Snippet

_NAMES = ("disk_usage", "content_size")
# A row of a table of images: `NAME TAG ID …`, or from Docker 29 on `NAME:TAG ID …`. No two parts match the same spaces,
# since an output may be very long.
_ROW = re.compile(r"(\S+)( +\S+)? +([0-9a-f]{12}) +(\S.*)", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?[kMGT]?B")
_BOTH = re.compile(rf"({_SIZE.pattern}) +({_SIZE.pattern})(?: .*)?")
_OVERHEAD = 8192  # bytes per file that a store may count besides its content: a block, and headers in the archive
_FIXED = 1_000_000  # bytes per image: directories and metadata
_MANIFESTS = 50_000  # bytes of an image besides its layers: manifests, and how it was built


class Row(NamedTuple):
    """A row of a table of images."""

    name: str  # with its tag, if that is not in a column of its own
    tag: str  # empty if it is in the name
    image: str  # the short ID
    cells: str  # the other ones

    @property
    def both(self) -> tuple[str, str] | None:
        """DISK USAGE and CONTENT SIZE, which only Docker 29 and later show."""
        found = _BOTH.fullmatch(self.cells)
        return (found[1], found[2]) if found else None

    @property
    def size(self) -> str | None:
        """The size of the image: the last cell, or from Docker 29 on the first one."""
        last = self.cells.rstrip().rpartition(" ")[2]
        return self.both[0] if self.both else last if _SIZE.fullmatch(last) else None


def rows(output: str) -> Iterator[Row]:
    """The rows of a table of images."""
    for found in filter(None, map(_ROW.fullmatch, output.split("\n"))):
        row = Row(found[1], (found[2] or "").strip(), found[3], found[4])
        if row.tag or ":" in row.name:
            yield row


def most_unpacked(capture: Capture, size: int) -> float:
    """The most that containerd's store may count for the files of an image whose layers hold `size` bytes."""
    return 1.1 * size + _OVERHEAD * sum(layer.files for layer in capture.layers) + _FIXED


def contradictions(capture: Capture, snippet: Snippet) -> Iterator[str]:
    """Why the displayed sizes among the facts are not those of the image in the capture."""
    names = [name for name in _NAMES if name in capture.facts]
    if not names:
        return
    if len(names) < len(_NAMES) or not capture.engine.shows_both_sizes:
        yield f"{capture.engine} does not display {' and '.join(names)}{'' if names[1:] else ' alone'}"
        return
    facts = [_bytes(capture, name) for name in names]
    for step, *shown in _tables(capture, snippet):
        for name, fact, size in zip(names, facts, shown, strict=True):
            if fact != units.parse_size(size):
                yield f"{name} is {units.size(fact)}, but {step} says {size}"
    if not _fits(capture, *facts):
        written = " and ".join(map(units.size, facts))
        yield f"{' and '.join(names)} are {written}, which no image with these layers has"


def _tables(capture: Capture, snippet: Snippet) -> Iterator[tuple[str, str, str]]:
    """Both sizes in each table that lists the image, with the name of its step. A later build replaces the image."""
    build = snippet.step_of("disk_usage")
    image = snippet.image if ":" in (snippet.image or "") else f"{snippet.image}:latest"
    for step in snippet.steps[snippet.steps.index(build) :] if build else ():
        done = capture.step(step.name) if step.command.verb == "ls" else None
        for row in rows(done.output) if done else ():
            if row.name == image and not row.tag and row.both:
                yield step.name, *row.both


def _fits(capture: Capture, disk_usage: int, content_size: int) -> bool:
    """Whether an image of these layers can have these sizes."""
    size = sum(layer.size for layer in capture.layers)
    most = most_unpacked(capture, size)
    unpacked = disk_usage - content_size
    sent = _bytes(capture, "transfer_size")
    is_sent = sent < 0 or abs(content_size - sent) <= units.COMPRESSED * content_size + _MANIFESTS
    return 0 < content_size <= most and is_sent and (not unpacked or 0.98 * size <= unpacked <= most)


def _bytes(capture: Capture, name: str) -> int:
    """The value of a fact in bytes; -1 if there is none."""
    value = capture.facts[name].value if name in capture.facts else -1
    return value if isinstance(value, int) else -1
