"""Results and facts as JSON, for programs. Keys may be added to the schema; existing ones keep their meaning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from proof.captures.model import Capture
from proof.facts.book import FactBook
from proof.facts.values import Source
from proof.runs.result import Result

SCHEMA = 1


def facts(book: FactBook) -> str:
    """The output of `proof facts --json`."""
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "value": fact.value,
            "unit": fact.unit,
            "written": str(fact),
            "source": fact.source,
            "tolerance": fact.tolerance,
            **_origin(fact.origin),
        }
        for name, fact in book.items()
    ]
    return _dump({"schema": SCHEMA, "facts": found})


def _origin(origin: Capture | Source) -> dict[str, Any]:
    if isinstance(origin, Source):
        return {"kind": "cited", "basis": None, "date": origin.date, "url": origin.url}
    return {"kind": "measured", "basis": asdict(origin.environment), "date": origin.provenance.date, "url": ""}


def results(found: Sequence[Result]) -> str:
    """The output of `proof check --json`."""
    return _dump(
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
                    "error": str(r.error) if r.error else None,
                    "facts": {k: f.value for k, f in r.new.facts.items()} if r.new else {},
                }
                for r in found
            ],
        }
    )


def _dump(data: dict[str, Any]) -> str:
    # `##[group]` anywhere in a line is a command to a CI system, and a terminal acts on control characters. Escaped,
    # they are the same JSON and harmless.
    written = json.dumps(data, indent=2, ensure_ascii=False).replace("##", "#\\u0023")
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in written)
