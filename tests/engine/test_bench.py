"""`scripts/bench` with a real engine, on the tiny project: the rows it gives, and that both sides did their work."""

from pathlib import Path

import pytest

from maintenance import bench
from proof.engines.interface import Engine
from tests.support.helpers import edit, measure, tiny

pytestmark = pytest.mark.engine


def test_cold_again_and_edited(tmp_path: Path, engine: Engine, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every side has a time, the commands need some of the processors, and a save runs only its own snippet."""
    root = tiny(tmp_path)
    assert {result.verdict for result in measure(root, engine, cache, write=True)} == {"written"}
    monkeypatch.setattr(bench, "_REST", 3.0)  # in which it runs the snippet a second time
    sides = bench.Sides(root, ["fails", "note"], tmp_path, edited=("note", "note.txt"))
    rows = list(sides.rows(1, model="note", copies=2))
    assert [row.name for row in rows] == ["cold", "cold_bound", "rerun", "check_memory", "changed", "edited"]
    for row in rows:
        assert row.measured > 0
        assert row.ratio
        assert (row.goal is None) == (row.name == "cold_bound")
    cold, bound = rows[:2]
    assert cold.measured == bound.measured
    assert cold.against is not None
    assert bound.against is not None
    # The client of each of its commands and the engine need some processor time, and cannot use more than there is.
    assert 0.1 < bound.against <= cold.against


def test_a_failure(tmp_path: Path, engine: Engine, cache: Path) -> None:
    """A command that does not exit as its snippet declares ends the benchmark."""
    del engine, cache
    root = tiny(tmp_path)
    edit(root / "snippets/fails/snippet.toml", "exit = 127", "exit = 126")
    with pytest.raises(bench.NotComparableError, match="failed with 127"):
        list(bench.Sides(root, ["fails"], tmp_path).rows(1))
