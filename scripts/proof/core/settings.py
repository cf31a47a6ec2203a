"""Settings that come from the environment."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where packages, base images and the private engine's data are kept: $PROOF_CACHE, or below the user's cache."""
    if chosen := os.environ.get("PROOF_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "proof"
