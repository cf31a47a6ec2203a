"""Whether a capture that another machine made may be taken for one of ours: its form, and what it is of.

It cannot tell whether the numbers are true: that is for whoever reads the table of what changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from proof import inputs
from proof.capture import Capture
from proof.manifest import NAME, UNITS, Snippet
from proof.typed import typed

_IMAGE = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def objections(capture: Capture, snippet: Snippet, origin: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Everything that speaks against it; `keys` are those of the rebuilt bases.

    It must be whole, of the types that the tool writes, and of the snippet as it is here: commands, context and bases.
    """
    try:
        typed(capture)
    except TypeError as error:
        yield f"a value in it has a type that the tool never writes: {error}"
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
    for name, image in capture.provenance.bases.items() if origin == "registry" else ():
        if not _IMAGE.fullmatch(image) or image.rpartition("@")[2] != capture.inputs.get(f"{inputs.BASE}{name}"):
            yield f"its base {name} has no digest, or another one than the image that it was measured on"
    for change in inputs.without_engine(snippet, capture, keys):
        if change.hard:
            yield f"{snippet.name} was measured in another state than the one here: {change}"
