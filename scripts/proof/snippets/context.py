"""What a build is handed: the files of context/, as they must be before they are copied, sent or shown.

They may come from a stranger's pull request. A link that leads out of the folder would show a file of this machine; a
pipe, a device or a sparse file of a terabyte would stop the run or fill the disk.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from proof.core.errors import RefusedError, Where
from proof.core.files import directory, kind, read, read_in
from proof.core.text import first_invisible

# At any depth: version control, and what file managers and editors put beside a file that is looked at. A snippet must
# not differ by who looks at it.
ignored = shutil.ignore_patterns(".git", ".DS_Store", "*~", ".*.sw?", ".#*", "4913")
LARGEST = 50_000_000  # bytes in all: a context is what a reader would copy
_MOST = 5_000  # files and folders
_LONGEST = 500  # bytes of one path: an archive of the context must be able to name it


def files(context: Path) -> list[Path]:
    """Every file and link that a build is handed, sorted; links are not followed."""
    found = (folder / name for folder, names in _walk(context) for name in names)
    return sorted(path for path in found if path.is_symlink() or path.is_file())


def holds(context: Path, name: str) -> bool:
    """Whether a build is handed a file of this name: what is left out was not checked, and may lead anywhere."""
    inside, end = Path(os.path.realpath(context)), Path(os.path.realpath(context / name))
    if not (os.path.isfile(end) and end.is_relative_to(inside)):  # noqa: PTH113 - false too for a name that is too long
        return False
    return not ignored(str(context), list(end.relative_to(inside).parts))


def content(context: Path, path: Path) -> bytes:
    """A file that a build is handed, its path below the context; it may be a link within: ask `holds` first."""
    inside = Path(os.path.realpath(context))
    return read(Path(os.path.realpath(inside / path)), below=inside, limit=LARGEST)


def copy(context: Path, target: Path) -> None:
    """Copy what a build is handed to the new folder `target`; RefusedError for what `check` would refuse of the copy.

    The context may change at any moment, as by a `git checkout`: so it is the copy that is checked, of which nothing
    was read through a link. Links are copied as links, and modes do not depend on the umask of the checkout.
    """
    target.mkdir()
    target.chmod(0o755)
    size = count = 0
    folders = [Path()]
    while folders:
        inner = folders.pop()
        with directory(context / inner, below=context.parents[2]) as opened:
            names = set(os.listdir(opened))  # noqa: PTH208 - of what is open
            for name in sorted(names - ignored("", list(names))):
                path, made = context / inner / name, target / inner / name
                _check_name(context, path.parent, name)
                mode = os.lstat(name, dir_fd=opened).st_mode
                if stat.S_ISLNK(mode):
                    made.symlink_to(os.readlink(name, dir_fd=opened))
                elif stat.S_ISDIR(mode):
                    made.mkdir()
                    made.chmod(0o755)
                    folders.append(inner / name)
                else:
                    size += made.write_bytes(read_in(opened, path, limit=LARGEST))
                    made.chmod(0o755 if mode & 0o100 else 0o644)
                count += 1
                _check_total(size, count, path)
    try:
        check(target)
    except RefusedError as error:
        where = error.where and Where(context / error.where.path.relative_to(target))
        raise RefusedError(error.what, where=where, evidence=error.evidence, hint=error.hint) from error


def check(context: Path) -> None:
    """Raises RefusedError, with the path, for what is no plain file, folder or link within the context."""
    if context.is_symlink():
        raise RefusedError("this folder is a link", where=Where(context), hint="a folder of its own")
    inside = os.path.realpath(context)
    size = count = 0
    for folder, names in _walk(context):
        for name in names:
            _check_name(context, folder, name)
        _check_repository(folder, names)
        for path in (folder / name for name in names):
            about = path.lstat()
            mode = about.st_mode
            if stat.S_ISLNK(mode):
                _check_link(path, inside)
            elif not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                raise RefusedError(
                    f"this is a {kind(mode)}, and a context holds files, folders and links",
                    where=Where(path),
                    hint="take it out of context/",
                )
            size += about.st_size if stat.S_ISREG(mode) else 0
            count += 1
            _check_total(size, count, path)


def _check_name(context: Path, folder: Path, name: str) -> None:
    # Before anything else is said of the file: from here on its name can be printed.
    if hidden := first_invisible(name):
        raise RefusedError(
            f"a file's name holds the character {hidden}, which cannot be seen",
            where=Where(folder),
            evidence=name.encode("unicode_escape").decode("ascii"),
            hint="rename it",
        )
    if len(os.fsencode((folder / name).relative_to(context))) > _LONGEST:
        raise RefusedError(f"a path is longer than {_LONGEST} bytes", where=Where(context), hint="a shorter one")
    # `.git` itself was left out. These are the same directory where case, or what ends a name, does not count.
    if name.casefold().partition(":")[0].rstrip(". ") in (".git", "git~1"):
        raise RefusedError(
            f"'{name}' is `.git` on some file systems, and git may read it",
            where=Where(folder / name),
            hint="rename it",
        )


def _check_repository(folder: Path, names: Collection[str]) -> None:
    """Refuse a directory that git takes for a repository without a `.git`: its config can name commands to run.

    Whatever runs git in a context, as buildx does, would run them on this machine. See is_git_directory in git's
    setup.c: HEAD with objects/ and refs/, which may both be elsewhere if there is a file commondir.
    """
    seen = {name.casefold() for name in names}
    if "head" in seen and ({"objects", "refs"} <= seen or "commondir" in seen):
        raise RefusedError(
            "this directory looks like a bare Git repository, whose settings can make git run commands",
            where=Where(folder),
            evidence=" ".join(sorted(n for n in names if n.casefold() in ("head", "objects", "refs", "commondir"))),
            hint="rename one of these, or let a command of the snippet make the repository",
        )


def _check_total(size: int, count: int, path: Path) -> None:
    if size > LARGEST or count > _MOST:
        what = f"more than {LARGEST:,} bytes" if size > LARGEST else f"more than {_MOST:,} files"
        raise RefusedError(
            f"the context holds {what}: it is what a reader would copy",
            where=Where(path),
            hint="let a command of the snippet make what is large",
        )


def _check_link(path: Path, inside: str) -> None:
    target = path.readlink()
    end = os.path.realpath(path)
    if target.is_absolute() or os.path.commonpath([inside, end]) != inside:
        raise RefusedError(
            "this link leads out of the context",
            where=Where(path),
            evidence=f"{path.name} -> {target}",
            hint="a relative link to a file beside it, or the file itself",
        )
    try:
        path.stat()
    except FileNotFoundError:
        pass  # it leads to what an image may have, and to nothing here
    except (OSError, RuntimeError) as error:
        raise RefusedError(
            "this link leads to itself", where=Where(path), evidence=f"{path.name} -> {target}", hint="rm it"
        ) from error


def _walk(context: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder and the names in it but what is left out, folders included; links are not followed."""
    for folder, folders, names in os.walk(context):
        unwanted = ignored(folder, [*folders, *names])
        folders[:] = sorted(set(folders) - unwanted)
        yield Path(folder), [*folders, *sorted(set(names) - unwanted)]
