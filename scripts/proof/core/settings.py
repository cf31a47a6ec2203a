"""Settings from environment variables."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The directory for packages, base images and the private engine's data: $PROOF_CACHE, or in the user's cache."""
    if chosen := os.environ.get("PROOF_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "proof"
