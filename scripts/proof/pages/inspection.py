"""Inspects the directories of snippets: stale captures, misplaced files, texts that state what nothing backs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from proof.captures import bases_lock, store
from proof.captures.index import SnippetCaptures
from proof.captures.staleness import left_out, stale
from proof.core import folder_cache
from proof.core.errors import PageError, ProofError, UsageError, Where, command
from proof.core.folder_cache import FolderCache
from proof.pages.lint import manifest_texts
from proof.snippets import base_images, manifest, project, settings
from proof.snippets.model import Snippet, Step


@dataclass(frozen=True)
class FolderSummary:
    """What a snippet's directory contains. It is cached if nothing is wrong there."""

    snippets: int
    facts: int
    steps: dict[str, bool]  # snippet/step → whether it is `unshown`: no page may show it
    notes: list[str]  # what a user should know, although it is no problem


class Inspection:
    """All directories of snippets. Those in which nothing was wrong are not read again until they change."""

    def __init__(self, root: Path, cache: Path | None) -> None:
        self._root = root
        self._bases = base_images.load(root)
        self._keys = {name: self._bases.key(name) for name in self._bases.images}
        self._pinned = bases_lock.load(root, self._bases)
        files = [self._bases.path, root / "snippets" / bases_lock.FILE, root / settings.FILE]
        self._index = FolderCache.of("status", root, cache, files)
        self.problems: list[ProofError] = []
        self.summaries = [summary for folder in project.folders(root) if (summary := self._summary(folder))]
        self._index.save(whole=True)
        names = [name for summary in self.summaries for name in {step.partition("/")[0] for step in summary.steps}]
        if len(names) != len(set(names)):
            self.problems += project.load_sound(root, self._bases)[1]  # names all that are called alike

    @property
    def steps(self) -> dict[str, bool]:
        """Each step of all snippets, and whether it is `unshown`."""
        return {name: unshown for summary in self.summaries for name, unshown in summary.steps.items()}

    def _summary(self, folder: Path) -> FolderSummary | None:
        """What a directory contains. None if it cannot be read."""
        known = self._index.get(folder.name, folder)
        if known is not None:
            return FolderSummary(**known)
        began = folder_cache.now()
        try:
            summary, wrong = self._inspect(folder)
        except UsageError as error:
            self.problems += (error, *error.also)
            return None
        self.problems += wrong
        if not wrong:
            self._index.put(folder.name, folder, asdict(summary), began=began)
        return summary

    def _inspect(self, folder: Path) -> tuple[FolderSummary, list[ProofError]]:
        """What a snippet's directory contains, and what is wrong with it."""
        snippets = manifest.variants(folder)
        self._bases.check(snippets)
        problems: list[ProofError] = []
        notes: list[str] = []
        count = 0
        all_captures = [SnippetCaptures(snippet, lambda: (self._keys, self._pinned)) for snippet in snippets]
        for captures in all_captures:
            problems += stale(captures)
            problems += _misplaced(captures)
            notes += left_out(captures)
            problems += manifest_texts.problems(captures.snippet)
            count += len({name for capture in captures.shown.values() for name in capture.facts})
        problems += _showing_nothing(all_captures) if not problems else ()
        return FolderSummary(len(snippets), count, steps_of(snippets), notes), problems


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
    matching: dict[str, bool] = {}
    steps: dict[str, Step] = {}
    for each in captures:
        for step in each.snippet.steps:
            lines = [
                line for c in each.shown.values() if (done := c.step(step.name)) for line in done.output.split("\n")
            ]
            if step.output.show and any(lines):
                found = any(pattern.search(line) for line in lines for pattern in step.output.show)
                matching[step.name] = matching.get(step.name, False) or found
                steps.setdefault(step.name, step)
    for name, found in matching.items():
        if not found:
            what = f"`show` matches no line that {steps[name]} printed"
            evidence = "\n".join(pattern.pattern for pattern in steps[name].output.show)
            yield PageError(what, where=steps[name].where, evidence=evidence, hint="correct it, or leave it out")


def steps_of(snippets: Iterable[Snippet]) -> dict[str, bool]:
    """The steps of these snippets, and whether each is `unshown`."""
    return {str(step): bool(step.output.unshown) for snippet in snippets for step in snippet.steps}
