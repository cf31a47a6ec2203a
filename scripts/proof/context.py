"""What a build is handed: the files of context/, as they must be before they are copied, sent or shown.

They may come from a stranger's pull request. A link that leads out of the folder would show a file of this machine; a
pipe, a device or a sparse file of a terabyte would stop the run or fill the disk.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from proof.errors import RefusedError, Where, unseen

# At any depth: version control, and what file managers and editors put beside a file that is looked at. A snippet must
# not differ by who looks at it.
left_out = shutil.ignore_patterns(".git", ".DS_Store", "*~", ".*.sw?", ".#*", "4913")
_LARGEST = 50_000_000  # bytes in all: a context is what a reader would copy
_MOST = 5_000  # files and folders
_LONGEST = 500  # bytes of one path: an archive of the context must be able to name it


def files(context: Path) -> list[Path]:
    """Every file and link that a build is handed, sorted; links are not followed."""
    return sorted(path for path in _walk(context) if path.is_symlink() or path.is_file())


def holds(context: Path, name: str) -> bool:
    """Whether a build is handed a file of this name: what is left out was not checked, and may lead anywhere."""
    inside, end = Path(os.path.realpath(context)), Path(os.path.realpath(context / name))
    if not (end.is_file() and end.is_relative_to(inside)):
        return False
    return not left_out(str(context), list(end.relative_to(inside).parts))


def check(context: Path) -> None:
    """Raises RefusedError, with the path, for what is no plain file, folder or link within the context."""
    if context.is_symlink():
        raise RefusedError("this folder is a link", where=Where(context), cure="a folder of its own")
    inside = os.path.realpath(context)
    size = 0
    for count, path in enumerate(_walk(context), start=1):
        about = path.lstat()
        mode = about.st_mode
        # A name is checked before anything is said of the file: from here on it can be printed.
        if hidden := unseen(name := path.name):
            raise RefusedError(
                f"a file's name holds the character {hidden}, which cannot be seen",
                where=Where(path.parent),
                evidence=name.encode("unicode_escape").decode("ascii"),
                cure="rename it",
            )
        if len(os.fsencode(path.relative_to(context))) > _LONGEST:
            raise RefusedError(f"a path is longer than {_LONGEST} bytes", where=Where(context), cure="a shorter one")
        if stat.S_ISLNK(mode):
            _check_link(path, inside)
        elif not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise RefusedError(
                f"this is a {_kind(mode)}, and a context holds files, folders and links",
                where=Where(path),
                cure="take it out of context/",
            )
        size += about.st_size if stat.S_ISREG(mode) else 0
        if size > _LARGEST or count > _MOST:
            what = f"more than {_LARGEST:,} bytes" if size > _LARGEST else f"more than {_MOST:,} files"
            raise RefusedError(
                f"the context holds {what}: it is what a reader would copy",
                where=Where(path),
                cure="let a command of the snippet make what is large",
            )


def _check_link(path: Path, inside: str) -> None:
    target = path.readlink()
    end = os.path.realpath(path)
    if target.is_absolute() or os.path.commonpath([inside, end]) != inside:
        raise RefusedError(
            "this link leads out of the context",
            where=Where(path),
            evidence=f"{path.name} -> {target}",
            cure="a relative link to a file beside it, or the file itself",
        )
    try:
        path.stat()
    except FileNotFoundError:
        pass  # it leads to what an image may have, and to nothing here
    except (OSError, RuntimeError) as error:
        raise RefusedError(
            "this link leads to itself", where=Where(path), evidence=f"{path.name} -> {target}", cure="rm it"
        ) from error


def _walk(context: Path) -> Iterator[Path]:
    """Everything below the folder but what is left out, folders included, links not followed."""
    for folder, folders, names in os.walk(context):
        unwanted = left_out(folder, [*folders, *names])
        folders[:] = sorted(set(folders) - unwanted)
        yield from (Path(folder, name) for name in (*folders, *sorted(set(names) - unwanted)))


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "named pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"))
    return next((name for test, name in kinds if test(mode)), "device")
