"""This article, on a real engine: its captures are what the engine does, and its numbers are the engine's own."""

import json
import os
from pathlib import Path

import pytest

from proof.core import units
from proof.engines import private_daemon
from proof.engines.interface import Engine
from proof.engines.measure import measure as weigh
from proof.facts import book
from proof.provision import loader
from proof.runs import execute
from proof.snippets import base_images, manifest
from tests.support.helpers import REPOSITORY, proof

pytestmark = pytest.mark.engine

ALPINE = "sha256:418dccb7d85a63a6aa574439840f7a6fa6fd2321b3e2394568a317735e867d35"


@pytest.fixture(scope="module")
def loaded(engine: Engine, cache: Path) -> Engine:
    """The engine with the article's bases in it."""
    known = base_images.load(REPOSITORY)
    for name in known.images:
        loader.ensure(known, name, engine, origin="rebuilt", cache=cache)
    return engine


@pytest.mark.skipif(bool(private_daemon.obstacle()) and not os.environ.get("CI"), reason="no private engine here")
def test_every_capture_is_what_happens() -> None:
    """A check of every snippet agrees with its capture.

    Outside CI it runs no snippet that a check on this machine has found accurate today: that takes most of the time.
    """
    done = proof("check", "--engine", "private", cwd=REPOSITORY, timeout=7200)
    # In full: of a difference that comes and goes, what a run printed is all that is left of it.
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alpine_layer_is_the_official_one(loaded: Engine) -> None:
    """The rebuilt Alpine has the diffID of the official alpine:3.22.1, alone and under Go."""
    for image, count in (("alpine:3.22", 1), ("golang:1.27-alpine", 5)):
        layers = json.loads(loaded.client.call("image", "inspect", "--format", "{{json .RootFS.Layers}}", image).output)
        assert (layers[0], len(layers)) == (ALPINE, count)


def test_the_rebuilt_go_image_is_configured_as_the_official_one(loaded: Engine) -> None:
    """Environment, command and working directory; and no tzdata, which the official image does not have."""
    image = "golang:1.27-alpine"
    config = json.loads(loaded.client.call("image", "inspect", "--format", "{{json .Config}}", image).output)
    assert config["Env"][0].startswith("PATH=/go/bin:/usr/local/go/bin:")
    assert {"GOTOOLCHAIN=local", "GOPATH=/go"} < set(config["Env"])
    assert (config["Cmd"], config["WorkingDir"]) == (["/bin/sh"], "/go")
    listed = loaded.client.call("run", "--rm", "--network", "none", image, "apk", "info").text().split()
    assert "ca-certificates" in listed
    assert "tzdata" not in listed


@pytest.mark.parametrize("name", ["single", "multi"])
def test_the_size_is_the_engines_own(name: str, loaded: Engine, tmp_path: Path) -> None:
    """The sum of the files is what the classic store says, to the byte, and prints as `docker image ls` prints it."""
    snippet = manifest.variants(REPOSITORY / "snippets" / name)[0]
    with execute.inputs(snippet, loaded) as given:
        context = given.context
        loaded.client.call(
            "build", "--network=none", "--tag", f"size-{name}", str(context), deadline=300, reads=[context]
        )
    try:
        own = int(loaded.client.call("image", "inspect", "--format", "{{.Size}}", f"size-{name}").text())
        listed = loaded.client.call("image", "ls", "--format", "{{.Size}}", f"size-{name}").text().strip()
        image_id = loaded.image_id(f"size-{name}")
        assert image_id is not None
        measured = weigh(loaded, image_id, tmp_path)
        assert measured.size == own
        assert units.size(measured.size) == listed
        assert book.load(REPOSITORY / "snippets")[f"{name}.size"].value == own
    finally:
        loaded.remove(images=[f"size-{name}"])
