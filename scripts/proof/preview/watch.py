"""Runs the snippets that were edited, on an engine that stays up, and writes their captures.

A snippet is run if its own files have changed since it was captured. A changed base is no reason: that affects all
snippets at once, and has to be accepted with `proof update`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from proof.captures import bases_lock
from proof.captures.index import SnippetCaptures, base_keys
from proof.core.errors import ProofError
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import verify
from proof.runs.result import Result
from proof.runs.verify import Session
from proof.snippets import base_images, manifest, project
from proof.snippets.model import Snippet, Step


class Watch:
    """The snippets of a project, and the engine that runs them."""

    def __init__(self, root: Path, engine: Engine, cache: Path) -> None:
        self._root, self._engine, self._cache = root, engine, cache
        self._ahead: list[str] | None = None  # the bases that a save may need and that are not loaded yet, once known

    def stale(self, folder: Path) -> list[Snippet]:
        """The snippets in a directory that were edited since they were captured.

        Raises ManifestError or RefusedError if the directory holds something that must not be run.
        """
        bases = base_images.load(self._root)
        snippets = manifest.variants(folder)
        bases.check(snippets)
        keys = base_keys(self._root, bases)
        captures = [(snippet, SnippetCaptures(snippet, lambda: keys, bases.origin)) for snippet in snippets]
        return [snippet for snippet, captured in captures if not captured.shown or _is_edited(captured)]

    def run(self, snippets: list[Snippet], on_step: Callable[[Step], None]) -> Iterator[Result]:
        """Run each snippet once, and write its capture."""
        session = self._session(base_images.wanted(snippets), on_step)
        for snippet in snippets:
            result = verify.verify(snippet, session, write=True, once=True)
            if session.origin == "registry" and result.new and result.verdict in ("written", "accurate"):
                bases_lock.keep(self._root, session.bases, [result.new])
            yield result

    def again(self, snippet: Snippet) -> Result:
        """Run a snippet a second time, and compare it with the capture that was just written."""
        return verify.verify(snippet, self._session(base_images.wanted([snippet])), write=False)

    def load_ahead(self) -> None:
        """Load one more base that a save may need. An error is reported when a snippet needs that base."""
        with contextlib.suppress(ProofError):
            if self._ahead is None:
                self._ahead = []
                self._ahead += base_images.wanted([s for s in project.load_all(self._root) if not s.slow])
            if self._ahead:
                self._session([self._ahead.pop(0)])

    def _session(self, names: Iterable[str], on_step: Callable[[Step], None] = lambda step: None) -> Session:
        """A session in which these bases are loaded."""
        bases = base_images.load(self._root)
        locked, origin = bases_lock.load(self._root, bases), bases.origin
        loaded = {
            name: loader.ensure(
                bases, name, self._engine, origin=origin, cache=self._cache, locked=locked.get(name, "")
            )
            for name in names
        }
        return Session(
            root=self._root,
            engine=self._engine,
            bases=bases,
            loaded=loaded,
            origin=origin,
            cache=self._cache,
            provenance=verify.provenance(self._root, self._engine, loaded),
            on_step=on_step,
        )


def _is_edited(captures: SnippetCaptures) -> bool:
    return any(change.kind == "snippet" for place in captures.shown for change in captures.changes(place))
