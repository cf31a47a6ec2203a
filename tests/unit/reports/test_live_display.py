"""The line that moves while snippets run."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from proof.reports.terminal import Screen, Terminal
from proof.runs.result import Result
from proof.snippets import project
from proof.snippets.model import Step
from tests.support import makers
from tests.support.helpers import TINY


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal would have shown, one text after the other."""
    texts: list[str] = []

    @contextlib.contextmanager
    def status(_screen: Screen, _what: str) -> Iterator[Callable[[str], None]]:
        yield texts.append

    monkeypatch.setattr(Screen, "is_terminal", True)
    monkeypatch.setattr(Screen, "status", status)
    return texts


def step(snippet: str) -> Step:
    return replace(makers.step(), snippet=snippet)


def test_it_says_what_runs(shown: list[str]) -> None:
    """One snippet with its command, several by their names; a snippet that has its result is not shown any more."""
    terminal = Terminal()
    note = next(snippet for snippet in project.load_all(TINY) if snippet.name == "note")
    with terminal.running() as on_step:
        on_step(step("note"))
        on_step(step("other"))
        terminal.result(Result(note, "accurate"))
        on_step(step("other"))
    assert shown == [
        "note/one  docker build -t example .",
        "2 snippets: note/one, other/one",
        "other/one  docker build -t example .",
    ]


@dataclass(frozen=True)
class Interrupted(Step):
    """A step during whose display other threads do something."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list, kw_only=True)

    def __str__(self) -> str:
        while self.meanwhile:
            thread = threading.Thread(target=self.meanwhile.pop(), daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive(), "the display keeps other threads waiting"
        return super().__str__()


@pytest.mark.parametrize("what", ["another snippet starts", "a snippet ends"])
def test_other_threads_may_change_what_runs(what: str, shown: list[str]) -> None:
    """Snippets start and end in other threads while the line is put together: it shows what ran when it began."""
    terminal = Terminal()
    note = next(snippet for snippet in project.load_all(TINY) if snippet.name == "note")
    with terminal.running() as on_step:
        on_step(step("note"))
        changes: dict[str, Callable[[], None]] = {
            "another snippet starts": lambda: on_step(step("third")),
            "a snippet ends": lambda: terminal.result(Result(note, "accurate")),
        }
        on_step(Interrupted(**vars(step("other")), meanwhile=[changes[what]]))
    assert shown[-1] == "2 snippets: note/one, other/one"
