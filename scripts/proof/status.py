"""What can be said without an engine: stale captures, failing claims, unbound numbers, steps that no page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from proof import bases, claims, expression, facts, fresh, inputs, manifest, pages, pins
from proof import capture as captures
from proof.audit import FalseClaimError
from proof.bases import Bases
from proof.capture import Capture
from proof.errors import PageError, ProofError, Where, code_of
from proof.manifest import Snippet, Step
from proof.pages import Scanned


class StaleError(ProofError):
    """A capture is not of the snippet as it is now."""

    code = 1


@dataclass(frozen=True)
class Seen:
    """What a folder holds, in which nothing is wrong."""

    snippets: int
    facts: int
    steps: dict[str, bool]  # as snippet/step, and whether it is meant to be shown by no page


@dataclass(frozen=True)
class Status:
    """The state of a project."""

    snippets: int
    steps: int
    facts: int
    pages: list[Scanned]
    problems: list[ProofError]

    @property
    def code(self) -> int:
        """2 where something is broken, 1 where something is stale or false, else 0."""
        return code_of(self.problems)


def status(root: Path, cache: Path | None = None) -> Status:
    """Everything that is wrong with the project, as far as it can be known without an engine.

    What was right is kept in `cache`, if one is given, and not looked at again until it is touched.
    """
    known = bases.load(root)
    keys = {name: known.key(name) for name in known.images}
    pinned = pins.load(root, known)
    index = fresh.Fresh.of("status", root, cache, [known.path, root / "snippets" / pins.FILE])
    problems: list[ProofError] = []
    snippets = count = 0
    steps: dict[str, bool] = {}
    named: set[str] = set()
    for folder in manifest.folders(root):
        if (kept := index.get(folder.name, folder)) is not None:
            seen = Seen(**kept)
        else:
            began = fresh.now()
            seen, wrong = _look(folder, known, keys, pinned)
            problems += wrong
            if not wrong:
                index.put(folder.name, folder, asdict(seen), began=began)
        if not named.isdisjoint(names := {step.partition("/")[0] for step in seen.steps}):
            manifest.load_all(root)  # which says which two have one name
        named |= names
        snippets += seen.snippets
        count += seen.facts
        steps |= seen.steps
    index.save(whole=True)
    scanned = pages.scan(root)
    problems += _page_problems(scanned, steps, root / "snippets")
    return Status(snippets, len(steps), count, scanned, problems)


def _look(folder: Path, known: Bases, keys: dict[str, str], pinned: dict[str, str]) -> tuple[Seen, list[ProofError]]:
    """What is in a snippet's folder, and what is wrong with it."""
    snippets = manifest.variants(folder)
    known.check(snippets)
    problems: list[ProofError] = []
    count = 0
    for snippet in snippets:
        capture = captures.best(folder, snippet.variant)
        problems += stale(snippet, capture, keys, pinned)
        problems += _misplaced(snippet)
        count += len(capture.facts) if capture else 0
    return Seen(len(snippets), count, _steps(snippets)), problems


def _misplaced(snippet: Snippet) -> Iterator[ProofError]:
    """Files that are in a capture's directory and not of it, and captures that are in another one's place."""
    for origin, capture in captures.each(snippet.folder, snippet.variant):
        folder = captures.folder_of(snippet.folder, origin, snippet.variant)
        yield from captures.strangers(folder, capture)
        if (capture.snippet, capture.basis.bases) != (snippet.name, origin):
            what = f"this is a capture of {capture.snippet!r:.110} on {capture.basis.bases!r:.20} bases"
            cure = f"git rm -r {folder}, and proof update {snippet.name} --bases {origin}"
            yield PageError(what, where=Where(folder / captures.RECORD), cure=cure)


def _steps(snippets: list[Snippet]) -> dict[str, bool]:
    return {str(step): bool(step.unshown) for snippet in snippets for step in snippet.steps}


def page_problems(scanned: list[Scanned], snippets: list[Snippet], *, everything: bool) -> list[ProofError]:
    """What is wrong with the pages alone; unless `everything`, with those alone that take from these snippets."""
    names = {snippet.name for snippet in snippets}
    concerned = [page for page in scanned if everything or (page.page.snippets & names and not page.page.generated)]
    return _page_problems(concerned, _steps(snippets), snippets[0].folder.parent)


def false_claims(scanned: list[Scanned], book: facts.FactBook) -> list[ProofError]:
    """The claims of all pages that do not hold over the facts of `book`, as they were just measured."""
    found: list[ProofError] = []
    for page in scanned:
        for claim in page.page.claims:
            token = "{{ claim: " + claim.predicate
            if all(name in book for name in expression.names(claim.predicate)):
                again = claims.check(claim.sentence, claim.predicate, book)
                if not again.holds:
                    evidence = f"{claim.sentence}\nclaim: {claim.predicate}\nmeasured: {again.values}"
                    error = page.page.located(FalseClaimError("this is not so any more", evidence=evidence), token)
                    found.append(error)
    return found


def stale(
    snippet: Snippet, capture: Capture | None, keys: dict[str, str], pinned: dict[str, str]
) -> Iterator[ProofError]:
    """Why a capture is not of the snippet as it is now, and where it contradicts itself."""
    registry = " --bases registry" if capture and capture.basis.bases == "registry" else ""
    cure = f"proof update {snippet.name}{registry}"
    if capture is None:
        yield StaleError(f"{snippet.name} was never captured", where=snippet.where, cure=cure)
        return
    folder = captures.folder_of(snippet.folder, capture.basis.bases, snippet.variant)
    for change in inputs.without_engine(snippet, capture, keys, pinned):
        if change.hard:
            yield StaleError(f"{snippet.name} is stale: {change}", where=snippet.where, cure=cure)
    for name in capture.tampered:
        yield StaleError(f"{snippet.name}: {name} was edited by hand", where=Where(folder / name), cure=cure)
    yield from contradictions(capture, folder)


def contradictions(capture: Capture, folder: Path) -> Iterator[ProofError]:
    """Where the transcripts of one capture disagree: one tag with two ids, or a size that is not the measured one."""
    cure = f"proof update {capture.snippet}"
    ids: dict[str, str] = {}
    for step in capture.steps:
        if built := re.search(r"writing image sha256:([0-9a-f]{64})", step.output):
            # A build gives its tag to a new image; what was said of the old one is past.
            ids = {tag.split(":")[0]: built[1][:12] for tag in re.findall(r"naming to \S+/(\S+)", step.output)}
        for repository, image, size in re.findall(
            r"^(\S+) +\S+ +([0-9a-f]{12}) +.*? ([\d.]+[kMGT]?B)\s*$", step.output, re.MULTILINE
        ):
            where = Where(folder / f"{step.name}.txt")
            if ids.setdefault(repository, image) != image:
                what = f"{repository} has two ids in the transcripts of {capture.snippet}"
                yield PageError(what, where=where, evidence=f"{ids[repository]}\n{image}", cure=cure)
            measured = capture.facts.get("size")
            if measured and capture.provenance.image_store != "containerd" and len(ids) == 1:
                written = facts.written(measured.value, "B")
                if size != written:
                    what = f"the table says {size} and the layers hold {written}"
                    yield PageError(what, where=where, cure=cure)


def _page_problems(scanned: list[Scanned], steps: dict[str, bool], snippets: Path) -> list[ProofError]:
    """What the pages state wrongly, and the steps that none of them shows; of `steps`, whether each is `unshown`."""
    problems = [problem for page in scanned for problem in page.problems]
    shown = {name for page in scanned for name in page.page.shown if not page.page.generated}
    for name, unshown in steps.items():
        if (name in shown) != unshown:
            continue
        step = _step(snippets, name)
        if unshown:
            problems.append(PageError(f"{step} is `unshown` and a page shows it", where=step.where, cure="unshown"))
        else:
            cure = f'{{{{ transcript {step} }}}} in a page, or unshown = "why"'
            problems.append(PageError(f"no page shows {step}", where=step.where, evidence=step.text, cure=cure))
    return problems


def _step(snippets: Path, name: str) -> Step:
    snippet, _, step = name.partition("/")
    return next(s for s in manifest.find(snippets, snippet).steps if s.name == step)
