"""Threads whose keys overlap run one after the other."""

import threading
import time

import pytest

from proof.system.keyed_lock import KeyedLock


def test_overlapping_keys_exclude_each_other() -> None:
    """Threads that share a key never run at the same time; threads without a common key do."""
    keyed, lock = KeyedLock(), threading.Lock()
    now: set[str] = set()
    together: list[frozenset[str]] = []

    def work(name: str, *keys: str) -> None:
        with keyed.hold(frozenset(keys)):
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


def test_an_error_releases_the_keys() -> None:
    """After an error, the next thread continues."""
    keyed = KeyedLock()
    with pytest.raises(RuntimeError), keyed.hold({"x"}):
        raise RuntimeError
    with keyed.hold({"x"}):
        pass
