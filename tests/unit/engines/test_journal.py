"""The journal lists what was created and not removed, whenever its writer was killed."""

from __future__ import annotations

from pathlib import Path

from proof.engines import journal
from proof.engines.journal import Journal


def test_what_is_left(tmp_path: Path) -> None:
    """Names by kind, in order of creation, without those that were removed."""
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
    """The journal is removed if it lists nothing; otherwise it stays for the next run."""
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
    """The journal of a run that is still alive is not touched."""
    with journal.opened(tmp_path) as ours:
        ours.made("tag", "one")
        with journal.of_dead_runs(tmp_path) as dead:
            assert dead == []
        assert ours.left("tag") == ["one"]


def test_cut_short(tmp_path: Path) -> None:
    """An entry that a kill cut short does not affect later entries."""
    (tmp_path / "a").write_text("\n+ tag one\n+ ta")
    found = Journal(tmp_path / "a")
    found.gone("tag", "one")
    found.made("tag", "two")
    assert found.left("tag") == ["two"]
