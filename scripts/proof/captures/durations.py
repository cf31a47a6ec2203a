"""TODO."""

from __future__ import annotations

from collections.abc import Sequence

from proof.captures import index
from proof.snippets.model import Snippet

_UNKNOWN = 1.0  # seconds of each snippet where none was captured: any number divides them evenly


def durations(snippets: Sequence[Snippet]) -> dict[str, float]:
    """Seconds that each snippet's commands took when it was captured; the mean of all where it was not yet."""
    known = {
        snippet.name: sum(step.seconds for step in capture.steps)
        for snippet in snippets
        if (capture := index.best(snippet.folder, snippet.variant)) is not None
    }
    mean = sum(known.values()) / len(known) if known else _UNKNOWN
    return {snippet.name: known.get(snippet.name, mean) for snippet in snippets}
