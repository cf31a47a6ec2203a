"""Explains what a page states: which command it comes from, what measured it and when, what uses it, and what it needs.

Everything is read from the captures and the pages, so no engine is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from proof.captures import fingerprint
from proof.captures.model import Capture
from proof.core.errors import PageError, UsageError, Where
from proof.core.limits import limited
from proof.core.text import did_you_mean
from proof.facts import expression
from proof.facts.values import Fact, Source
from proof.pages import scan
from proof.pages.charts.fence import divided, is_of_chart
from proof.pages.document import page_text
from proof.pages.lint.claims import Claim
from proof.pages.page import PageReport
from proof.pages.site import Site
from proof.snippets.model import Snippet, Step

_LINE = re.compile(r"(?P<page>.+\.md):(?P<line>[0-9]{1,7})")
# Neither searches the rest of a page again and again: a stranger may have written it.
_TOKEN = re.compile(r"\{\{(?P<text>(?:(?!\{\{).)*?)\}\}", re.DOTALL)
_ASIDE = re.compile(r"claim:\s*(?P<predicate>.+)", re.DOTALL)
_SHOWN = re.compile(r"(?:transcript|error)\s+(?P<step>\w+/\w+)|(?:explorer|measurements)\s+(?P<snippets>.+)", re.DOTALL)
_CODE = re.compile(r"(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)")
_INCLUDED = re.compile(r'--8<-- "(?P<snippet>\w+)/context/[^"\n]*"')
_NAME = re.compile(r"(?<![\w./])[a-z]\w*\.[a-z]\w*(?![\w(])")


@dataclass(frozen=True)
class Use:
    """Where a page uses something."""

    where: Where
    kind: str  # fact, claim, chart, file, or what else the page shows: transcript, explorer, error
    text: str  # as its author wrote it


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
        self._uses: list[Use] = []
        for report in self._reports:
            with limited(Where(report.path)):
                self._uses += self._of_page(report)

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
        names = [name for use in here for name in _names(use)]
        yield from self._each(claims, names)
        shown = dict.fromkeys(word.partition("/")[0] for use in here for word in _snippets(use))
        for name in shown:
            yield self._snippet(name)

    def _each(self, claims: list[Explanation], names: list[str]) -> Iterator[Explanation]:
        yield from {claim.name: claim for claim in claims}.values()
        for name in dict.fromkeys(names):
            yield self._fact(name)

    def _claims(self, text: str) -> list[Explanation]:
        """The claims whose predicate this is, on any page."""
        wanted = " ".join(text.split())
        stated = [claim for report in self._reports for claim in report.page.claims]
        found = [claim for claim in stated if " ".join(claim.predicate.split()) == wanted]
        uses = tuple(use for use in self._uses if use.kind == "claim" and " ".join(use.text.split()) == wanted)
        return [Explanation(wanted, "claim", claim=claim, uses=uses) for claim in found]

    def _fact(self, name: str) -> Explanation:
        fact = self._site.book.get(name)
        if fact is None:
            what = f"there is no fact '{name:.110}'{did_you_mean(name, list(self._site.book))}"
            raise PageError(what, hint="proof facts lists them all")
        uses = tuple(use for use in self._uses if name in _names(use))
        if isinstance(fact.origin, Source):
            return Explanation(name, "cited figure", fact=fact, uses=uses)
        snippet = self._site.find(name.partition(".")[0])
        step = snippet.step_of(name.partition(".")[2])
        return Explanation(
            name, "fact", fact=fact, snippet=snippet, step=step, uses=uses, **self._state(snippet, fact.origin)
        )

    def _snippet(self, name: str, step: str = "") -> Explanation:
        snippet = self._site.find(name)
        known = [each.name for each in snippet.steps]
        if step and step not in known:
            what = f"the snippet '{name}' has no step '{step:.60}'{did_you_mean(step, known)}"
            raise UsageError(what, hint=f"use one of: {', '.join(known)}")
        uses = tuple(use for use in self._uses if name in _owners(use))
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

    def _of_page(self, report: PageReport) -> Iterator[Use]:
        """What a page uses, in the order of its lines. Code is what readers see, so nothing is used in it."""
        found: list[tuple[int, str, str]] = []  # the line, the kind and the text of each use
        prose: list[str] = []  # with empty lines in place of fences
        for opening, block in divided(page_text(self._root, report.path).split("\n")):
            if opening is None:
                prose += block
                continue
            if not any("```" in line for line in block[1:-1]):  # or it is an example of how to write a page
                kind, pattern = ("chart", _NAME) if is_of_chart(opening) else ("file", _INCLUDED)
                for number, line in enumerate(block[1:-1], start=len(prose) + 2):
                    found += ((number, kind, part[0]) for part in pattern.finditer(line))
            prose += [""] * len(block)
        text = _CODE.sub(lambda match: " " * len(match[0]), "\n".join(prose))
        number, counted = 1, 0
        for match in _TOKEN.finditer(text):
            number += text.count("\n", counted, match.start())
            counted = match.start()
            said = match["text"].strip()
            if aside := _ASIDE.fullmatch(said):
                found.append((number, "claim", aside["predicate"]))
            elif _SHOWN.fullmatch(said):
                found.append((number, said.split()[0], said))
            elif ":" not in said.partition(" ")[0]:
                found.append((number, "fact", said))
        for number, kind, said in sorted(found, key=itemgetter(0)):
            yield Use(Where(report.path, number), kind, " ".join(said.split()))


def _names(use: Use) -> list[str]:
    """The facts in what a page uses."""
    match use.kind:
        case "fact" | "claim":
            return expression.names(use.text)
        case "chart":
            return [use.text]
        case _:
            return []


def _owners(use: Use) -> set[str]:
    """The snippets that a use is of."""
    return {name.partition(".")[0] for name in _names(use)} | {name.partition("/")[0] for name in _snippets(use)}


def _snippets(use: Use) -> list[str]:
    """The snippets, or their steps, that a page shows."""
    if use.kind == "file":
        return [found["snippet"] for found in _INCLUDED.finditer(use.text)]
    found = _SHOWN.fullmatch(use.text)
    return (found["step"] or found["snippets"]).split() if found else []
