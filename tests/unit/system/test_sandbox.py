"""Whether bubblewrap can create a sandbox here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError
from proof.system import process, sandbox
from proof.system.process import Completed

FORBIDDEN = "bwrap: No permissions to create a new namespace, likely because the kernel does not allow it."


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    """The trial is made once a process."""
    sandbox.obstacle.cache_clear()
    yield
    sandbox.obstacle.cache_clear()


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (Completed((), 0, b"", b"bwrap: a warning\n", 0.1), ""),
        (Completed((), 1, b"", f"{FORBIDDEN}\n".encode(), 0.1), FORBIDDEN),
        (Completed((), 159, b"", b"", 0.1), "bwrap exits with 159"),
        (
            CannotMeasureError("`bwrap` ran longer than 10 s and was killed"),
            "`bwrap` ran longer than 10 s and was killed",
        ),
    ],
    ids=["works", "forbidden", "silent", "hangs"],
)
def test_it_is_tried(result: Completed | CannotMeasureError, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no sandbox if bubblewrap fails, and the reason is told in its own words."""

    def run(*_: object, **__: object) -> Completed:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "which", lambda program: f"/usr/bin/{program}")
    assert sandbox.obstacle() == says
    assert bool(sandbox.of(Path("/run/docker.sock"))) is not bool(says)
