"""How the user's engine is reached, and which of them cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import NoEngineError
from proof.engines import user_engine
from proof.engines.engine import Kind
from proof.system import process
from proof.system.process import Completed
from tests.unit.engines.conftest import Answer

# As `docker context inspect` of Docker 26.1.5 prints them.
DEFAULT = """[{"Name": "default", "Metadata": {},
  "Endpoints": {"docker": {"Host": "unix:///var/run/docker.sock", "SkipTLSVerify": false}},
  "TLSMaterial": {}, "Storage": {"MetadataPath": "\\u003cIN MEMORY\\u003e", "TLSPath": "\\u003cIN MEMORY\\u003e"}}]"""
SECOND = """[{"Name": "second", "Metadata": {},
  "Endpoints": {"docker": {"Host": "tcp://192.0.2.1:2376", "SkipTLSVerify": false}},
  "TLSMaterial": {"docker": ["ca.pem", "cert.pem", "key.pem"]},
  "Storage": {"MetadataPath": "/home/me/d/contexts/meta/1636", "TLSPath": "/home/me/d/contexts/tls/1636"}}]"""
NOBODY = b'context "nobody": context not found: open /home/me/d/contexts/meta/6382/meta.json: no such file'


def context(monkeypatch: pytest.MonkeyPatch, answer: str, *, code: int = 0, error: bytes = b"") -> None:
    """Replace the docker client, which knows the user's contexts."""

    def run(argv: Any, **_: Any) -> Completed:
        assert list(argv) == ["docker", "context", "inspect"]
        return Completed(tuple(argv), code, answer.encode(), error, 0.1)

    monkeypatch.setattr(process, "run", run)


def test_without_more_it_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings, it is the socket on this machine."""
    context(monkeypatch, DEFAULT)
    assert user_engine._address({}) == {"DOCKER_HOST": "unix:///var/run/docker.sock"}


def test_a_context_on_another_host_brings_its_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context becomes environment variables, for a client without contexts."""
    context(monkeypatch, SECOND)
    found = {
        "DOCKER_HOST": "tcp://192.0.2.1:2376",
        "DOCKER_CERT_PATH": "/home/me/d/contexts/tls/1636/docker",
    }
    assert user_engine._address({"DOCKER_CONTEXT": "second"}) == {**found, "DOCKER_TLS_VERIFY": "1"}
    unsure = json.loads(SECOND)
    unsure[0]["Endpoints"]["docker"]["SkipTLSVerify"] = True
    context(monkeypatch, json.dumps(unsure))
    assert user_engine._address({"DOCKER_CONTEXT": "second"}) == found


def test_a_context_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown context is an error with the client's message; no other engine is used instead."""
    context(monkeypatch, "[]", code=1, error=NOBODY)
    with pytest.raises(NoEngineError, match="the docker context cannot be read") as error:
        user_engine._address({"DOCKER_CONTEXT": "nobody"})
    assert "nobody" in error.value.evidence


def test_a_host_that_is_named_comes_before_any_context() -> None:
    """As in docker itself. Only the variables needed to reach that host are taken over."""
    given = {"DOCKER_CONTEXT": "second", "DOCKER_TOKEN": "secret", "SSH_AUTH_SOCK": "/run/agent", "HOME": "/home/me"}
    assert user_engine._address({**given, "DOCKER_HOST": "unix:///run/d.sock"}) == {"DOCKER_HOST": "unix:///run/d.sock"}
    assert user_engine._address({**given, "DOCKER_HOST": "ssh://me@192.0.2.1"}) == {
        "DOCKER_HOST": "ssh://me@192.0.2.1",
        "SSH_AUTH_SOCK": "/run/agent",
    }
    verified = {"DOCKER_HOST": "tcp://192.0.2.1:2376", "DOCKER_TLS_VERIFY": "1"}
    assert user_engine._address({**given, **verified, "DOCKER_CONFIG": "/home/me/d"}) == {
        **verified,
        "DOCKER_CERT_PATH": "/home/me/d",
    }


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clients are installed, and docker's daemon is on another machine, where there is no sandbox."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")


def refusal(kind: Kind, cache: Path) -> NoEngineError:
    """The error of an engine that cannot be used."""
    with pytest.raises(NoEngineError) as refused, user_engine.connect(kind, cache, "linux/amd64"):
        pytest.fail("it is used")
    return refused.value


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("kind", ["docker", "podman"])
@pytest.mark.parametrize("machine", ["linux/arm64", "windows/amd64"])
def test_an_engine_on_another_platform_is_none(
    kind: Kind, machine: str, tmp_path: Path, answers: Callable[[Answer], list[list[str]]]
) -> None:
    """What it runs for amd64 is emulated, or fails. So nothing is run, and the message says what is needed."""
    log = answers(lambda _: (0, f"{machine}\n"))
    error = refusal(kind, tmp_path)
    assert error.what == f"your {kind} is on {machine}, and snippets are measured on linux/amd64, without emulation"
    assert "linux/amd64" in error.hint
    assert len(log) == 1


@pytest.mark.usefixtures("remote")
def test_docker_without_buildx_is_none(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """Every build would fail, which is not the snippet's fault. It is found before anything is run."""
    missing = "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n"  # verbatim, of 26.1.5

    def answer(argv: list[str]) -> tuple[int, str]:
        return (1, missing) if argv[1] == "buildx" else (0, "linux/amd64\n")

    log = answers(answer)
    error = refusal("docker", tmp_path)
    assert "buildx is missing" in error.what
    assert error.evidence == missing.strip()
    assert "install docker-buildx" in error.hint
    assert {argv[1] for argv in log} == {"version", "buildx"}
