"""Derives the facts of a capture from its layers, and from its outputs by the rules of the manifest.

A run computes its facts here. If a capture comes from somebody else, its facts are computed again from its own layers
and outputs, and must be exactly these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from proof.captures import contents
from proof.captures.model import CapturedFact, CapturedLayer
from proof.core import units
from proof.core.units import Scalar
from proof.core.validate import is_number
from proof.snippets.model import FactRule, Snippet, Step

_SAVED = "the files in the layers of `docker image save`"
_CONFIGURATION = "the configuration in `docker image save`"
DISPLAYED = frozenset({"disk_usage", "content_size"})  # facts that only some engines have
_LONGEST = 100_000  # characters of a text in the configuration


def _is_command(text: str) -> bool:
    """Whether it is a list of words, as JSON."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


# Facts from the image configuration, each with a test of what a configuration can have there.
TEXTS: dict[str, Callable[[str], object]] = {
    "command": _is_command,
    "user": re.compile(r"[\w.:$-]{1,200}", re.ASCII).fullmatch,
    "platform": re.compile(r"[a-z0-9]+(?:/[a-z0-9.]+){1,2}").fullmatch,
}


def of_layers(snippet: Snippet, layers: Sequence[CapturedLayer]) -> Iterator[tuple[str, CapturedFact]]:
    """The sizes in bytes and the layer counts of an image with these layers."""
    base = [layer for layer in layers if layer.from_base]
    own = [layer for layer in layers if not layer.from_base]
    noise = snippet.noise_bytes
    yield _fact("size", sum(layer.size for layer in layers), f"the sum of {_SAVED}", noise)
    yield _fact("base_size", sum(layer.size for layer in base), f"the base's part of {_SAVED}")
    own_size = sum(layer.size for layer in own)
    yield _fact("own_size", own_size, f"the part of {_SAVED} that is not the base's", noise)
    yield _fact("layers", len(layers), "the manifest in `docker image save`")
    yield _fact("base_layers", len(base), "the layers that the image shares with its base")
    yield _fact("own_layers", len(own), "the layers that its base does not have")


def of_image(snippet: Snippet, layers: Sequence[CapturedLayer]) -> dict[str, CapturedFact]:
    """Every fact that follows from the layers alone. Empty if the snippet does not measure an image."""
    if not snippet.image:
        return {}
    every = (*of_layers(snippet, layers), *of_each_layer(snippet, layers), *of_contents(snippet, layers))
    return dict(every)


def of_each_layer(snippet: Snippet, layers: Sequence[CapturedLayer]) -> Iterator[tuple[str, CapturedFact]]:
    """The size of each layer in bytes, as `layer_1`, `layer_2` and so on."""
    for number, layer in enumerate(layers, start=1):
        slack = snippet.noise_bytes if is_noisy(snippet, layer) else 0
        yield _fact(f"layer_{number}", layer.size, f"layer {number}: {layer.instruction}", slack)


def of_contents(snippet: Snippet, layers: Sequence[CapturedLayer]) -> Iterator[tuple[str, CapturedFact]]:
    """The bytes below each path that the manifest names, as far as no later layer hides them.

    There is no fact for a path that the image does not have.
    """
    for name, path in (snippet.contents or {}).items():
        if (size := contents.below(layers, path)) is not None:
            own = any(is_noisy(snippet, layer) and contents.below([layer], path) for layer in layers)
            tolerance = _tolerance(snippet.noise_bytes if own else 0, size)
            yield name, CapturedFact(size, "B", f"the files below {path} in the layers of the image", tolerance)


def of_transfer(whole: int, base: int, own: int) -> Iterator[tuple[str, CapturedFact]]:
    """The bytes that a registry would send. The layers of a capture do not contain these."""
    for name, size in (("transfer_size", whole), ("base_transfer_size", base), ("own_transfer_size", own)):
        fact = _fact(name, size, f"{_SAVED}, each layer gzipped (level 6)")[1]
        yield name, replace(fact, tolerance=0.01)


def of_display(disk_usage: int, content_size: int) -> Iterator[tuple[str, CapturedFact]]:
    """The sizes that Docker 29 displays where it keeps compressed layers too. No layer of a capture says these."""
    for name, size, column in (
        ("disk_usage", disk_usage, "DISK USAGE"),
        ("content_size", content_size, "CONTENT SIZE"),
    ):
        fact = _fact(name, size, f"{column} in `docker image ls`")[1]
        yield name, replace(fact, tolerance=units.COMPRESSED)


def of_configuration(texts: Mapping[str, str]) -> Iterator[tuple[str, CapturedFact]]:
    """Texts from the image configuration. The layers of a capture do not contain these."""
    for name in TEXTS:
        default = "root" if name == "user" else ""
        yield _fact(name, texts.get(name) or default, _CONFIGURATION)


def possible_texts(facts: Mapping[str, CapturedFact]) -> dict[str, str]:
    """Those facts of a capture that the configuration of an image can have."""
    texts = {name: facts[name].value for name in TEXTS if name in facts}
    return {
        name: text
        for name, text in texts.items()
        if isinstance(text, str) and len(text) <= _LONGEST and TEXTS[name](text)
    }


def of_output(step: Step, rule: FactRule, output: str) -> CapturedFact | None:
    """The fact that a rule of the manifest finds in an output, or None if it does not match.

    Raises ValueError if the match is not a plausible value in the rule's unit.
    """
    found = rule.match.search(output)
    if found is None:
        return None
    value = _read(found[1] or "", rule.unit)
    return CapturedFact(value, rule.unit, f"the output of `{step.text}`", rule.tolerance, rule.volatile)


def is_noisy(snippet: Snippet, layer: CapturedLayer) -> bool:
    """Whether the size of a layer may vary from build to build by up to `noise` bytes."""
    return not layer.from_base and 0 < snippet.noise_bytes < layer.size


def _fact(name: str, value: int | str, source: str, noise: int = 0) -> tuple[str, CapturedFact]:
    """One of the tool's own facts. Its tolerance covers `noise` bytes more or less."""
    unit = units.unit_of(name)
    assert unit is not None
    return name, CapturedFact(value, unit, source, tolerance=_tolerance(noise, value))


def _tolerance(noise: int, value: int | str) -> float:
    return round(noise / value, 9) if noise and isinstance(value, int) and value else 0.0


def _read(text: str, unit: str) -> Scalar:
    try:
        match unit:
            case "text":
                return text
            case "KiB":
                value: float = round(units.parse_binary(text), 3)
            case "s":
                value = float(text)
            case _:
                value = int(text.replace(",", ""))
        if is_number(value):
            return value
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"'{text:.60}' cannot be read as {unit}")
