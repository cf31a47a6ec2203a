"""Snippets run in parallel: their order, which run alone, and what an interrupt does."""

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.captures import index
from proof.cli import engine_choice, main, run_snippets
from proof.core.errors import CannotMeasureError, ManifestError, Where
from proof.engines import private_daemon
from proof.engines.interface import Engine
from proof.runs import scheduler
from proof.runs import verify as verify_module
from proof.runs.result import Cause, Result, Verdict, worst
from proof.snippets.model import Snippet
from proof.snippets.project import load_all
from proof.system import process
from tests.support import makers
from tests.support.engines import private
from tests.support.helpers import captured, tiny
from tests.support.makers import write

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def snippets(tmp_path: Path) -> list[Snippet]:
    """Four snippets; `timed` measures time."""
    root = tiny(tmp_path)
    for name in ("left", "right", "timed"):
        folder = root / "snippets" / name
        folder.mkdir()
        fact = "facts.took = { match = '(.*)', unit = \"s\" }\n" if name == "timed" else ""
        step = f'[[step]]\nname = "v"\ncommand = "docker version"\nunshown = "a test"\n{fact}'
        (folder / "snippet.toml").write_text(f'title = "{name}"\n{step}')
    return load_all(root, ["left", "right", "timed", "count"])


class Runs:
    """A fake `verify` that records how many run at a time, and in which order."""

    def __init__(self, *, hold: float = 0.0) -> None:
        self.begun: list[str] = []
        self.most = self._now = 0
        self.alone: list[str] = []  # begun while nothing else ran
        self.without: list[str] = []  # told so
        self._hold, self._lock = hold, threading.Lock()

    def __call__(self, snippet: Snippet, /, *, concurrent: bool) -> Result:
        with self._lock:
            if concurrent is False:
                self.without.append(snippet.name)
            self._now += 1
            self.begun.append(snippet.name)
            self.most = max(self.most, self._now)
            if self._now == 1:
                self.alone.append(snippet.name)
        time.sleep(self._hold)
        with self._lock:
            self._now -= 1
        return self.result(snippet)

    def result(self, snippet: Snippet) -> Result:
        return Result(snippet, "accurate")


@pytest.mark.parametrize("jobs", [1, 2])
def test_as_many_as_jobs(snippets: list[Snippet], jobs: int) -> None:
    """Every snippet runs once, and never more at a time than there are jobs: with one job, in order."""
    runs = Runs(hold=0.1)
    found = [result.snippet.name for result in scheduler.run(snippets, runs, jobs=jobs)]
    assert sorted(runs.begun) == sorted(found) == ["count", "left", "right", "timed"]
    assert jobs > 1 or found == sorted(found)
    assert runs.most == jobs


def test_the_longest_begins_first(snippets: list[Snippet], monkeypatch: pytest.MonkeyPatch) -> None:
    """The slowest start first; one that measures time runs last, and alone."""
    monkeypatch.setattr(scheduler, "durations", lambda _: {"count": 1.0, "left": 9.0, "right": 5.0, "timed": 99.0})
    runs = Runs(hold=0.05)
    list(scheduler.run(snippets, runs, jobs=2))
    assert set(runs.begun[:2]) == {"left", "right"}
    assert runs.begun[-1] == "timed"
    assert "timed" in runs.alone
    assert runs.without == ["timed"]


def test_none_waits_for_a_step_of_another(snippets: list[Snippet], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of builds that begin alike, one runs first. Meanwhile unrelated snippets run, then the others."""
    root = snippets[0].folder.parents[1]
    for name in ("left", "right"):
        step = '[[step]]\nname = "build"\ncommand = "docker build -t x ."\nunshown = "a test"\n'
        write(root / "snippets" / name, {"snippet.toml": f'title = "{name}"\n{step}'})
        write(root / "snippets" / name, {"context/Dockerfile": f"FROM alpine:3.22 AS {name}\nRUN go build\n"})
    monkeypatch.setattr(scheduler, "durations", lambda _: {"count": 4.0, "left": 3.0, "right": 3.0, "other": 1.0})
    shutil.copytree(root / "snippets" / "count", root / "snippets" / "other")
    running: set[str] = set()
    together: list[set[str]] = []

    def verify(snippet: Snippet, /, *, concurrent: bool) -> Result:
        assert concurrent
        running.add(snippet.name)
        time.sleep(0.1)
        together.append(set(running))
        running.remove(snippet.name)
        return Result(snippet, "accurate")

    found = [
        result.snippet.name
        for result in scheduler.run(load_all(root, ["left", "right", "count", "other"]), verify, jobs=2)
    ]
    assert sorted(found) == ["count", "left", "other", "right"]
    assert {"left", "count"} in together, "what two wait for begins first, and what is longest beside it"
    assert {"left", "right"} not in together


@pytest.mark.parametrize(
    ("verdict", "cause", "again"),
    [
        ("drift", "output", False),
        ("drift", "snippet", False),
        ("unstable", None, True),
        ("not measured", None, True),
        ("another environment", None, False),
        ("written", None, False),
    ],
)
def test_company_is_no_drift(verdict: Verdict, cause: Cause | None, snippets: list[Snippet], *, again: bool) -> None:
    """A result that other snippets may have influenced is replaced by a run alone."""

    class Uneasy(Runs):
        def result(self, snippet: Snippet) -> Result:
            is_first = snippet.name == "left" and self.begun.count("left") == 1
            return Result(snippet, verdict, cause=cause) if is_first else super().result(snippet)

    runs = Uneasy(hold=0.05)
    found = {r.snippet.name: r.verdict for r in scheduler.run(snippets, runs, jobs=4)}
    assert runs.begun.count("left") == 1 + again
    assert found.pop("left") == ("accurate" if again else verdict)
    assert set(found.values()) == {"accurate"}


FAULTS = [RuntimeError("odd"), MemoryError(), ValueError("x" * 9000), OSError("odd")]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_is_one_snippets_own(
    snippets: list[Snippet], fault: Exception, jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an error is raised for one snippet, the others still run, and the exit code is 3. A log says where it was."""
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))

    class Faulty(Runs):
        def result(self, snippet: Snippet) -> Result:
            if snippet.name == "left":
                raise fault
            return super().result(snippet)

    found = {r.snippet.name: r for r in scheduler.run(snippets, Faulty(), jobs=jobs)}
    left = found.pop("left")
    assert {r.verdict for r in found.values()} == {"accurate"}
    assert worst([left, *found.values()]) == 3
    assert left.verdict == "not measured"
    assert left.error is not None
    assert left.error.what == "not measured, because of a bug in this tool"
    assert left.error.evidence.startswith(f"{type(fault).__name__}: ")
    log = Path(left.error.hint.rpartition("report it with ")[2])
    assert log.parent == tmp_path / "cache/logs"
    assert re.search(r'test_scheduler\.py", line \d+, in result$', log.read_text(), re.MULTILINE)
    assert len(str(left.error)) < 1000


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (ManifestError("it was still at work", where=Where(Path("snippet.toml"), 3)), "snippet.toml:3: it was still"),
        (CannotMeasureError("the image is too large"), "the image is too large"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "/x: the disk is full"),
    ],
)
def test_an_error_says_itself_why(snippets: list[Snippet], fault: Exception, says: str) -> None:
    """Known errors are not reported as bugs of the tool."""

    def verify(snippet: Snippet, /, *, concurrent: bool) -> Result:
        del snippet, concurrent
        raise fault

    (result,) = scheduler.run(snippets[:1], verify, jobs=1)
    assert result.verdict == "not measured"
    assert str(result.error).startswith(says)


def test_an_interrupted_check_keeps_what_it_has_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next `proof check` does not run again what was accurate, as the message says."""
    root = captured(tiny(tmp_path))
    ran: list[str] = []

    @contextlib.contextmanager
    def engine(*_: object, **__: object) -> Iterator[Engine]:
        yield private()

    def one(snippet: Snippet, *_: object, **__: object) -> Result:
        ran.append(snippet.name)
        if len(ran) == 3:
            raise KeyboardInterrupt
        capture = index.best(snippet.folder)
        return Result(snippet, "accurate", old=capture, new=capture)

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(private_daemon, "obstacle", str)
    monkeypatch.setattr(engine_choice, "chosen", engine)
    monkeypatch.setattr(run_snippets, "_load_bases", lambda *_, **__: ({}, {}))
    monkeypatch.setattr(verify_module, "provenance", lambda *_: makers.capture().provenance)
    monkeypatch.setattr(verify_module, "verify", one)
    time.sleep(0.1)  # the cache trusts no file that was written just now
    assert main.main(["--project", str(root), "check", "--jobs", "1"]) == 130
    assert "interrupted; finished results are kept" in capsys.readouterr().err
    assert main.main(["--project", str(root), "check", "--jobs", "1"]) == 0
    assert len(ran) == 4
    assert ran[3] == ran[2]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, SystemExit])
def test_all_end_at_once(snippets: list[Snippet], trouble: type[BaseException]) -> None:
    """An interrupt ends the commands of all snippets, and no more are started."""
    running = threading.Barrier(3)
    begun: list[str] = []

    def verify(snippet: Snippet, /, *, concurrent: bool) -> Result:
        assert concurrent
        begun.append(snippet.name)
        if snippet.name == "left":
            running.wait(10)
            raise trouble
        threading.Timer(0.3, running.wait).start()
        process.run(["sleep", "60"], env=ENV, deadline=90)
        return Result(snippet, "accurate")

    started = time.monotonic()
    with pytest.raises(trouble):
        list(scheduler.run([s for s in snippets if s.name != "timed"], verify, jobs=3))
    assert time.monotonic() - started < 30
    assert sorted(begun) == ["count", "left", "right"]
    # What is run from now on is nobody's that was ended.
    assert process.run(["true"], env=ENV).exit == 0


def test_a_service_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """A daemon restarted from a snippet's thread does not end with that thread, although it is guarded."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux ends a child with the thread that started it")
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        started.append(process.spawn(["setpriv", "--pdeathsig", "KILL", "sleep", "60"], env=ENV, log=tmp_path / "log"))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert started[0].poll() is None
    process.end(started[0], grace=5)


def test_default_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job per processor, with a lower and an upper limit."""
    for processors, jobs in ((1, 2), (4, 4), (256, 8)):
        monkeypatch.setattr(os, "cpu_count", lambda count=processors: count)
        assert scheduler.default_jobs() == jobs
