"""Temporary directories, removed at the end of the run, or by the next run if this one is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from proof.system import locks, sandbox

_PREFIX = "proof-scratch-"  # nobody else should use it, because such directories are removed


@contextlib.contextmanager
def folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """A new directory below `parent` (default: the system's), removed at the end of the block."""
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    path, held = locks.take_new(lambda: Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-", dir=parent)))
    try:
        yield path
    except OSError as error:
        error.filename = error.filename or str(path)  # write errors, as on a full disk, have no path
        raise
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def sweep(parent: Path) -> None:
    """Remove the directories of dead runs, whose locks nobody holds, and kill what still runs in their sandboxes."""
    for path in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another run sweeps at the same time, or it belongs to another user
            if path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            if (held := locks.take(path)) is not None:
                sandbox.kill_all_with(path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(held)
