"""Processes: their output, time limits, and how whole groups are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError, DeadlineError
from proof.system import process
from tests.support.helpers import wait_until

ENV = {"PATH": os.environ["PATH"]}
FOREVER = "sleep 60"


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    """Whether the process ends within two seconds."""
    until = time.monotonic() + 2
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(pid)


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


class TestRun:
    def test_result(self, tmp_path: Path) -> None:
        """A finished command has its exit code, both outputs separately, and ran in the given directory."""
        done = process.run(sh("pwd; echo problem >&2; exit 3"), env=ENV, cwd=tmp_path)
        assert (done.exit, done.text(), done.errors) == (3, f"{tmp_path}\n", b"problem\n")
        assert done.argv[0] == "sh"
        assert 0 < done.seconds < 5

    def test_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A command gets exactly the given environment, and nothing of the tool's own."""
        monkeypatch.setenv("DOCKER_CONFIG", "/root/.docker")
        done = process.run(["env"], env=ENV | {"TZ": "UTC"})
        assert sorted(done.text().splitlines()) == sorted([f"PATH={ENV['PATH']}", "TZ=UTC"])

    def test_standard_input(self) -> None:
        """Standard input is empty, so no command waits for an answer."""
        assert process.run(["cat"], env=ENV, deadline=5).output == b""

    def test_merged(self) -> None:
        """Merged output keeps the order in which it was written."""
        done = process.run(sh("for i in 1 2 3; do echo out $i; echo err $i >&2; done"), env=ENV, merge=True)
        assert done.text().splitlines() == ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"]
        assert done.errors == b""

    def test_not_text(self) -> None:
        """Bytes that are not UTF-8 become replacement characters, in messages too."""
        done = process.run(sh(r"printf 'a\377b\n'"), env=ENV)
        assert done.text() == "a\N{REPLACEMENT CHARACTER}b\n"
        assert done.last_lines() == "a\N{REPLACEMENT CHARACTER}b"

    def test_deadline_ends_grandchildren(self) -> None:
        """After the deadline the whole group is killed, even a grandchild that ignores signals."""
        script = f"sh -c 'trap \"\" TERM HUP INT; {FOREVER}; {FOREVER}' & echo $!; wait"
        started = time.monotonic()
        with pytest.raises(DeadlineError, match=r"`sh -c .*` ran longer than 0\.3 s") as error:
            process.run(sh(script), env=ENV, deadline=0.3)
        grandchild = int(error.value.evidence)
        assert time.monotonic() - started < 3
        assert gone(grandchild)
        assert "timeout" in error.value.hint

    def test_children_left_behind(self) -> None:
        """When a command ends but leaves a child running, the child is killed."""
        done = process.run(sh(f"{FOREVER} & echo $!"), env=ENV, deadline=5)
        assert done.exit == 0
        assert done.seconds < 3
        assert gone(int(done.text()))

    def test_child_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child that left the group and keeps the pipe open does not delay the result."""
        monkeypatch.setattr(process, "_DRAIN", 0.1)
        done = process.run(sh(f"setsid {FOREVER} & echo $!; sleep 0.2"), env=ENV, deadline=5)
        os.kill(int(done.text()), signal.SIGKILL)
        assert done.seconds < 3

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
    def test_killed(self, tmp_path: Path) -> None:
        """If the tool is killed with SIGKILL, the kernel kills the command that it runs."""
        code = (
            "import os, sys; from proof.system import process; "
            "process.run(['sh', '-c', sys.argv[1]], env=dict(os.environ))"
        )
        script = f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec {FOREVER}"
        with subprocess.Popen([sys.executable, "-c", code, script]) as tool:
            wait_until((tmp_path / "pid").exists)
            child = int((tmp_path / "pid").read_text())
            assert alive(child)
            tool.kill()
        assert gone(child)

    def test_a_long_line(self) -> None:
        """A message quotes only the beginning of a very long line."""
        evidence = process.run(sh("yes | head -c 100000 | tr -d '\\n'"), env=ENV).last_lines()
        assert len(evidence) < 600
        assert evidence.startswith("yyy")

    @pytest.mark.parametrize("merge", [True, False])
    @pytest.mark.parametrize("script", ["yes", "yes >&2"])
    def test_output_cap(self, monkeypatch: pytest.MonkeyPatch, script: str, *, merge: bool) -> None:
        """A command that prints too much is killed, whichever stream it uses."""
        monkeypatch.setattr(process, "OUTPUT_CAP", 100_000)
        with pytest.raises(CannotMeasureError, match="printed more than 100,000 bytes"):
            process.run(sh(script), env=ENV, merge=merge, deadline=20)

    def test_output_at_the_cap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Output of exactly the maximum size is kept."""
        monkeypatch.setattr(process, "OUTPUT_CAP", 100_000)
        assert len(process.run(sh("yes | head -c 100000"), env=ENV).output) == 100_000

    def test_interrupted(self, tmp_path: Path) -> None:
        """Ctrl-C kills the group before the exception is raised."""
        previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                process.run(sh(f"echo $$ > pid; {FOREVER}"), env=ENV, cwd=tmp_path)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("call", [process.run, lambda argv, env: process.stream(argv, env=env).__enter__()])
class TestNotStarted:
    def test_missing(self, call: Callable[..., object]) -> None:
        """The error names the missing program, and the hint no script that only this repository has."""
        with pytest.raises(CannotMeasureError, match="`no-such-program` is not installed here") as error:
            call(["no-such-program", "--version"], env=ENV)
        assert error.value.hint == "install no-such-program"

    def test_no_program(self, call: Callable[..., object], tmp_path: Path) -> None:
        """A file that is not executable is an error, not a crash."""
        (tmp_path / "text").write_text("text")
        with pytest.raises(CannotMeasureError, match=r"text` cannot be started: .*Permission denied"):
            call([str(tmp_path / "text")], env=ENV)


def test_missing_folder(tmp_path: Path) -> None:
    """If the working directory is gone, the error does not claim that the program is missing."""
    with pytest.raises(CannotMeasureError, match=r"`true` cannot be started: .*gone"):
        process.run(["true"], env=ENV, cwd=tmp_path / "gone")


class TestStream:
    def test_content(self) -> None:
        """The output can be read in pieces."""
        with process.stream(["seq", "3"], env=ENV) as out:
            assert out.read(2) == b"1\n"
            assert out.read() == b"2\n3\n"

    def test_reader_stops_early(self) -> None:
        """A reader may stop early; the command still succeeds."""
        with process.stream(sh("yes | head -c 1000000"), env=ENV) as out:
            assert out.read(2) == b"y\n"

    def test_failing_explains_the_reader(self) -> None:
        """The error of the command is not hidden by that of a reader, which got truncated output."""
        with (
            pytest.raises(CannotMeasureError, match=r"`sh -c .*` failed with 1\n.*No such image: example") as error,
            process.stream(sh("echo 'No such image: example' >&2; exit 1"), env=ENV) as out,
        ):
            raise ValueError(f"no archive: {out.read()!r}")
        assert isinstance(error.value.__cause__, ValueError)

    @pytest.mark.parametrize("script", ["echo data", "yes"])
    def test_reader_fails(self, script: str) -> None:
        """An exception of the reader is passed on, whether the command has ended or not."""
        with pytest.raises(ZeroDivisionError), process.stream(sh(script), env=ENV) as out:
            assert 1 // (len(out.read(5)) - 5)

    def test_late(self) -> None:
        """A stream that exceeds its deadline ends with an error."""
        started = time.monotonic()
        with (
            pytest.raises(DeadlineError, match=r"ran longer than 0\.3 s"),
            process.stream(sh(f"echo data; {FOREVER}"), env=ENV, deadline=0.3) as out,
        ):
            assert out.read() == b"data\n"
        assert time.monotonic() - started < 3

    def test_chatty(self) -> None:
        """A lot of output on standard error does not block the command."""
        with process.stream(sh("yes | head -c 1000000 >&2; echo data"), env=ENV, deadline=5) as out:
            assert out.read() == b"data\n"


class TestService:
    def start(self, script: str, log: Path, **more: tuple[int, ...]) -> subprocess.Popen[bytes]:
        return process.spawn([sys.executable, "-c", script], env=ENV, log=log, **more)

    def test_end(self, tmp_path: Path) -> None:
        """A service writes to its log, and gets SIGTERM first."""
        log = tmp_path / "log"
        script = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit('bye')); print('up', flush=True); "
        service = self.start(script + "time.sleep(60)", log)
        wait_until(lambda: "up" in log.read_text())
        process.end(service, grace=5)
        assert service.returncode == 1
        assert log.read_text() == "up\nbye\n"

    def test_end_stubborn(self, tmp_path: Path) -> None:
        """A service that ignores SIGTERM is killed after the grace period."""
        log = tmp_path / "log"
        script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
        service = self.start(script, log)
        wait_until(lambda: "up" in log.read_text())
        process.end(service, grace=0.1)
        assert service.returncode == -signal.SIGKILL

    def test_end_twice(self, tmp_path: Path) -> None:
        """Ending a service that has already ended is not an error."""
        service = self.start("", tmp_path / "log")
        service.wait()
        process.end(service, grace=1)

    def test_keep_open(self, tmp_path: Path) -> None:
        """A service inherits the given descriptors and no others."""
        held, other = os.open(tmp_path, os.O_RDONLY), os.open(tmp_path, os.O_RDONLY)
        script = f"import os; print([os.path.exists(f'/proc/self/fd/{{n}}') for n in ({held}, {other})])"
        service = self.start(script, tmp_path / "log", keep_open=(held,))
        service.wait()
        os.close(held)
        os.close(other)
        assert (tmp_path / "log").read_text() == "[True, False]\n"
