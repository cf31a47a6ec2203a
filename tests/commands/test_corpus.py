"""Hostile and careless inputs, run through the whole command: they are refused before any engine is called."""

import os
import re
from pathlib import Path

import pytest

from proof.cli import main
from tests.support import hostile
from tests.support.helpers import REPOSITORY
from tests.support.hostile import Case, cases
from tests.support.makers import write

# Not setpriv, which starts every command.
PROGRAMS = ("docker", "dockerd", "podman", "skopeo", "unshare", "containerd", "runc", "nerdctl")


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stub that replaces each program of an engine, and only writes down its arguments."""
    folder = tmp_path_factory.mktemp("stubs")
    for name in PROGRAMS:
        write(folder, {f"bin/{name}": f'#!/bin/sh\necho "${{0##*/}} $*" >> {folder}/calls.log\nexit 1\n'})
        (folder / "bin" / name).chmod(0o755)
    return folder


@pytest.fixture
def calls(stubs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stubs wrote down in this test."""
    log = stubs / "calls.log"
    log.unlink(missing_ok=True)
    monkeypatch.setenv("PATH", f"{stubs / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")  # or the user's docker context would be read
    return log


def check(root: Path, *options: str) -> int:
    return main.main(["--project", str(root), "check", *options])


@pytest.mark.parametrize("case", cases("refused"), ids=str)
def test_refused(case: Case, tmp_path: Path, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the reason, the place and a hint, and without a single call to an engine."""
    if "device" in case.given and os.geteuid() != 0:
        pytest.skip("only root can make a device")
    root = hostile.project(tmp_path / "project", case)
    assert check(root) == 2
    printed = "".join(capsys.readouterr())
    assert " ".join(case.says.split()) in " ".join(printed.split())
    assert "    hint: " in printed
    assert "proof: " in printed
    assert str(root / "snippets") in printed
    assert not calls.exists()
    assert "Traceback" not in printed


@pytest.mark.parametrize("case", cases("accepted"), ids=str)
def test_accepted(case: Case, tmp_path: Path, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Odd but valid inputs reach the engine, here the stub. This also shows that the stub would be called."""
    root = hostile.project(tmp_path / "project", case)
    assert check(root, "--engine", "docker") == 3
    assert "`docker` is installed, but its engine does not answer" in capsys.readouterr().err
    assert calls.read_text() == "docker version --format {{.Server.Os}}/{{.Server.Arch}}\n"


def test_the_corpus_is_large_and_says_why() -> None:
    """The corpus has at least 500 inputs, each with a reason, and none twice."""
    refused = cases("refused")
    assert len(refused) >= 500
    assert len({(case.kind, str(case.given)) for case in refused}) == len(refused)
    assert all(case.why and case.says for case in refused)


def test_the_threats_page_names_existing_tests() -> None:
    """Each test file that the page names is in the repository."""
    named = re.findall(r"`(tests/[^`]+)`", (REPOSITORY / "docs" / "threats.md").read_text("utf-8"))
    assert len(named) > 10
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
