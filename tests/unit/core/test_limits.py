"""Reading ends at its limits of time, memory and depth, with an error that names the text."""

import os
import re
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import regex

from proof.core import limits
from proof.core.errors import LimitError, Where
from proof.core.limits import limited

PAGE = Where(Path("/site/docs/index.md"), 3)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    yield
    limited._failed.clear()


def for_ever() -> None:
    while True:
        pass


def swallowing() -> None:
    """A library that takes every error for one of its own, once."""
    try:
        for_ever()
    except BaseException:  # noqa: BLE001 - what it is about
        for_ever()


def endless(search: Callable[[str, str], object]) -> Callable[[], None]:
    def read() -> None:
        search("(?:a|aa)+b", "a" * 60 + "c")

    return read


def nested() -> None:
    nested()


def large() -> None:
    kept = [bytearray(1 << 24)]
    while True:
        kept.append(bytearray(1 << 24))


@pytest.mark.parametrize("read", [for_ever, swallowing, endless(re.search), endless(regex.search)])
def test_a_hang_ends_at_its_deadline_with_an_error_that_names_the_text(
    read: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_AGAIN", 0.1)
    began = time.process_time()
    with (
        pytest.raises(LimitError, match=r"docs/index.md:3: reading this takes longer than 0\.2 s") as raised,
        limited(PAGE, seconds=0.2),
    ):
        read()
    assert time.process_time() - began < 2
    assert raised.value.code == 2


@pytest.mark.usefixtures("memory_lasts")
def test_memory_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 1_000_000_000)
    with (
        pytest.raises(LimitError, match=r"docs/index.md:3: reading this takes more than 1,000,000,000 bytes"),
        limited(PAGE),
    ):
        large()


@pytest.mark.usefixtures("memory_lasts")
def test_what_took_too_much_memory_is_gone_even_if_its_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 1_000_000_000)
    kept = []
    for read in (large, lambda: bytearray(600_000_000)):
        try:
            with limited(None):
                read()
        except LimitError as error:
            kept.append(error)
    assert len(kept) == 1


def test_depth_has_a_limit() -> None:
    with pytest.raises(LimitError, match=r"docs/index.md:3: this is nested too deeply"), limited(PAGE):
        nested()


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(ValueError, match="my own"), limited(PAGE):
        raise ValueError("my own")


def test_nothing_is_left_of_a_limit_once_the_text_is_read() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited(PAGE, seconds=0.1):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    signal.raise_signal(signal.SIGPROF)  # as one that comes late


def test_no_time_passes_while_another_text_is_read() -> None:
    with limited(PAGE, seconds=0.3):
        for _ in range(3):
            with limited(PAGE, seconds=5):
                spend(0.2)
        spend(0.1)


def test_the_inner_one_of_two_texts_is_named() -> None:
    with pytest.raises(LimitError, match=r"inner\.md"), limited(PAGE), limited(Where(Path("inner.md")), seconds=0.1):
        for_ever()


def test_what_could_not_be_read_is_not_tried_again_before_it_changes(tmp_path: Path) -> None:
    """A page may name a snippet a hundred times."""
    text = tmp_path / "snippet.toml"
    text.write_text("1")
    with pytest.raises(LimitError, match=r"longer than 0\.3 s"), limited(Where(text), seconds=0.3):
        for_ever()
    for _ in range(10):
        with (
            pytest.raises(LimitError, match=r"snippet\.toml: reading this takes longer than 0\.3 s"),
            limited(Where(text)),
        ):
            pytest.fail("it is read again")
    os.utime(text, (1, 1))
    with limited(Where(text)):
        pass


def test_the_outer_text_still_has_its_deadline_after_the_inner_one() -> None:
    def both() -> None:
        with limited(Where(Path("inner.md")), seconds=5):
            pass
        for_ever()

    with pytest.raises(LimitError, match=r"index\.md"), limited(PAGE, seconds=0.2):
        both()


def test_another_thread_reads_without_a_limit() -> None:
    """Signals belong to the main thread. It must not be struck for what others read."""
    read = []

    def thread() -> None:
        with limited(PAGE, seconds=0.01):
            spend(0.1)
        read.append(True)

    thread_ = threading.Thread(target=thread)
    thread_.start()
    thread_.join()
    assert read


def spend(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
