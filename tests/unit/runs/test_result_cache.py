"""A snippet that was accurate is not run again until something that the verdict depends on changes."""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import store
from proof.cli.main import parser
from proof.cli.options import resolve
from proof.cli.run_snippets import may_reuse
from proof.engines import private_daemon
from proof.runs import result_cache
from proof.runs.result import Result, Verdict
from proof.runs.result_cache import ResultCache
from proof.snippets import base_images, capture_locations, project
from proof.snippets.model import Snippet
from tests.support.helpers import REPOSITORY, capture_in, capture_of, captured, edit, tiny
from tests.support.helpers import results as accurate

PLATFORM = "linux/amd64"
Change = Callable[[Path, pytest.MonkeyPatch], object]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose snippets were run, with an engine of only one program."""
    (tmp_path / "dockerd").write_text("a program")
    monkeypatch.setattr(private_daemon, "programs", lambda: [tmp_path / "dockerd"])
    made = captured(tiny(tmp_path))
    found = accurate(made)
    time.sleep(0.1)
    known(made).keep(found)
    return made


def known(root: Path, platform: str = PLATFORM, origin: capture_locations.Origin = "rebuilt") -> ResultCache:
    return ResultCache(root, root.parent / "cache", base_images.load(root), platform, origin=origin)


def names(found: ResultCache, root: Path) -> set[str]:
    return {snippet.name for snippet in project.load_all(root) if found.get(snippet)}


def snippet(root: Path, name: str) -> Snippet:
    (found,) = project.load_all(root, [name])
    return found


def test_what_is_as_it_was(root: Path) -> None:
    """The cached result is accurate, has the earlier measurements, and is marked as cached."""
    assert names(known(root), root) == {"count", "fails", "note"}
    result = known(root).get(snippet(root, "note"))
    assert result is not None
    old = store.load(capture_locations.folder_of(root / "snippets/note", "rebuilt"))
    assert (result.verdict, result.cached, result.old, result.new) == ("accurate", True, old, old)
    assert names(known(root, "linux/arm64"), root) == set()


def test_what_was_not_compared_is_said_again(root: Path) -> None:
    """A cached result is no surer than the one that is kept."""
    found = replace(accurate(root)[2], not_compared=("note/version by docker 28.0.0",))
    time.sleep(0.1)
    known(root).keep([found])
    result = known(root).get(found.snippet)
    assert result is not None
    assert (result.cached, result.not_compared) == (True, found.not_compared)


CHANGES: dict[str, tuple[Change, set[str]]] = {
    "a file": (lambda root, _: edit(root / "snippets/note/context/note.txt", "a note", "a NOTE"), {"note"}),
    "a manifest": (lambda root, _: edit(root / "snippets/note/snippet.toml", "title", "# \ntitle"), {"note"}),
    "a file that is gone": (lambda root, _: (root / "snippets/note/captured/rebuilt/run.txt").unlink(), {"note"}),
    "a base": (
        lambda root, _: edit(root / "snippets/bases.toml", '["/bin/sh"]', '["/bin/ash"]'),
        {"count", "note"},  # the third has none
    ),
    "an engine": (lambda root, _: edit(root.parent / "dockerd", "a", "another"), {"count", "fails", "note"}),
    "the kernel": (
        lambda _, patch: patch.setattr(os, "uname", lambda: argparse.Namespace(release="9.9", sysname="Linux")),
        {"count", "fails", "note"},
    ),
    "a start of the machine": (
        lambda root, patch: patch.setattr(result_cache, "_BOOT", root / "mkdocs.yml"),
        {"count", "fails", "note"},
    ),
    "a machine that says nothing of itself": (
        lambda root, patch: patch.setattr(result_cache, "_BOOT", root / "nothing"),
        {"count", "fails", "note"},
    ),
    "a day": (
        lambda _, patch: patch.setattr(result_cache, "_LONGEST", 0.0),
        {"count", "fails", "note"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed(root: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """If anything that a verdict depends on changes, the snippet is run again."""
    act, again = CHANGES[change]
    act(root, monkeypatch)
    assert names(known(root), root) == {"count", "fails", "note"} - again


def test_an_edit_while_it_runs(root: Path) -> None:
    """A snippet that changed during the run is not cached."""
    running = known(root)
    found = accurate(root)  # which writes the captures
    running.keep(found)
    assert names(known(root), root) == set()


@pytest.mark.parametrize("verdict", ["drift", "unstable", "written", "not measured", "another environment"])
def test_no_other_verdict_is_kept(root: Path, verdict: Verdict) -> None:
    """Only accurate results are cached."""
    edit(root / "snippets/note/context/note.txt", "a note", "a NOTE")
    time.sleep(0.1)
    old = store.load(capture_locations.folder_of(root / "snippets/note", "rebuilt"))
    known(root).keep([Result(snippet(root, "note"), verdict, old=old, new=old)])
    assert names(known(root), root) == {"count", "fails"}


def test_a_registry_image_is_known_by_its_locked_digest(root: Path) -> None:
    """Without one, only the registry can tell which image it is; with another one, the verdict is of another image."""
    old = capture_of(root)
    made = replace(old, environment=replace(old.environment, bases="registry"))
    store.save(made, capture_locations.folder_of(root / "snippets/note", "registry"))
    time.sleep(0.1)
    for digest, found in (("1", {"note"}), ("2", set[str]())):
        lock = f"docker.io/library/alpine:3.22@sha256:{digest * 64}\n"
        (root / "snippets/bases.lock").write_text(lock)
        if digest == "1":
            known(root, origin="registry").keep([Result(snippet(root, "note"), "accurate", old=made, new=made)])
        assert names(known(root, origin="registry"), root) == found
    (root / "snippets/bases.lock").unlink()
    assert names(known(root, origin="registry"), root) == set()


def test_measured_then(root: Path) -> None:
    """Facts that vary between runs have the values of the cached run."""
    folder = capture_locations.folder_of(root / "snippets/note", "rebuilt")
    old = capture_in(folder)
    measured = replace(old, facts=old.facts | {"size": replace(old.facts["size"], value=77)})
    time.sleep(0.1)
    known(root).keep([Result(snippet(root, "note"), "accurate", old=old, new=measured)])
    result = known(root).get(snippet(root, "note"))
    assert result is not None
    assert (result.old, result.new) == (old, measured)


@pytest.mark.parametrize(
    "arguments",
    [
        *("--rerun", "--fresh", "--timeout 9", "--memory 2G", "--engine docker", "--results there", "--report github"),
        "--bases registry --newest-bases",
    ],
)
def test_who_wants_a_run(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is not used in CI, nor with options that ask for something else."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(private_daemon, "obstacle", lambda: "")

    def reuses(*words: str) -> bool:
        options = parser().parse_args(["--project", str(REPOSITORY), *words])
        resolve(options)
        return may_reuse(options)

    for verb in ("check", "update"):
        assert reuses(verb)
        assert not reuses(verb, *arguments.split())
    monkeypatch.setattr(private_daemon, "obstacle", lambda: "no root")
    assert not reuses("check")
    monkeypatch.setattr(private_daemon, "obstacle", lambda: "")
    monkeypatch.setenv("CI", "true")
    assert not reuses("check")
