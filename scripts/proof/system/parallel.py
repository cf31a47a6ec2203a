"""Calls a function for many items in several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_CHUNK = 25  # items that a process takes at a time, at most


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
