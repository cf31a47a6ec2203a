"""Results and facts as JSON, for programs. Keys may be added to the schema; existing ones keep their meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from proof.facts.values import Fact, Source
from proof.runs.result import Result
from proof.snippets.model import Snippet

SCHEMA = 1
# What only a measured fact has; null for a cited one.
_MEASURED = tuple("snippet step command inside engine builder image_store bases revision place".split())


def facts(book: Mapping[str, Fact], snippets: Iterable[Snippet] = (), places: Mapping[str, str] | None = None) -> str:
    """The output of `proof facts --json`. docs/tool/facts.md describes it.

    `snippets` are those of the project, for the steps that facts come from. `places` has the address at which the site
    shows each step, by its name; without it, none is given.
    """
    by_name = {snippet.name: snippet for snippet in snippets}
    return dump({"schema": SCHEMA, "facts": [_fact(fact, by_name, places or {}) for fact in book.values()]})


def _fact(fact: Fact, snippets: Mapping[str, Snippet], places: Mapping[str, str]) -> dict[str, Any]:
    common = {
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "written": str(fact),
        "source": fact.source,
        "tolerance": fact.tolerance,
    }
    day, url = (fact.origin.date, fact.origin.url) if isinstance(fact.origin, Source) else ("", "")
    if (capture := fact.capture) is None:
        cited = {"kind": "cited", "basis": None, "date": day, "url": url}
        return common | cited | dict.fromkeys(_MEASURED)
    owner, _, name = fact.name.partition(".")
    step = snippets[owner].step_of(name) if owner in snippets else None
    captured = capture.step(step.name) if step else None
    by = capture.provenance
    return common | {
        "kind": "computed" if isinstance(fact.origin, Source) else "measured",
        "basis": asdict(capture.environment),
        "date": by.date,
        "url": url,
        "snippet": owner,
        "step": step.name if step else None,
        "command": captured.command if captured else None,
        "inside": captured.inside if captured else None,
        "engine": by.engine,
        "builder": by.builder,
        "image_store": by.image_store,
        "bases": by.bases,
        "revision": by.revision,
        "place": places.get(str(step)),
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
