"""Which engine a run uses, and what it prints about the others."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proof.cli import engine_choice
from proof.core.errors import CannotMeasureError, NoEngineError, NotInstalledError
from proof.engines import registry
from proof.engines.interface import Engine
from proof.reports.terminal import Terminal
from tests.support.engines import docker, podman, private, with_client

NO_PRIVATE = NoEngineError("the private engine did not start", evidence="mount: no\niptables: no", hint="read it")
NO_DOCKER = NoEngineError("`docker` is installed, but its engine does not answer", evidence="denied")
NO_PODMAN = NotInstalledError("`podman` is not installed here")


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The result for each kind of engine, either an engine or an error. `ended` lists the engines that were stopped."""
    there: dict[str, Any] = {"private": NO_PRIVATE, "docker": NO_DOCKER, "podman": NO_PODMAN, "ended": []}

    @contextlib.contextmanager
    def given(kind: str, _: object) -> Iterator[Engine]:
        if isinstance(there[kind], Exception):
            raise there[kind]
        try:
            yield there[kind]
        finally:
            there["ended"].append(kind)

    monkeypatch.setattr(registry, "opened", given)
    return there


PRIVATE = private(group="g")
DOCKER = with_client(docker(env={"DOCKER_HOST": "unix:///run/d.sock"}), sandbox=object())
PODMAN = podman()


def said(choice: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The output before the engine is used."""
    with engine_choice.chosen(choice, Terminal(), Path("/nonexistent"), memory=None):
        return capsys.readouterr().out.splitlines()


PRIVATE_IS_NOT = [" · the private engine did not start", " ·   mount: no", " ·   iptables: no"]
USES_DOCKER = [" · using your docker at /run/d.sock; its images are left alone"]
USES_PODMAN = [
    " · using your podman; its images are left alone",
    " · podman runs without a sandbox here: run only snippets you trust",
]
DOCKER_IS_NOT = [" · `docker` is installed, but its engine does not answer", " ·   denied"]


@pytest.mark.parametrize(
    ("there", "choice", "lines"),
    [
        ({"private": PRIVATE}, "auto", []),
        ({"private": private(), "docker": DOCKER}, "auto", [" · the private engine cannot limit memory here"]),
        ({"private": PRIVATE, "docker": DOCKER}, "private", []),
        ({"docker": DOCKER, "podman": PODMAN}, "auto", [*PRIVATE_IS_NOT, *USES_DOCKER]),
        ({"podman": PODMAN}, "auto", [*PRIVATE_IS_NOT, *DOCKER_IS_NOT, *USES_PODMAN]),
        ({"private": PRIVATE, "podman": PODMAN}, "podman", USES_PODMAN),
    ],
    ids=["private first", "private without limits", "private alone", "docker second", "podman last", "podman alone"],
)
def test_the_engine_that_is_used(
    there: dict[str, Any],
    choice: str,
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
    """There is one error, which has the errors of all engines."""
    with pytest.raises(NoEngineError) as refused:
        said("auto", capsys)
    assert not isinstance(refused.value, NotInstalledError)
    assert refused.value.what == "no container engine can be used here"
    assert refused.value.evidence == f"{NO_PRIVATE}\n{NO_DOCKER}\n{NO_PODMAN}"


def test_none_is_installed(faked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """That is another error. It has each reason in its first sentence, and says how to get an engine."""
    faked |= {"private": NotInstalledError("a private engine needs unshare"), "docker": NO_PODMAN}
    with pytest.raises(NotInstalledError) as refused:
        said("auto", capsys)
    assert refused.value.what == (
        "no container engine is available: a private engine needs unshare; "
        "`podman` is not installed here; `podman` is not installed here"
    )
    assert all(word in refused.value.hint for word in ("Debian", "dnf install", "brew install", "not make them"))


@pytest.mark.parametrize(("choice", "error"), [("private", NO_PRIVATE), ("docker", NO_DOCKER), ("podman", NO_PODMAN)])
def test_a_requested_engine_is_not_replaced(
    choice: str, error: NoEngineError, faked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its error is raised, even if another engine is available."""
    faked |= {kind: PRIVATE for kind in ("private", "docker", "podman") if kind != choice}
    with pytest.raises(NoEngineError) as refused:
        said(choice, capsys)
    assert refused.value is error


def test_other_errors_end_the_search(faked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """If the disk is full, say, no other engine is tried."""
    faked |= {"private": CannotMeasureError("the disk is full"), "docker": PRIVATE}
    with pytest.raises(CannotMeasureError, match="the disk is full"):
        said("auto", capsys)
    assert faked["ended"] == []
