"""The facts that the tool measures of every image by itself: their names, and what each is measured in.

`record` writes them, and a capture that is read from a file is held to them.
"""

from __future__ import annotations

import re

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
