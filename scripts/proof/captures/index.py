"""Finds the captures of a project, and chooses the one that pages show."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from proof.captures.model import Capture
from proof.captures.store import RECORD, load
from proof.snippets.places import ORIGINS, folder_of, name_of, undeclared

_KEPT = 150  # captures in memory: more than most sites show, but bounded for large projects


class Captures(Mapping[str, Capture]):
    """Snippet name → the capture that pages show, for each snippet below a directory. Captures are read on demand.

    `declared` returns the variants that the manifest in a snippet's directory declares, or raises an error. A variant
    that no manifest declares is never measured, so its numbers could be anything: asking for it raises PageError.
    Manifests are read on demand too, because reading all of them is slow.
    """

    def __init__(self, snippets: Path, declared: Callable[[Path], Collection[str]]) -> None:
        self._snippets, self._declared = snippets, declared
        self._read: dict[str, Capture] = {}

    def __getitem__(self, name: str) -> Capture:
        if (capture := self._read.get(name)) is None:
            folder, variant = self._places[name]
            if variant not in self._declared(folder):
                raise undeclared(folder / "captured" / variant, f"{folder.name}/snippet.toml declares no such variant")
            capture = self._read[name] = _of(folder, variant)
            if len(self._read) > _KEPT:
                self._read.pop(next(iter(self._read)), None)
        return capture

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @functools.cached_property
    def _places(self) -> dict[str, tuple[Path, str]]:
        """Name → directory and variant of each snippet with a capture. The variant is empty without a matrix."""
        found = {}
        for folder in sorted(entry.path for entry in os.scandir(self._snippets) if entry.is_dir()):
            captured = f"{folder}/captured"
            if os.path.isdir(captured) and os.path.isfile(f"{folder}/snippet.toml"):  # noqa: PTH112, PTH113 - quicker
                names = {entry.name for entry in os.scandir(captured) if not entry.name.startswith(".")}
                for variant in [*([""] if names.intersection(ORIGINS) else []), *sorted(names.difference(ORIGINS))]:
                    if any(_is_record(f"{captured}/{variant}/{origin}/{RECORD}") for origin in ORIGINS):
                        found[name_of(Path(folder), variant)] = (Path(folder), variant)
        return found


def _of(folder: Path, variant: str) -> Capture:
    if (capture := best(folder, variant)) is None:
        raise KeyError(folder.name)
    return capture


def _is_record(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - quicker, and called for each snippet


def best(snippet_folder: Path, variant: str = "") -> Capture | None:
    """The capture that pages show: on registry bases if there is one, else on rebuilt bases. None if there is none."""
    return next((capture for _, capture in each(snippet_folder, variant)), None)


def each(snippet_folder: Path, variant: str = "") -> Iterator[tuple[str, Capture]]:
    """Each origin of bases with its capture, the one that pages show first."""
    for origin in ORIGINS:
        if (capture := load(folder_of(snippet_folder, origin, variant))) is not None:
            yield origin, capture
