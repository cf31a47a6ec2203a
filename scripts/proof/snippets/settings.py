"""Reads proof.toml: what a project chooses for all of its snippets. Without the file, everything has its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proof.core.text import did_you_mean
from proof.core.toml_table import Table
from proof.snippets import keys
from proof.snippets.places import ORIGINS, Origin

FILE = "proof.toml"


@dataclass(frozen=True)
class Settings:
    """The settings of a project."""

    bases: Origin = "rebuilt"  # where its base images come from


def load(root: Path) -> Settings:
    """The settings of the project in `root`. Raises ManifestError, with the line."""
    if not (root / FILE).exists() and not (root / FILE).is_symlink():
        return Settings()
    table = Table.read(root / FILE, below=root)
    table.allow(*keys.PROOF)
    project = table.subtable("project")
    project.allow(*keys.PROJECT)
    if (bases := project.text("bases") or Settings.bases) not in ORIGINS:
        what = f"unknown source of base images '{bases:.60}'{did_you_mean(bases, list(ORIGINS))}"
        raise project.error("bases", what, f"use one of: {', '.join(sorted(ORIGINS))}")
    return Settings(bases=bases)
