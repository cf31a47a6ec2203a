"""A client of an engine that is a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from proof.system import process
from proof.system.process import Completed

Answer = Callable[[list[str]], tuple[int, str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[list[str]]]:
    """Replace the client by a function; returns the list of its command lines."""
    log: list[list[str]] = []

    def install(answer: Answer) -> list[list[str]]:
        def run(argv: Sequence[str], **_: Any) -> Completed:
            log.append(list(argv))
            code, text = answer(list(argv))
            return Completed(tuple(argv), code, text.encode(), b"", 0.1)

        monkeypatch.setattr(process, "run", run)
        return log

    return install
