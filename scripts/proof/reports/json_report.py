"""Results and facts as JSON, for programs. Keys may be added to the schema; existing ones keep their meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proof.captures.model import Capture
from proof.facts import elsewhere
from proof.facts.values import Fact, Source
from proof.runs.result import Result
from proof.snippets.model import Snippet

SCHEMA = 1


def facts(
    found: Iterable[Sequence[Fact]], snippets: Iterable[Snippet] = (), places: Mapping[str, str] | None = None
) -> str:
    """The output of `proof facts --json`: each fact in every environment. docs/tool/facts.md describes it.

    `snippets` are those of the project, for the steps that facts come from. `places` has the address at which the site
    shows each step, by its name; without it, none is given.
    """
    by_name = {snippet.name: snippet for snippet in snippets}
    return dump({"schema": elsewhere.SCHEMA, "facts": [_fact(values, by_name, places or {}) for values in found]})


def _fact(values: Sequence[Fact], snippets: Mapping[str, Snippet], places: Mapping[str, str]) -> dict[str, Any]:
    fact = values[0]
    owner, _, name = fact.name.partition(".")
    capture, is_cited = fact.capture, isinstance(fact.origin, Source)
    step = snippets[owner].step_of(name) if capture and owner in snippets else None
    captured = capture.step(step.name) if capture and step else None
    return {
        "name": fact.name,
        "kind": ("computed" if capture else "cited") if is_cited else "measured",
        "unit": fact.unit,
        "source": fact.source,
        "snippet": owner if capture else None,
        "step": step.name if step else None,
        "command": captured.command if captured else None,
        "inside": captured.inside if captured else None,
        "place": places.get(str(step)),
        "values": [_value(each) for each in values],
    }


def _value(fact: Fact) -> dict[str, Any]:
    value = {"value": fact.value, "written": str(fact), "tolerance": fact.tolerance}
    cited = fact.origin if isinstance(fact.origin, Source) else None
    if (capture := fact.capture) is None:
        return value | {"date": cited and cited.date, "revision": None, "url": cited and cited.url, "environment": None}
    by, url = capture.provenance, cited.url if cited else ""
    return value | {"date": by.date, "revision": by.revision, "url": url, "environment": _environment(capture)}


def _environment(capture: Capture) -> dict[str, Any]:
    by = capture.provenance
    return {
        "platform": capture.environment.platform,
        "engine": by.engine,
        "engine_from": by.engine_from,
        "builder": by.builder,
        "image_store": by.image_store,
        "bases": capture.environment.bases,
        "base_images": by.bases,
    }


def results(results: Sequence[Result]) -> str:
    """The output of `proof check --json`."""
    return dump(
        {
            "schema": SCHEMA,
            "results": [
                {
                    "snippet": r.snippet.name,
                    "verdict": r.verdict,
                    "seconds": round(r.seconds, 1),
                    "cached": r.cached,
                    "cause": r.cause,
                    "changes": [str(change) for change in r.changes],
                    "differences": [
                        {"where": str(d.where), "what": d.what, "old": d.old, "new": d.new} for d in r.differences
                    ],
                    "not_compared": list(r.not_compared),
                    "error": str(r.error) if r.error else None,
                    "facts": {k: f.value for k, f in r.new.facts.items()} if r.new else {},
                }
                for r in results
            ],
        }
    )


def dump(data: dict[str, Any]) -> str:
    # `##[group]` anywhere in a line is a command to a CI system, and a terminal acts on control characters. Escaped,
    # they are the same JSON and harmless.
    written = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False).replace("##", "#\\u0023")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in written)
