"""A saved file → the snippets that it made stale, run again on an engine that stays, their captures kept.

What is run is what `proof status` would call stale by an edit of the snippet itself: not for a moved base, since that
concerns every snippet at once and is `proof update`'s to accept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from proof.captures import fingerprint, store
from proof.engines.engine import Engine
from proof.provision import loader
from proof.provision.loader import Loaded
from proof.runs import verify
from proof.runs.result import Result
from proof.runs.verify import Session
from proof.snippets import base_images, manifest, places, project
from proof.snippets.base_images import Bases
from proof.snippets.model import Snippet, Step

_ORIGIN: places.Origin = "rebuilt"


class Watch:
    """The snippets of a project, and the engine that runs those that are saved."""

    def __init__(self, root: Path, engine: Engine, cache: Path) -> None:
        self._root, self._engine, self._cache = root, engine, cache
        self._loaded: dict[str, Loaded] = {}  # bases in the engine, by the key of their recipe

    def stale(self, folder: Path) -> list[Snippet]:
        """The snippets of a folder that were edited since they were captured.

        Raises ManifestError or RefusedError where the folder holds what is never run.
        """
        known = base_images.load(self._root)
        snippets = manifest.variants(folder)
        known.check(snippets)
        keys = {name: known.key(name) for name in known.images}
        return [snippet for snippet in snippets if _edited(snippet, keys)]

    def run(self, snippets: list[Snippet], on_step: Callable[[Step], None]) -> Iterator[Result]:
        """Run the snippets once each, and keep what they did."""
        session = self._session(snippets)
        for snippet in snippets:
            yield verify.verify(snippet, replace(session, on_step=on_step), write=True, once=True)

    def again(self, snippet: Snippet) -> Result:
        """Run a snippet once more: what is never the same twice is seen by comparing with what was just kept."""
        return verify.verify(snippet, self._session([snippet]), write=False)

    def load_ahead(self) -> bool:
        """Bring one more base into the engine that a snippet may need; False where all of them are there.

        Raises ProofError where it cannot be had, or where a manifest is broken.
        """
        known = base_images.load(self._root)
        snippets = [snippet for snippet in project.load_all(self._root) if not snippet.slow]
        missing = [name for name in base_images.wanted(snippets) if known.key(name) not in self._loaded]
        if missing:
            self._load(known, missing[0])
        return bool(missing)

    def _session(self, snippets: list[Snippet]) -> Session:
        known = base_images.load(self._root)
        loaded = {name: self._load(known, name) for name in base_images.wanted(snippets)}
        return Session(
            root=self._root,
            engine=self._engine,
            bases=known,
            loaded=loaded,
            origin=_ORIGIN,
            cache=self._cache,
            provenance=verify.provenance(self._root, self._engine, loaded),
        )

    def _load(self, known: Bases, name: str) -> Loaded:
        key = known.key(name)
        if key not in self._loaded:
            self._loaded[key] = loader.ensure(known, name, self._engine, origin=_ORIGIN, cache=self._cache)
        return self._loaded[key]


def _edited(snippet: Snippet, keys: dict[str, str]) -> bool:
    capture = store.load(places.folder_of(snippet.folder, _ORIGIN, snippet.variant))
    return capture is None or any(c.kind == "snippet" for c in fingerprint.without_engine(snippet, capture, keys))
