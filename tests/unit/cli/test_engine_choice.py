"""Which engine a run uses, and what it prints about the others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from proof.cli import engine_choice
from proof.cli.options import EngineChoice
from proof.core.errors import CannotMeasureError, NoEngineError
from proof.engines import private_daemon, user_engine
from proof.engines.engine import Engine
from proof.reports.terminal import Terminal
from proof.snippets.engine_version import Kind
from proof.system.sandbox import Sandbox

NO_PRIVATE = NoEngineError("the private engine did not start", evidence="mount: no\niptables: no")
NO_DOCKER = NoEngineError("`docker` is installed, but its engine does not answer", evidence="denied")
NO_PODMAN = NoEngineError("`podman` is not installed here")


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The result for each kind of engine, either an engine or an error. `ended` lists the engines that were stopped."""
    there: dict[str, Any] = {"private": NO_PRIVATE, "docker": NO_DOCKER, "podman": NO_PODMAN, "ended": []}

    @contextlib.contextmanager
    def given(kind: str) -> Iterator[Engine]:
        if isinstance(there[kind], Exception):
            raise there[kind]
        try:
            yield there[kind]
        finally:
            there["ended"].append(kind)

    monkeypatch.setattr(private_daemon, "start", lambda *_, **__: given("private"))
    monkeypatch.setattr(user_engine, "connect", lambda kind, *_: given(kind))
    return there


def engine(kind: Kind, env: dict[str, str] | None = None, *, sandbox: bool = True) -> Engine:
    return Engine(kind, env or {}, "linux/amd64", group="g", sandbox=cast("Sandbox", object()) if sandbox else None)


def said(choice: EngineChoice, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The output before the engine is used."""
    with engine_choice.chosen(choice, Terminal(), Path("/nonexistent"), memory=None):
        return capsys.readouterr().out.splitlines()


PRIVATE_IS_NOT = [" · the private engine did not start", " ·   mount: no", " ·   iptables: no"]
DOCKER_IS_NOT = [" · `docker` is installed, but its engine does not answer", " ·   denied"]


@pytest.mark.parametrize(
    ("there", "choice", "lines"),
    [
        ({"private": engine("docker")}, "auto", []),
        (
            {"private": replace(engine("docker"), group=""), "docker": engine("docker")},
            "auto",
            [" · the private engine cannot limit memory here"],
        ),
        ({"private": engine("docker"), "docker": engine("docker")}, "private", []),
        (
            {"docker": engine("docker", {"DOCKER_HOST": "unix:///run/d.sock"}), "podman": engine("podman")},
            "auto",
            [*PRIVATE_IS_NOT, " · using your docker at /run/d.sock; its images are left alone"],
        ),
        (
            {"podman": engine("podman")},
            "auto",
            [*PRIVATE_IS_NOT, *DOCKER_IS_NOT, " · using your podman; its images are left alone"],
        ),
        (
            {"private": engine("docker"), "podman": engine("podman", sandbox=False)},
            "podman",
            [
                " · using your podman; its images are left alone",
                " · podman runs without a sandbox here: run only snippets you trust",
            ],
        ),
    ],
    ids=["private first", "private without limits", "private alone", "docker second", "podman last", "podman alone"],
)
def test_the_engine_that_is_used(
    there: dict[str, Any],
    choice: EngineChoice,
    lines: list[str],
    faked: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first available engine is used. The reasons against better ones are printed, with the end of their logs."""
    faked |= there
    assert said(choice, capsys) == lines
    used = {"auto": next(kind for kind in ("private", "docker", "podman") if kind in there)}.get(choice, choice)
    assert faked["ended"] == [used]


@pytest.mark.usefixtures("faked")
def test_with_no_engine_every_reason_is_in_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    """There is one error, with the reason for each engine in its first sentence, and what they printed below."""
    with pytest.raises(NoEngineError) as refused:
        said("auto", capsys)
    assert refused.value.what == (
        "no container engine is available: the private engine did not start; "
        "`docker` is installed, but its engine does not answer; `podman` is not installed here"
    )
    assert refused.value.evidence.splitlines() == ["mount: no", "iptables: no", "denied"]
    assert all(word in refused.value.hint for word in ("Debian", "dnf install", "brew install", "not make them"))


@pytest.mark.parametrize(("choice", "error"), [("private", NO_PRIVATE), ("docker", NO_DOCKER), ("podman", NO_PODMAN)])
def test_a_requested_engine_is_not_replaced(
    choice: EngineChoice, error: NoEngineError, faked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its error is raised, even if another engine is available."""
    faked |= {kind: engine("docker") for kind in ("private", "docker", "podman") if kind != choice}
    with pytest.raises(NoEngineError) as refused:
        said(choice, capsys)
    assert refused.value is error


def test_other_errors_end_the_search(faked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """If the disk is full, say, no other engine is tried."""
    faked |= {"private": CannotMeasureError("the disk is full"), "docker": engine("docker")}
    with pytest.raises(CannotMeasureError, match="the disk is full"):
        said("auto", capsys)
    assert faked["ended"] == []
