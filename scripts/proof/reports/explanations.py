"""What `proof explain` prints: lines for people, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proof.captures import fingerprint
from proof.captures.diff import format_fact
from proof.facts.values import Fact, Source, Sum
from proof.pages.explain import Explanation
from proof.reports import json_report

_WIDTH = 10  # of the words in front


def as_lines(explanations: Iterable[Explanation]) -> Iterator[str]:
    """A few lines for each, with an empty one between them."""
    for number, explanation in enumerate(explanations):
        if number:
            yield ""
        yield _head(explanation)
        for word, values in _rows(explanation):
            for line, value in enumerate(values):
                yield f"  {word if not line else '':<{_WIDTH}}{value}"


def as_json(explanations: Iterable[Explanation]) -> str:
    """An object with the version of its form, and a list with the same words and values for each."""
    objects = [
        {"kind": about.kind, "name": about.name, "is": _head(about), **dict(_rows(about))} for about in explanations
    ]
    return json_report.dump({"schema": json_report.SCHEMA, "explanations": objects})


def _head(about: Explanation) -> str:
    if about.fact is not None:
        exact = f" ({about.fact.value:,} {about.fact.unit})" if about.fact.unit in ("B", "KiB") else ""
        return f"{about.name} is {about.fact}{exact}"
    if about.claim is not None:
        return f"{about.name} is {'true' if about.claim.holds else 'false'}: {about.claim.values}"
    assert about.snippet is not None
    return f"{about.name}: {about.snippet.title}"


def _rows(about: Explanation) -> Iterator[tuple[str, list[str]]]:
    if about.claim is not None:
        yield "proves", [about.claim.sentence]
    if about.fact is not None:
        yield "from", [_source(about.fact)]
    if about.snippet is not None:
        steps = [about.step] if about.step or about.kind == "fact" else list(about.snippet.steps)
        yield "command", [f"{step.text}  ({step}, {step.where})" for step in steps if step]
    if about.capture is not None:
        by = about.capture.provenance
        yield "engine", [f"{by.engine}, {by.builder}, {by.image_store}, {about.capture.environment.platform}"]
        yield "measured", [f"{by.date}, {_commit(by.revision)}"]
        yield "bases", [f"{name}: {made}" for name, made in by.bases.items()]
    if about.kind == "snippet" and about.capture is not None:
        yield "facts", [f"{name} = {format_fact(fact)}" for name, fact in about.capture.facts.items()]
    yield "used", [f"{use.where}  {use.kind}: {use.text}" for use in about.uses] or ["by no page"]
    if about.snippet is not None:
        yield (
            "stale if",
            [f"{name} {'change' if name == fingerprint.COMMANDS else 'changes'}" for name in about.depends],
        )
        yield "now", list(about.stale) or ["not stale"]


def _commit(revision: str) -> str:
    """The commit of a capture, or as it is written there, why it is unknown."""
    return revision if " " in revision else f"at commit {revision}"


def _source(fact: Fact) -> str:
    if isinstance(fact.origin, Sum):
        return f"{fact.source}, {fact.origin.date} {fact.origin.url}".rstrip()
    if isinstance(fact.origin, Source):
        return f"{fact.origin.title}, {fact.origin.date} {fact.origin.url}".rstrip()
    allowed = f", may differ by {fact.tolerance:.2%} from run to run" if fact.tolerance else ""
    return f"{fact.source}{allowed}"
