"""What `proof explain` prints: lines for people, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from proof.captures import fingerprint
from proof.captures.diff import format_fact
from proof.captures.model import Capture
from proof.facts.values import Fact, Source
from proof.pages.explain import Explanation
from proof.reports import json_report

_WIDTH = 10  # of the words in front


def as_lines(found: Iterable[Explanation]) -> Iterator[str]:
    """A few lines for each, with an empty one between them."""
    for number, each in enumerate(found):
        if number:
            yield ""
        yield _head(each)
        for word, values in _rows(each):
            for line, value in enumerate(values):
                yield f"  {word if not line else '':<{_WIDTH}}{value}"


def as_json(found: Iterable[Explanation]) -> str:
    """An object with the version of its form, and a list with an object for each."""
    return json_report.dump({"schema": json_report.SCHEMA, "explanations": [_object(each) for each in found]})


def _head(each: Explanation) -> str:
    if each.fact is not None:
        exact = f" ({each.fact.value:,} {each.fact.unit})" if each.fact.unit in ("B", "KiB") else ""
        return f"{each.name} is {each.fact}{exact}"
    if each.claim is not None:
        return f"{each.name} is {'true' if each.claim.holds else 'false'}: {each.claim.values}"
    assert each.snippet is not None
    return f"{each.name}: {each.snippet.title}"


def _rows(each: Explanation) -> Iterator[tuple[str, list[str]]]:
    if each.claim is not None:
        yield "proves", [each.claim.sentence]
    if each.fact is not None:
        yield "from", [_source(each.fact)]
    if each.snippet is not None:
        steps = [each.step] if each.step or each.kind == "fact" else list(each.snippet.steps)
        yield "command", [f"{step.text}  ({step}, {step.where})" for step in steps if step]
    if each.capture is not None:
        by = each.capture.provenance
        yield "engine", [f"{by.engine}, {by.builder}, {by.image_store}, {each.capture.environment.platform}"]
        yield "measured", [f"{by.date}, {_commit(by.revision)}"]
        yield "bases", [f"{name}: {made}" for name, made in by.bases.items()]
    if each.kind == "snippet" and each.capture is not None:
        yield "facts", [f"{name} = {format_fact(fact)}" for name, fact in each.capture.facts.items()]
    yield "used", [f"{use.where}  {use.kind}: {use.text}" for use in each.uses] or ["by no page"]
    if each.snippet is not None:
        yield "stale if", [f"{name} {'change' if name == fingerprint.COMMANDS else 'changes'}" for name in each.depends]
        yield "now", list(each.stale) or ["not stale"]


def _commit(revision: str) -> str:
    """The commit of a capture, or as it is written there, why it is unknown."""
    return revision if " " in revision else f"at commit {revision}"


def _source(fact: Fact) -> str:
    if isinstance(fact.origin, Source):
        return f"{fact.origin.title}, {fact.origin.date} {fact.origin.url}".rstrip()
    allowed = f", may differ by {fact.tolerance:.2%} from run to run" if fact.tolerance else ""
    return f"{fact.source}{allowed}"


def _object(each: Explanation) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": each.kind, "name": each.name}
    if each.fact is not None:
        said |= json_report.fact(each.fact, {each.snippet.name: each.snippet} if each.snippet else {}, {})
        said["kind"] = each.kind
    if each.claim is not None:
        said |= {"sentence": each.claim.sentence, "holds": each.claim.holds, "values": each.claim.values}
    if each.kind == "snippet" and each.snippet is not None:
        said |= {"title": each.snippet.title, **_measured(each.capture)}
        said["steps"] = [
            {"name": step.name, "command": step.text, "inside": step.inside, "where": str(step.where)}
            for step in each.snippet.steps
            if each.step in (None, step)
        ]
    elif each.step is not None:
        said["where"] = str(each.step.where)
    uses = [{"where": str(use.where), "kind": use.kind, "text": use.text} for use in each.uses]
    return said | {"uses": uses, "stale_if_changed": list(each.depends), "stale": list(each.stale)}


def _measured(capture: Capture | None) -> dict[str, Any]:
    if capture is None:
        return {"date": None, "engine": None, "builder": None, "bases": None, "revision": None, "facts": {}}
    by = capture.provenance
    return {
        "date": by.date,
        "engine": by.engine,
        "builder": by.builder,
        "bases": by.bases,
        "revision": by.revision,
        "facts": {name: fact.value for name, fact in capture.facts.items()},
    }
