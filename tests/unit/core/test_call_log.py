"""The log of a call: what is in it, where it goes, and that nothing in it acts."""

import logging
from pathlib import Path

import pytest

from proof.core import call_log
from proof.system import process
from tests.support.helpers import captured, tiny
from tests.support.in_process import proof
from tests.support.injections import acts


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "logs"


def test_every_call_has_a_log(logs: Path, tmp_path: Path) -> None:
    """With its arguments, errors and exit code. Only --verbose prints it, to standard error."""
    root = captured(tiny(tmp_path))
    quiet = proof("facts", "nota", cwd=root)
    (log,) = logs.iterdir()
    first, *_, last = log.read_text().splitlines()
    assert first.endswith(f"proof: called as proof facts nota in {root}")
    assert "did you mean 'note'" in log.read_text()
    assert last.endswith("proof.cli.main: exit code 2")
    verbose = proof("--verbose", "facts", "note", cwd=root)
    assert "called as" not in quiet.stderr + verbose.stdout
    assert "called as proof --verbose facts note" in verbose.stderr
    assert verbose.stdout == proof("facts", "note", cwd=root).stdout


def test_what_was_started(logs: Path) -> None:
    with call_log.recording(["check"], verbose=False):
        process.run(["sh", "-c", "exit 3"], env={"PATH": "/usr/bin:/bin"})
    (log,) = logs.iterdir()
    assert "proof.system.process: starting sh -c 'exit 3'\n" in log.read_text()
    assert "sh ended with 3 after" in log.read_text()


def test_a_log_does_not_act(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither what it holds nor the name of the project."""
    with call_log.recording(["x\n::error::x"], verbose=True):
        logging.getLogger("proof.x").info("a\n::error::x\x1b[31m ##[group]y\r::error::z")
    (log,) = logs.iterdir()
    for text in (log.read_text(), capsys.readouterr().err):
        assert "    | " in text
        assert acts(text) == []


def test_only_the_newest_logs_are_kept(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is in the directory stays."""
    monkeypatch.setattr(call_log, "_KEPT", 3)
    logs.mkdir(parents=True)
    (logs / "proof-crash-1.log").touch()
    for word in "abcde":
        with call_log.recording([word], verbose=False):
            pass
    first, *kept = sorted(logs.iterdir())[::-1]
    assert first.name == "proof-crash-1.log"
    assert [path.read_text().split("called as proof ")[1][0] for path in kept] == ["e", "d", "c"]


def test_a_call_without_a_place_for_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does its work all the same."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "file"))
    with call_log.recording(["check"], verbose=False):
        assert call_log.current() is None
