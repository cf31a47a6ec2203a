"""Finds everything that can be found without an engine: stale captures, false claims, unbound numbers, unused steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from proof.captures import bases_lock, store
from proof.captures.index import SnippetCaptures
from proof.captures.staleness import NeverCapturedError, left_out, stale
from proof.core import folder_cache
from proof.core.errors import PageError, ProofError, UsageError, Where, command, exit_code_of
from proof.core.spread import Spread
from proof.facts import book as fact_book
from proof.facts import expression
from proof.pages import scan
from proof.pages.document import locate
from proof.pages.lint import claims, confirmed, manifest_texts, metadata
from proof.pages.lint.audit import FalseClaimError
from proof.pages.page import PageReport
from proof.pages.site import Site
from proof.snippets import base_images, manifest, project, settings
from proof.snippets.base_images import Bases
from proof.snippets.model import Snippet, Step

_Inspect = Callable[[Path], "tuple[FolderSummary, list[ProofError]]"]
_Sound = tuple[int, "FolderSummary"]  # what is in a directory with nothing wrong, and when reading it began
_SHARE = 100  # directories that are worth another process: starting one takes as long as reading a dozen


@dataclass(frozen=True)
class FolderSummary:
    """What a snippet's directory contains. It is cached if nothing is wrong there."""

    snippets: int
    facts: int
    steps: dict[str, bool]  # snippet/step → whether it is `unshown`: no page may show it
    notes: list[str]  # what a user should know, although it is no problem


@dataclass(frozen=True)
class PageClaim:
    """A sentence of a page, and what must hold for it to be true."""

    path: Path
    sentence: str
    predicate: str


@dataclass(frozen=True)
class Status:
    """The state of a project."""

    snippets: int
    steps: int
    facts: int
    pages: list[PageReport]
    problems: list[ProofError]
    notes: list[str]  # what a user should know, although it is no problem

    @property
    def code(self) -> int:
        """The exit code: 2 if something is broken, 1 if something is stale or false, else 0."""
        return exit_code_of(self.problems)


def status(root: Path, cache: Path | None = None, spread: Spread | None = None) -> Status:
    """Everything that is wrong with the project, as far as can be known without an engine.

    With `cache`, directories in which nothing was wrong are not read again until they change. With `spread`, several
    processes read those of a large project: see system/parallel.
    """
    known = base_images.load(root)
    keys = {name: known.key(name) for name in known.images}
    pinned = bases_lock.load(root, known)
    files = [known.path, root / "snippets" / bases_lock.FILE, root / settings.FILE]
    index = folder_cache.FolderCache.of("status", root, cache, files)
    inspect = partial(_inspect, known=known, keys=keys, pinned=pinned)
    folders = project.folders(root)
    sound = {
        folder: FolderSummary(**found) for folder in folders if (found := index.get(folder.name, folder)) is not None
    }
    fresh = [folder for folder in folders if folder not in sound]
    results = spread(partial(_if_sound, inspect=inspect), fresh, share=_SHARE) if spread else []
    for folder, result in zip(fresh, results, strict=False):
        if result is not None:
            began, sound[folder] = result
            index.put(folder.name, folder, asdict(sound[folder]), began=began)
    problems: list[ProofError] = []
    snippets = count = 0
    steps: dict[str, bool] = {}
    named: set[str] = set()
    duplicates = False
    notes: list[str] = []
    for folder in folders:
        if (seen := sound.get(folder)) is None:
            began = folder_cache.now()
            try:
                seen, wrong = inspect(folder)
            except UsageError as error:
                problems += (error, *error.also)
                continue
            problems += wrong
            if not wrong:
                index.put(folder.name, folder, asdict(seen), began=began)
        names = {step.partition("/")[0] for step in seen.steps}
        if not (duplicates or named.isdisjoint(names)):
            duplicates = True
            problems += project.load_sound(root, known)[1]  # names all of them
        named |= names
        snippets += seen.snippets
        count += seen.facts
        steps |= seen.steps
        notes += seen.notes
    index.save(whole=True)
    try:
        scanned = scan.scan(root)
    except UsageError as error:  # no page can be read
        if not problems and not error.also:
            raise
        return Status(snippets, len(steps), count, [], combined([*problems, error, *error.also]), notes)
    problems += _page_problems(scanned, steps, root / "snippets")
    problems += metadata.problems(root, Site.at(root).config, scanned)
    problems += confirmed.problems(root, scanned)
    notes += [note for report in scanned for note in report.page.notes]
    return Status(snippets, len(steps), count, scanned, combined(problems), notes)


def combined(problems: Iterable[ProofError]) -> list[ProofError]:
    """The problems without repetitions: a snippet that is broken or was never captured is one, wherever it is used."""
    found: dict[str, ProofError] = {}
    places: dict[str, list[Where]] = {}  # on pages, of snippets that were never captured
    for problem in problems:
        never = isinstance(problem, NeverCapturedError)
        found.setdefault(problem.what if never else str(problem), problem)
        if never and problem.where is not None and problem.where.path.suffix == ".md":
            places.setdefault(problem.what, []).append(problem.where)
    for what, using in places.items():
        first = found[what]
        count = "1 place uses it" if len(using) == 1 else f"{len(using)} places use it"
        evidence = "\n".join(_lines(using))
        found[what] = NeverCapturedError(f"{what}; {count}", where=first.where, evidence=evidence, hint=first.hint)
    return list(found.values())


def _lines(places: list[Where]) -> Iterator[str]:
    """The pages with all their lines, as in `docs/index.md:3, 7`."""
    for path in sorted({where.path for where in places}):
        lines = sorted({where.line or 1 for where in places if where.path == path})
        yield f"{Where(path)}:{', '.join(map(str, lines))}"


def _if_sound(folder: Path, inspect: _Inspect) -> _Sound | None:
    """What the directory contains, or None if something is wrong there."""
    began = folder_cache.now()
    try:
        seen, wrong = inspect(folder)
    except UsageError:
        return None  # read again for its message: errors cannot be passed between processes
    return None if wrong else (began, seen)


def _inspect(
    folder: Path, known: Bases, keys: dict[str, str], pinned: dict[str, str]
) -> tuple[FolderSummary, list[ProofError]]:
    """What a snippet's directory contains, and what is wrong with it."""
    snippets = manifest.variants(folder)
    known.check(snippets)
    problems: list[ProofError] = []
    notes: list[str] = []
    count = 0
    all_captures = [SnippetCaptures(snippet, lambda: (keys, pinned)) for snippet in snippets]
    for captures in all_captures:
        problems += stale(captures)
        problems += _misplaced(captures)
        notes += left_out(captures)
        problems += manifest_texts.problems(captures.snippet)
        count += len({name for capture in captures.shown.values() for name in capture.facts})
    problems += _showing_nothing(all_captures) if not problems else ()
    return FolderSummary(len(snippets), count, _steps(snippets), notes), problems


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
            if step.show and any(lines):
                found = any(pattern.search(line) for line in lines for pattern in step.show)
                matching[step.name] = matching.get(step.name, False) or found
                steps.setdefault(step.name, step)
    for name, found in matching.items():
        if not found:
            what = f"`show` matches no line that {steps[name]} printed"
            evidence = "\n".join(pattern.pattern for pattern in steps[name].show)
            yield PageError(what, where=steps[name].where, evidence=evidence, hint="correct it, or leave it out")


def _steps(snippets: list[Snippet]) -> dict[str, bool]:
    return {str(step): bool(step.unshown) for snippet in snippets for step in snippet.steps}


def page_problems(scanned: list[PageReport], snippets: list[Snippet], *, everything: bool) -> list[ProofError]:
    """What is wrong with the pages. Unless `everything` is set, only with pages that use these snippets."""
    names = {snippet.name for snippet in snippets}
    concerned = [page for page in scanned if everything or (page.page.snippets & names and not page.page.generated)]
    return combined(_page_problems(concerned, _steps(snippets), snippets[0].folder.parent))


def claims_of(scanned: list[PageReport]) -> list[PageClaim]:
    """The claims of these pages, in their order."""
    return [PageClaim(page.path, claim.sentence, claim.predicate) for page in scanned for claim in page.page.claims]


def false_claims(stated: list[PageClaim], book: fact_book.FactBook, root: Path) -> list[ProofError]:
    """The claims that do not hold for the new measurements in `book`. `root` is the directory of the project."""
    found: list[ProofError] = []
    for claim in stated:
        if all(name in book for name in expression.names(claim.predicate)):
            again = claims.check(claim.sentence, claim.predicate, book)
            if not again.holds:
                evidence = f"{claim.sentence}\nclaim: {claim.predicate}\nmeasured: {again.values}"
                where = locate(root, claim.path, "{{ claim: " + claim.predicate)
                found.append(FalseClaimError("this claim is no longer true", where=where, evidence=evidence))
    return found


def _page_problems(scanned: list[PageReport], steps: dict[str, bool], snippets: Path) -> list[ProofError]:
    """The problems of the pages, and the steps that no page shows. `steps` says of each whether it is `unshown`."""
    problems = [problem for page in scanned for problem in page.problems]
    shown = {name for page in scanned for name in page.page.shown if not page.page.generated}
    for name, unshown in steps.items():
        if (name in shown) != unshown:
            continue
        step = _step(snippets, name)
        if unshown:
            what = f"{step} is `unshown`, but a page shows it"
            problems.append(PageError(what, where=step.where, hint="remove `unshown`"))
        else:
            hint = f'add {{{{ transcript {step} }}}} to a page, or unshown = "why" to the step'
            problems.append(PageError(f"no page shows {step}", where=step.where, evidence=step.text, hint=hint))
    return problems


def _step(snippets: Path, name: str) -> Step:
    snippet, _, step = name.partition("/")
    return next(s for s in project.find(snippets, snippet).steps if s.name == step)
