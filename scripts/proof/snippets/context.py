"""The build context of a snippet, context/: lists, copies and checks its files.

They may come from an untrusted pull request. A link out of the directory would reveal a file of this machine. A pipe, a
device or a sparse file of a terabyte would block the run or fill the disk.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from proof.core.errors import RefusedError, Where
from proof.core.files import directory, kind, read, read_in
from proof.core.text import first_invisible

# At any depth: version control, and files that file managers and editors create. Merely opening a file must not change
# a snippet.
_IGNORED = re.compile("|".join(map(fnmatch.translate, (".git", ".DS_Store", "*~", ".*.sw?", ".#*", "4913"))))
LARGEST = 50_000_000  # bytes in total; a reader is supposed to copy a context
_MOST = 5_000  # files and directories
_LONGEST = 500  # bytes of a path, for archives of the context


def is_executable(mode: int) -> bool:
    """Whether a file with this `st_mode` is executable for its owner, the only such bit that git stores."""
    return bool(mode & 0o100)


def ignored(names: Iterable[str]) -> set[str]:
    """Those of these names that do not count."""
    return set(filter(_IGNORED.match, names))


def files(context: Path) -> list[Path]:
    """All files and links of the context, sorted, without the ignored ones. Links are not followed."""
    found = (entry for _, entries in _walk(context) for entry in entries)
    return sorted(Path(entry.path) for entry in found if entry.is_symlink() or entry.is_file())


def holds(context: Path, name: str) -> bool:
    """Whether the context contains the file `name`. Ignored files do not count: they are not checked."""
    with contextlib.suppress(OSError):  # the usual case needs no path to be resolved
        if "/" not in name and stat.S_ISREG(os.lstat(context / name).st_mode):
            return not ignored([name])
    inside, end = Path(os.path.realpath(context)), Path(os.path.realpath(context / name))
    if not (os.path.isfile(end) and end.is_relative_to(inside)):  # noqa: PTH113 - also false for a name that is too long
        return False
    return not ignored(end.relative_to(inside).parts)


def content(context: Path, path: Path) -> bytes:
    """The content of a file of the context, or of the file that a link in it leads to. Check `holds` first."""
    inside = Path(os.path.realpath(context))
    return read(Path(os.path.realpath(inside / path)), below=inside, limit=LARGEST)


def copy(context: Path, target: Path) -> None:
    """Copy the context to the new directory `target`. Raises RefusedError if `check` refuses the copy.

    The context may change at any moment, say by a `git checkout`. So the copy is checked, and no link is followed while
    copying. Links are copied as links, and file modes do not depend on the umask of the checkout.
    """
    target.mkdir()
    target.chmod(0o755)
    size = count = 0
    folders = [Path()]
    while folders:
        inner = folders.pop()
        with directory(context / inner, below=context.parents[2]) as opened:
            names = set(os.listdir(opened))  # noqa: PTH208 - pathlib cannot list a descriptor
            for name in sorted(names - ignored(names)):
                path, made = context / inner / name, target / inner / name
                _check_name(context, str(path.parent), name)
                mode = os.lstat(name, dir_fd=opened).st_mode
                if stat.S_ISLNK(mode):
                    made.symlink_to(os.readlink(name, dir_fd=opened))
                elif stat.S_ISDIR(mode):
                    made.mkdir()
                    made.chmod(0o755)
                    folders.append(inner / name)
                else:
                    size += made.write_bytes(read_in(opened, path, limit=LARGEST))
                    made.chmod(0o755 if is_executable(mode) else 0o644)
                count += 1
                _check_total(size, count, path)
    try:
        check(target)
    except RefusedError as error:
        where = error.where and Where(context / error.where.path.relative_to(target))
        raise RefusedError(error.what, where=where, evidence=error.evidence, hint=error.hint) from error


def check(context: Path) -> list[str]:
    """The directories of the context, itself included.

    Raises RefusedError, with the path, for anything but regular files, directories and links within the context.
    """
    if context.is_symlink():
        raise RefusedError("this directory is a symbolic link", where=Where(context), hint="use a real directory")
    folders = []
    size = count = 0
    for folder, entries in _walk(context):
        folders.append(folder)
        for entry in entries:
            _check_name(context, folder, entry.name)
        _check_repository(folder, [entry.name for entry in entries])
        for entry in entries:
            about = entry.stat(follow_symlinks=False)
            mode = about.st_mode
            if stat.S_ISLNK(mode):
                _check_link(Path(entry.path), os.path.realpath(context))
            elif not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                raise RefusedError(
                    f"this is a {kind(mode)}: a context may only contain files, directories and links",
                    where=Where(Path(entry.path)),
                    hint="remove it from context/",
                )
            size += about.st_size if stat.S_ISREG(mode) else 0
            count += 1
            _check_total(size, count, entry.path)
    return folders


def _check_name(context: Path, folder: str, name: str) -> None:
    # First of all, since later messages print the name.
    if hidden := first_invisible(name):
        raise RefusedError(
            f"invisible character {hidden} in a file name",
            where=Where(Path(folder)),
            evidence=name.encode("unicode_escape").decode("ascii"),
            hint="rename it",
        )
    if len(os.fsencode(f"{folder}/{name}")) - len(os.fsencode(context)) - 1 > _LONGEST:
        raise RefusedError(f"a path is longer than {_LONGEST} bytes", where=Where(context), hint="shorten it")
    # `.git` itself is ignored. On file systems that ignore case or trailing characters, these names mean the same.
    if name.casefold().partition(":")[0].rstrip(". ") in (".git", "git~1"):
        raise RefusedError(
            f"'{name}' is `.git` on some file systems, and git may read it",
            where=Where(Path(folder, name)),
            hint="rename it",
        )


def _check_repository(folder: str, names: Collection[str]) -> None:
    """Raises RefusedError for a directory that git would take for a bare repository, whose config can name commands.

    Programs that run git in a context, like buildx, would run them on this machine. See is_git_directory in git's
    setup.c: it needs HEAD, objects/ and refs/; the last two may be elsewhere if there is a file commondir.
    """
    seen = {name.casefold() for name in names}
    if "head" in seen and ({"objects", "refs"} <= seen or "commondir" in seen):
        raise RefusedError(
            "this directory looks like a bare Git repository, whose settings can make git run commands",
            where=Where(Path(folder)),
            evidence=" ".join(sorted(n for n in names if n.casefold() in ("head", "objects", "refs", "commondir"))),
            hint="rename one of these, or create the repository in a command of the snippet",
        )


def _check_total(size: int, count: int, path: str | Path) -> None:
    if size > LARGEST or count > _MOST:
        what = f"more than {LARGEST:,} bytes" if size > LARGEST else f"more than {_MOST:,} files"
        raise RefusedError(
            f"the context has {what}: readers are supposed to copy it",
            where=Where(Path(path)),
            hint="create large files in a command of the snippet"
            if size > LARGEST
            else "remove what a build doesn't need, such as node_modules or .venv, or create the files in a command",
        )


def _check_link(path: Path, inside: str) -> None:
    target = path.readlink()
    end = os.path.realpath(path)
    if target.is_absolute() or os.path.commonpath([inside, end]) != inside:
        raise RefusedError(
            "this link leads out of the context",
            where=Where(path),
            evidence=f"{path.name} -> {target}",
            hint="use a relative link to a file in the context, or the file itself",
        )
    try:
        path.stat()
    except FileNotFoundError:
        pass  # a dangling link may lead to a file of an image
    except (OSError, RuntimeError) as error:
        raise RefusedError(
            "this link leads to itself", where=Where(path), evidence=f"{path.name} -> {target}", hint="remove it"
        ) from error


def _walk(context: Path) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Each directory with its directories and files, without the ignored ones. Links are not followed.

    What cannot be listed is left out, as by `os.walk`, which has only the names, so that each file is looked up again.
    """
    pending = [str(context)]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listed:
                entries = [entry for entry in listed if not _IGNORED.match(entry.name)]
        except OSError:
            continue
        entries.sort(key=lambda entry: (not entry.is_dir(follow_symlinks=False), entry.name))
        pending += [entry.path for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]
        yield folder, entries
