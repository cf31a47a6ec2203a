"""A lock on a set of keys: threads whose keys overlap run one after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterator
from collections.abc import Set as AbstractSet


class KeyedLock:
    """The keys that any threads hold."""

    def __init__(self) -> None:
        self._held: set[Hashable] = set()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, keys: AbstractSet[Hashable]) -> Iterator[None]:
        """Wait until no other thread holds any of these keys, then hold them all during the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held & keys)
            self._held |= keys
        try:
            yield
        finally:
            with self._changed:
                self._held -= keys
                self._changed.notify_all()
