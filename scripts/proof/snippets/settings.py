"""Reads proof.toml: what a project chooses for all of its snippets. Without the file, everything has its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proof.core import declared
from proof.core.declared import key
from proof.core.toml_table import Table
from proof.snippets.capture_locations import Origin

FILE = "proof.toml"


@dataclass(frozen=True)
class Settings:
    """The settings of a project."""

    bases: Origin = key(
        'Where base images come from: `"rebuilt"` makes them from pinned packages, `"registry"` pulls them and locks '
        'their digests. The default is `"rebuilt"`.',
        default="rebuilt",
    )
    mirror: str = key(
        "The host to pull base images from instead of their registries, as with `--mirror`.",
        default="",
    )
    hosts: tuple[str, ...] = key(
        'The hosts that snippets may name in `network`, as in `["proxy.golang.org"]`. The default is none.', default=()
    )


@dataclass(frozen=True)
class ProofFile:
    """A proof.toml."""

    project: Settings = key("The settings of the project.", default=Settings())


def load(root: Path) -> Settings:
    """The settings of the project in `root`. Raises ManifestError, with the line."""
    if not (root / FILE).exists() and not (root / FILE).is_symlink():
        return Settings()
    return declared.read(ProofFile, Table.read(root / FILE, below=root)).project
