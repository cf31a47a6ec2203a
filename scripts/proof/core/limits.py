"""Limits the time and the memory that reading a stranger's text may take: see `limited`."""

from __future__ import annotations

import resource
import signal
import threading
import traceback
from types import FrameType, TracebackType

from proof.core.errors import LimitError, Where

SECONDS = 30.0  # of processor time for one text, however busy the machine is; the largest page of the article takes two
MEMORY = 2_000_000_000  # bytes of the whole process
_AGAIN = 1.0  # seconds until the deadline strikes again, should a library have swallowed it


class _DeadlineStruck(BaseException):
    """Not an Exception, because libraries catch those."""


class limited:  # noqa: N801 - read as `with limited(where):`
    """Ends the reading of a text that takes too long or needs too much memory.

    with limited(Where(path)):
        read(path)

    Raises LimitError with `where`, also for a text that is nested too deeply. Time is that of the processor: none
    passes while another text is read within this one, which has a time of its own.

    Python's own code can be ended, and so can a search of `re` or `regex`, but no other call of a C library. Nothing is
    limited outside the main thread, which alone handles signals: let a process read, instead of a thread.
    """

    _active = 0  # texts that are being read, one within another

    def __init__(self, where: Where | None, *, seconds: float | None = None) -> None:
        self._where, self._seconds = where, SECONDS if seconds is None else seconds
        self._main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._main:
            signal.signal(signal.SIGPROF, self._strike)
            limited._active += 1
            self._outer = signal.setitimer(signal.ITIMER_PROF, self._seconds, _AGAIN)
            self._memory = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (_lower(self._memory[0], MEMORY), self._memory[1]))

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if self._main:
            signal.setitimer(signal.ITIMER_PROF, *self._outer)
            limited._active -= 1
            resource.setrlimit(resource.RLIMIT_DATA, self._memory)
        match error:
            case _DeadlineStruck():
                what, hint = f"reading this takes longer than {self._seconds:g} s", "make it shorter or simpler"
            case MemoryError():
                what, hint = f"reading this takes more than {MEMORY:,} bytes of memory", "make it shorter or simpler"
            case RecursionError():
                what, hint = "this is nested too deeply to be read", "use fewer levels"
            case _:
                return
        traceback.clear_frames(error.__traceback__)  # else the error would keep the memory that the next text needs
        raise LimitError(what, where=self._where, hint=hint) from None

    @classmethod
    def _strike(cls, _: int, frame: FrameType | None) -> None:
        # A signal may come late, when the reading has ended and its result counts.
        if cls._active and not (frame and frame.f_code is cls.__exit__.__code__):
            raise _DeadlineStruck


def _lower(limit: int, other: int) -> int:
    return other if limit == resource.RLIM_INFINITY else min(limit, other)
