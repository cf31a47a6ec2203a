"""Limits the time and the memory that reading a stranger's text may take: see `limited`."""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
import time
import traceback
from types import FrameType, TracebackType

from proof.core.errors import LimitError, Where

SECONDS = 20.0  # of processor time for one text; the slowest page of the article takes one
MEMORY = 2_000_000_000  # bytes of the whole process
PUBLISHED = 5_000_000  # bytes of a page, or of another file, of a built site
_AGAIN = 1.0  # seconds until the deadline strikes again, should a library have swallowed it
_REMEMBERED = 60.0  # seconds: pages name a snippet a hundred times, and if it can't be read, each would try again


class _DeadlineStruck(BaseException):
    """Not an Exception, because libraries catch those."""


class limited:  # noqa: N801 - read as `with limited(where):`
    """Ends the reading of a text that takes too long or needs too much memory.

    with limited(Where(path)):
        read(path)

    Raises LimitError with `where`, also for a text that is nested too deeply, and again at once for the same text. Time
    is that of the processor: none passes while another text is read within this one, which has a time of its own.

    Python's own code can be ended, and so can a search of `re` or `regex`, but no other call of a C library. Nothing is
    limited outside the main thread, which alone handles signals: let a process read, instead of a thread.
    """

    _active = 0  # texts that are being read, one within another
    # Texts that could not be read: until when this is remembered, when the file was written, and why.
    _failed: dict[Where, tuple[float, int, LimitError]] = {}  # noqa: RUF012

    def __init__(self, where: Where | None, *, seconds: float | None = None) -> None:
        self._where, self._seconds = where, SECONDS if seconds is None else seconds
        self._main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._where in self._failed:
            until, written, error = self._failed[self._where]
            if time.monotonic() < until and written == _written(self._where):
                raise LimitError(error.what, where=error.where, hint=error.hint)
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
        found = LimitError(what, where=self._where, hint=hint)
        if self._where:
            self._failed[self._where] = time.monotonic() + _REMEMBERED, _written(self._where), found
        raise found from None

    @classmethod
    def _strike(cls, _: int, frame: FrameType | None) -> None:
        # A signal may come late, when the reading has ended and its result counts.
        if cls._active and not (frame and frame.f_code is cls.__exit__.__code__):
            raise _DeadlineStruck


def _written(where: Where) -> int:
    with contextlib.suppress(OSError):
        return where.path.stat().st_mtime_ns
    return 0


def _lower(limit: int, other: int) -> int:
    return other if limit == resource.RLIM_INFINITY else min(limit, other)
