"""Writing a file that others may read meanwhile, and saying why one could not be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from proof.errors import CannotMeasureError, Where

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CURES = {
    errno.EROFS: "make it writable",
    errno.EACCES: "give it to the user who runs this",
    errno.EPERM: "give it to the user who runs this",
    errno.EIO: "look at the disk",
    errno.ENOLCK: "use a folder on a file system with locks",
}


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, its folder too: a reader finds the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def trouble(error: OSError) -> CannotMeasureError | None:
    """What a failure of the disk means to the user; None for what is no failure of the disk."""
    where = Where(Path(str(error.filename))) if error.filename else None
    # A copy of a whole tree gathers what went wrong as text.
    if error.errno in _FULL or os.strerror(errno.ENOSPC) in str(error.args):
        return CannotMeasureError("the disk is full", where=where, cure="free some space, and run the same again")
    if error.errno in _CURES:
        return CannotMeasureError(str(error.strerror), where=where, cure=_CURES[error.errno])
    return None
