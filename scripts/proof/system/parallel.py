"""Calls functions in other processes."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from proof.core.errors import LimitError, ProofError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_CHUNK = 25  # items that a process takes at a time, at most


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


def spread(function: Callable[[_Item], _Result], items: Sequence[_Item], *, share: int) -> list[_Result]:
    """The results of `function` for all items, in order, from as many processes as there are processors.

    `share` is how many items are worth a process. Empty if there are too few to share, or if this machine can't start
    processes. The function, the items and the results must be picklable.
    """
    processes = min(os.cpu_count() or 1, len(items) // share)
    if processes < 2:
        return []
    import multiprocessing  # imported late: few projects are so large
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # Ctrl-C reaches all processes of a terminal, but one message is enough.
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), ignore) as pool:
            return list(pool.map(function, items, chunksize=min(_CHUNK, len(items) // (4 * processes) or 1)))
    except (OSError, BrokenProcessPool):
        return []
