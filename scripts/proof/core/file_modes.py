"""Which files are executable, including on file systems that do not store it.

On Windows' disks in WSL, for example, every file is executable. Git finds that out when it creates or clones a
repository, and sets `core.fileMode` to false; then it takes modes from its index, and so does this module. It reads the
index itself: pages need modes, and rendering a page starts no process.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

from proof.core import files

_LARGEST = 200_000_000  # bytes of an index
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)\s*(?:"[^"]*")?\s*\]')
_SETTING = re.compile(r"\s*([\w-]+)\s*=\s*(\w+)\s*(?:[#;].*)?")
_FALSE = ("false", "no", "off", "0")
_EXTENDED = 0x4000  # in an entry's flags: a second field of flags follows


def executable(folder: Path) -> Callable[[Path, int], bool]:
    """A function that tells from a path in `folder` and its `st_mode` whether its owner may execute the file.

    Where git takes modes from its index, a file that git does not know is not executable: so git would add it.
    """
    known = _from_git(folder)
    if known is None:
        return lambda path, mode: bool(mode & 0o100)
    return lambda path, mode: path in known


def _from_git(folder: Path) -> frozenset[Path] | None:
    """The executable files of the repository around `folder`. None if the file system's own modes are to be used."""
    top = next((place for place in folder.parents if os.path.exists(f"{place}/.git")), None)  # noqa: PTH110 - quicker
    if top is None:
        return None
    own, common = _places(top)
    config, index = common / "config", own / "index"
    if not config.is_file():
        return None
    settings = _settings(config, config.stat().st_mtime_ns)
    if settings.get("core.filemode") not in _FALSE:
        return None
    if not index.is_file():
        return frozenset()  # nothing was added yet; git will add files as not executable
    digest = 32 if settings.get("extensions.objectformat") == "sha256" else 20
    return _executables(top, index, digest, index.stat().st_mtime_ns)


def _places(top: Path) -> tuple[Path, Path]:
    """Git's directory for the checkout at `top`, and the one that it shares with other worktrees."""
    own = top / ".git"
    if own.is_file():  # of a worktree or a submodule
        own = top / files.read_text(own, below=top, limit=10_000).removeprefix("gitdir: ").strip()
    common = own / "commondir"
    return own, own / files.read_text(common, below=own, limit=10_000).strip() if common.is_file() else own


@functools.lru_cache(maxsize=4)
def _settings(path: Path, _changed: int) -> dict[str, str]:
    """The plain settings of a repository, as section.key in lower case."""
    section, found = "", {}
    for line in files.read_text(path, below=path.parent, limit=1_000_000).splitlines():
        if heading := _SECTION.match(line):
            section = heading[1]
        elif setting := _SETTING.fullmatch(line):
            found[f"{section}.{setting[1]}".lower()] = setting[2].lower()
    return found


@functools.lru_cache(maxsize=4)
def _executables(top: Path, index: Path, digest: int, _changed: int) -> frozenset[Path] | None:
    """The executable files of an index; None for one that this module does not know. See gitformat-index(5)."""
    data = files.read(index, below=index.parent, limit=_LARGEST)
    programs = set()
    try:
        signature, version, count = struct.unpack_from(">4sII", data)
        if signature != b"DIRC" or version not in (2, 3):
            return None
        at = 12
        for _ in range(count):
            (mode,) = struct.unpack_from(">I", data, at + 24)
            (flags,) = struct.unpack_from(">H", data, at + 40 + digest)
            begin = at + 42 + digest + (2 if flags & _EXTENDED else 0)
            end = data.index(b"\0", begin)
            at += (end - at + 8) // 8 * 8
            if mode == 0o100755:
                programs.add(top / data[begin:end].decode(errors="surrogateescape"))
        # A split index has only what changed since the other half was written.
        return None if data[at : at + 4] == b"link" else frozenset(programs)
    except (struct.error, ValueError, IndexError):
        return None
