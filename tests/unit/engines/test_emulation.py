"""Which platforms an engine emulates, and which of them are in the way of a step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proof.core.errors import NoEngineError, Where
from proof.engines import emulation
from proof.engines.interface import Engine
from proof.snippets import commands
from tests.support.engines import docker, podman, private
from tests.unit.engines.conftest import Answer

DOCKER = private()
PODMAN = podman()
# `docker buildx inspect`, verbatim but for the list of platforms.
INSPECTED = """\
Name:   default
Driver: docker

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        {}
Labels:
 org.mobyproject.buildkit.worker.moby.host-gateway-ip: <nil>
"""
NATIVE = "linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/amd64/v4, linux/386"
EMULATED = "linux/amd64, linux/amd64/v2, linux/arm64, linux/riscv64, linux/arm/v7, linux/arm/v6, linux/386"


def in_the_way(engine: Engine, shown: str) -> list[str]:
    return emulation.in_the_way(engine, commands.parse(shown, where=Where(Path("snippet.toml"))))


@pytest.mark.parametrize(
    ("platforms", "shown", "found"),
    [
        (NATIVE, "docker run --platform linux/arm64 example", []),
        (NATIVE, "docker run example", []),
        (EMULATED, "docker run --platform linux/arm64 example", ["linux/arm64"]),
        (EMULATED, "docker run --platform linux/arm example", ["linux/arm/v7", "linux/arm/v6"]),
        (EMULATED, "docker run --platform linux/s390x example", []),
        (EMULATED, "docker run example", ["linux/arm64", "linux/riscv64", "linux/arm/v7", "linux/arm/v6"]),
    ],
)
def test_docker_tells(
    platforms: str, shown: str, found: list[str], answers: Callable[[Answer], list[list[str]]]
) -> None:
    """Docker's builder tries each platform. A processor's own variants are not emulated."""
    log = answers(lambda _: (0, INSPECTED.format(platforms)))
    assert in_the_way(DOCKER, shown) == found
    assert log == [["docker", "buildx", "inspect"]]


def test_podman_tells(answers: Callable[[Answer], object]) -> None:
    """A newer podman does, wherever it runs."""
    answers(lambda _: (0, '{"host": {"emulatedArchitectures": ["linux/386", "linux/arm64", "linux/s390x"]}}'))
    assert in_the_way(PODMAN, "docker run --platform linux/arm64 example") == ["linux/arm64"]


LAPTOP = docker("proof-1/", emulated_on="linux/arm64")


def test_the_machine_itself_is_in_the_way(answers: Callable[[Answer], object]) -> None:
    """A program for arm64 runs on an arm64 machine that emulates amd64."""
    answers(lambda _: (0, INSPECTED.format("linux/arm64, linux/amd64, linux/amd64/v2")))
    assert in_the_way(LAPTOP, "docker run --platform linux/arm64 example") == ["linux/arm64"]
    assert in_the_way(LAPTOP, "docker run --platform linux/amd64 example") == []


@pytest.mark.parametrize(
    ("code", "printed", "runs"),
    [
        (0, "", True),
        (255, "exec /bin/true: exec format error\n", False),
        (126, "{crun}: exec: Exec format error\n", False),
        (127, 'exec: "true": executable file not found in $PATH\n', True),
    ],
)
def test_emulation_is_tried(
    code: int, printed: str, runs: object, answers: Callable[[Answer], list[list[str]]]
) -> None:
    """A program of the platform is run. If the kernel cannot, the engine is not used; other failures say nothing."""
    log = answers(lambda argv: (code, printed) if argv[1] == "run" else (0, ""))  # which `docker version` asks too
    if runs:
        emulation.check(LAPTOP, "alpine:3.22")
    else:
        with pytest.raises(NoEngineError, match="on linux/arm64, and cannot run programs for linux/amd64") as error:
            emulation.check(LAPTOP, "alpine:3.22")
        assert error.value.evidence == printed.strip()
    argv = log[0]
    assert argv[:3] == ["docker", "run", "--rm"]
    assert argv[-3:] == ["--platform=linux/amd64", "proof-1/alpine:3.22", "true"]
