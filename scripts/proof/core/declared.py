"""Reads a TOML table as an instance of the class that declares its keys.

A field made by `key` is a key of the table, with its type, its limits and its meaning for authors. A field made by
`group` holds more keys of the same table. Of the other fields, `where` and `name` are those of the table, and the rest
is given by whoever reads it. After reading, a class may `check` what depends on several keys.

Schemas for editors and the reference pages are made of the same declarations. No library reads these files, since none
tells the place of a mistake in a table whose keys an author chooses.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from proof.core.errors import UsageError, raise_all
from proof.core.text import did_you_mean
from proof.core.toml_table import Table

T = TypeVar("T")


@dataclass(frozen=True)
class Key:
    """One key of a TOML table."""

    meaning: str  # one line of Markdown, for authors
    fits: Callable[[Any], object] | None = None  # whether a value, or each in a table, is possible
    hint: str = ""  # what to write instead
    name: str = ""  # by default that of the field
    types: tuple[Type, ...] = ()
    required: bool = False

    @property
    def kind(self) -> str:
        """What the reference calls its type."""
        return " or ".join(one.kind for one in self.types)


class Type(NamedTuple):
    """One of the types that a value may have."""

    kind: str
    item: Any = None  # the class of a table or of a text with a notation of its own, or what a list or table holds
    names: Any = None  # for a table whose keys an author chooses: their type
    choices: tuple[str, ...] = ()  # the only values


def key(
    meaning: str,
    *,
    default: Any = MISSING,
    fits: Callable[[Any], object] | None = None,
    hint: str = "",
    name: str = "",
) -> Any:
    """A field that is a key. Without a default it is required."""
    declared = {"key": Key(meaning, fits, hint, name)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=declared)
    return field(default=default, metadata=declared)


def group(kind: type) -> Any:
    """A field that holds more keys of the same table."""
    return field(default_factory=kind, metadata={"group": kind})


_KINDS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_OF_PYTHON = {
    str: ("string",),
    int: ("integer", "number"),
    float: ("number",),
    bool: ("boolean",),
    dict: ("table",),
    list: ("list of strings",),
}


def types_of(hint: Any) -> tuple[Type, ...]:
    """The types that an annotation allows."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return tuple(one for part in parts if part is not types.NoneType for one in types_of(part))
    if origin is Literal:
        return (Type("string", choices=parts),)
    if origin is tuple:
        return (Type("list of tables" if _is_table(parts[0]) else "list of strings", parts[0]),)
    if origin is dict:
        return (Type("table", parts[1], names=parts[0]),)
    return (Type("table" if _is_table(hint) else _KINDS.get(hint, "string"), hint),)


def _is_table(hint: Any) -> bool:
    return is_dataclass(hint) and not hasattr(hint, "from_toml")


@functools.cache
def keys_of(kind: Any) -> dict[str, Key]:
    """The keys that a class declares, by name."""
    declared: dict[str, Key] = {}
    for part in fields(kind):
        if one := part.metadata.get("key"):
            required = part.default is MISSING and part.default_factory is MISSING
            name, several = one.name or part.name, types_of(get_type_hints(kind)[part.name])
            declared[name] = Key(one.meaning, one.fits, one.hint, name, several, required)
        elif "group" in part.metadata:
            declared |= keys_of(part.metadata["group"])
    return declared


def read(kind: type[T], table: Table, **given: Any) -> T:
    """The table as an instance of a class. `given` has the values of other fields, here and in the tables inside.

    Raises ManifestError, with the line. What is wrong with further tables of a list is in its `also`.
    """
    table.allow(*keys_of(cast(Hashable, kind)))
    return _made(kind, table, given)


def _made(kind: type[T], table: Table, given: Mapping[str, Any]) -> T:
    values: dict[str, Any] = {}
    declared = keys_of(cast(Hashable, kind))
    for part in fields(cast(Any, kind)):
        if "group" in part.metadata:
            values[part.name] = _made(part.metadata["group"], table, given)
        elif "key" in part.metadata:
            one = declared[part.metadata["key"].name or part.name]
            if table.data.get(one.name) not in (None, "", []):
                values[part.name] = _value(table, one.name, one, one.types, given)
            elif one.required:
                lacking = f"[[{one.name}]]" if one.kind == "list of tables" else f'{one.name} = "…"'
                raise table.error("", f"`{one.name}` is missing", f"add {lacking}")
        elif part.name in given:
            values[part.name] = given[part.name]
        elif part.name in ("where", "name"):
            values[part.name] = table.where() if part.name == "where" else table.name
    made = kind(**values)
    if check := getattr(made, "check", None):
        check(table)
    return made


def _value(table: Table, name: str, declared: Key, several: Iterable[Type], given: Mapping[str, Any]) -> Any:
    """The value of a key that is there, or of one that an author chose in its table."""
    several, value = tuple(several), table.data[name]
    one = next((one for one in several if one.kind in _OF_PYTHON.get(type(value), ())), several[0])
    match one.kind:
        case "list of tables":
            return _all(one.item, table.tables(name), given)
        case "list of strings":
            return tuple(_text(one.item, table, name, text) for text in table.texts(name))
        case "table" if one.names:
            inner = table.subtable(name)
            return {
                _text(one.names, inner, chosen, chosen): _value(inner, chosen, declared, types_of(one.item), given)
                for chosen in inner.data
            }
        case "table":
            return read(one.item, table.subtable(name), **given)
        case "string":
            value = table.text(name, required=True)
        case "number":
            value = table.number(name, 0.0)
        case "integer":
            table.typed(name, int, "a whole number")
        case _:
            table.typed(name, bool, "true or false")
    if one.choices and value not in one.choices:
        what = f"unknown {name} '{value:.60}'{did_you_mean(value, list(one.choices))}"
        raise table.error(name, what, f"use one of: {', '.join(one.choices)}")
    if declared.fits and not declared.fits(value):
        raise table.error(name, f"invalid {declared.name} {value!r:.100}", declared.hint)
    return value if one.kind != "string" else _text(one.item, table, name, value)


def _text(kind: Any, table: Table, name: str, text: str) -> Any:
    """A text, or what a class with a notation of its own reads from it."""
    return kind.from_toml(table, name, text) if hasattr(kind, "from_toml") else text


def _all(kind: type[T], tables: Iterable[Table], given: Mapping[str, Any]) -> tuple[T, ...]:
    """Every table of a list. Raises the first error, with those of all other tables in `also`."""
    made: list[T] = []
    wrong: list[UsageError] = []
    for table in tables:
        try:
            made.append(read(kind, table, **given))
        except UsageError as error:
            wrong.append(error)
    raise_all(wrong)
    return tuple(made)
