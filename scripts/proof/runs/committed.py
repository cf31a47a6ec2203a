"""The committed captures of a snippet that a run is compared with.

A snippet can have two captures on the same bases: one in the words of Docker 28 and earlier, one in those of Docker 29.
A run is compared with both. A capture whose inputs have changed since is left out if the other one is current: pages do
not show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proof.captures import empty_layers, fingerprint, index, store
from proof.captures.diff import (
    Difference,
    compare,
    engines_own_facts,
    not_compared,
    other_words,
    outputs_in_other_words,
)
from proof.captures.fingerprint import Change
from proof.captures.model import Capture
from proof.core.errors import Where
from proof.runs.result import Result
from proof.snippets.capture_locations import Location, Origin
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Snippet


@dataclass(frozen=True)
class Committed:
    """One committed capture, and where it is."""

    location: Location
    folder: Path
    capture: Capture
    changes: tuple[Change, ...]  # of its inputs, since it was made

    @property
    def current(self) -> bool:
        """Whether it was made from the inputs that the snippet has now."""
        return not any(change.invalidates for change in self.changes)


def committed(snippet: Snippet, origin: Origin, engine: EngineVersion, inputs: Mapping[str, str]) -> list[Committed]:
    """The captures to compare a run by this engine with, the one in its own words first. Empty if there is none.

    `inputs` are those that the run depends on.
    """
    found = [
        Committed(
            location,
            location.folder(snippet.folder, snippet.variant),
            capture,
            tuple(_changes(capture, engine, inputs)),
        )
        for location, capture in index.each(snippet.folder, snippet.variant, origin)
    ]
    own = engine.wording or "docker-28"
    found.sort(key=lambda each: each.location.wording != own)
    current = [each for each in found if each.current]
    return current or found[:1]


def differences(
    known: Sequence[Committed], new: Capture, snippet: Snippet, *, words: bool = False
) -> tuple[Difference, ...]:
    """What differs between a run and the committed captures.

    With `words`, pages have to show the words of the run's engine: either in a capture of its own, of which every word
    is compared, or because a reader sees the same in the other capture.
    """
    found: list[Difference] = [] if known else list(compare(None, new, snippet, snippet.captured))
    for each in known:
        capture = each.capture
        if capture.engine.wording != each.location.wording:
            what, wanted = f"{snippet.name}: the engine of the capture", f"one whose captures are in {each.location}"
            found.append(Difference(Where(each.folder / store.RECORD), what, capture.provenance.engine, wanted))
        is_own = each.location.wording == new.engine.wording
        found += compare(capture, new, snippet, each.folder, words=words and is_own)
        if words and each is known[0] and not is_own:
            found += other_words(capture, new, snippet, each.folder)
    return tuple(found)


def accurate(snippet: Snippet, known: Sequence[Committed], new: Capture) -> Result:
    """The result of a run that found its captures accurate, the first one maybe in other words."""
    old = known[0].capture
    unseen = [
        f"{name} by {each.capture.provenance.engine}"
        for each in known
        for name in not_compared(each.capture, new, snippet)
    ]
    result = Result(snippet, "accurate", old=old, new=new, not_compared=tuple(unseen))
    if old.engine == new.engine:
        return result
    # What the engine says in its own words was not compared, so the run proves nothing about facts read from it.
    own = engines_own_facts(snippet)
    compared = empty_layers.completed(new, old, snippet)
    compared = replace(compared, facts={name: fact for name, fact in compared.facts.items() if name not in own})
    return replace(result, new=compared, measured=new, words=outputs_in_other_words(old, new, snippet))


def save(new: Capture, snippet: Snippet, location: Location, known: Sequence[Committed]) -> None:
    """Write the capture in its location, and remove those in other words that it has proved wrong."""
    store.save(new, location.folder(snippet.folder, snippet.variant))
    for each in known:
        if each.location != location and each.current and any(compare(each.capture, new, snippet, each.folder)):
            store.remove(each.folder)


def _changes(capture: Capture, engine: EngineVersion, inputs: Mapping[str, str]) -> list[Change]:
    changes = fingerprint.changed(capture.inputs, inputs)
    if not capture.engine.counts_like(engine) and not any(change.name == fingerprint.ENGINE for change in changes):
        changes.append(Change(fingerprint.ENGINE, f"changed from {capture.engine} to {engine}"))
    return changes
