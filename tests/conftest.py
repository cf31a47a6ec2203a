"""The real engine for the tests that need one: never skipped in CI, skipped with its reason elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from proof import cli, private
from proof.engine import Engine
from proof.errors import NoEngineError

# The same examples on every machine, so that a red test is somebody's change. Where time allows, look further:
# pytest --hypothesis-profile=long
settings.register_profile("same", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


@pytest.fixture(scope="session")
def cache() -> Path:
    """The user's own cache: packages are downloaded once, however often the tests run."""
    return cli.cache_folder()


@pytest.fixture(scope="session")
def engine(cache: Path) -> Iterator[Engine]:
    """A private engine, shared by the whole session."""
    try:
        with private.start(cache, cli.PLATFORM) as started:
            yield started
    except NoEngineError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no private engine: {error}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites the goldens instead of comparing with them."""
    parser.addoption("--update", action="store_true", help="rewrite tests/golden/*.html")
