"""What a build is handed: copied without version control, links as links, and nothing else than what was checked.

What is refused of a context is in tests/corpus.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proof import cli, context, inputs, manifest
from proof.engine import Engine
from proof.errors import RefusedError
from proof.execute import context_copy
from proof.manifest import Snippet
from proof.process import search_path
from tests.makers import write

MANIFEST = 'title = "t"\n[[step]]\nname = "build"\ncommand = "docker build -t example ."\n'


@pytest.fixture
def snippet(tmp_path: Path) -> Snippet:
    """A snippet whose context is a clone with links in it."""
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
    return manifest.load(folder)


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_copy_is_made(snippet: Snippet) -> None:
    """The engine is handed a copy: links are links, `.git` is left out at any depth, modes are everyone's."""
    names = {"Dockerfile", "main.go", ".gitignore", "sub", "link", "folder", "dangling"}
    with context_copy(snippet, Engine("docker", {}, cli.PLATFORM)) as copy:
        assert below(copy) == names
        assert not copy.is_relative_to(snippet.folder)
        links = {name: str((copy / name).readlink()) for name in ("link", "folder", "dangling")}
        assert links == {"link": "main.go", "folder": "sub", "dangling": "of/an/image"}
        assert (copy / "main.go").stat().st_mode & 0o777 == 0o644
        (copy / "main.go").write_text("a build that writes into its context")
    assert not copy.exists()
    assert (snippet.context / "main.go").read_text() == "package main\n"


def test_a_shared_engine_changes_the_copy_alone(snippet: Snippet) -> None:
    """Names are rewritten for the user's own engine in the copy; what a reader would copy stays as it is."""
    with context_copy(snippet, Engine("docker", {}, cli.PLATFORM, prefix="proof-1/")) as copy:
        assert (copy / "Dockerfile").read_text() == "FROM proof-1/alpine:3.22\n"
    assert (snippet.context / "Dockerfile").read_text() == "FROM alpine:3.22\n"


def test_what_is_left_out_makes_nothing_stale(snippet: Snippet) -> None:
    """A capture depends on the files that a build is handed, and on where links lead, not on what they lead to."""
    before = inputs.of(snippet, {}, "docker 26")
    assert not any(".git/" in name or "DS_Store" in name for name in before)
    assert {"context/link", "context/dangling", "context/.gitignore"} < set(before)
    write(snippet.context, {".git/HEAD": "other", "sub/.DS_Store": "other"})
    assert inputs.of(snippet, {}, "docker 26") == before
    (snippet.context / "link").unlink()
    (snippet.context / "link").symlink_to("Dockerfile")
    assert inputs.of(snippet, {}, "docker 26") != before


def test_a_folder_without_a_context_has_no_files(tmp_path: Path) -> None:
    """A snippet may do without one."""
    context.check(tmp_path / "context")
    assert context.files(tmp_path / "context") == []


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A name in another encoding is refused, and shown as its bytes."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfc\xdfe")).touch()
    with pytest.raises(RefusedError, match=r"U\+DCFC") as error:
        context.check(tmp_path)
    assert str(error.value).isascii()


def test_no_program_of_the_context_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in a copy of the context: a `docker` that lies there is not found, whatever the user's PATH says."""
    monkeypatch.setenv("PATH", f":.:bin:{tmp_path}:")
    monkeypatch.chdir(tmp_path)
    assert search_path().split(os.pathsep) == [str(tmp_path), "/usr/sbin", "/sbin"]
