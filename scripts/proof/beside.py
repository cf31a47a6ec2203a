"""Snippets run beside each other in one engine: which first, which alone, and what is looked at again.

What most others wait for begins first: those whose builds begin with the same steps find them built. Then what takes
longest, so that nothing long is left at the end. A snippet that measures time runs when nothing else does. And what
came out otherwise than captured while others ran, as far as nothing explains it, is run once more without them.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol

from proof import plan, process
from proof.manifest import Snippet
from proof.verify import Result

_MOST = 8  # jobs by default: more wait for the engine, and each may compile


class Verify(Protocol):
    """What runs one snippet; `beside` others, it may call `unstable` what is to be looked at again without them."""

    def __call__(self, snippet: Snippet, /, *, beside: bool) -> Result: ...


def default_jobs() -> int:
    """One for each processor, and two at least: much of what a snippet does is to wait, for a client or a container."""
    return min(max(2, os.cpu_count() or 1), _MOST)


def run(snippets: Sequence[Snippet], verify: Verify, *, jobs: int) -> Iterator[Result]:
    """Verify every snippet, as many as `jobs` at a time; yields each result as soon as it is certain."""
    if jobs == 1:
        for snippet in snippets:
            yield verify(snippet, beside=False)
        return
    queue = _Queue([snippet for snippet in snippets if not snippet.timed])
    alone = [snippet for snippet in snippets if snippet.timed]

    def next_one() -> Result:
        with queue.next() as snippet:
            return verify(snippet, beside=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(next_one) for _ in range(len(queue))]):
                result = done.result()
                if _certain(result):
                    yield result
                else:
                    alone.append(result.snippet)
        except BaseException:
            with process.ending_all():
                pool.shutdown(cancel_futures=True)
            raise
    for snippet in alone:
        yield verify(snippet, beside=False)


class _Queue:
    """Snippets that are still to run, in the best order."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        seconds = plan.durations(snippets)
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


def _certain(result: Result) -> bool:
    """Whether others that ran at the same time can have had no part in it."""
    return result.verdict not in ("unstable", "not measured")
