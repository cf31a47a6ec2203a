"""Who has to wait for whom: of those that share something, one at a time goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterator
from collections.abc import Set as AbstractSet


class KeyedLock:
    """Things that are taken, by any number of threads."""

    def __init__(self) -> None:
        self._taken: set[Hashable] = set()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, things: AbstractSet[Hashable]) -> Iterator[None]:
        """Wait until nobody has any of these, and have them all within the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken & things)
            self._taken |= things
        try:
            yield
        finally:
            with self._changed:
                self._taken -= things
                self._changed.notify_all()
