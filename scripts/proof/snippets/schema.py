"""JSON Schemas of the TOML files that an author writes, made of the tables of keys that validate them.

They are of draft 4, which Taplo and the editors that use it read. A schema describes types, keys and fixed choices.
What depends on another value, or on another file, only `proof` itself can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proof.snippets import keys
from proof.snippets.keys import Key

_FILES = {"snippet": keys.SNIPPET, "bases": keys.BASES, "proof": keys.PROOF}
NAMES = tuple(_FILES)


def of(name: str) -> dict[str, Any]:
    """The schema of NAME.toml, for one of `NAMES`."""
    return {"$schema": "http://json-schema.org/draft-04/schema#", "title": f"{name}.toml", **_table(_FILES[name])}


def _table(table: Mapping[str, Key]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"description": key.meaning, **_key(key)} for name, key in table.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in table.items() if key.required]:
        found["required"] = required  # draft 4 allows no empty list
    return found


def _key(key: Key) -> dict[str, Any]:
    if key.choices:
        return {"enum": list(key.choices)}
    several = [_kind(kind, key) for kind in key.kind.split(" or ")]
    return several[0] if len(several) == 1 else {"anyOf": several}


def _kind(kind: str, key: Key) -> dict[str, Any]:
    match kind:
        case "list of strings":
            return {"type": "array", "items": {"type": "string"}}
        case "list of tables":
            return {"type": "array", "items": _table(key.holds or {})}
        case "table" if key.each is not None:
            each = _key(Key(key.each, "")) if isinstance(key.each, str) else _table(key.each)
            return {"type": "object", "additionalProperties": each}
        case "table":
            return _table(key.holds or {})
        case _:
            return {"type": kind}
