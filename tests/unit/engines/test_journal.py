"""The journal: what was made and is not gone, whenever its writer was killed."""

from __future__ import annotations

from pathlib import Path

from proof.engines import journal
from proof.engines.journal import Journal


def test_what_is_left(tmp_path: Path) -> None:
    """Names by kind, in the order in which they were made, without those that are gone."""
    with journal.opened(tmp_path) as ours:
        ours.made("tag", "proof-1/a", "proof-1/b c")
        ours.made("container", "proof-1/a")
        ours.made("tag", "proof-1/d")
        ours.gone("tag", "proof-1/a")
        ours.gone("container")
        assert ours.left("tag") == ["proof-1/b c", "proof-1/d"]
        assert ours.left("container") == ["proof-1/a"]
        assert ours.left("image") == []


def test_nothing_left_no_file(tmp_path: Path) -> None:
    """A run that removed all it made leaves no journal; one that could not, leaves it to the next."""
    with journal.opened(tmp_path / "a") as ours:
        ours.made("tag", "one")
        ours.gone("tag", "one")
    assert list((tmp_path / "a").iterdir()) == []
    with journal.opened(tmp_path / "a") as ours:
        ours.made("tag", "one")
    with journal.of_dead_runs(tmp_path / "a") as (dead,):
        assert dead.left("tag") == ["one"]
    with journal.of_dead_runs(tmp_path / "a") as (dead,):
        dead.gone("tag", "one")
    assert list((tmp_path / "a").iterdir()) == []


def test_of_a_live_run(tmp_path: Path) -> None:
    """What a run writes that still lives is not for another one to undo."""
    with journal.opened(tmp_path) as ours:
        ours.made("tag", "one")
        with journal.of_dead_runs(tmp_path) as dead:
            assert dead == []
        assert ours.left("tag") == ["one"]


def test_cut_short(tmp_path: Path) -> None:
    """A last line that a kill cut short spoils none that follows."""
    (tmp_path / "a").write_text("\n+ tag one\n+ ta")
    found = Journal(tmp_path / "a")
    found.gone("tag", "one")
    found.made("tag", "two")
    assert found.left("tag") == ["two"]
