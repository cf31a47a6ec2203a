"""Checks that the fields of a dataclass, filled from JSON, have the types that they declare."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_LONE = re.compile("[\ud800-\udfff]")  # a surrogate, which JSON can contain and UTF-8 cannot encode

Record = TypeVar("Record")
_LARGEST = 2**63  # far above any measurement; much larger integers overflow a float


def validate(record: Record) -> Record:
    """Return the same record. Raises TypeError, naming the field, if a value has the wrong type or is out of range."""
    for name, fits in _tests(cast(Hashable, type(record))):
        if not fits(value := getattr(record, name)):
            raise TypeError(f"{type(record).__name__}.{name} is {value!r:.60}")
    return record


def from_json(kind: Any, value: Any) -> Any:
    """A value that was read as JSON, with an instance in place of each object where `kind` has a dataclass.

    Raises TypeError for an object without a field that the class has, or with another one. Anything else that does not
    fit is left for `validate` to find.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return from_json(parts[0], value)  # a dataclass is combined only with None
    if origin is tuple and isinstance(value, list):
        return tuple(from_json(parts[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return {name: from_json(parts[1], item) for name, item in value.items()}
    if is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(cast(Hashable, kind))
        return cast(Any, kind)(**{name: from_json(hints.get(name), item) for name, item in value.items()})
    return value


def is_number(value: float) -> bool:
    """Whether the value is finite and fits into 64 bits."""
    return -_LARGEST <= value < _LARGEST  # false for NaN, too


@functools.cache
def _hints(record: Any) -> dict[str, Any]:
    return get_type_hints(record)


@functools.cache
def _tests(record: Hashable) -> list[tuple[str, Callable[[Any], bool]]]:
    """The fields of a dataclass, each with a function that tells whether a value has its type."""
    assert isinstance(record, type)
    assert is_dataclass(record)
    hints = _hints(record)
    return [(field.name, _test(hints[field.name])) for field in fields(record)]


@functools.cache
def _test(kind: Any) -> Callable[[Any], bool]:
    """A function that tells whether a value has this type: a type is taken apart once, for any number of values."""
    if kind in (int, float):
        return lambda value: type(value) in (int, kind) and is_number(value)  # a bool is not accepted as an int
    if kind is str:
        return lambda value: type(value) is str and (value.isascii() or not _LONE.search(value))
    if get_origin(kind) is Literal:
        return lambda value: type(value) is str and value in get_args(kind)
    origin, tests = get_origin(kind), [_test(part) for part in get_args(kind) if part is not ...]
    if origin in (Union, types.UnionType):
        return lambda value: any(fits(value) for fits in tests)
    if origin is tuple:  # always tuple[X, ...]
        (item,) = tests
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    if origin is dict:
        key, item = tests
        return lambda value: isinstance(value, dict) and all(map(key, value)) and all(map(item, value.values()))
    if is_dataclass(kind):
        return lambda value: type(value) is kind and validate(value) is value
    return lambda value: type(value) is kind
