"""The file with a site generator's settings."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("mkdocs.yml", "properdocs.yml")  # of MkDocs and Zensical, and of ProperDocs


def site_file(root: Path) -> Path:
    """The settings of a project's site: the first of these files that there is, or else the first one."""
    return next((root / name for name in _NAMES if (root / name).exists()), root / _NAMES[0])
