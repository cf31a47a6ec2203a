"""Which files are executable where the file system does not say so. Git itself is what this is compared with."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from proof.core import file_modes
from tests.support.makers import write

ALL = 0o100777  # as a file system without modes reports every file
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
    done = subprocess.run(["git", *who, *words], cwd=root, env=ENV, capture_output=True, text=True, check=True)
    return done.stdout


def programs(folder: Path) -> set[str]:
    """The files in `folder` that are executable, although the file system says it of all."""
    executable = file_modes.executable(folder)
    found = (path for path in folder.rglob("*") if path.is_file() and executable(path, ALL))
    return {path.relative_to(folder).as_posix() for path in found}


def in_git(root: Path, folder: str) -> set[str]:
    """The same by git."""
    lines = git(root, "ls-files", "-s", "-z", folder).split("\0")
    found = {Path(line.partition("\t")[2]) for line in lines if line.startswith("100755")}
    return {path.relative_to(folder).as_posix() for path in found}


def repository(root: Path, *words: str) -> Path:
    """A repository on such a file system, with programs whose names have every length modulo 8, and other files."""
    names = [f"{'n' * length}{kind}" for length in range(1, 20) for kind in ("", ".sh")]
    write(root, {f"snippets/web/context/{name}": name for name in [*names, "sub/é.sh", "sub/plain"]})
    git(root, "init", "--quiet", *words)
    git(root, "config", "core.fileMode", "false")
    git(root, "add", ".")
    git(root, "update-index", "--chmod=+x", *git(root, "ls-files", "-z", "*.sh").split("\0")[:-1])
    return root


def version_3(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", "snippets/web/context/nnn", "snippets/web/context/nnnn.sh")


KINDS: dict[str, tuple[tuple[str, ...], Callable[[Path], object]]] = {
    "version 2": ((), lambda root: git(root, "update-index", "--index-version", "2")),
    "version 3": ((), version_3),
    "SHA-256": (("--object-format=sha256",), lambda root: None),
    "committed": ((), lambda root: git(root, "commit", "--quiet", "--message", "x")),
}


@pytest.mark.parametrize(("words", "act"), KINDS.values(), ids=KINDS)
def test_git_knows(words: tuple[str, ...], act: Callable[[Path], object], tmp_path: Path) -> None:
    """In every format of its index."""
    root = repository(tmp_path, *words)
    act(root)
    found = programs(root / "snippets/web/context")
    assert found == in_git(root, "snippets/web/context")
    assert found == {*(f"{'n' * length}.sh" for length in range(1, 20)), "sub/é.sh"}


@pytest.mark.parametrize("version", [b"2", b"3"])
def test_the_formats_are_those_of_the_names(version: bytes, tmp_path: Path) -> None:
    """Git does write the versions that the test above means."""
    root = repository(tmp_path)
    KINDS[f"version {version.decode()}"][1](root)
    assert (root / ".git/index").read_bytes()[4:8] == struct.pack(">I", int(version))


def test_a_worktree(tmp_path: Path) -> None:
    """It has an index of its own, and the settings of its repository."""
    root = repository(tmp_path / "one")
    git(root, "commit", "--quiet", "--message", "x")
    git(root, "worktree", "add", "--quiet", "../two")
    git(tmp_path / "two", "update-index", "--chmod=-x", "snippets/web/context/n.sh")
    found = programs(tmp_path / "two/snippets/web/context")
    assert found == programs(root / "snippets/web/context") - {"n.sh"}


def test_a_change_of_the_index_is_seen(tmp_path: Path) -> None:
    folder = repository(tmp_path) / "snippets/web/context"
    assert "n" not in programs(folder)
    git(tmp_path, "add", "--chmod=+x", "snippets/web/context/n")
    assert "n" in programs(folder)
    git(tmp_path, "config", "core.fileMode", "true")
    assert "nn" in programs(folder)


def test_a_file_that_git_does_not_know(tmp_path: Path) -> None:
    """It is not executable, as `git add` will record it; the same where nothing was added yet."""
    folder = repository(tmp_path) / "snippets/web/context"
    write(folder, {"new.sh": ""})
    assert "new.sh" not in programs(folder)
    (tmp_path / ".git/index").unlink()
    assert programs(folder) == set()


@pytest.mark.parametrize(
    ("settings", "trusted"),
    [
        ("[core]\n\tfilemode = false\n", False),
        ("[Core]\n\tFileMode = FALSE # a comment\n", False),
        ('[core]\n\tbare = false\n[remote "core"]\n\tfilemode = true\n[core]\n\tfilemode = no\n', False),
        ("[core]\n\tfilemode = false\n\tfilemode = true\n", True),
        ("[core]\n\tfilemode = true\n", True),
        ("[other]\n\tfilemode = false\n", True),
        ("", True),
    ],
)
def test_when_git_is_asked(settings: str, trusted: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Where `core.fileMode` is false: as git set it, or its user."""
    folder = repository(tmp_path) / "snippets/web/context"
    write(tmp_path, {".git/config": settings})
    assert ("n" in programs(folder)) == trusted


def test_elsewhere_the_file_system_says_it(tmp_path: Path) -> None:
    """Also without a repository, and where the repository is a broken one."""
    write(tmp_path, {"context/a": "", "context/b": ""})
    for _ in range(2):
        executable = file_modes.executable(tmp_path / "context")
        assert [executable(tmp_path / "context/a", mode) for mode in (0o755, 0o700, 0o655)] == [True, True, False]
        (tmp_path / ".git").mkdir(exist_ok=True)


@pytest.mark.parametrize("cut", [0, 3, 11, 12, 40, 75, 76, 500])
def test_an_index_that_cannot_be_read(cut: int, tmp_path: Path) -> None:
    """The file system says it then, as where there is none."""
    folder = repository(tmp_path) / "snippets/web/context"
    index = tmp_path / ".git/index"
    index.write_bytes(index.read_bytes()[:cut])
    assert "n" in programs(folder)


def test_an_index_of_another_format(tmp_path: Path) -> None:
    """A later version, or one that is split in two files, is not guessed at."""
    folder = repository(tmp_path) / "snippets/web/context"
    index = tmp_path / ".git/index"
    whole = index.read_bytes()
    for other in (b"DIRC" + struct.pack(">I", 5) + whole[8:], b"TREE" + whole[4:]):
        index.write_bytes(other)
        assert "n" in programs(folder)
    index.write_bytes(whole)
    git(tmp_path, "update-index", "--split-index")
    assert b"link" in index.read_bytes()
    assert "n" in programs(folder)
