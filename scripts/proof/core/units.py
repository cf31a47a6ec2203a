"""Units of facts, the facts that the tool measures of every image, and how values are written.

`runs.to_capture` records these facts, and a capture that is read from a file is checked against them.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Literal, get_args

from proof.core.validate import is_number

Unit = Literal["B", "KiB", "s", "count", "text"]  # of a fact
UNITS: tuple[Unit, ...] = get_args(Unit)
_OF_IMAGE = {
    **dict.fromkeys(("size", "base_size", "own_size"), "B"),
    **dict.fromkeys(("transfer_size", "base_transfer_size", "own_transfer_size"), "B"),
    **dict.fromkeys(("disk_usage", "content_size"), "B"),  # where the engine displays them
    **dict.fromkeys(("official_size", "official_transfer_size"), "B"),  # computed: see `facts.official`
    **dict.fromkeys(("layers", "base_layers", "own_layers"), "count"),
    **dict.fromkeys(("command", "user", "platform"), "text"),
}
# The share by which compressed sizes may differ: the same version of an engine, built with another Go, compresses
# otherwise.
COMPRESSED = 0.03
_LAYER = re.compile(r"layer_[0-9]{1,3}")


def unit_of(name: str) -> str | None:
    """The unit of a fact that the tool measures of every image; None for all other names."""
    return "B" if _LAYER.fullmatch(name) else _OF_IMAGE.get(name)


Scalar = int | float | str
_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_DISPLAYED = re.compile(rf"([0-9]{{1,6}}(?:\.[0-9]{{1,6}})?)({'|'.join(_DECIMAL)})")
_BINARY = ("K", "M", "G", "T", "P", "E")


def format_value(value: Scalar, unit: str) -> str:
    """A value as pages show it: sizes as in `docker image ls`, everything else in its usual notation."""
    if isinstance(value, str):
        return value
    match unit:
        case "B":
            return size(value)
        case "KiB":
            return binary(value)
        case "truth":
            return "yes" if value else "no"
        case "s":
            return f"{_digits(value)} s"
        case "count" if is_whole(value):
            return f"{round(value):,}"
        case "count" if abs(value) >= 999.5:
            return f"{value:,.1f}"
        case _:
            return _digits(value)


def is_whole(number: float) -> bool:
    """Whether it is a whole number, apart from the rounding errors of a computation."""
    return math.isclose(number, round(number), rel_tol=1e-9, abs_tol=1e-9)


def size(number: float) -> str:
    """Bytes in Docker's notation: decimal units, three significant digits (270MB, 10.7MB, 53B)."""
    for unit in _DECIMAL[:-1]:
        if abs(number) < 999.5:  # from there on it rounds to 1000, which is 1 of the next unit
            return _digits(number) + unit
        number /= 1000
    return _digits(number) + _DECIMAL[-1]


def _digits(number: float) -> str:
    """A number with three significant digits, or all those before the decimal point. Never with an exponent."""
    return f"{number:,.0f}" if abs(number) >= 999.5 else f"{Decimal(f'{number:.3g}'):f}"


def counted(number: int, what: str) -> str:
    """A number of things: `1 file`, `1,200 files`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def binary(kib: float) -> str:
    """KiB in the notation of `du -h`: binary units, one decimal (162.2M)."""
    for unit in _BINARY[:-1]:
        if abs(kib) < 1023.95:  # from there on it rounds to 1024, which is 1 of the next unit
            return f"{kib:.1f}{unit}"
        kib /= 1024
    return f"{kib:,.1f}{_BINARY[-1]}"


def parse_size(text: str) -> int:
    """A size that Docker displays, in bytes. Raises ValueError if it is not one."""
    if not (found := _DISPLAYED.fullmatch(text)):
        raise ValueError(f"invalid size '{text:.40}'")
    return round(float(found[1]) * 1000.0 ** _DECIMAL.index(found[2]))


def is_about(displayed: str, other: str) -> bool:
    """Whether two displayed sizes differ by no more than COMPRESSED."""
    try:
        return math.isclose(parse_size(displayed), parse_size(other), rel_tol=COMPRESSED)
    except ValueError:
        return displayed == other


def parse_binary(text: str) -> float:
    """A size that `du -h` printed, in KiB. Raises ValueError if it is not a size."""
    factor = {unit: 1024**power for power, unit in enumerate(_BINARY)}.get(text[-1:].upper())
    kib = float(text[:-1]) * factor if factor else float(text) / 1024
    if not is_number(kib):
        raise ValueError(f"invalid size '{text:.40}'")
    return kib
