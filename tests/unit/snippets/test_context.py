"""Build contexts: copied without version control, with links as links, and checked.

What is refused in a context is listed in tests/data/corpus.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proof.captures import fingerprint
from proof.core.errors import RefusedError, Where
from proof.runs import execute
from proof.snippets import context, manifest
from proof.snippets.model import Snippet
from proof.system.process import search_path
from tests.support.engines import private
from tests.support.hostile import create
from tests.support.makers import write

MANIFEST = 'title = "t"\n[[step]]\nname = "build"\ncommand = "docker build -t example ."\n'


@pytest.fixture
def snippet(tmp_path: Path) -> Snippet:
    """A snippet whose context is a clone with links."""
    folder = write(
        tmp_path / "odd",
        {
            "snippet.toml": MANIFEST,
            "context/Dockerfile": "FROM alpine:3.22\n",
            "context/main.go": "package main\n",
            "context/.git/config": "[remote]\nurl = https://me:hunter2@evil.example\n",
            "context/sub/.git": "gitdir: /elsewhere\n",
            "context/sub/.DS_Store": b"\x00",
            "context/.gitignore": "*.o\n",
        },
    )
    (folder / "context" / "link").symlink_to("main.go")
    (folder / "context" / "folder").symlink_to("sub")
    (folder / "context" / "dangling").symlink_to("of/an/image")
    (folder / "context" / "main.go").chmod(0o600)
    return manifest.variants(folder)[0]


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_copy_is_made(snippet: Snippet) -> None:
    """The engine gets a copy with links as links, without `.git` at any depth, and with fixed file modes."""
    names = {"Dockerfile", "main.go", ".gitignore", "sub", "link", "folder", "dangling"}
    with execute.inputs(snippet, private()) as given:
        copy = given.context
        assert below(copy) == names
        assert not copy.is_relative_to(snippet.folder)
        links = {name: str((copy / name).readlink()) for name in ("link", "folder", "dangling")}
        assert links == {"link": "main.go", "folder": "sub", "dangling": "of/an/image"}
        assert (copy / "main.go").stat().st_mode & 0o777 == 0o644
        (copy / "main.go").write_text("a build that writes to its context")
    assert not copy.exists()
    assert (snippet.context / "main.go").read_text() == "package main\n"


class TestRenamedImages:
    """In the user's own engine, images have names that no reader sees, in a Dockerfile outside of the context."""

    SHARED = private(prefix="proof-1/")

    def test_the_context_stays_as_it_is(self, snippet: Snippet) -> None:
        """An image with `COPY . .` contains the reader's Dockerfile, with each byte of it."""
        with execute.inputs(snippet, self.SHARED) as given:
            assert (given.context / "Dockerfile").read_text() == "FROM alpine:3.22\n"
            renamed = given.dockerfiles["build"]
            assert renamed.read_text() == "FROM proof-1/alpine:3.22\n"
            assert renamed.name == "Dockerfile"
            assert not renamed.is_relative_to(given.context)
            assert below(renamed.parent) == {"Dockerfile"}
        assert (snippet.context / "Dockerfile").read_text() == "FROM alpine:3.22\n"

    def test_nothing_to_rename(self, snippet: Snippet) -> None:
        """The build then reads the Dockerfile in the context, as a reader's does."""
        with execute.inputs(snippet, private("proof-1/", frozenset({"alpine:3.22"}))) as given:
            assert given.dockerfiles == {}

    def test_its_list_of_ignored_files(self, snippet: Snippet) -> None:
        """A builder looks for one next to the Dockerfile, and prefers it to the `.dockerignore` of the context."""
        manifest_of_two = MANIFEST.replace(" .", " -f web/prod .") + MANIFEST.partition("\n")[2].replace(
            "build", "two", 1
        )
        write(
            snippet.folder,
            {
                "snippet.toml": manifest_of_two,
                "context/web/prod": "FROM alpine:3.22\n",
                "context/web/prod.dockerignore": "*.md\n",
                "context/web/prod.containerignore": "*.txt\n",
                "context/.dockerignore": "*.go\n",
            },
        )
        with execute.inputs(manifest.variants(snippet.folder)[0], self.SHARED) as given:
            web, plain = given.dockerfiles["build"].parent, given.dockerfiles["two"].parent
            assert {path.name: path.read_text() for path in web.iterdir()} == {
                "prod": "FROM proof-1/alpine:3.22\n",
                "prod.dockerignore": "*.md\n",
                "prod.containerignore": "*.txt\n",
            }
            assert {path.name for path in plain.iterdir()} == {"Dockerfile", "web"}


def test_ignored_files_make_nothing_stale(snippet: Snippet) -> None:
    """A capture depends on the files of the context and on the targets of links, but not on ignored files."""
    before = fingerprint.of(snippet, {}, "docker 26")
    assert not any(".git/" in name or "DS_Store" in name for name in before)
    assert {"context/link", "context/dangling", "context/.gitignore"} < set(before)
    write(snippet.context, {".git/HEAD": "other", "sub/.DS_Store": "other"})
    assert fingerprint.of(snippet, {}, "docker 26") == before
    (snippet.context / "link").unlink()
    (snippet.context / "link").symlink_to("Dockerfile")
    assert fingerprint.of(snippet, {}, "docker 26") != before


def test_a_folder_without_a_context_has_no_files(tmp_path: Path) -> None:
    """A snippet does not need a context."""
    context.check(tmp_path / "context")
    assert context.files(tmp_path / "context") == []


def copied(snippet: Snippet, folder: Path) -> Path:
    context.copy(snippet.context, folder / "copy")
    return folder / "copy"


def test_content_of_a_copy(snippet: Snippet, tmp_path: Path) -> None:
    """Ignored files are not copied, and modes do not depend on the umask."""
    write(snippet.context, {"sub/run.sh": "#!/bin/sh\n"})
    (snippet.context / "sub" / "run.sh").chmod(0o4751)
    before = os.umask(0o077)
    try:
        copy = copied(snippet, tmp_path)
    finally:
        os.umask(before)
    assert (copy.stat().st_mode & 0o7777, (copy / "sub/run.sh").stat().st_mode & 0o7777) == (0o755, 0o755)
    assert below(copy) == {"Dockerfile", "main.go", ".gitignore", "sub", "sub/run.sh", "link", "folder", "dangling"}
    assert {path.name: path.read_bytes() for path in context.files(copy) if not path.is_symlink()} == {
        path.name: path.read_bytes() for path in context.files(snippet.context) if not path.is_symlink()
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"link": "aaa", "to": "/etc/passwd"}, "context/aaa: this link leads out of the context"),
        ({"link": "sub/main.go", "to": "../../snippet.toml"}, "sub/main.go: this link leads out of the context"),
        ({"pipe": "pipe"}, "context/pipe: expected a regular file, found a named pipe"),
        ({"device": "zero"}, "context/zero: expected a regular file, found a device"),
        ({"file": "large", "size": 60_000_000}, "the file is larger than 50,000,000 bytes"),
        ({"file": "many", "count": 5_001}, "the context has more than 5,000 files"),
        ({"file": "deep", "depth": 130}, "a path is longer than 500 bytes"),
        ({"files": {"HEAD": "", "objects/x": "", "refs/x": ""}}, "context: this directory looks like a bare Git"),
        ({"files": {"a/HEAD": "", "a/commondir": "x"}}, "context/a: this directory looks like a bare Git"),
        ({"files": {".GIT/config": ""}}, "is `.git` on some file systems"),
        ({"link": ".", "to": "/etc"}, "context: expected a directory, found a symbolic link"),
        ({"link": "..", "to": "../elsewhere"}, "odd: expected a directory, found a symbolic link"),
    ],
    ids=str,
)
def test_changes_after_the_check_are_not_copied(
    given: dict[str, Any], says: str, snippet: Snippet, tmp_path: Path
) -> None:
    """The copy is checked, so a `git checkout` in between cannot add anything. The error names the source."""
    if "device" in given and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    (tmp_path / "elsewhere").mkdir()
    create(snippet.context, given)
    with pytest.raises(RefusedError, match=re.escape(says)):
        copied(snippet, tmp_path)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout


def test_bare_repositories_are_refused(tmp_path: Path) -> None:
    """A directory is refused exactly if git takes it for a bare repository."""
    bare = tmp_path / "x" / "y" / "context"
    assert git("init", "--quiet", "--bare", str(bare)) == ""
    with pytest.raises(RefusedError, match="looks like a bare Git repository") as error:
        context.check(bare)
    assert (error.value.evidence, error.value.where and error.value.where.path) == ("HEAD objects refs", bare)
    for gone in ("HEAD", "objects", "refs"):
        (bare / gone).rename(tmp_path / gone)
        assert git("-C", str(bare), "rev-parse", "--git-dir") == ""
        context.check(bare)
        (tmp_path / gone).rename(bare / gone)
    # The same with objects and refs in another directory, which git finds.
    write(bare, {"commondir": "other\n"})
    (bare / "other").mkdir()
    for moved in ("objects", "refs", "config"):
        (bare / moved).rename(bare / "other" / moved)
    assert git("-C", str(bare), "rev-parse", "--git-dir") == ".\n"
    with pytest.raises(RefusedError, match="looks like a bare Git repository"):
        context.check(bare)


@pytest.mark.parametrize(
    "names", [("HEAD", "objects"), ("HEAD", "refs"), ("objects", "refs"), ("commondir",), ("HEAD",)]
)
def test_not_a_repository(names: tuple[str, ...], tmp_path: Path) -> None:
    """Names that other programs use too are not refused on their own."""
    context.check(write(tmp_path, {f"{name}/x": "" for name in names}))


@pytest.mark.parametrize(
    "name",
    [
        *("x" * 300, "x/" * 3000 + "x", "nothing", "sub", "folder", "", ".", "dangling", "pipe"),
        # Ignored files were not checked, and may contain a password.
        *(".git/config", "sub/.git", "sub/.DS_Store", "sub/../.git/config", "remote", "folder/.git", "main.go~"),
        *("../snippet.toml", "/etc/passwd", "up", "../context-evil/secret", "evil"),
    ],
)
def test_what_a_context_does_not_hold(name: str, snippet: Snippet) -> None:
    """Neither names of any length, nor ignored files, nor files outside of the context."""
    os.mkfifo(snippet.context / "pipe")
    write(snippet.folder, {"context/main.go~": "", "context-evil/secret": ""})
    for link, to in (("remote", ".git/config"), ("up", "../snippet.toml"), ("evil", "../context-evil/secret")):
        (snippet.context / link).symlink_to(to)
    assert not context.holds(snippet.context, name)


@pytest.mark.parametrize(
    "name", ["main.go", "link", "./main.go", "sub/../main.go", "folder/a", "sub/a", "inner", ".gitignore"]
)
def test_what_a_context_holds(name: str, snippet: Snippet, tmp_path: Path) -> None:
    """A file is found by any path or link within the context, and its content is read."""
    write(snippet.context, {"sub/a": "package main\n", ".gitignore": "package main\n"})
    (snippet.context / "inner").symlink_to(snippet.context / "sub" / "a")
    (tmp_path / "other").symlink_to(snippet.context)
    for seen in (snippet.context, tmp_path / "other"):
        assert context.holds(seen, name)
        assert context.content(seen, Path(name)) == b"package main\n"


def test_a_link_is_not_read_out_of_the_context(snippet: Snippet) -> None:
    """Even if the caller did not check `holds`."""
    (snippet.context / "up").symlink_to("../snippet.toml")
    with pytest.raises((RefusedError, ValueError)):
        context.content(snippet.context, Path("up"))


@pytest.mark.parametrize(
    "name",
    ".git .DS_Store main.go~ .main.go.swp .x.swo .#main.go 4913 sub/.git a/b/4913 a/x~/file".split(),
)
def test_ignored_files(name: str, snippet: Snippet, tmp_path: Path) -> None:
    """At any depth, ignored files and directories are neither listed, nor checked, nor copied."""
    before = context.files(snippet.context)
    path = snippet.context / name
    if path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/etc/passwd")
    assert context.files(snippet.context) == before
    context.check(snippet.context)
    assert not (copied(snippet, tmp_path) / name).is_symlink()


def test_the_files_of_a_context(snippet: Snippet) -> None:
    """Files and links are listed, sorted. Links are not followed, and directories are not listed."""
    write(snippet.context, {"sub/b": "", "sub/a": "", "z/deep/x": "", "a.txt": "", ".#x": "", "z/.#x": ""})
    names = [path.relative_to(snippet.context).as_posix() for path in context.files(snippet.context)]
    assert names == [
        *(".gitignore", "Dockerfile", "a.txt", "dangling", "folder", "link", "main.go", "sub/a", "sub/b", "z/deep/x"),
    ]


# Totals, with lower limits: 1,000 bytes, and 8 files and directories.
SUMS: list[tuple[dict[str, int], str]] = [
    ({"a": 1_000}, ""),
    ({"a": 1_001}, "(more|larger) than 1,000 bytes"),
    ({"a": 500, "b/c": 500}, ""),
    ({"a": 500, "b/c": 501}, "more than 1,000 bytes"),
    ({"a": 400, "b": 400, "c": 201}, "more than 1,000 bytes"),
    (dict.fromkeys("abcdefgh", 0), ""),
    (dict.fromkeys("abcdefghi", 0), "more than 8 files"),
    ({f"a/b/c/d/{name}": 0 for name in "abcd"}, ""),
    ({f"a/b/c/d/{name}": 0 for name in "abcde"}, "more than 8 files"),
    ({"a": 600, **{f"link{n}": -1 for n in range(7)}}, ""),  # a link does not count as its target
    ({"a": 600, **{f"link{n}": -1 for n in range(8)}}, "more than 8 files"),
    ({"a": 600, ".git/x": 600, "b~": 600}, ""),
    ({"a": 1_000, **dict.fromkeys("bcdefghi", 0)}, "more than 8 files"),
]


@pytest.mark.parametrize(("sizes", "says"), SUMS, ids=str)
def test_totals(sizes: dict[str, int], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The totals are limited, both in `check` and in `copy`."""
    monkeypatch.setattr(context, "LARGEST", 1_000)
    monkeypatch.setattr(context, "_MOST", 8)
    folder = tmp_path / "snippets" / "odd" / "context"
    write(folder, {name: "x" * size for name, size in sizes.items() if size >= 0})
    for name in (name for name, size in sizes.items() if size < 0):
        (folder / name).symlink_to("a")
    acts: tuple[Callable[[Path], object], ...] = (context.check, partial(context.copy, target=tmp_path / "copy"))
    for act in acts:
        if says:
            with pytest.raises(RefusedError, match=says) as error:
                act(folder)
            assert error.value.where
            assert error.value.where.path.is_relative_to(folder)
            assert ("node_modules" in error.value.hint) is ("files" in says)
        else:
            act(folder)


@pytest.mark.parametrize(("count", "size"), [(30, 0), (7, 600), (30, 50)])
def test_a_copy_goes_no_further_than_the_bounds(
    count: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up on the way: what is too much would fill the disk before it is checked."""
    monkeypatch.setattr(context, "LARGEST", 1_000)
    monkeypatch.setattr(context, "_MOST", 8)
    folder = write(tmp_path / "snippets" / "odd" / "context", {f"{n}": "x" * size for n in range(count)})
    with pytest.raises(RefusedError, match="the context has more than"):
        context.copy(folder, tmp_path / "copy")
    made = [path.stat().st_size for path in (tmp_path / "copy").iterdir()]
    assert len(made) <= 9
    assert sum(made) <= 1_000 + size


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        *(
            (name, True)
            for name in (".GIT", ".Git", ".git.", ".git ", ".git. .", ".git:x", ".git::$DATA", ".GIT .:x:y")
        ),
        *((name, True) for name in ("git~1", "GIT~1", "Git~1. ", "git~1:x")),
        *(
            (name, False)
            for name in ("git", ".gitX", ".git-x", "a.git", ".gitignore", "git~2", "agit~1", "..git", ".git.x")
        ),
    ],
)
def test_what_is_git_to_some_file_systems(name: str, refused: bool, snippet: Snippet) -> None:  # noqa: FBT001
    """In capitals, by its short name, or with an ending that does not count: a folder or a file, at any depth."""
    (snippet.context / "sub" / name).mkdir()
    if refused:
        with pytest.raises(RefusedError, match="on some file systems") as error:
            context.check(snippet.context)
        assert error.value.where == Where(snippet.context / "sub" / name)
    else:
        context.check(snippet.context)


def test_a_context_that_is_a_link(snippet: Snippet) -> None:
    """Also where it leads to one that would do."""
    snippet.context.rename(snippet.folder / "real")
    snippet.context.symlink_to("real")
    with pytest.raises(RefusedError, match="this directory is a symbolic link"):
        context.check(snippet.context)


@pytest.mark.parametrize(("length", "fits"), [(500, True), (501, False)])
def test_the_longest_path(length: int, fits: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expected value
    """The limit is in bytes, relative to the context."""
    folder = tmp_path / "snippets" / "odd" / "context"
    name = f"{'ä' * 120}/{'y' * 240}/"
    write(folder, {name + "z" * (length - len(name.encode())): ""})
    acts: tuple[Callable[[Path], object], ...] = (context.check, partial(context.copy, target=tmp_path / "copy"))
    for act in acts:
        if fits:
            act(folder)
        else:
            with pytest.raises(RefusedError, match="a path is longer than 500 bytes"):
                act(folder)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("a", ""),
        ("sub", ""),
        (".", ""),
        ("sub/../a", ""),
        ("nothing", ""),
        ("sub/nothing/further", ""),
        ("link", "leads to itself"),
        ("sub/back", "leads to itself"),
        ("..", "leads out of the context"),
        ("../context-evil", "leads out of the context"),
        ("../context/a", ""),
        ("/etc/passwd", "leads out of the context"),
        ("sub/out", "leads out of the context"),
    ],
)
def test_where_a_link_may_lead(to: str, says: str, tmp_path: Path) -> None:
    """A link may lead anywhere in the context, even to a missing file, but not to itself or out of the context."""
    folder = (
        write(tmp_path / "snippets" / "odd", {"context/a": "", "context/sub/b": "", "context-evil/x": ""}) / "context"
    )
    (folder / "link").symlink_to(to)
    if to == "sub/back":
        (folder / to).symlink_to("../link")
    if to == "sub/out":
        (folder / to).symlink_to("../../context-evil")
    if not says:
        context.check(folder)
        return
    with pytest.raises(RefusedError, match=says) as error:
        context.check(folder)
    assert error.value.where
    assert error.value.where.path.name in ("link", "back", "out")
    assert " -> " in error.value.evidence


@pytest.mark.parametrize(
    ("mode", "copied_as"),
    [(0o600, 0o644), (0o700, 0o755), (0o611, 0o644), (0o100, 0o755), (0o4755, 0o755), (0o644, 0o644)],
)
def test_modes_of_copied_files(mode: int, copied_as: int, snippet: Snippet, tmp_path: Path) -> None:
    """A copy is executable if its owner may execute the file. Git keeps nothing else of a mode."""
    (snippet.context / "main.go").chmod(mode)
    if os.geteuid() != 0 and not mode & 0o400:
        pytest.skip("only root can read such a file")
    assert (copied(snippet, tmp_path) / "main.go").stat().st_mode & 0o7777 == copied_as


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    """A name in another encoding is refused, and its bytes are shown."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfc\xdfe")).touch()
    with pytest.raises(RefusedError, match=r"U\+DCFC") as error:
        context.check(tmp_path)
    assert str(error.value).isascii()


def test_no_program_of_the_context_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in a copy of the context. A `docker` there is not found, whatever the user's PATH."""
    monkeypatch.setenv("PATH", f":.:bin:{tmp_path}:")
    monkeypatch.chdir(tmp_path)
    assert search_path().split(os.pathsep) == [str(tmp_path), "/usr/sbin", "/sbin"]
