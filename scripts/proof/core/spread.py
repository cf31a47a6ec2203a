"""The type of `proof.system.parallel.spread`, for code that gets it as an argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Spread(Protocol):
    """Calls a function for many items in several processes. Returns nothing if that isn't possible."""

    def __call__(
        self, function: Callable[[_Item], _Result], items: Sequence[_Item], /, *, share: int
    ) -> Sequence[_Result]: ...
