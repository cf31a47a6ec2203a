"""What is told of an engine that fails: lost, full, or only a command that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import _ntuple_diskusage as usage
from typing import Any

import pytest

from proof.core.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.engines.engine import Engine, is_starved
from proof.system import process
from proof.system.process import Completed

Answer = Callable[[list[str]], tuple[int, str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[list[str]]]:
    """Have the client answer so; what it was asked is logged."""
    log: list[list[str]] = []

    def install(answer: Answer) -> list[list[str]]:
        def run(argv: Sequence[str], **_: Any) -> Completed:
            log.append(list(argv))
            code, text = answer(list(argv))
            return Completed(tuple(argv), code, text.encode(), b"", 0.1)

        monkeypatch.setattr(process, "run", run)
        return log

    return install


ENGINE = Engine("docker", {}, "linux/amd64")
GONE = "ERROR: Cannot connect to the Docker daemon at unix:///a/docker.sock. Is the docker daemon running?\n"


def test_a_command_that_fails_is_no_lost_engine(answers: Callable[[Answer], object]) -> None:
    """Where the engine answers, a failure is that of the command, whatever its program printed."""
    answers(lambda argv: (0, "26") if argv[1] == "version" else (1, "read: connection reset by peer\n"))
    with pytest.raises(CannotMeasureError, match="`docker load` failed with 1") as error:
        ENGINE.call("load")
    assert not isinstance(error.value, EngineLostError)
    assert ENGINE.run(["docker", "run"], deadline=1).exit == 1


def test_a_lost_engine(answers: Callable[[Answer], object]) -> None:
    """It does not answer any more."""
    answers(lambda _: (1, GONE))
    with pytest.raises(EngineLostError, match="the engine was lost during `docker build`") as error:
        ENGINE.run(["docker", "build"], deadline=1)
    assert error.value.evidence == GONE.strip()


def test_a_lost_engine_that_is_back(answers: Callable[[Answer], object]) -> None:
    """It answers again, since another snippet had it started anew meanwhile: lost all the same."""
    starts = iter([1, 2])
    answers(lambda argv: (0, "26") if argv[1] == "version" else (1, "EOF"))
    with pytest.raises(EngineLostError):
        replace(ENGINE, starts=lambda: next(starts)).run(["docker", "build"], deadline=1)


@pytest.mark.parametrize("said", [GONE, "error during connect: EOF\n", "code = Unavailable desc = error reading\n"])
def test_a_program_that_says_so(answers: Callable[[Answer], object], said: str) -> None:
    """A program that fails and prints that the engine is gone has failed; the engine answers."""
    answers(lambda argv: (0, "26") if argv[1] == "version" else (1, said))
    assert ENGINE.run(["docker", "run", "example"], deadline=1).exit == 1


BUSY = replace(ENGINE, prefix="proof-1/", bases=frozenset({"alpine:3.22"}))


class TestApart:
    def test_names(self) -> None:
        """What a snippet makes bears a prefix that no other has; a base is called what it is called."""
        one, other = (ENGINE.for_snippet(["alpine:3.22", "golang"]) for _ in range(2))
        assert one.scoped_name("example") != other.scoped_name("example")
        assert one.scoped_name("example").endswith("/example")
        assert one.scoped_name("alpine:3.22") == "alpine:3.22"
        assert one.scoped_name("golang:latest") == "golang:latest"
        assert one.scoped_name("alpine:edge").startswith(one.prefix)

    def test_shared(self) -> None:
        """In an engine of the user's the prefix is the run's, and the bases bear it too."""
        shared = replace(ENGINE, shared=True, prefix="proof-2/")
        assert shared.for_snippet(["alpine:3.22"]) is shared
        assert shared.scoped_name("alpine:3.22") == "proof-2/alpine:3.22"

    @pytest.mark.parametrize("name", ["example", "a", "registry.example/of/a/long/name"])
    def test_a_table(self, name: str) -> None:
        """A table of images has the columns that it would have had."""

        def table(shown: str) -> str:
            rows = [("REPOSITORY", "TAG", "IMAGE ID"), (shown, "latest", "0123456789ab"), ("alpine", "3.22", "ab")]
            width = max(len(row[0]) for row in rows) + 3
            return "".join(f"{row[0]:{width}}{row[1]:9}{row[2]}\n" for row in rows)

        assert BUSY.displayed(table(BUSY.scoped_name(name))) == table(name)

    def test_a_build(self) -> None:
        """The log of a build names the image as the reader calls it."""
        assert (
            BUSY.displayed("#8 naming to docker.io/proof-1/example done")
            == "#8 naming to docker.io/library/example done"
        )

    def test_what_a_program_prints(self) -> None:
        """It is left as it is, whatever it looks like."""
        assert BUSY.displayed("REPOSITORY   of mine\n") == "REPOSITORY   of mine\n"
        assert BUSY.displayed("proof-2/example") == "proof-2/example"


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose disk has room is not full, whatever a program prints; of an unknown disk nothing is said."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 5, 5 << 30))
    assert replace(ENGINE, disk=tmp_path).has_room()
    assert not ENGINE.has_room()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 5, 5 << 20))
    assert not replace(ENGINE, disk=tmp_path).has_room()


@pytest.mark.parametrize(("code", "starved"), [(2, True), (1, False), (0, False)])
def test_a_client_without_memory(code: int, *, starved: bool) -> None:
    """A program of Go that gets no more memory ends with 2; the label of an image can say the same."""
    done = Completed(("docker", "inspect"), code, b"fatal error: runtime: out of memory\n", b"", 0.1)
    assert is_starved(done) is starved


@pytest.mark.parametrize("hangs", [False, True])
def test_a_deadline(monkeypatch: pytest.MonkeyPatch, *, hangs: bool) -> None:
    """Past it, an engine that does not say its version in time is lost; one that does had a slow command."""

    def run(argv: Sequence[str], **_: Any) -> Completed:
        if argv[1] == "version" and not hangs:
            return Completed(tuple(argv), 0, b"26", b"", 0.1)
        raise DeadlineError("ran longer than 1 s", evidence="begun")

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(DeadlineError if not hangs else EngineLostError) as error:
        ENGINE.run(["docker", "build"], deadline=1)
    assert error.value.evidence == "begun"


def test_a_full_disk(answers: Callable[[Answer], object]) -> None:
    """It is named as that, by the line that says so."""
    answers(lambda argv: (0, "") if argv[1] == "version" else (1, "a\nwrite /b.tar: no space left on device\nc\n"))
    with pytest.raises(CannotMeasureError, match="the disk of the engine is full, in `docker load`") as error:
        ENGINE.call("load")
    assert error.value.evidence == "write /b.tar: no space left on device"
    assert "PROOF_CACHE" in error.value.hint


class TestAgain:
    def engine(self, starts: list[str]) -> Engine:
        return Engine("docker", {}, "linux/amd64", restart=lambda: starts.append("start"))

    def lose(self, times: int) -> Callable[[], str]:
        left = iter([True] * times + [False])

        def act() -> str:
            if next(left):
                raise EngineLostError("lost")
            return "done"

        return act

    def test_once(self) -> None:
        """Lost once, it is started and the act repeated; never lost, it is left alone."""
        starts: list[str] = []
        assert self.engine(starts).retry_if_lost(self.lose(1)) == "done"
        assert starts == ["start"]
        assert self.engine(starts).retry_if_lost(self.lose(0)) == "done"
        assert starts == ["start"]

    def test_twice(self) -> None:
        """Lost twice by the same act, it is not tried for ever."""
        starts: list[str] = []
        with pytest.raises(EngineLostError):
            self.engine(starts).retry_if_lost(self.lose(2))
        assert starts == ["start"]

    def test_not_ours(self) -> None:
        """An engine of the user's is not ours to start."""
        with pytest.raises(EngineLostError):
            ENGINE.retry_if_lost(self.lose(1))
