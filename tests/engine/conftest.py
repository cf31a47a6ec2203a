"""A user's own engine, for tests that it is left as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.engines import private_docker
from proof.engines.interface import Engine
from proof.snippets.engine_version import PLATFORM
from tests.support.helpers import measure, tiny


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory, engine: Engine, cache: Path) -> Iterator[Engine]:
    """It has an image with a second name, a container, a volume and a build cache."""
    del engine  # where there is no private engine, its fixture says so
    folder = tmp_path_factory.mktemp("users")
    with private_docker.start(folder, PLATFORM) as theirs:
        measure(tiny(folder), theirs, cache)
        theirs.client.call("tag", "alpine:3.22", "note:latest")
        theirs.client.call("create", "--name", "note", "--network", "none", "alpine:3.22", "true")
        theirs.client.call("volume", "create", "theirs")
        yield theirs
