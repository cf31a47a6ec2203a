"""How the command in a snippet becomes the command line that is run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import CannotMeasureError, Where
from proof.engines import cleanup
from proof.engines.engine import Engine
from proof.engines.image_archive import Limit
from proof.runs import execute
from proof.snippets import commands
from proof.snippets.project import load_all
from tests.support.helpers import tiny

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
    """Only the snippet's own images are renamed, not bases, values of flags, or the container's command."""
    command = commands.parse(shown, where=Where(Path("snippet.toml")))
    assert execute._argv(command, ENGINE, []) == run.split()


def test_without_a_prefix_nothing_is_touched() -> None:
    """Without a prefix the command is as typed, with the added flags after its verb."""
    command = commands.parse("docker build -t example .", where=Where(Path("snippet.toml")))
    plain = Engine("docker", {}, "linux/amd64")
    assert execute._argv(command, plain, ["--network=none"]) == "docker build --network=none -t example .".split()


def test_a_failure_does_not_wait_for_what_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image is measured while the next step runs; if that step fails, measuring is stopped."""
    counting = 0.0

    def count(*_: object, limit: Limit, **__: object) -> None:
        nonlocal counting
        counting = time.monotonic()
        while time.monotonic() < counting + 60:  # a file with holes
            limit.check()

    def step(step: Any, *_: object, **__: object) -> execute.StepRun:
        if step.command.verb == "build":
            return execute.StepRun(step, 0, "", 0.1)
        while not counting:
            time.sleep(0.01)
        raise CannotMeasureError("the disk is full")

    monkeypatch.setattr(execute, "measure", count)
    monkeypatch.setattr(execute, "_run_step", step)
    monkeypatch.setattr(execute, "_id_of", lambda *_: "sha256:1")
    (snippet,) = load_all(tiny(tmp_path), ["note"])
    monkeypatch.setattr(cleanup, "claim", lambda *_: None)
    monkeypatch.setattr(cleanup, "remove", lambda *_, **__: None)
    with pytest.raises(CannotMeasureError, match="the disk is full"):
        execute.run(snippet, Engine("docker", {}, "linux/amd64", data=tmp_path), cache=tmp_path)
    assert time.monotonic() - counting < 30
