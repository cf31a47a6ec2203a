"""`scripts/bench` with a real engine, on the tiny project: the rows it gives, and that both sides did their work."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.bench import preview, snippets
from maintenance.bench.script import Edit
from maintenance.bench.snippets import Sides
from proof.engines.interface import Engine
from tests.support.helpers import edit, measure, tiny

pytestmark = pytest.mark.engine


def test_cold_again_and_edited(tmp_path: Path, engine: Engine, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every side has a time, the commands need some of the processors, and a save runs only its own snippet."""
    root = tiny(tmp_path)
    assert {result.verdict for result in measure(root, engine, cache, write=True)} == {"written"}
    monkeypatch.setattr(preview, "_REST", 3.0)  # in which it runs the snippet a second time
    sides = Sides(root, [], tmp_path / "work", cache, edit=Edit("note", "note.txt", ""), model="note")
    monkeypatch.setattr(snippets, "_COPIES", 2)
    rows = list(sides.rows(1))
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
    del engine
    root = tiny(tmp_path)
    edit(root / "snippets/fails/snippet.toml", "exit = 127", "exit = 126")
    sides = Sides(root, ["fails"], tmp_path / "work", cache)
    with pytest.raises(Exception, match="fails/run: 127"):
        list(sides.rows(1))
