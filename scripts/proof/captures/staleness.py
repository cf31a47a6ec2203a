"""Finds stale captures, and captures that contradict themselves, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proof.captures import displayed_sizes, store
from proof.captures.buildkit_log import image_names, written_image
from proof.captures.index import SnippetCaptures
from proof.captures.model import Capture, CapturedStep
from proof.core import units
from proof.core.errors import PageError, ProofError, Where, command
from proof.snippets.capture_locations import Location
from proof.snippets.model import Snippet, Step


class StaleError(ProofError):
    """A capture does not match the current snippet."""

    code = 1


class NeverCapturedError(PageError):
    """A snippet has no capture, so nothing is known of it."""

    @classmethod
    def of(cls, snippet: str, where: Where | None = None) -> NeverCapturedError:
        """The error for the snippet of this name."""
        return cls(f"{snippet} was never captured", where=where, hint=command("proof", "update", snippet))


def stale(captures: SnippetCaptures) -> Iterator[ProofError]:
    """Why the captures that pages show do not match the current snippet, and what nobody can have measured."""
    snippet = captures.snippet
    if not captures.shown:
        yield NeverCapturedError.of(snippet.name, snippet.where)
    for place, capture in captures.shown.items():
        folder = place.folder(snippet.folder, snippet.variant)
        hint = _update(snippet.name, place)
        changes = captures.changes(place)
        for change in changes:
            yield StaleError(f"{snippet.name} is stale: {change}", where=snippet.where, hint=hint)
        for name in capture.tampered:
            yield StaleError(f"{snippet.name}: {name} was edited by hand", where=Where(folder / name), hint=hint)
        if not changes and not capture.tampered:
            yield from _undeclared_outcomes(capture, snippet, folder) or _forged(captures, place)
        yield from contradictions(capture, folder)


def _forged(captures: SnippetCaptures, place: Location) -> Iterator[ProofError]:
    snippet = captures.snippet
    where = Where(place.folder(snippet.folder, snippet.variant) / store.RECORD)
    for what in captures.objections(place):
        words = f"{snippet.name}: the tool cannot have written this capture: {what}"
        yield PageError(words, where=where, hint=_update(snippet.name, place))


def _update(name: str, place: Location) -> str:
    return command("proof", "update", name, *(["--bases", "registry"] if place.origin == "registry" else []))


def left_out(captures: SnippetCaptures) -> Iterator[str]:
    """A message for each capture that pages leave out because it is stale, although another one is not."""
    name = captures.snippet.name
    for place, capture in captures.left_out.items():
        changes = ", ".join(map(str, captures.changes(place)))
        words = f"{name}: pages leave out the words of {capture.provenance.engine}"
        words += f" on {place.origin} bases" if place.origin != next(iter(captures.shown)).origin else ""
        yield f"{words}, which are stale: {changes}; run {_update(name, place)} with that engine"


def contradictions(capture: Capture, folder: Path) -> Iterator[ProofError]:
    """Contradictions in the transcripts of one capture: a tag with two IDs, or a size that was not measured."""
    hint = command("proof", "update", capture.snippet)
    ids: dict[str, str] = {}
    for step in capture.steps:
        if built := written_image(step.output):
            # A build moves its tag to a new image, so IDs seen before no longer apply.
            short = built.removeprefix("sha256:")[:12]
            ids = {name.split(":")[0]: short for name in image_names(step.output)}
        for row in displayed_sizes.rows(step.output):
            repository = row.name if row.tag else row.name.rpartition(":")[0]
            if ids.setdefault(repository, row.image) != row.image:
                what = f"{repository} has two IDs in the transcripts of {capture.snippet}"
                evidence = f"{ids[repository]}\n{row.image}"
                yield PageError(what, where=_output_of(step, folder), evidence=evidence, hint=hint)
            measured = capture.facts.get("size")
            if measured and isinstance(measured.value, int) and len(ids) == 1 and (size := row.size):
                written = units.format_value(measured.value, "B")
                if not _is_size_of(size, capture, measured.value):
                    what = f"the table says {size}, but the layers hold {written}"
                    yield PageError(what, where=_output_of(step, folder), hint=hint)


def _output_of(step: Step | CapturedStep, folder: Path) -> Where:
    return Where(folder / f"{step.name}.txt")


def _undeclared_outcomes(capture: Capture, snippet: Snippet, folder: Path) -> list[ProofError]:
    """Steps whose exit code or message is not the one that the manifest declares for the engine of the capture."""
    hint = command("proof", "update", snippet.name)
    problems: list[ProofError] = []
    for step in (step.on(capture.engine) for step in snippet.steps):
        if (done := capture.step(step.name)) is not None:
            if done.exit != step.exit:
                what = f"{step} exited with {done.exit}, but {step.exit} is declared"
                problems.append(PageError(what, where=_output_of(step, folder), hint=hint))
            if step.expect not in done.output:
                what = f"{step} did not print '{step.expect}'"
                problems.append(PageError(what, where=_output_of(step, folder), hint=hint))
    return problems


def _is_size_of(size: str, capture: Capture, measured: int) -> bool:
    """Whether a table can show this size for an image whose layers hold `measured` bytes."""
    if capture.engine.store == "classic":
        return size == units.format_value(measured, "B")
    # containerd's store counts whole blocks, and the layers as they were received besides the unpacked ones.
    return 0.98 * measured <= units.parse_size(size) <= measured + displayed_sizes.most_unpacked(capture, measured)
