"""The real engine for the tests that need one: never skipped in CI, skipped with its reason elsewhere."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from proof.core.errors import NoEngineError
from proof.core.settings import cache_folder
from proof.engines import private_daemon
from proof.engines.engine import Engine
from proof.snippets.base_images import PLATFORM

# The same examples on every machine, so that a red test is somebody's change. Where time allows, look further:
# pytest --hypothesis-profile=long
settings.register_profile("same", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
# scripts/mutate runs a test many times in one process, by which Hypothesis takes its class for several.
settings.register_profile(
    "mutation", settings.get_profile("same"), max_examples=30, suppress_health_check=[HealthCheck.differing_executors]
)
# scripts/test --quick: a quarter of the examples, the same ones each time.
settings.register_profile("quick", settings.get_profile("same"), max_examples=25)
settings.load_profile("same")

# The groups of tests that take longest.
_LONG = ("test_article", "test_faults", "browser", "test_drift", "host", "test_bench", "test_beside", "test_tiny")


@pytest.fixture(scope="session")
def cache() -> Path:
    """The user's own cache: packages are downloaded once, however often the tests run."""
    return cache_folder()


@pytest.fixture(scope="session")
def engine(cache: Path) -> Iterator[Engine]:
    """A private engine, shared by the whole session."""
    try:
        with private_daemon.start(cache, PLATFORM) as started:
            yield started
    except NoEngineError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no private engine: {error}")


def pytest_configure(config: pytest.Config) -> None:
    """Under scripts/mutate each call goes through two more functions: leave recursion as much room as without them."""
    if config.getoption("--hypothesis-profile") == "mutation":
        sys.setrecursionlimit(3 * sys.getrecursionlimit())


def _group(path: Path) -> str:
    """The tests that one worker runs, one after another: a file, or the files that have to share one."""
    if path.parent.name == "browser":
        return "browser"  # one site and one browser for all
    if path.stem in ("test_host", "test_engines"):
        return "host"  # the one compares what is on this machine, the other uses its Podman
    return str(path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Share the tests out between workers. What takes minutes begins first, so that no worker is left with it alone."""
    if config.getoption("loadgroup", default=False):  # what xdist tells its workers of `--dist loadgroup`
        groups = {path: _group(path) for path in {item.path for item in items}}
        for item in items:
            item.add_marker(pytest.mark.xdist_group(groups[item.path]))
        order = {name: number for number, name in enumerate(_LONG)}
        items.sort(key=lambda item: order.get(Path(groups[item.path]).stem, len(order)))


def pytest_collection() -> None:
    """Thousands of collected tests stay until the end, so the garbage collector need not look at them."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on it looks at what the tests themselves leave."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites the goldens instead of comparing with them; `--screenshots DIR` keeps pictures of pages.

    `--every-block` runs what readers paste for every snippet on a page, instead of some.
    """
    parser.addoption("--update", action="store_true", help="rewrite tests/data/golden")
    parser.addoption("--screenshots", metavar="DIR", help="keep a picture of every page, wide and narrow")
    parser.addoption("--every-block", action="store_true", help="run the blocks to paste of every page")
