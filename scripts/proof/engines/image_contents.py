"""What is in each layer of an image: its directories and files by size, and what later layers hide of them.

A layer can have a million files, so small entries are summed up in their directory. The sums stay exact: the rows below
a directory add up to it, and all rows of a layer to the layer. Names come from the image and are not trusted: control
characters and bytes that aren't UTF-8 become visible, and long names are cut.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from proof.core.text import visible

_ROWS = 40  # of a layer; in addition to the sums of what is left out
_DEEPEST = 16  # directories below each other; what is deeper is summed up
_LONGEST = 100  # characters of a name
_REMOVED = ".wh."  # a file with this prefix says that a layer removes the one without it
_OPAQUE = ".wh..wh..opq"  # a file with this name says that a layer removes all that its directory held before
_BREAKS = str.maketrans("\n\t", "␊␉")  # which `visible` leaves as they are

# An entry of an archive. "hard" is another name of a file, whose `target` it is; "removed" and "opaque" remove.
MemberKind = Literal["file", "link", "hard", "directory", "removed", "opaque", "other"]
RowKind = Literal["directory", "file", "link", "removed", "others"]
# How entries are shown that count something themselves.
_SHOWN: dict[MemberKind, RowKind] = {"file": "file", "link": "link", "removed": "removed", "opaque": "removed"}


class Member(NamedTuple):
    """An entry in the archive of a layer."""

    path: str  # without a slash at either end
    kind: MemberKind
    size: int  # bytes that count: of a regular file, or of a symlink's target
    target: str = ""


class Row(NamedTuple):
    """A line of a layer's contents. Rows that are deeper follow the directory that they are in."""

    depth: int  # 0 for the layer itself
    kind: RowKind
    name: str  # in its directory; empty for the layer, and for "others", the sum of what is not listed
    size: int  # bytes of files and of symlink targets, with everything below
    files: int  # number of regular files
    hidden: int  # bytes of `size` that a later layer hides


def member_of(info: tarfile.TarInfo) -> Member:
    """The entry, as far as contents need it."""
    path = _plain(info.name)
    folder, _, name = path.rpartition("/")
    if info.isreg() and name == _OPAQUE:
        return Member(path, "opaque", info.size, folder)
    if info.isreg() and name.startswith(_REMOVED):
        return Member(path, "removed", info.size, f"{folder}/{name.removeprefix(_REMOVED)}".lstrip("/"))
    if info.isreg():
        return Member(path, "file", info.size)
    if info.issym():
        return Member(path, "link", len(info.linkname.encode("utf-8", "surrogateescape")))
    if info.islnk():
        return Member(path, "hard", 0, _plain(info.linkname))
    return Member(path, "directory" if info.isdir() else "other", 0)


def contents(
    layers: Sequence[Sequence[Member]], kept: Iterable[str] = (), *, check: Callable[[], None] = lambda: None
) -> list[tuple[Row, ...]]:
    """The rows of each layer, the lowest layer first. Paths in `kept` always have a row where a layer has them.

    `check` is called for each member, and raises an error at a deadline.
    """
    wanted = [tuple(_plain(path).split("/")) for path in kept]
    listed = {path[:end] for path in wanted for end in range(1, len(path) + 1)}
    trees = (_tree(members, gone) for members, gone in zip(layers, _hidden(layers, check), strict=True))
    return [tuple(_rows(tree, _least(tree), listed)) for tree in trees]


def _plain(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _hidden(layers: Sequence[Sequence[Member]], check: Callable[[], None]) -> list[list[bool]]:
    """Whether each member of each layer is hidden by a later layer, or by a later member with its name."""
    replaced: set[str] = set()  # in the layers above: every path
    ended: set[str] = set()  # paths that are no directory there, so they hide everything below them too
    emptied: set[str] = set()  # directories that hide what was in them before
    hidden = []
    for members in reversed(layers):
        gone = []
        again: set[str] = set()
        for path, kind, _, _ in reversed(members):
            check()
            has_name_of_later = kind != "directory" and (path in replaced or path in again)
            gone.append(has_name_of_later or _is_below(path, ended, emptied))
            if kind != "directory":
                again.add(path)
        gone.reverse()
        _keep_linked(members, gone)
        hidden.append(gone)
        for path, kind, _, target in members:
            if kind == "removed":
                ended.add(target)
            elif kind == "opaque":
                emptied.add(target)
            else:
                replaced.add(path)
                if kind != "directory":
                    ended.add(path)
    return hidden[::-1]


def _is_below(path: str, ended: set[str], emptied: set[str]) -> bool:
    if path in ended:
        return True
    while path and (ended or emptied):
        path = path.rpartition("/")[0]
        if path in ended or path in emptied:
            return True
    return False


def _keep_linked(members: Sequence[Member], gone: list[bool]) -> None:
    """A file with several names is hidden only if all of them are."""
    seen = {member.target for member, hides in zip(members, gone, strict=True) if member.kind == "hard" and not hides}
    if seen:
        for i, member in enumerate(members):
            if member.kind == "file" and member.path in seen:
                gone[i] = False


class _Node:
    __slots__ = ("below", "files", "hidden", "kind", "size")

    def __init__(self, kind: RowKind) -> None:
        self.kind = kind
        self.size = self.files = self.hidden = 0
        self.below: dict[str, _Node] = {}


def _tree(members: Sequence[Member], gone: Sequence[bool]) -> _Node:
    top = _Node("directory")
    for (path, kind, size, target), hidden in zip(members, gone, strict=True):
        if kind not in _SHOWN:
            continue
        node = top
        parts = list(filter(None, (target if kind == "removed" else path).split("/")))
        for depth, part in enumerate([None, *parts[:_DEEPEST]]):
            if part is not None:
                name = _readable(part)
                if name not in node.below:
                    node.below[name] = _Node(_SHOWN[kind] if depth == len(parts) else "directory")
                node = node.below[name]
            node.size += size
            node.files += kind != "link"
            node.hidden += size if hidden else 0
    return top


def _readable(name: str) -> str:
    """A name as a reader sees it."""
    if not (name.isascii() and name.isprintable()):
        text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        name = visible(text).translate(_BREAKS)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 21]}…{name[-20:]}"


def _least(top: _Node) -> int:
    """The size from which an entry has a row of its own: the smallest power of two with few enough of these.

    A threshold, because with a fixed number of rows a small difference in one file could change which others are shown.
    """
    sizes = []
    left = [top]
    while left:
        node = left.pop()
        sizes.append(node.size)
        left += node.below.values()
    least = 0
    while sum(size >= least for size in sizes) > _ROWS:
        least = least * 2 or 1
    return least


def _rows(node: _Node, least: int, listed: set[tuple[str, ...]], at: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of the node at this path and of what is below it, the largest first.

    Those of at least `least` bytes have one of their own, and those whose paths are in `listed`.
    """
    kind: RowKind = "directory" if node.below else node.kind
    yield Row(len(at), kind, at[-1] if at else "", node.size, node.files, node.hidden)
    own = {name for name, child in node.below.items() if child.size >= least or (*at, name) in listed}
    if own and len(node.below) - len(own) == 1:
        own = set(node.below)  # a single one takes no more room with its name
    rest = [node.size, node.files, node.hidden]
    for name in sorted(own, key=lambda name: (-node.below[name].size, name)):
        child = node.below[name]
        rest = [rest[0] - child.size, rest[1] - child.files, rest[2] - child.hidden]
        yield from _rows(child, least, listed, (*at, name))
    if own and any(rest):
        yield Row(len(at) + 1, "others", "", *rest)
