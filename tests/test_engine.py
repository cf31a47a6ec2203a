"""What is told of an engine that fails: lost, full, or only a command that failed; and what is removed from one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from proof import journal, process
from proof.engine import Engine
from proof.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.process import Completed

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


@pytest.mark.parametrize("back", [False, True])
def test_a_lost_engine(answers: Callable[[Answer], object], *, back: bool) -> None:
    """It does not answer; or it does again, and the client said what it had met."""
    answers(lambda argv: (0, "26") if argv[1] == "version" and back else (1, GONE))
    with pytest.raises(EngineLostError, match="the engine was lost during `docker build`") as error:
        ENGINE.run(["docker", "build"], deadline=1)
    assert error.value.evidence == GONE.strip()


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
    assert "PROOF_CACHE" in error.value.cure


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
        assert self.engine(starts).again(self.lose(1)) == "done"
        assert starts == ["start"]
        assert self.engine(starts).again(self.lose(0)) == "done"
        assert starts == ["start"]

    def test_twice(self) -> None:
        """Lost twice by the same act, it is not tried for ever."""
        starts: list[str] = []
        with pytest.raises(EngineLostError):
            self.engine(starts).again(self.lose(2))
        assert starts == ["start"]

    def test_not_ours(self) -> None:
        """An engine of the user's is not ours to start."""
        with pytest.raises(EngineLostError):
            ENGINE.again(self.lose(1))


def test_undone_is_what_the_journal_names(tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """Containers and tags by name, images by id where nobody named them since, records of the cache by id."""
    caches = iter(['[{"ID": "mine", "InUse": "false"}, {"ID": "theirs", "InUse": "false"}]', "[]"])

    def answer(argv: list[str]) -> tuple[int, str]:
        match argv[1:]:
            case ["image", "inspect", *_, "sha256:named"]:
                return 0, "[mine:latest]\n"
            case ["image", "inspect", *_]:
                return 0, "[]\n"
            case ["system", "df", *_]:
                return 0, next(caches)
            case _:
                return 0, ""

    log = answers(answer)
    with journal.opened(tmp_path) as ours:
        ours.made("container", "proof-c")
        ours.made("tag", "proof-1/a", "proof-1/b")
        ours.made("image", "sha256:named", "sha256:none")
        ours.made("cache", "mine")
        Engine("docker", {}, "linux/amd64", prefix="proof-1/", journal=ours).undo(ours)
        assert [ours.left(kind) for kind in get_args(journal.Kind)] == [[]] * 5
    removing = [words[1:] for words in log if words[1] in ("rm", "rmi", "builder")]
    assert removing == [
        ["rm", "--force", "--volumes", "proof-c"],
        ["rmi", "--force", "proof-1/a", "proof-1/b"],
        ["rmi", "sha256:none"],
        ["builder", "prune", "--force", "--all", "--filter", "id=mine"],
    ]


def test_a_name_that_is_taken(tmp_path: Path, answers: Callable[[Answer], object]) -> None:
    """A shared engine that has an image of our name, which we did not make, is not built into."""
    answers(lambda argv: (0, "sha256:1\n"))
    with journal.opened(tmp_path) as ours:
        engine = Engine("docker", {}, "linux/amd64", prefix="proof-1/", journal=ours)
        with pytest.raises(CannotMeasureError, match="has an image proof-1/note already, and it is left alone"):
            engine.claim("note")
        assert ours.left("tag") == []
        ours.made("tag", "proof-1/note")
        engine.claim("note")
        ours.gone("tag", "proof-1/note")
