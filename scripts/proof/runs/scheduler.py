"""Runs snippets in parallel in one engine: in which order, which alone, and which a second time.

Snippets that others depend on start first: builds that begin with the same steps then find them in the cache. Among
the rest the slowest start first, so that no slow one is left at the end. Snippets that measure time run alone. If a
snippet differs from its capture and nothing explains it, it runs once more, alone.

If anything goes wrong with one snippet, that is the result of this snippet only: the others still run.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol

from proof.captures.durations import durations
from proof.core import crash, files
from proof.core.errors import CannotMeasureError, ProofError
from proof.runs.result import Result
from proof.snippets.model import Snippet
from proof.system import process

_MOST = 8  # jobs by default: more would only wait for the engine, and each may run a compiler


class Verify(Protocol):
    """A function that runs one snippet. If `concurrent`, it returns `unstable` for what has to run again alone."""

    def __call__(self, snippet: Snippet, /, *, concurrent: bool) -> Result: ...


def default_jobs() -> int:
    """One per processor, but at least two: snippets spend much of their time waiting for a client or a container."""
    return min(max(2, os.cpu_count() or 1), _MOST)


def run(snippets: Sequence[Snippet], verify: Verify, *, jobs: int) -> Iterator[Result]:
    """Verify every snippet, up to `jobs` at a time. Yields each result as soon as it is final.

    An exception makes the result of its snippet `not measured`; only those that end the run, such as KeyboardInterrupt,
    are raised.
    """

    def one(snippet: Snippet, *, concurrent: bool) -> Result:
        try:
            return verify(snippet, concurrent=concurrent)
        except Exception as error:  # noqa: BLE001 - a bug here must not lose the results of the other snippets
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
    """The exception as the reason why a snippet was not measured; if it is unexpected, with a log."""
    if isinstance(error, ProofError):
        return error
    if isinstance(error, OSError) and (trouble := files.disk_error(error)):
        return trouble
    return CannotMeasureError(
        "not measured, because of a bug in this tool",
        evidence=crash.in_short(error),
        hint=f"the other snippets are not affected; report it with {crash.log(error)}",
    )


class _Queue:
    """The snippets that still have to run, in the best order."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        seconds = durations(snippets)
        self._begins = {
            s.name: frozenset[tuple[str, ...]]().union(*(d.prefixes for d in s.dockerfiles.values())) for s in snippets
        }
        waits: dict[tuple[str, ...], float] = {}  # seconds of all snippets with a build that begins with these steps
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
        """Take the best snippet to run now: if possible, one that need not wait for a step that another is building."""
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
    """True unless snippets that ran at the same time may have influenced the result."""
    return result.verdict not in ("unstable", "not measured")
