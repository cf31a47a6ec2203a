"""Whether a capture that another machine made may be taken for one of ours: its form, and what it is of.

It cannot tell whether the numbers are true: that is for whoever reads the table of what changed.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from proof import inputs
from proof.capture import Capture
from proof.manifest import NAME, UNITS, Snippet

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def objections(capture: Capture, snippet: Snippet, origin: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Everything that speaks against it; `keys` are those of the rebuilt bases.

    It must be whole, of the types that the tool writes, and of the snippet as it is here: commands, context and bases.
    """
    if not conforms(capture, Capture):
        yield "a value in it has a type that the tool never writes"
        return
    if capture.tampered:
        yield f"{', '.join(capture.tampered)} was changed after it was written"
    if capture.snippet != snippet.name or capture.basis.bases != origin:
        yield f"it is of {capture.snippet} on {capture.basis}"
    declared = [(step.name, step.text, step.inside, step.exit) for step in snippet.steps]
    if [(step.name, step.command, step.inside, step.exit) for step in capture.steps] != declared:
        yield f"its steps are not those of {snippet.where}"
    for name, fact in capture.facts.items():
        if not NAME.fullmatch(name) or fact.unit not in UNITS or (fact.unit == "text") != isinstance(fact.value, str):
            yield f"{name!r} is no fact"
    if not _DATE.fullmatch(capture.provenance.date) or set(capture.provenance.bases) != set(snippet.bases):
        yield "where it comes from is not told as the tool tells it"
    for change in inputs.without_engine(snippet, capture, keys):
        if change.hard:
            yield f"{snippet.name} was measured in another state than the one here: {change}"


def conforms(value: Any, hint: Any) -> bool:
    """Whether a value is what its annotation says, all the way down: JSON keeps no promise about types."""
    if isinstance(hint, types.UnionType):
        return any(conforms(value, one) for one in typing.get_args(hint))
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return type(value) is hint and all(
            conforms(getattr(value, field.name), hints[field.name]) for field in dataclasses.fields(hint)
        )
    kind, inner = typing.get_origin(hint), typing.get_args(hint)
    if kind is dict:
        return type(value) is dict and all(
            conforms(key, inner[0]) and conforms(item, inner[1]) for key, item in value.items()
        )
    if kind is tuple:
        return type(value) is tuple and all(conforms(item, inner[0]) for item in value)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint
