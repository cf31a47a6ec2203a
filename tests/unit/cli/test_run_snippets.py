"""What a run refuses once it knows its engine."""

from argparse import Namespace
from dataclasses import replace

import pytest

from proof.cli import run_snippets
from proof.core.errors import UsageError
from proof.engines.interface import EngineInfo
from proof.reports.terminal import Terminal
from proof.snippets.engine_version import Kind
from tests.support.engines import docker, podman, private
from tests.support.makers import capture


@pytest.mark.parametrize(
    ("kind", "version", "store", "refused"),
    [
        ("docker", "26.1.5", "overlay2", False),
        ("docker", "28.0.4", "overlay2", False),
        ("docker", "29.7.2", "containerd", False),
        ("docker", "29.7.2", "overlay2", True),
        ("podman", "5.4.2", "overlay", True),
    ],
)
def test_only_words_that_a_page_shows_are_compared(
    kind: Kind, version: str, store: str, *, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--same-engine`. Another engine would drift in every snippet, for no reason that anybody could mend."""
    info = EngineInfo(version, "buildx 0.13.1", store, "extfs")
    engine = podman() if kind == "podman" else private()
    monkeypatch.setattr(type(engine), "info", lambda _: info)
    if not refused:
        run_snippets._check_own_words(engine)
        return
    with pytest.raises(UsageError, match=f"no page shows the words of {kind} {version} with its image store, {store}"):
        run_snippets._check_own_words(engine)


@pytest.mark.parametrize(
    ("revision", "warned"),
    [("0123456789ab+", True), ("0123456789ab", False), ("not under version control", False)],
)
def test_an_update_of_what_is_not_committed(revision: str, *, warned: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, because its captures name a commit that does not hold what they measured."""
    run_snippets._warn_if_uncommitted(replace(capture().provenance, revision=revision), Terminal())
    said = capsys.readouterr().out
    assert ("snippets have changed since commit 0123456789ab, so no commit will hold" in said) is warned
    assert ("Commit the snippets first" in said) is warned


@pytest.mark.parametrize("kept", ["write", "results", ""])
@pytest.mark.parametrize("emulated_on", ["linux/arm64", ""])
def test_an_emulator_makes_no_captures(kept: str, emulated_on: str) -> None:
    """An engine that emulates the platform only checks captures, also those that other machines are to accept."""
    options = Namespace(write=kept == "write", results="results" if kept == "results" else None)
    engine = docker(emulated_on=emulated_on)
    if kept and emulated_on:
        with pytest.raises(UsageError, match="it can check captures, but not make them"):
            run_snippets._check_kept(options, engine)
    else:
        run_snippets._check_kept(options, engine)
