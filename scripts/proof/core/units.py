"""The facts that the tool measures of every image by itself: their names, and what each is measured in.

`record` writes them, and a capture that is read from a file is held to them.
"""

from __future__ import annotations

import re

from proof.core.validate import is_number

UNITS = ("B", "KiB", "s", "count", "text")  # what a fact may be measured in
_OF_IMAGE = {
    **dict.fromkeys(("size", "base_size", "own_size"), "B"),
    **dict.fromkeys(("transfer_size", "base_transfer_size", "own_transfer_size"), "B"),
    **dict.fromkeys(("layers", "base_layers", "own_layers"), "count"),
    **dict.fromkeys(("command", "user", "platform"), "text"),
}
_LAYER = re.compile(r"layer_[0-9]{1,3}")


def unit_of(name: str) -> str | None:
    """The unit of a fact that the tool measures by itself; None where the name is no such fact's."""
    return "B" if _LAYER.fullmatch(name) else _OF_IMAGE.get(name)


Scalar = int | float | str
_STEPS = ("B", "kB", "MB", "GB", "TB")


def written(value: Scalar, unit: str) -> str:
    """A value as a page states it: sizes as `docker image ls` prints them, everything else in its own usual way."""
    match unit:
        case "B":
            return size(float(value))
        case "KiB":
            return binary(float(value))
        case "s":
            return f"{float(value):.3g} s"
        case "count":
            return f"{int(value):,}"
        case "text":
            return str(value)
        case _:
            return f"{float(value):.3g}" if abs(float(value)) < 999.5 else f"{float(value):,.0f}"


def size(number: float) -> str:
    """Bytes as Docker writes them: decimal units, three significant digits (270MB, 10.7MB, 53B)."""
    for unit in _STEPS[:-1]:
        text = f"{number:.3g}"
        if abs(number) < 1000 and "e" not in text:  # 999.7 rounds to 1e+03: that is 1 of the next unit
            return text + unit
        number /= 1000
    return f"{float(f'{number:.3g}'):g}{_STEPS[-1]}"


def binary(kib: float) -> str:
    """KiB as `du -h` writes them: binary units, one decimal (162.2M)."""
    for unit in ("K", "M", "G"):
        if kib < 1024:
            return f"{kib:.1f}{unit}"
        kib /= 1024
    return f"{kib:.1f}T"


def parse_binary(text: str) -> float:
    """KiB out of what `du -h` printed; ValueError where that is no size."""
    factor = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}.get(text[-1:].upper())
    kib = float(text[:-1]) * factor if factor else float(text) / 1024
    if not is_number(kib):
        raise ValueError(f"'{text:.40}' is no size")
    return kib
