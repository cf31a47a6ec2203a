"""What a run makes in an engine, written down before it is made: what a killed run left there, the next one removes.

A file of lines, `+ tag NAME` when something is about to be and `- tag NAME` when it is gone. Its run holds the lock on
it, so a journal that nobody holds is a dead run's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from proof.system import locks

# By name, by name, by id, by id of its record; and a label that marks images which tell no name.
Kind = Literal["container", "tag", "image", "cache", "label"]


@dataclass(frozen=True)
class Journal:
    """The names and ids of what one run made and has not removed yet."""

    path: Path

    def made(self, kind: Kind, *names: str) -> None:
        """Write down what is about to be made, or what just was where nothing could be known before."""
        self._write("+", kind, names)

    def gone(self, kind: Kind, *names: str) -> None:
        """Write down what was removed."""
        self._write("-", kind, names)

    def left(self, kind: Kind) -> list[str]:
        """What there is still, in the order in which it was made."""
        found: dict[str, None] = {}
        for line in self.path.read_text("utf-8").splitlines():
            sign, _, rest = line.partition(" ")
            of, _, name = rest.partition(" ")
            if of == kind and sign == "+":
                found[name] = None
            elif of == kind and sign == "-":
                found.pop(name, None)
        return list(found)

    def drop_if_empty(self) -> None:
        """Remove the file, unless something is left."""
        if not any(self.left(kind) for kind in get_args(Kind)):
            self.path.unlink()

    def _write(self, sign: str, kind: Kind, names: tuple[str, ...]) -> None:
        if names:
            with self.path.open("a", encoding="utf-8") as file:
                # The end of the line comes first, so that one which a kill cut short spoils no other.
                file.writelines(f"\n{sign} {kind} {name}" for name in names)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Journal]:
    """A journal of this run's own below `folder`; at the end it stays only if something is left."""
    folder.mkdir(parents=True, exist_ok=True)

    def new() -> Path:
        path = folder / f"{secrets.token_hex(8)}.journal"
        path.touch()
        return path

    path, held = locks.take_new(new)
    journal = Journal(path)
    try:
        yield journal
    finally:
        journal.drop_if_empty()
        os.close(held)


@contextlib.contextmanager
def of_dead_runs(folder: Path) -> Iterator[list[Journal]]:
    """The journals that nobody writes any more, held until the end of the block; those with nothing left in them go."""
    with contextlib.ExitStack() as stack:
        found = []
        for path in sorted(folder.glob("*.journal")):
            with contextlib.suppress(FileNotFoundError):  # another run just removed it
                if (held := locks.take(path)) is not None:
                    stack.callback(os.close, held)
                    found.append(Journal(path))
        yield found
        for journal in found:
            journal.drop_if_empty()
