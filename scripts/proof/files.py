"""Files of a context, without what is none of its own; and writing a file that others may read meanwhile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Version control, and what editors put beside a file while it is open: a snippet must not differ by who looks at it.
LEFT_OUT = shutil.ignore_patterns(".git", ".DS_Store", "*~", ".*.sw?", ".#*", "4913")


def below(folder: Path) -> list[Path]:
    """Every file and link below `folder`, sorted; links are not followed."""
    found: list[str] = []
    for parent, folders, names in os.walk(folder):
        left_out = LEFT_OUT(parent, [*folders, *names])
        folders[:] = [name for name in folders if name not in left_out]
        links = [name for name in folders if os.path.islink(f"{parent}/{name}")]  # noqa: PTH114 - ten times as fast
        found += [f"{parent}/{name}" for name in (*names, *links) if name not in left_out]
    return sorted(Path(path) for path in found)


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, its folder too: a reader finds the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
