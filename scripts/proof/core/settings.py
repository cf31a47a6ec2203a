"""Settings from environment variables."""

from __future__ import annotations

import os
from pathlib import Path

from proof.core.errors import UsageError


def cache_folder() -> Path:
    """The directory for packages, base images and the private engine's data: $PROOF_CACHE, or in the user's cache.

    Raises UsageError if a file is in its place, or in that of a directory above it.
    """
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "proof"
    folder = Path(os.environ.get("PROOF_CACHE") or usual).absolute()
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110 - raises nothing
    if not there.is_dir():
        hint = "set PROOF_CACHE to a directory, which may be a new one"
        raise UsageError(f"the cache cannot be at {folder}: {there} is not a directory", hint=hint)
    return folder
