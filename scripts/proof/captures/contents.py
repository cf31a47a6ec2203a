"""The captured contents of an image's layers: how they are written, checked and compared.

contents.json has a list for each layer, with one row a line: `[depth, kind, name, size, files, hidden]`. Rows that are
deeper follow the directory that they are in. Each directory is exactly the sum of the rows in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import NamedTuple

from proof.captures.model import CapturedEntry, CapturedLayer
from proof.core import units
from proof.core.text import visible
from proof.core.validate import validate

FILE = "contents.json"
_MOST = 5_000  # rows of a layer; the tool writes about a hundred
_DEEPEST = 32
_LONGEST = 200  # characters of a name; the tool writes at most a hundred
BLOCK = 4096  # bytes: the smallest file that counts as noise
_KINDS = frozenset({"directory", "file", "link", "removed", "others"})


def to_text(layers: Sequence[CapturedLayer]) -> str:
    """The contents of the layers as the text of contents.json. Empty if they were not captured."""
    if not any(layer.contents for layer in layers):
        return ""
    blocks = (",\n".join(f"  {json.dumps(astuple(entry))}" for entry in layer.contents) for layer in layers)
    return "[\n" + ",\n".join(f" [\n{block}\n ]" for block in blocks) + "\n]\n"


def from_text(text: str) -> list[tuple[CapturedEntry, ...]]:
    """The contents of each layer. Raises ValueError or TypeError if the text is not as `to_text` writes it."""
    return [tuple(CapturedEntry(*row) for row in rows) for rows in json.loads(text)]


def check(layers: Sequence[CapturedLayer]) -> None:
    """Raise ValueError unless the contents add up to their layers, exactly, or if a name is not harmless."""
    for number, layer in enumerate(layers, start=1):
        try:
            _check(layer)
        except (ValueError, TypeError) as error:
            raise ValueError(f"layer {number}: {error}") from error


def _check(layer: CapturedLayer) -> None:
    entries = layer.contents
    if not entries or len(entries) > _MOST:
        raise ValueError(f"it has {len(entries):,} rows")
    first = validate(entries[0])
    if (first.depth, first.kind, first.name) != (0, "directory", ""):
        raise ValueError("its first row is not the layer")
    if (first.size, first.files) != (layer.size, layer.files):
        raise ValueError(f"its contents have {first.size:,} B in {first.files:,} files, not {layer.size:,} B")
    open_: list[tuple[CapturedEntry, list[CapturedEntry]]] = []
    for entry in entries:
        _check_entry(validate(entry), len(open_))
        while len(open_) > entry.depth:
            _check_sum(*open_.pop())
        if open_:
            above, inside = open_[-1]
            if above.kind != "directory":
                raise ValueError(f"{above.name!r:.60} is not a directory")
            inside.append(entry)
        open_.append((entry, []))
    while open_:
        _check_sum(*open_.pop())


def _check_entry(entry: CapturedEntry, deepest: int) -> None:
    if entry.depth != 0 and not 0 < entry.depth <= min(deepest, _DEEPEST):
        raise ValueError(f"{entry.name!r:.60} is in no directory")
    if (entry.depth == 0) is not (deepest == 0):
        raise ValueError("a layer in a layer")
    if entry.kind not in _KINDS or (not entry.name) is not (entry.kind == "others" or entry.depth == 0):
        raise ValueError(f"{entry.name!r:.60} is a {entry.kind!r:.20}")
    if "/" in entry.name:
        raise ValueError(f"{entry.name!r:.60} is a path, not a name")
    if entry.kind == "file" and not entry.files:
        raise ValueError(f"{entry.name!r:.60} is a file that counts none")
    if len(entry.name) > _LONGEST or "\n" in entry.name or "\t" in entry.name or visible(entry.name) != entry.name:
        raise ValueError(f"the name {entry.name!r:.60} is too long, or not visible")
    if not 0 <= entry.hidden <= entry.size or entry.files < 0:
        raise ValueError(f"{entry.name!r:.60} hides {entry.hidden} of {entry.size} B")


def _check_sum(entry: CapturedEntry, inside: Sequence[CapturedEntry]) -> None:
    names = Counter(each.name for each in inside)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"{twice[0]!r:.60} is there twice")
    for part in ("size", "files", "hidden"):
        whole, found = getattr(entry, part), sum(getattr(each, part) for each in inside)
        if inside and whole != found:
            raise ValueError(f"{entry.name!r:.60} has {whole:,} as its {part}, and what is in it {found:,}")


def paths(entries: Sequence[CapturedEntry]) -> Iterator[tuple[str, CapturedEntry]]:
    """Each entry with its path, which is `/` for the layer, and ends in `/*` for what is not listed."""
    at: list[str] = []
    for entry in entries:
        at = [*at[: entry.depth - 1], entry.name or "*"] if entry.depth else []
        yield "/" + "/".join(at), entry


def below(layers: Sequence[CapturedLayer], path: str) -> int | None:
    """The bytes at this path and below it that no later layer hides. None if no layer has it."""
    found = [entry for layer in layers for each, entry in paths(layer.contents) if each == path]
    return sum(entry.size - entry.hidden for entry in found) if found else None


def lacks(layer: CapturedLayer, path: str, *, removed: bool) -> bool:
    """Whether the contents of a layer, if it has them, say that it does not have this path, or hide it if `removed`.

    Small entries are not listed, but are summed up in their directory.
    """
    listed = dict(paths(layer.contents))
    if path in listed:
        return listed[path].kind == "removed" and not removed
    above = path
    while above and above not in listed:
        above = above.rpartition("/")[0]
    inside = [each for each in listed if each != "/" and each.rpartition("/")[0] == above]
    return bool(inside) and f"{above}/*" not in inside


class Moved(NamedTuple):
    """An entry that is not the same in two captures."""

    path: str
    old: str
    new: str


def differences(old: Sequence[CapturedEntry], new: Sequence[CapturedEntry], noise: int = 0) -> Iterator[Moved]:
    """The entries of a layer that differ.

    With `noise`, the size of each may differ by as many bytes, and entries of as many bytes in all may be in one of the
    two only. What is not listed needs no comparison then: it is a directory's size without what is listed.
    """
    before, after = dict(paths(old)), dict(paths(new))
    left = noise
    lone: set[str] = set()
    for path in dict.fromkeys([*before, *after]):
        was, now = before.get(path), after.get(path)
        if was == now or (noise and path.endswith("/*")):
            continue
        if was and now:
            if (was.depth, was.kind) != (now.depth, now.kind) or not _is_near(was, now, noise):
                yield Moved(path, _written(was), _written(now))
        elif path.rpartition("/")[0] in lone:
            lone.add(path)  # said of its directory
        else:
            lone.add(path)
            left -= (was.size if was else 0) + (now.size if now else 0)
            if left < 0 or not noise:
                yield Moved(path, _written(was), _written(now))


def _is_near(was: CapturedEntry, now: CapturedEntry, noise: int) -> bool:
    return (
        abs(now.size - was.size) <= noise
        and abs(now.hidden - was.hidden) <= noise
        and abs(now.files - was.files) <= noise // BLOCK
    )


def _written(entry: CapturedEntry | None) -> str:
    if entry is None:
        return "(none)"
    hidden = f", {entry.hidden:,} B hidden" if entry.hidden else ""
    return f"{entry.kind}: {entry.size:,} B in {units.counted(entry.files, 'file')}{hidden}"
