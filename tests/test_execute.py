"""A command as it is shown, and as an engine is asked to run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof import commands, execute
from proof.engine import Engine
from proof.errors import Where

ENGINE = Engine("docker", {}, "linux/amd64", prefix="proof-1/", bases=frozenset({"alpine:3.22"}))


@pytest.mark.parametrize(
    ("shown", "run"),
    [
        ("docker build -t example .", "docker build -t=proof-1/example ."),
        ("docker build --tag=example --label A=example .", "docker build --tag=proof-1/example --label=A=example ."),
        ("docker image ls example", "docker image ls proof-1/example"),
        ("docker run --env A=example example echo example", "docker run --env=A=example proof-1/example echo example"),
        ("docker run --read-only alpine:3.22 true", "docker run --read-only alpine:3.22 true"),
        ("docker history --human=false -q example", "docker history --human=false -q proof-1/example"),
        ("docker run --entrypoint '' example", "docker run --entrypoint= proof-1/example"),
    ],
)
def test_images_alone_are_renamed(shown: str, run: str) -> None:
    """Every image of the snippet's own under its name here; a base, a value and the container's words as they are."""
    command = commands.parse(shown, where=Where(Path("snippet.toml")))
    assert execute._argv(command, ENGINE, []) == run.split()


def test_without_a_prefix_nothing_is_touched() -> None:
    """What was typed, with what the tool adds behind the verb."""
    command = commands.parse("docker build -t example .", where=Where(Path("snippet.toml")))
    plain = Engine("docker", {}, "linux/amd64")
    assert execute._argv(command, plain, ["--network=none"]) == "docker build --network=none -t example .".split()
