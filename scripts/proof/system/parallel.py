"""Calls a function in another process."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from proof.core.errors import LimitError, ProofError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Result = TypeVar("_Result")


class Forked(Generic[_Result]):
    """A call of a function in another process, in the meantime. The result, or the exception, must be picklable.

    Create it before any thread, and call `end` in any case.
    """

    def __init__(self, function: Callable[[], _Result]) -> None:
        import multiprocessing  # imported late: it takes time, and most verbs need one process

        context = multiprocessing.get_context("fork")
        self._received, sent = context.Pipe(duplex=False)
        self._process = context.Process(target=_send, args=(function, sent), daemon=True)
        self._process.start()
        sent.close()
        self._outcome: tuple[_Result | None, BaseException | None] | None = None

    def end(self) -> None:
        """End the process, whether or not the function has returned."""
        self._process.kill()
        self._process.join()
        self._received.close()

    def result(self) -> _Result:
        """Wait for the function, and return its result or raise its exception."""
        if self._outcome is None:
            try:
                self._outcome = self._received.recv()
            except EOFError:
                self._process.join()
                what = f"a process of this command was ended with signal {-(self._process.exitcode or 0)}"
                self._outcome = None, LimitError(what, hint="has this machine run out of memory?")
        result, error = self._outcome
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # what the function has returned


def _send(function: Callable[[], Any], sent: Connection) -> None:
    # Ctrl-C reaches all processes of a terminal. The one that started this process decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    outcome: tuple[Any, BaseException | None]
    try:
        outcome = function(), None
    except ProofError as error:
        outcome = None, error
    except BaseException as error:  # noqa: BLE001 - raised in the other process, with where it comes from
        error.add_note(traceback.format_exc())
        outcome = None, error
    sent.send(outcome)
