"""How the user's engine is reached, and which of them cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import DeadlineError, NoEngineError
from proof.engines import docker, registry, user_engine
from proof.engines.interface import EngineOptions
from proof.snippets.engine_version import Kind
from proof.system import process
from proof.system.process import Completed
from tests.support import engines
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


UNSURE = SECOND.replace('"SkipTLSVerify": false', '"SkipTLSVerify": true')
TLS = {"DOCKER_HOST": "tcp://192.0.2.1:2376", "DOCKER_CERT_PATH": "/home/me/d/contexts/tls/1636/docker"}
GIVEN = {"DOCKER_CONTEXT": "second", "DOCKER_TOKEN": "secret", "SSH_AUTH_SOCK": "/run/agent", "HOME": "/home/me"}
VERIFIED = {"DOCKER_HOST": "tcp://192.0.2.1:2376", "DOCKER_TLS_VERIFY": "1"}


@pytest.mark.parametrize(
    ("environ", "told", "address"),
    [
        ({}, DEFAULT, {"DOCKER_HOST": "unix:///var/run/docker.sock"}),
        ({"DOCKER_CONTEXT": "second"}, SECOND, {**TLS, "DOCKER_TLS_VERIFY": "1"}),
        ({"DOCKER_CONTEXT": "second"}, UNSURE, TLS),
        # A host that is named comes before any context. Only the variables needed to reach it are taken over.
        ({**GIVEN, "DOCKER_HOST": "unix:///run/d.sock"}, "", {"DOCKER_HOST": "unix:///run/d.sock"}),
        (
            {**GIVEN, "DOCKER_HOST": "ssh://me@192.0.2.1"},
            "",
            {"DOCKER_HOST": "ssh://me@192.0.2.1", "SSH_AUTH_SOCK": "/run/agent"},
        ),
        ({**GIVEN, **VERIFIED, "DOCKER_CONFIG": "/home/me/d"}, "", {**VERIFIED, "DOCKER_CERT_PATH": "/home/me/d"}),
    ],
)
def test_the_address(
    environ: dict[str, str], told: str, address: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in docker itself, as environment variables for a client without contexts."""
    context(monkeypatch, told)
    assert docker._address(environ) == address


def test_a_context_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown context is an error with the client's message; no other engine is used instead."""
    context(monkeypatch, "[]", code=1, error=NOBODY)
    with pytest.raises(NoEngineError, match="the docker context cannot be read") as error:
        docker._address({"DOCKER_CONTEXT": "nobody"})
    assert "nobody" in error.value.evidence


def podman(monkeypatch: pytest.MonkeyPatch, answer: bytes, *, code: int = 0, error: bytes = b"") -> None:
    """Replace the podman client. It answers only once: then it is taken for an engine."""
    calls: list[Any] = []

    def run(argv: Any, **_: Any) -> Completed:
        calls.append(argv)
        if len(calls) > 1:
            raise NotImplementedError
        assert list(argv) == ["podman", "info", "--format", "json"]
        return Completed(tuple(argv), code, answer, error, 0.1)

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")


# The parts of `podman info` of Podman 5.4.2 that matter: of one ID, and of those of /etc/subuid too.
OWN = [{"container_id": 0, "host_id": 1000, "size": 1}]
MORE = [*OWN, {"container_id": 1, "host_id": 100000, "size": 65536}]


@pytest.mark.parametrize(
    ("uids", "gids", "rootless", "usable"),
    [
        (OWN, OWN, "rootless", False),
        (MORE, OWN, "rootless", False),
        (OWN, MORE, "rootless", False),
        (MORE, MORE, "rootless", True),
        (None, None, "root", True),
        (OWN, OWN, "root", True),
    ],
)
def test_a_podman_without_other_users_is_none(
    uids: object, gids: object, rootless: str, usable: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers, but it can unpack no image with files of others: it is not used, and the hint says what it needs."""
    host = {"os": "linux", "arch": "amd64", "security": {"rootless": rootless == "rootless"}}
    host["idMappings"] = {"gidmap": gids, "uidmap": uids}
    podman(monkeypatch, json.dumps({"host": host, "store": {"graphRoot": "/nonexistent"}}).encode())
    with pytest.raises(NotImplementedError if usable else NoEngineError) as error:
        registry.opened("podman", EngineOptions(Path("/nonexistent"), "linux/amd64")).__enter__()
    assert usable or "--add-subuids" in str(error.value)


def test_a_podman_that_cannot_set_up_a_namespace_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """`podman version` would succeed."""
    podman(monkeypatch, b"", code=125, error=b'level=error msg="cannot clone: Operation not permitted"')
    with pytest.raises(NoEngineError, match="`podman` is installed, but cannot run containers here") as error:
        registry.opened("podman", EngineOptions(Path("/nonexistent"), "linux/amd64")).__enter__()
    assert "cannot clone" in error.value.evidence
    assert error.value.hint == "`podman info` has to work first"


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clients are installed, and docker's daemon is on another machine, where there is no sandbox."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")


def refusal(kind: Kind, cache: Path) -> NoEngineError:
    """The error of an engine that cannot be used."""
    with pytest.raises(NoEngineError) as refused, registry.opened(kind, EngineOptions(cache, "linux/amd64")):
        pytest.fail("it is used")
    return refused.value


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_an_engine_that_is_not_on_linux_is_none(
    kind: Kind, tmp_path: Path, answers: Callable[[Answer], list[list[str]]]
) -> None:
    """It runs no program for Linux. So nothing is run, and the message says what is needed."""
    told = json.dumps({"host": {"os": "windows", "arch": "amd64"}}) if kind == "podman" else "windows/amd64"
    log = answers(lambda _: (0, f"{told}\n"))
    error = refusal(kind, tmp_path)
    assert error.what == f"your {kind} is on windows/amd64, and snippets are measured on linux/amd64"
    assert "linux/amd64" in error.hint
    assert len(log) == 1


@pytest.mark.parametrize(("machine", "emulated_on"), [("linux/amd64", ""), ("linux/arm64", "linux/arm64")])
def test_an_engine_on_another_processor_emulates(machine: str, emulated_on: str) -> None:
    """It is used, and every command that builds or starts something names the platform."""
    engine = user_engine.on_machine(engines.docker(), machine)
    assert engine.emulated_on == emulated_on
    assert engine.platform_flags == (["--platform=linux/amd64"] if emulated_on else [])
    assert ("has to emulate linux/amd64" in engine.introduction) == bool(emulated_on)


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


@pytest.mark.usefixtures("remote")
def test_what_a_dead_run_left_stops_nothing(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """If it can't be removed in time, it stays in the journal of that run, and this run goes on."""

    def answer(argv: list[str]) -> tuple[int, str]:
        match argv[1:]:
            case ["rm", *_]:
                raise DeadlineError("`docker rm` took more than 60 s")
            case ["info", *_]:
                return 0, "AB:CD\n"
            case _:
                return 0, "linux/amd64\n"

    answers(answer)
    dead = tmp_path / "journals/AB-CD/0.journal"
    dead.parent.mkdir(parents=True)
    dead.write_text("+ container proof-c\n")
    with registry.opened("docker", EngineOptions(tmp_path, "linux/amd64")) as engine:
        assert engine.kind == "docker"
    assert dead.read_text() == "+ container proof-c\n"


@pytest.mark.usefixtures("remote")
def test_a_daemon_over_ssh(
    tmp_path: Path, answers: Callable[[Answer], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is found, and the program through which it connects."""
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@192.0.2.1")
    answers(lambda _: (0, "linux/amd64\n"))
    with registry.opened("docker", EngineOptions(tmp_path, "linux/amd64")) as engine:
        assert {path.name for path in Path(engine.client.env["PATH"]).iterdir()} == {"docker", "ssh"}
