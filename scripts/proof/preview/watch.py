"""Runs the snippets that were edited, on an engine that stays up, and writes their captures.

A snippet is run if its own files have changed since it was captured. A changed base is no reason: that affects all
snippets at once, and has to be accepted with `proof update`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from proof.captures import bases_lock
from proof.captures.index import BaseKeys, SnippetCaptures
from proof.engines.interface import Engine
from proof.provision import loader
from proof.provision.loader import Loaded
from proof.runs import verify
from proof.runs.result import Result
from proof.runs.verify import Session
from proof.snippets import base_images, manifest, project
from proof.snippets.base_images import Bases
from proof.snippets.model import Snippet, Step
from proof.snippets.places import Origin


class Watch:
    """The snippets of a project, and the engine that runs them."""

    def __init__(self, root: Path, engine: Engine, cache: Path) -> None:
        self._root, self._engine, self._cache = root, engine, cache
        self._loaded: dict[str, Loaded] = {}  # the bases in the engine, by the key of their recipe

    def stale(self, folder: Path) -> list[Snippet]:
        """The snippets in a directory that were edited since they were captured.

        Raises ManifestError or RefusedError if the directory holds something that must not be run.
        """
        known = base_images.load(self._root)
        snippets = manifest.variants(folder)
        known.check(snippets)
        keys = {name: known.key(name) for name in known.images}, bases_lock.load(self._root, known)
        return [snippet for snippet in snippets if _edited(snippet, keys, known.origin)]

    def run(self, snippets: list[Snippet], on_step: Callable[[Step], None]) -> Iterator[Result]:
        """Run each snippet once, and write its capture."""
        session = self._session(snippets)
        for snippet in snippets:
            result = verify.verify(snippet, replace(session, on_step=on_step), write=True, once=True)
            if session.origin == "registry" and result.new and result.verdict in ("written", "accurate"):
                bases_lock.keep(self._root, session.bases, [result.new])
            yield result

    def again(self, snippet: Snippet) -> Result:
        """Run a snippet a second time, and compare it with the capture that was just written."""
        return verify.verify(snippet, self._session([snippet]), write=False)

    def load_ahead(self) -> bool:
        """Load one more base that a snippet may need. Returns False if all of them are loaded.

        Raises ProofError if the base cannot be loaded, or if a manifest is invalid.
        """
        known = base_images.load(self._root)
        snippets = [snippet for snippet in project.load_all(self._root) if not snippet.slow]
        locked = bases_lock.load(self._root, known)
        missing = [name for name in base_images.wanted(snippets) if _key(known, locked, name) not in self._loaded]
        if missing:
            self._load(known, locked, missing[0])
        return bool(missing)

    def _session(self, snippets: list[Snippet]) -> Session:
        known = base_images.load(self._root)
        locked = bases_lock.load(self._root, known)
        loaded = {name: self._load(known, locked, name) for name in base_images.wanted(snippets)}
        return Session(
            root=self._root,
            engine=self._engine,
            bases=known,
            loaded=loaded,
            origin=known.origin,
            cache=self._cache,
            provenance=verify.provenance(self._root, self._engine, loaded),
        )

    def _load(self, known: Bases, locked: Mapping[str, str], name: str) -> Loaded:
        key = _key(known, locked, name)
        if key not in self._loaded:
            origin, digest = known.origin, locked.get(name, "")
            found = loader.ensure(known, name, self._engine, origin=origin, cache=self._cache, locked=digest)
            self._loaded[key] = found
        return self._loaded[key]


def _key(known: Bases, locked: Mapping[str, str], name: str) -> str:
    """What makes one base another one: its recipe, or where it is pulled from."""
    if known.origin == "rebuilt":
        return known.key(name)
    return f"{known.images[name].registry}@{locked.get(name, '')}"


def _edited(snippet: Snippet, keys: BaseKeys, origin: Origin) -> bool:
    captures = SnippetCaptures(snippet, lambda: keys, origin)
    changes = [change for place in captures.shown for change in captures.changes(place)]
    return not captures.shown or any(change.kind == "snippet" for change in changes)
