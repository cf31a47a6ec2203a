"""Explains what a page states: which command it comes from, what measured it and when, what uses it, and what it needs.

Everything is read from the captures and the pages, so no engine is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof.captures import fingerprint
from proof.captures.model import Capture
from proof.core.errors import PageError, UsageError, Where
from proof.core.text import did_you_mean
from proof.facts import expression
from proof.facts.values import Fact
from proof.pages import scan
from proof.pages.lint.claims import Claim
from proof.pages.page import PageReport, Use
from proof.pages.site import Site
from proof.snippets.model import Snippet, Step

_LINE = re.compile(r"(?P<page>.+\.md):(?P<line>[0-9]{1,7})")


@dataclass(frozen=True)
class Explanation:
    """What there is to know about one name."""

    name: str
    kind: str  # fact, cited figure, claim or snippet
    fact: Fact | None = None
    claim: Claim | None = None
    snippet: Snippet | None = None  # that it comes from, or is; a cited figure has none
    step: Step | None = None  # whose output a fact was read from, or that built the image
    capture: Capture | None = None
    uses: tuple[Use, ...] = ()  # by pages, in order; pages that list everything are left out
    depends: tuple[str, ...] = ()  # a change of any of these makes it stale
    stale: tuple[str, ...] = ()  # why it is stale now


def explain(root: Path, name: str) -> list[Explanation]:
    """What `name` stands for: a fact, a snippet, the predicate of a claim, or a line of a page as `docs/index.md:3`.

    A claim, and a line, come with the facts in them. Raises UsageError if there is no such thing.
    """
    return list(_Explainer(root).explain(name))


class _Explainer:
    def __init__(self, root: Path) -> None:
        self._root, self._site = root, Site.at(root)
        self._reports = [report for report in scan.all_read(root, expand=False) if not report.page.generated]
        self._uses = [use for report in self._reports for use in _by_line(report)]

    def explain(self, name: str) -> Iterator[Explanation]:
        if found := _LINE.fullmatch(name):
            yield from self._line(found["page"], int(found["line"]))
        elif claims := self._claims(name):
            yield from self._each(claims, expression.names(name))
        elif "." in name:
            yield self._fact(name)
        else:
            yield self._snippet(name.partition("/")[0], name.partition("/")[2])

    def _line(self, page: str, line: int) -> Iterator[Explanation]:
        paths = {report.path.resolve() for report in self._reports}
        path = next((p for p in ((self._root / page).resolve(), Path(page).resolve()) if p in paths), None)
        if path is None:
            raise UsageError(f"{page:.200} is not a page of this site", hint="proof explain docs/index.md:3")
        here = [use for use in self._uses if use.where.path.resolve() == path and use.where.line == line]
        if not here:
            lines = sorted({use.where.line or 0 for use in self._uses if use.where.path.resolve() == path})
            near = [str(other) for other in sorted(lines, key=lambda other: abs(other - line))[:3]]
            hint = f"the nearest lines with one: {', '.join(near)}" if near else "this page uses none"
            raise UsageError(f"nothing on this line comes from a snippet: {page:.200}:{line}", hint=hint)
        claims = [claim for use in here if use.kind == "claim" for claim in self._claims(use.text)]
        names = [name for use in here for name in use.facts]
        yield from self._each(claims, names)
        for name in dict.fromkeys(name for use in here if not use.facts for name in use.snippets):
            yield self._snippet(name)

    def _each(self, claims: list[Explanation], names: list[str]) -> Iterator[Explanation]:
        yield from {claim.name: claim for claim in claims}.values()
        for name in dict.fromkeys(names):
            yield self._fact(name)

    def _claims(self, text: str) -> list[Explanation]:
        """The claims whose predicate this is, on any page."""
        wanted = " ".join(text.split())
        claims = [claim for report in self._reports for claim in report.page.claims if claim.predicate == wanted]
        uses = tuple(use for use in self._uses if use.kind == "claim" and use.text == wanted)
        return [Explanation(wanted, "claim", claim=claim, uses=uses) for claim in claims]

    def _fact(self, name: str) -> Explanation:
        fact = self._site.book.get(name)
        if fact is None:
            what = f"there is no fact '{name:.110}'{did_you_mean(name, list(self._site.book))}"
            raise PageError(what, hint="proof facts lists them all")
        uses = tuple(use for use in self._uses if name in use.facts)
        if fact.capture is None:
            return Explanation(name, "cited figure", fact=fact, uses=uses)
        snippet = self._site.find(name.partition(".")[0])
        step = snippet.step_of(name.partition(".")[2])
        return Explanation(
            name, "fact", fact=fact, snippet=snippet, step=step, uses=uses, **self._state(snippet, fact.capture)
        )

    def _snippet(self, name: str, step: str = "") -> Explanation:
        snippet = self._site.find(name)
        known = [each.name for each in snippet.steps]
        if step and step not in known:
            what = f"the snippet '{name}' has no step '{step:.60}'{did_you_mean(step, known)}"
            raise UsageError(what, hint=f"use one of: {', '.join(known)}")
        uses = tuple(use for use in self._uses if name in use.snippets)
        shown = next(iter(self._site.book.shown(name)), None)
        found = next((each for each in snippet.steps if each.name == step), None)
        return Explanation(name, "snippet", snippet=snippet, step=found, uses=uses, **self._state(snippet, shown))

    def _state(self, snippet: Snippet, capture: Capture | None) -> dict[str, Any]:
        inputs = capture.inputs if capture else {}
        depends = tuple(
            f"snippets/{snippet.folder.name}/{name}" if name.startswith("context/") else name
            for name in inputs
            if name not in (fingerprint.ENGINE, fingerprint.RULES)
        )
        stale = tuple(problem.what for problem in self._site.stale(snippet))
        return {"capture": capture, "depends": depends, "stale": stale}


def _by_line(report: PageReport) -> list[Use]:
    """What a page uses, its claims too, in the order of its lines."""
    claims = [
        Use(
            report.page.where(claim.at) or Where(report.path),
            "claim",
            claim.predicate,
            tuple(expression.names(claim.predicate)),
        )
        for claim in report.page.claims
    ]
    return sorted([*report.page.uses, *claims], key=lambda use: use.where.line or 0)
