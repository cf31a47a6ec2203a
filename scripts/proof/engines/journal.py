"""The journal of a run: what it is about to create in an engine. If the run is killed, the next one cleans up by it.

A journal is a text file: `+ tag NAME` is added before an image gets that name, `- tag NAME` once the name is gone. A
run holds the lock on its journal, so a journal that is not locked belongs to a run that has died.
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

# A container, a network and a tag are named, an image and a cache record have ids. A label marks images without names.
Kind = Literal["container", "network", "tag", "image", "cache", "label"]


@dataclass(frozen=True)
class Journal:
    """The names and ids of what one run created and has not removed yet."""

    path: Path

    def made(self, kind: Kind, *names: str) -> None:
        """Record what is about to be created, or was just created if its id could not be known before."""
        self._write("+", kind, names)

    def gone(self, kind: Kind, *names: str) -> None:
        """Record what was removed."""
        self._write("-", kind, names)

    def left(self, kind: Kind) -> list[str]:
        """What has not been removed yet, in the order in which it was created."""
        left: dict[str, None] = {}
        for line in self.path.read_text("utf-8").splitlines():
            sign, _, rest = line.partition(" ")
            of, _, name = rest.partition(" ")
            if of == kind and sign == "+":
                left[name] = None
            elif of == kind and sign == "-":
                left.pop(name, None)
        return list(left)

    def drop_if_empty(self) -> None:
        """Remove the file if the journal lists nothing any more."""
        if not any(self.left(kind) for kind in get_args(Kind)):
            self.path.unlink()

    def _write(self, sign: str, kind: Kind, names: tuple[str, ...]) -> None:
        if names:
            with self.path.open("a", encoding="utf-8") as file:
                # The newline comes first: if a kill cuts an entry short, the next one is still on a line of its own.
                file.writelines(f"\n{sign} {kind} {name}" for name in names)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Journal]:
    """A new journal in `folder` for this run. At the end of the block it is removed if it lists nothing."""
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
    """The journals of dead runs, locked until the end of the block. Those that then list nothing are removed."""
    with contextlib.ExitStack() as stack:
        dead = []
        for path in sorted(folder.glob("*.journal")):
            with contextlib.suppress(FileNotFoundError):  # another run just removed it
                if (held := locks.take(path)) is not None:
                    stack.callback(os.close, held)
                    dead.append(Journal(path))
        yield dead
        for journal in dead:
            journal.drop_if_empty()
