"""Snippets run beside each other in one engine: which first, which alone, and what is looked at again.

What most others wait for begins first: those whose builds begin with the same steps find them built. Then what takes
longest, so that nothing long is left at the end. A snippet that measures time runs when nothing else does. And what
came out otherwise than captured while others ran, as far as nothing explains it, is run once more without them.

Whatever goes wrong with one snippet is that snippet's result: the others are run, and what they measured is kept.
"""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol

from proof.captures.durations import durations
from proof.core import files
from proof.core.errors import CannotMeasureError, ProofError
from proof.runs.result import Result
from proof.snippets.model import Snippet
from proof.system import process

_MOST = 8  # jobs by default: more wait for the engine, and each may compile
_FRAMES = 3  # of a traceback, the innermost
_LONGEST = 500  # characters of an error's own text


class Verify(Protocol):
    """What runs one snippet; `beside` others, it may call `unstable` what is to be looked at again without them."""

    def __call__(self, snippet: Snippet, /, *, concurrent: bool) -> Result: ...


def default_jobs() -> int:
    """One for each processor, and two at least: much of what a snippet does is to wait, for a client or a container."""
    return min(max(2, os.cpu_count() or 1), _MOST)


def run(snippets: Sequence[Snippet], verify: Verify, *, jobs: int) -> Iterator[Result]:
    """Verify every snippet, as many as `jobs` at a time; yields each result as soon as it is certain.

    An error of whatever kind is the result of its snippet, not measured; only what ends the whole run comes through.
    """

    def one(snippet: Snippet, *, concurrent: bool) -> Result:
        try:
            return verify(snippet, concurrent=concurrent)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not cost what the others measured
            return Result(snippet, "not measured", error=_as_proof_error(error))

    if jobs == 1:
        for snippet in snippets:
            yield one(snippet, concurrent=False)
        return
    queue = _Queue([snippet for snippet in snippets if not snippet.timed])
    alone = [snippet for snippet in snippets if snippet.timed]

    def next_one() -> Result:
        with queue.next() as snippet:
            return one(snippet, concurrent=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(next_one) for _ in range(len(queue))]):
                result = done.result()
                if is_conclusive(result):
                    yield result
                else:
                    alone.append(result.snippet)
        except BaseException:
            with process.ending_all():
                pool.shutdown(cancel_futures=True)
            raise
    for snippet in alone:
        yield one(snippet, concurrent=False)


def _as_proof_error(error: Exception) -> ProofError:
    """An error as the reason why a snippet was not measured: for one that nobody foresaw, where it came from."""
    if isinstance(error, ProofError):
        return error
    if isinstance(error, OSError) and (trouble := files.trouble(error)):
        return trouble
    last = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = "\n".join(f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in last)
    return CannotMeasureError(
        "a fault of this tool kept it from being measured",
        evidence=f"{type(error).__name__}: {error}"[:_LONGEST] + f"\n{places}",
        hint="report it with these lines; the other snippets are not affected",
    )


class _Queue:
    """Snippets that are still to run, in the best order."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        seconds = durations(snippets)
        self._begins = {
            s.name: frozenset[tuple[str, ...]]().union(*(d.begins for d in s.dockerfiles.values())) for s in snippets
        }
        waits: dict[tuple[str, ...], float] = {}  # what all take that begin in this way
        for name, begins in self._begins.items():
            for begin in begins:
                waits[begin] = waits.get(begin, 0) + seconds[name]
        most = {name: max((waits[b] for b in begins), default=seconds[name]) for name, begins in self._begins.items()}
        self._left = sorted(snippets, key=lambda s: (-most[s.name], -seconds[s.name]))
        self._building: list[str] = []
        self._built: set[tuple[str, ...]] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._left)

    @contextlib.contextmanager
    def next(self) -> Iterator[Snippet]:
        """Take what is best run now: rather nothing that would wait for a step which another one is about to build."""
        with self._lock:
            awaited = frozenset[tuple[str, ...]]().union(*(self._begins[name] for name in self._building)) - self._built
            ready = (snippet for snippet in self._left if not self._begins[snippet.name] & awaited)
            taken = next(ready, self._left[0])
            self._left.remove(taken)
            self._building.append(taken.name)
        try:
            yield taken
        finally:
            with self._lock:
                self._building.remove(taken.name)
                self._built |= self._begins[taken.name]


def is_conclusive(result: Result) -> bool:
    """Whether others that ran at the same time can have had no part in it."""
    return result.verdict not in ("unstable", "not measured")
