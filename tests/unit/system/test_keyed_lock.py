"""Of those that share something, one at a time goes on."""

from __future__ import annotations

import threading
import time

import pytest

from proof.system.keyed_lock import KeyedLock


def test_who_shares_waits() -> None:
    """Two that share one of several things are never at it together; who shares nothing does not wait."""
    turns, lock = KeyedLock(), threading.Lock()
    now: set[str] = set()
    together: list[frozenset[str]] = []

    def work(name: str, *things: str) -> None:
        with turns.hold(frozenset(things)):
            with lock:
                now.add(name)
                together.append(frozenset(now))
            time.sleep(0.1)
            with lock:
                now.remove(name)

    threads = [
        threading.Thread(target=work, args=args)
        for args in (("a", "x"), ("b", "x", "y"), ("c", "y"), ("d", "z"), ("e",))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {name for names in together for name in names} == set("abcde")
    assert not any({"a", "b"} <= names or {"b", "c"} <= names for names in together)
    assert any({"d", "e"} <= names for names in together)


def test_what_fails_gives_way() -> None:
    """After an error the next one goes on."""
    turns = KeyedLock()
    with pytest.raises(RuntimeError), turns.hold({"x"}):
        raise RuntimeError
    with turns.hold({"x"}):
        pass
