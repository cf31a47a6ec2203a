"""JSON Schemas of the TOML files that an author writes, made of the declarations by which they are read.

They are of draft 4, which Taplo and the editors that use it read. A schema describes types, keys and fixed choices.
What depends on another value, or on another file, only `proof` itself can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proof.core.declared import Type, keys_of, types_of
from proof.snippets.base_images import BasesFile
from proof.snippets.model import Snippet
from proof.snippets.settings import ProofFile

_FILES = {"snippet": Snippet, "bases": BasesFile, "proof": ProofFile}
NAMES = tuple(_FILES)


def of(name: str) -> dict[str, Any]:
    """The schema of NAME.toml, for one of `NAMES`."""
    return {"$schema": "http://json-schema.org/draft-04/schema#", "title": f"{name}.toml", **_table(_FILES[name])}


def _table(kind: type) -> dict[str, Any]:
    keys = keys_of(kind)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"description": key.meaning, **_value(key.types)} for name, key in keys.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in keys.items() if key.required]:
        schema["required"] = required  # draft 4 allows no empty list
    return schema


def _value(types: Sequence[Type]) -> dict[str, Any]:
    several = [_type(one) for one in types]
    return several[0] if len(several) == 1 else {"anyOf": several}


def _type(one: Type) -> dict[str, Any]:
    match one.kind:
        case "list of strings":
            return {"type": "array", "items": {"type": "string"}}
        case "list of tables":
            return {"type": "array", "items": _table(one.item)}
        case "table" if one.names:
            return {"type": "object", "additionalProperties": _value(types_of(one.item))}
        case "table":
            return _table(one.item)
        case _ if one.choices:
            return {"enum": list(one.choices)}
        case kind:
            return {"type": kind}
