"""Temporary folders that go with their run: at its end, or, where it was killed, when the next one makes its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from proof.system import locks

_PREFIX = "proof-scratch-"  # long enough to be nobody else's: what is called so is removed


@contextlib.contextmanager
def folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """A new folder below `parent` (default: the system's place for them), removed at the end of the block."""
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    path, held = locks.take_new(lambda: Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-", dir=parent)))
    try:
        yield path
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is said with its folder, which a write does not know
        raise
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def sweep(parent: Path) -> None:
    """Remove the folders whose run is dead: nobody holds their lock."""
    for path in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another run sweeps too, or it is another user's
            if path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            if (held := locks.take(path)) is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(held)
