"""Snippets run beside each other in one engine: which first, which alone, and what is looked at again.

What takes longest begins first, so that nothing long is left at the end. A snippet that measures time runs when
nothing else does. And what came out otherwise than captured while others ran is run once more without them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from proof import plan, process
from proof.manifest import Snippet
from proof.verify import Result

_MOST = 8  # jobs by default: more wait for the engine, and each may compile


def default_jobs() -> int:
    """One for each processor, and two at least: much of what a snippet does is to wait, for a client or a container."""
    return min(max(2, os.cpu_count() or 1), _MOST)


def run(snippets: Sequence[Snippet], verify: Callable[[Snippet], Result], *, jobs: int) -> Iterator[Result]:
    """Verify every snippet, as many as `jobs` at a time; yields each result as soon as it is certain."""
    if jobs == 1:
        yield from map(verify, snippets)
        return
    seconds = plan.durations(snippets)
    beside = sorted((s for s in snippets if not s.timed), key=lambda s: -seconds[s.name])
    alone = [snippet for snippet in snippets if snippet.timed]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(verify, snippet) for snippet in beside]):
                result = done.result()
                if _certain(result):
                    yield result
                else:
                    alone.append(result.snippet)
        except BaseException:
            with process.ending_all():
                pool.shutdown(cancel_futures=True)
            raise
    yield from map(verify, alone)


def _certain(result: Result) -> bool:
    """Whether others that ran at the same time can have had no part in it."""
    if result.verdict == "drift":
        return result.cause != "output"  # something that goes in has changed
    return result.verdict not in ("unstable", "not measured")
