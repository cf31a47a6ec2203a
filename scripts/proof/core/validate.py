"""Checks that the fields of a dataclass, filled from JSON, have the types that they declare."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_LONE = re.compile("[\ud800-\udfff]")  # a surrogate, which JSON can contain and UTF-8 cannot encode

Record = TypeVar("Record")
_LARGEST = 2**63  # far above any measurement; much larger integers overflow a float


def validate(record: Record) -> Record:
    """Return the same record. Raises TypeError, naming the field, if a value has the wrong type or is out of range."""
    for name, kind in _kinds(cast(Hashable, type(record))).items():
        if not _fits(value := getattr(record, name), kind):
            raise TypeError(f"{type(record).__name__}.{name} is {value!r:.60}")
    return record


def is_number(value: float) -> bool:
    """Whether the value is finite and fits into 64 bits."""
    return -_LARGEST <= value < _LARGEST  # false for NaN, too


@functools.cache
def _kinds(record: Hashable) -> dict[str, Any]:
    assert isinstance(record, type)
    assert is_dataclass(record)
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


@functools.cache
def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(kind), get_args(kind)


def _fits(value: Any, kind: Any) -> bool:
    if kind in (int, float):
        return type(value) in (int, kind) and is_number(value)  # a bool is not accepted as an int
    if kind is str:
        return type(value) is str and not _LONE.search(value)
    if kind is bool:
        return type(value) is bool
    origin, args = _parts(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in args)
    if origin is tuple:  # always tuple[X, ...]
        return isinstance(value, tuple) and all(_fits(item, args[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(k, args[0]) and _fits(v, args[1]) for k, v in value.items())
    if is_dataclass(kind):
        return type(value) is kind and validate(value) is value
    return type(value) is kind
