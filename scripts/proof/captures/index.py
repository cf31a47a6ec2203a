"""Finds the captures of a project, and chooses those that pages show."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from proof.captures import bases_lock, fingerprint, objections
from proof.captures.model import Capture
from proof.captures.store import RECORD, load
from proof.snippets import base_images, project
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import LOCATIONS, NAMES, Location, Origin, name_of, undeclared
from proof.snippets.model import Snippet

_KEPT = 150  # captures in memory: more than most sites show, but bounded for large projects


class BaseKeys(NamedTuple):
    """The bases of a project, and what identifies each: name → key or digest."""

    bases: Bases
    rebuilt: Mapping[str, str]
    registry: Mapping[str, str]  # those in bases.lock


class Captures(Mapping[str, Capture]):
    """Snippet name → the first capture that pages show, for each snippet below a directory, read on demand.

    `variants` returns the snippets that the manifest in a directory declares, or raises an error. A variant that no
    manifest declares is never measured, so its numbers could be anything: asking for it raises PageError. Manifests are
    read on demand too, because reading all of them is slow.
    """

    def __init__(self, snippets: Path, variants: project.Read) -> None:
        self._snippets, self._variants = snippets, variants
        self._read: dict[str, SnippetCaptures] = {}

    def __getitem__(self, name: str) -> Capture:
        return self.shown(name)[0]

    def shown(self, name: str, origin: str | None = None) -> tuple[Capture, ...]:
        """The captures of a snippet that pages show: see SnippetCaptures. Raises KeyError if it has none.

        With `origin`, those that they would show if there were only those bases, if there are any on them.
        """
        of = self.of(name)
        captures = tuple(((origin and of.on(origin)) or of.shown).values())
        if not captures:
            raise KeyError(name)
        return captures

    def of(self, name: str) -> SnippetCaptures:
        """All captures of a snippet, as they were when they were first asked for. Raises KeyError if it has none."""
        if name not in self._read:
            folder, variant = self._locations[name]
            if (snippet := next((s for s in self._variants(folder) if s.variant == variant), None)) is None:
                raise undeclared(folder / "captured" / variant, f"{folder.name}/snippet.toml declares no such variant")
            if len(self._read) >= _KEPT:
                del self._read[next(iter(self._read))]
            self._read[name] = SnippetCaptures(snippet, lambda: self._bases)
        return self._read[name]

    def lacks(self, name: str) -> bool:
        """Whether there is a snippet of this name that was never captured."""
        return name not in self._locations and project.declares(self._snippets, name, self._variants)

    @functools.cached_property
    def _bases(self) -> BaseKeys:
        root = self._snippets.parent
        return base_keys(root, base_images.load(root))

    def __iter__(self) -> Iterator[str]:
        return iter(self._locations)

    def __len__(self) -> int:
        return len(self._locations)

    @functools.cached_property
    def _locations(self) -> dict[str, tuple[Path, str]]:
        """Name → directory and variant of each snippet with a capture. The variant is empty without a matrix."""
        found = {}
        for folder in sorted(entry.path for entry in os.scandir(self._snippets) if entry.is_dir()):
            captured = f"{folder}/captured"
            if os.path.isdir(captured) and os.path.isfile(f"{folder}/snippet.toml"):  # noqa: PTH112, PTH113 - quicker
                names = {entry.name for entry in os.scandir(captured) if not entry.name.startswith(".")}
                for variant in [*([""] if names.intersection(NAMES) else []), *sorted(names.difference(NAMES))]:
                    if any(os.path.isfile(f"{captured}/{variant}/{name}/{RECORD}") for name in NAMES):  # noqa: PTH113
                        found[name_of(Path(folder), variant)] = (Path(folder), variant)
        return found


def best(snippet_folder: Path, variant: str = "", origin: Origin | None = None) -> Capture | None:
    """The first capture of a snippet, or None: on registry bases if there is one, in Docker 28's words if possible."""
    return next((capture for _, capture in each(snippet_folder, variant, origin)), None)


def each(snippet_folder: Path, variant: str = "", origin: Origin | None = None) -> Iterator[tuple[Location, Capture]]:
    """Every capture of a snippet with its location, the one that pages show first; of one origin if that is given."""
    for location in LOCATIONS:
        if (
            origin in (None, location.origin)
            and (capture := load(location.folder(snippet_folder, variant))) is not None
        ):
            yield location, capture


def base_keys(root: Path, bases: Bases) -> BaseKeys:
    """The keys of the rebuilt bases of a project, and the digests of the registry bases that it has locked."""
    return BaseKeys(bases, {name: bases.key(name) for name in bases.images}, bases_lock.load(root, bases))


class SnippetCaptures:
    """The captures of one snippet, and which of them pages show. Each is read, and compared with its inputs, once.

    `bases` is called only if they matter. With `origin`, only captures on those bases count. `captures` are all that
    there are.
    """

    def __init__(
        self,
        snippet: Snippet,
        bases: Callable[[], BaseKeys],
        origin: Origin | None = None,
        captures: Mapping[Location, Capture] | None = None,
    ) -> None:
        self.snippet = snippet
        self.all = dict(each(snippet.folder, snippet.variant, origin)) if captures is None else captures
        self._bases = bases
        self._changes: dict[Location, list[fingerprint.Change]] = {}

    def changes(self, location: Location) -> list[fingerprint.Change]:
        """The inputs whose change makes the capture in this location stale."""
        if location not in self._changes:
            bases = self._bases()
            found = fingerprint.without_engine(self.snippet, self.all[location], bases.rebuilt, bases.registry)
            self._changes[location] = [change for change in found if change.invalidates]
        return self._changes[location]

    def objections(self, location: Location) -> Iterator[str]:
        """What the tool cannot have written in the capture in this location, if its inputs have not changed."""
        return objections.of(self.all[location], self.snippet, location.origin, self._bases().bases)

    @functools.cached_property
    def shown(self) -> dict[Location, Capture]:
        """The captures that pages show, the first one first: all on the same bases, each in the words of other engines.

        They are on the bases with current captures by most engines, of a registry if it has as many. So pages never
        lose an engine while the captures of a registry are made again with one after another.
        """
        sets = [self.on(origin) for origin in dict.fromkeys(location.origin for location in self.all)]
        if len(sets) < 2:  # without reading the bases
            return sets[0] if sets else {}
        return max(sets, key=lambda captures: sum(not self.changes(location) for location in captures))

    def on(self, origin: str) -> dict[Location, Capture]:
        """The captures on these bases. Of several, those are left out whose inputs have changed since."""
        locations = [location for location in self.all if location.origin == origin]
        current = [location for location in locations if len(locations) == 1 or not self.changes(location)]
        return {location: self.all[location] for location in current or locations[:1]}

    @property
    def current(self) -> Iterator[Capture]:
        """Those that pages show, the first one first, and then those on other bases whose inputs have not changed."""
        yield from self.shown.values()
        yield from (self.all[each] for each in self.all if each not in self.shown and not self.changes(each))

    @property
    def left_out(self) -> dict[Location, Capture]:
        """The captures that pages leave out because they are stale, although another one is not."""
        return {each: self.all[each] for each in self.all if each not in self.shown and self.changes(each)}

    @property
    def waits(self) -> bool:
        """Whether pages leave out current captures on registry bases, since those on others are by more engines."""
        first = next(iter(self.all), None)
        return first is not None and first not in self.shown and not self.changes(first)
