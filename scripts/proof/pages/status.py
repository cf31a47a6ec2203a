"""Finds everything that can be found without an engine: stale captures, false claims, unbound numbers, unused steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from proof.captures.staleness import NeverCapturedError
from proof.core.errors import PageError, ProofError, UsageError, Where, command
from proof.facts import book as fact_book
from proof.facts import expression
from proof.pages import scan
from proof.pages.inspection import inspect
from proof.pages.lint import claims, confirmed, metadata
from proof.pages.lint.audit import FalseClaimError
from proof.pages.page import PageReport
from proof.pages.site import Site
from proof.pages.sound import PageClaim, Sound, Status
from proof.snippets.capture_locations import ORIGINS
from proof.snippets.model import Snippet

_NAMED = 5  # new snippets that a summary names


class UnshownStepError(PageError):
    """No page shows a step, and it does not say why."""


def status(root: Path, cache: Path | None = None) -> Status:
    """Everything that is wrong with the project, as far as can be known without an engine.

    With `cache`, what was sound is not read again until it changes: the whole project, or directories of snippets.
    """
    kept = Sound(root, cache)
    inspection = inspect(root)
    problems, notes = inspection.problems, inspection.notes
    reports: list[PageReport] = []
    try:
        reports = scan.scan(root)
    except UsageError as error:  # no page can be read
        if not problems and not error.also:
            raise
        problems += (error, *error.also)
    else:
        problems += _page_problems(reports, inspection.snippets)
        problems += _false_elsewhere(claims_of(reports), Site.at(root).book)
        problems += metadata.problems(root, Site.at(root).config, reports)
        problems += confirmed.problems(root, reports)
    notes += [note for report in reports for note in report.page.notes]
    counts = {
        "snippets": len(inspection.snippets),
        "steps": sum(len(snippet.steps) for snippet in inspection.snippets),
        "facts": inspection.facts,
        "pages": len(reports),
        "claims": sum(len(report.page.claims) for report in reports),
        "numbers": sum(report.page.bound for report in reports),
    }
    result = Status(counts, combined(problems), notes, reports)
    if not problems:
        names = [snippet.name for snippet in inspection.snippets]
        pages = [report.path for report in reports]
        kept.keep(Site.at(root).docs, names, pages, claims_of(reports), result)
    return result


def combined(problems: Iterable[ProofError]) -> list[ProofError]:
    """The problems without repetitions: a snippet that is broken or was never captured is one, wherever it is used."""
    by_text: dict[str, list[ProofError]] = {}
    for problem in problems:
        text = problem.what if isinstance(problem, NeverCapturedError) else str(problem)
        by_text.setdefault(text, []).append(problem)
    found = [_with_places(same) if isinstance(same[0], NeverCapturedError) else same[0] for same in by_text.values()]
    return _summed_up(found)


def _summed_up(problems: list[ProofError]) -> list[ProofError]:
    """The problems, with one for all snippets that were never captured and that no page uses, if there are several.

    That no page shows the steps of such a snippet is no news.
    """
    new = [each for each in problems if isinstance(each, NeverCapturedError) and not each.evidence]
    manifests = {each.where.path for each in new if each.where}
    problems = [
        each
        for each in problems
        if not (isinstance(each, UnshownStepError) and each.where and each.where.path in manifests)
    ]
    if len(new) < 2:
        return problems
    names = [each.what.partition(" ")[0] for each in new]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    what = f"{len(names)} snippets were never captured: {', '.join(names[:_NAMED])}{more}"
    summary = NeverCapturedError(what, where=new[0].where, hint=command("proof", "update"))
    return [*(each for each in problems if each not in new), summary]


def _with_places(same: list[ProofError]) -> ProofError:
    """The first of several problems, with the pages and lines of all."""
    using = [problem.where for problem in same if problem.where and problem.where.path.suffix == ".md"]
    if not using:
        return same[0]
    lines: dict[Path, set[int]] = {path: set() for path in sorted(where.path for where in using)}
    for where in using:
        lines[where.path].add(where.line or 1)
    what = f"{same[0].what}; {'1 place uses' if len(using) == 1 else f'{len(using)} places use'} it"
    evidence = "\n".join(f"{Where(path)}:{', '.join(map(str, sorted(at)))}" for path, at in lines.items())
    return NeverCapturedError(what, where=same[0].where, evidence=evidence, hint=same[0].hint)


def page_problems(scanned: list[PageReport], snippets: list[Snippet], *, everything: bool) -> list[ProofError]:
    """What is wrong with the pages. Unless `everything` is set, only with pages that use these snippets."""
    names = {snippet.name for snippet in snippets}
    concerned = [page for page in scanned if everything or (page.page.snippets & names and not page.page.generated)]
    return combined(_page_problems(concerned, snippets))


def claims_of(scanned: list[PageReport]) -> list[PageClaim]:
    """The claims of these pages, in their order."""
    return [
        PageClaim(page.page.document.where(claim.at) or Where(page.path), claim.sentence, claim.predicate)
        for page in scanned
        for claim in page.page.claims
    ]


def _false_elsewhere(stated: list[PageClaim], book: fact_book.FactBook) -> Iterator[ProofError]:
    """The claims that do not hold on bases of which pages show no captures, although there are some."""
    of = [{name.partition(".")[0] for name in expression.names(claim.predicate)} for claim in stated]
    for origin in ORIGINS:
        there = book.on(origin)
        other = {name for name in set().union(*of) if there.shown(name) != book.shown(name)}
        concerned = [claim for claim, names in zip(stated, of, strict=True) if names & other]
        yield from false_claims(concerned, there, f"this claim does not hold on {origin} bases")


def false_claims(
    stated: Iterable[PageClaim], book: fact_book.FactBook, what: str = "this claim is no longer true"
) -> list[ProofError]:
    """The claims that do not hold for the measurements in `book`."""
    problems: list[ProofError] = []
    for claim in stated:
        if all(name in book for name in expression.names(claim.predicate)):
            again = claims.check(claim.sentence, claim.predicate, book)
            if not again.holds:
                evidence = f"{claim.sentence}\nclaim: {claim.predicate}\nmeasured: {again.values}"
                problems.append(FalseClaimError(what, where=claim.where, evidence=evidence))
    return problems


def _page_problems(scanned: list[PageReport], snippets: list[Snippet]) -> list[ProofError]:
    """The problems of the pages, and the steps of these snippets that no page shows."""
    problems = [problem for page in scanned for problem in page.problems]
    shown = {name for page in scanned for name in page.page.shown if not page.page.generated}
    for step in (step for snippet in snippets for step in snippet.steps):
        if step.output.unshown and str(step) in shown:
            what = f"{step} is `unshown`, but a page shows it"
            problems.append(PageError(what, where=step.where, hint="remove `unshown`"))
        elif not step.output.unshown and str(step) not in shown:
            hint = f'add {{{{ transcript {step} }}}} to a page, or unshown = "why" to the step'
            problems.append(UnshownStepError(f"no page shows {step}", where=step.where, evidence=step.text, hint=hint))
    return problems
