"""Each verb ends when a stranger's text hangs: with code 2, and the name of the text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proof.captures import store
from proof.cli import run_snippets
from proof.cli.page_check import BackgroundPageCheck
from proof.core import limits
from proof.core.errors import LimitError
from proof.pages.lint import audit
from proof.reports.terminal import Terminal
from proof.runs.result import Result
from proof.shards import result_files, untrusted
from proof.snippets import manifest
from proof.snippets.model import Snippet
from proof.system.parallel import Forked
from tests.support.helpers import captured, results, tiny
from tests.support.in_process import proof

ENDLESS = "This page never ends."
SOON = 0.5  # seconds


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose page `endless.md` hangs, and the page after it has a mistake."""
    root = captured(tiny(tmp_path))
    (root / "docs/endless.md").write_text(f"# Endless\n\n{ENDLESS}\n")
    (root / "docs/zebra.md").write_text("# Zebra\n\n{{ note.sise }}\n")
    hang_if(audit, "audit", lambda _, page: ENDLESS in page.source, monkeypatch)
    monkeypatch.setattr(limits, "SECONDS", SOON)
    monkeypatch.setattr(run_snippets, "run_snippets", accurate)
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    return root


def hang_if(module: Any, name: str, condition: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a function of a module never return if the condition is true of its arguments."""
    function = getattr(module, name)

    def hanging(*arguments: Any, **named: Any) -> Any:
        while condition(*arguments):
            pass
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, hanging)


def accurate(snippets: list[Snippet], *_: object, pages: BackgroundPageCheck, **__: object) -> list[Result]:
    """A run in which nothing has changed, without an engine."""
    pages.report(Terminal())
    return [Result(snippet, "accurate") for snippet in snippets]


def shard(root: Path) -> str:
    """The results of a run on another machine."""
    folder = root.parent / "part"
    result_files.save(results(root), folder, root=root, origin="rebuilt", seconds=1)
    return str(folder)


@pytest.mark.parametrize(
    "verb",
    ["status", "check", "update", "merge PART", "explain note.size", "facts --json --site https://a.example/",
     "check --page docs/index.md"],
)  # fmt: skip
def test_a_page_that_hangs(verb: str, root: Path) -> None:
    part, began = shard(root), time.process_time()
    done = proof(*(word.replace("PART", part) for word in verb.split()), cwd=root)
    said = done.stdout + done.stderr
    assert f"docs/endless.md: reading this takes longer than {SOON} s" in said
    assert done.returncode == 2, said
    assert time.process_time() - began < 6 * SOON
    if verb in ("status", "check", "merge PART"):  # the other pages are read nevertheless
        assert "docs/zebra.md:3: unknown fact 'note.sise'" in said


@pytest.mark.parametrize("verb", ["status", "check", "facts", "plan", "merge PART", "accept PART", "explain note.size"])
def test_a_manifest_that_hangs(verb: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = shard(root)
    (root / "docs/endless.md").unlink()
    hang_if(manifest, "_matrix", lambda folder, _: folder.name == "note", monkeypatch)
    done = proof(*(word.replace("PART", part) for word in verb.split()), cwd=root)
    said = done.stdout + done.stderr
    assert f"snippets/note/snippet.toml: reading this takes longer than {SOON} s" in said
    assert done.returncode == 2, said


@pytest.mark.parametrize("verb", ["status", "check", "facts", "plan", "merge PART", "accept PART", "explain note.size"])
def test_a_capture_that_hangs(verb: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = shard(root)
    (root / "docs/endless.md").unlink()
    hang_if(store, "_read", lambda folder, *_: "snippets/note/" in str(folder), monkeypatch)
    done = proof(*(word.replace("PART", part) for word in verb.split()), cwd=root)
    said = done.stdout + done.stderr
    assert "snippets/note/captured/rebuilt/capture.json: reading this takes longer than" in said
    assert done.returncode == 2, said


@pytest.mark.parametrize("verb", ["merge", "accept"])
def test_results_that_hang(verb: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = shard(root)
    hang_if(untrusted, "objections", lambda *_: True, monkeypatch)
    done = proof(verb, part, cwd=root)
    assert "part/results.json: reading this takes longer than" in done.stderr
    assert done.returncode == 2


_HANGING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from proof.cli import main
from proof.pages.lint import audit
audit.audit = lambda *_: any(0 for _ in iter(int, 1))
sys.exit(main.main(["check"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the processes")
def test_ctrl_c_ends_a_check_while_it_reads_the_pages(tmp_path: Path) -> None:
    """The process that reads them is ended with it, and there is one message."""
    root = captured(tiny(tmp_path))
    env = {**os.environ, "PROOF_CACHE": str(tmp_path / "cache"), "PATH": "/nonexistent"}
    # A group of its own, because Ctrl-C reaches all processes of a terminal.
    check = subprocess.Popen(
        [sys.executable, "-c", _HANGING],
        cwd=root,
        env=env,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    readers = Path(f"/proc/{check.pid}/task/{check.pid}/children")
    until = time.monotonic() + 60
    while not (found := readers.read_text().split()) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)  # it has begun
    os.killpg(check.pid, signal.SIGINT)
    said, _ = check.communicate(timeout=60)
    assert (check.returncode, said.strip()) == (130, "proof: interrupted; finished results are kept")
    assert found
    assert not any(Path(f"/proc/{pid}").exists() for pid in found)


def pages_are_read() -> int:
    return 3


def raises() -> int:
    raise ZeroDivisionError("in the other process")


def is_killed() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 3


def waits() -> int:
    time.sleep(1000)
    return 3


def forked(function: Callable[[], int]) -> Forked[int]:
    return Forked(function)


def test_another_process_returns_its_result_again_and_again() -> None:
    call = forked(pages_are_read)
    assert (call.result(), call.result()) == (3, 3)
    call.end()


def test_another_process_hands_over_its_exception_with_its_traceback() -> None:
    call = forked(raises)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="in the other process") as raised:
            call.result()
        assert "in raises" in "".join(raised.value.__notes__)
    call.end()


def test_another_process_that_is_killed_is_an_error() -> None:
    call = forked(is_killed)
    with pytest.raises(LimitError, match="was ended with signal 9"):
        call.result()
    call.end()


def test_nothing_is_left_of_another_process() -> None:
    call = forked(waits)
    call.end()
    assert not call._process.is_alive()
