"""How long each snippet took when it was captured, for sharding and scheduling."""

from __future__ import annotations

from collections.abc import Sequence

from proof.captures import index
from proof.snippets.model import Snippet

_UNKNOWN = 1.0  # seconds; any equal number splits uncaptured snippets evenly


def durations(snippets: Sequence[Snippet]) -> dict[str, float]:
    """Snippet name → seconds that its commands took when captured. Uncaptured snippets get the mean of the others."""
    known = {
        snippet.name: sum(step.seconds for step in capture.steps)
        for snippet in snippets
        if (capture := index.best(snippet.folder, snippet.variant)) is not None
    }
    mean = sum(known.values()) / len(known) if known else _UNKNOWN
    return {snippet.name: known.get(snippet.name, mean) for snippet in snippets}
