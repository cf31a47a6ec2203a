"""The real engine for the tests that need one: never skipped in CI, skipped with its reason elsewhere."""

import contextlib
import fcntl
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.globals import push_context
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from proof.core.errors import NoEngineError
from proof.core.settings import cache_folder
from proof.engines import private_docker
from proof.engines.interface import Engine
from proof.snippets.engine_version import PLATFORM
from tests.support.helpers import captured, tiny

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

# The groups of tests that take longest, the longest first. `_group` gives them these names.
_LONG = (
    "tests/engine/test_article.py",
    "tests/engine/test_faults.py",
    "browser",
    "host",
    "tests/engine/test_drift.py",
    "tests/engine/test_bench.py",
    "tests/engine/test_beside.py",
    "tests/engine/test_tiny.py",
    "tests/engine/test_try_it.py",
    "tests/engine/test_private.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with made-up captures."""
    return captured(tiny(tmp_path))


@pytest.fixture(scope="session")
def cache() -> Path:
    """The user's own cache: packages are downloaded once, however often the tests run."""
    return cache_folder()


@pytest.fixture(scope="session")
def engine(cache: Path) -> Iterator[Engine]:
    """A private engine, shared by the whole session."""
    try:
        with private_docker.start(cache, PLATFORM) as started:
            yield started
    except NoEngineError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no private engine: {error}")


@pytest.fixture
def memory_runs_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For a test that runs out of memory: no other worker runs a test with `memory_lasts` at the same time."""
    with _locked(tmp_path_factory, fcntl.LOCK_EX):
        yield


@pytest.fixture
def memory_lasts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For a test that fails on purpose: the tool would name memory as a cause if the kernel had ended any process."""
    with _locked(tmp_path_factory, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(tmp_path_factory: pytest.TempPathFactory, how: int) -> Iterator[None]:
    # Under xdist each worker has its directory in a common one.
    folder = tmp_path_factory.getbasetemp()
    with (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder).joinpath("memory.lock").open("w") as file:
        fcntl.flock(file, how)
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Under scripts/mutate each call goes through two more functions: leave recursion as much room as without them."""
    if config.getoption("--hypothesis-profile") == "mutation":
        sys.setrecursionlimit(3 * sys.getrecursionlimit())
        # mutmut is made with Click too: the extension would take it for the site generator.
        push_context(None)  # type: ignore[arg-type]


def _group(file: str) -> str:
    """The tests that one worker runs, one after another: a file of tests, or the files that have to share one."""
    if file.startswith("tests/browser/"):
        return "browser"  # one site and one browser for all
    if file in ("tests/engine/test_host.py", "tests/engine/test_engines.py"):
        return "host"  # the one compares what is on this machine, the other uses its Podman
    return file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out between workers by their groups."""
    if config.getvalue("dist") != "loadscope":
        return None
    found = LoadScopeScheduling(config, log)
    found._split_scope = lambda nodeid: _group(nodeid.partition("::")[0])
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, then all that needs an engine, so that no worker is left with it alone."""
    order = {group: number for number, group in enumerate(_LONG)}

    def rank(item: pytest.Item) -> int:
        group = _group(item.nodeid.partition("::")[0])
        return order.get(group, len(order) + (not group.startswith("tests/engine/")))

    items.sort(key=rank)


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
