"""Inspects the directories of snippets: stale captures, misplaced files, texts that state what nothing backs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, product
from operator import attrgetter
from pathlib import Path

from proof.captures import store
from proof.captures.index import SnippetCaptures, base_keys
from proof.captures.staleness import left_out, stale
from proof.core.errors import PageError, ProofError, Where, command
from proof.pages.lint import manifest_texts
from proof.snippets import base_images, project
from proof.snippets.model import Snippet, Step


@dataclass
class Inspection:
    """What the directories of snippets contain, and what is wrong there."""

    snippets: list[Snippet]
    problems: list[ProofError]
    facts: int = 0
    notes: list[str] = field(default_factory=list)  # what a user should know, although it is no problem


def inspect(root: Path) -> Inspection:
    """Inspect all directories of snippets."""
    bases = base_images.load(root)
    keys = base_keys(root, bases)
    inspection = Inspection(*project.load_sound(root, bases))
    waiting = 0
    for _, variants in groupby(inspection.snippets, key=attrgetter("folder")):
        captures = [SnippetCaptures(snippet, lambda: keys) for snippet in variants]
        problems = [problem for each in captures for problem in _problems(each)]
        inspection.problems += problems or _showing_nothing(captures)
        for each in captures:
            inspection.notes += left_out(each)
            waiting += each.waits
            inspection.facts += len({name for capture in each.shown.values() for name in capture.facts})
    if waiting:
        what = f"pages leave out the captures of {waiting} snippets on registry bases, as the rebuilt ones are by more"
        update = command("proof", "update", "--bases", "registry")
        inspection.notes.append(f"{what} engines; run {update} with the missing ones")
    return inspection


def _problems(captures: SnippetCaptures) -> Iterator[ProofError]:
    yield from stale(captures)
    yield from _misplaced(captures)
    yield from manifest_texts.problems(captures.snippet)


def _misplaced(captures: SnippetCaptures) -> Iterator[ProofError]:
    """Files that do not belong to a capture's directory, and captures that are in the wrong directory."""
    snippet = captures.snippet
    for place, capture in captures.all.items():
        folder = place.folder(snippet.folder, snippet.variant)
        yield from store.unexpected_files(folder, capture)
        origin, wording = capture.environment.bases, capture.engine.wording
        if (capture.snippet, origin, wording) != (snippet.name, *place):
            engine = capture.provenance.engine
            what = f"this is a capture of {capture.snippet!r:.110} on {origin!r:.20} bases by {engine!r:.40}"
            update = command("proof", "update", snippet.name, "--bases", place.origin)
            hint = f"{command('git', 'rm', '-r', folder)}, then {update}"
            yield PageError(what, where=Where(folder / store.RECORD), hint=hint)


def _showing_nothing(captures: Iterable[SnippetCaptures]) -> Iterator[ProofError]:
    """Steps whose `show` matches no line that they printed, in any variant and on any engine: pages would show none.

    One of several patterns may match nothing, for a line that should not be there.
    """
    matching: dict[str, tuple[Step, bool]] = {}
    for each in captures:
        for step, capture in product(each.snippet.steps, each.shown.values()):
            done = capture.step(step.name)
            if step.output.show and done is not None and done.output.strip("\n"):
                lines = done.output.split("\n")
                matches = any(pattern.search(line) for line in lines for pattern in step.output.show)
                _, matched = matching.get(step.name, (step, False))
                matching[step.name] = step, matched or matches
    for step in (step for step, matched in matching.values() if not matched):
        evidence = "\n".join(pattern.pattern for pattern in step.output.show)
        what, hint = f"`show` matches no line that {step} printed", "correct it, or leave it out"
        yield PageError(what, where=step.where, evidence=evidence, hint=hint)
