"""Runs a snippet and compares the result with its capture: the core of `proof check` and `proof update`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from proof.captures import fingerprint, store
from proof.captures.buildkit_log import labels
from proof.captures.diff import Difference, compare
from proof.captures.model import Capture, Environment, Provenance
from proof.core import files
from proof.core.errors import CannotMeasureError, Where
from proof.engines.engine import Engine
from proof.provision.loader import Loaded
from proof.runs import execute
from proof.runs.result import Result, Verdict, as_shown, cause_of, is_accurate
from proof.runs.to_capture import NotAsDeclaredError, capture_of
from proof.snippets import places
from proof.snippets.base_images import Bases
from proof.snippets.dockerfile import Dockerfile
from proof.snippets.model import Snippet, Step
from proof.snippets.places import Origin
from proof.system import revision


@dataclass(frozen=True)
class Session:
    """What all snippets of one run have in common."""

    root: Path
    engine: Engine
    bases: Bases
    loaded: dict[str, Loaded]
    origin: Origin
    cache: Path
    provenance: Provenance
    fresh: bool = False
    timeout: float | None = None
    on_step: Callable[[Step], None] = lambda step: None

    @property
    def environment(self) -> Environment:
        """The environment that the numbers of this run are measured in."""
        # With containerd's store facts are the same, but the output of `image ls` and of builds is not.
        store = " with containerd's store" if self.provenance.image_store == "containerd" else ""
        return Environment(self.engine.platform, self.engine.kind + store, self.origin)

    def inputs_of(self, snippet: Snippet) -> dict[str, str]:
        """The inputs that the snippet's capture depends on."""
        major = self.provenance.engine.split(".")[0]
        return fingerprint.of(snippet, {name: base.key for name, base in self.loaded.items()}, major)


def provenance(root: Path, engine: Engine, loaded: dict[str, Loaded]) -> Provenance:
    """The provenance of the captures that this run makes."""
    info = engine.info()
    return Provenance(
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        engine=f"{info.kind} {info.version}",
        builder=info.builder,
        image_store=info.image_store,
        filesystem=info.filesystem,
        private=info.private,
        bases={name: base.origin for name, base in loaded.items()},
        revision=revision.of(root),
    )


def verify(snippet: Snippet, session: Session, *, write: bool, once: bool = False, concurrent: bool = False) -> Result:
    """Run one snippet and compare it with its capture; with `write`, accept what changed.

    If something differs, the snippet runs twice: output that changes from run to run is `unstable`, not drift. With
    `once` it does not run again; the caller can do that later. With `concurrent`, differences that other snippets may
    have caused are `unstable` as well, and nothing is written: the caller has to run the snippet again, alone.
    """
    folder = places.folder_of(snippet.folder, session.origin, snippet.variant)
    old = store.load(folder)
    if (other := _other_environment(snippet, old, session, folder)) is not None and not (write and old is None):
        return Result(snippet, "another environment", (other,), old=old)
    found = session.inputs_of(snippet)
    changes = fingerprint.changed(old.inputs, found) if old else []
    cause = cause_of(old, changes)
    try:
        first = session.engine.retry_if_lost(lambda: _measure(snippet, session, found))
        differences = tuple(compare(old, first, snippet, folder))
        if is_accurate(old, changes, differences):
            result = Result(snippet, "accurate", old=old, new=first, seconds=_seconds(first))
            return result if write else as_shown(result)
        if concurrent and ((differences and cause == "output") or (write and _is_mixed_up(first, snippet))):
            return Result(snippet, "unstable", differences, tuple(changes), old=old, new=first)
        if differences and not once and not (old and old.tampered):
            second = session.engine.retry_if_lost(lambda: _measure(snippet, session, found))
            if shaky := tuple(compare(first, second, snippet, folder)):
                return Result(snippet, "unstable", shaky, tuple(changes), old=old, new=second)
        if write:
            store.save(first, folder)
    except CannotMeasureError as error:
        return Result(snippet, "not measured", old=old, error=error)
    except OSError as error:
        if (trouble := files.disk_error(error)) is None:
            raise
        return Result(snippet, "not measured", old=old, error=trouble)
    except NotAsDeclaredError as error:
        if concurrent and cause == "output":  # if builds share steps, a log may lack what a fact is read from
            return Result(snippet, "unstable", (error.difference,), tuple(changes), old=old)
        return Result(snippet, "drift", (error.difference,), tuple(changes), cause, old)
    verdict: Verdict = "written" if write else "drift"
    return Result(snippet, verdict, differences, tuple(changes), cause, old, first, seconds=_seconds(first))


def _other_environment(snippet: Snippet, old: Capture | None, session: Session, folder: Path) -> Difference | None:
    """Why the capture cannot be compared with this run; None if it can."""
    here = str(session.environment)
    if old is not None:
        return (
            Difference(Where(folder), snippet.name, str(old.environment), here)
            if old.environment != session.environment
            else None
        )
    others = [c for o in places.ORIGINS if (c := store.load(places.folder_of(snippet.folder, o, snippet.variant)))]
    return Difference(Where(snippet.captured), snippet.name, str(others[0].environment), here) if others else None


def _is_mixed_up(capture: Capture, snippet: Snippet) -> bool:
    """True if a build log has other names for its steps than it would alone: another build had steps in common."""
    return any(
        _mixes_up(step.output, build, whole=step.exit == 0)
        for step in capture.steps
        if (build := snippet.dockerfiles.get(step.name))
    )


def _mixes_up(log: str, build: Dockerfile, *, whole: bool) -> bool:
    steps = labels(log)
    named = set(steps.values())
    own = frozenset[str]().union(*(stage for stage in build.labels if stage & named))
    return len(named) < len(steps) or not named <= own or (whole and named != own)


def _measure(snippet: Snippet, session: Session, found: dict[str, str]) -> Capture:
    run = execute.run(
        snippet,
        session.engine,
        cache=session.cache,
        loaded=session.loaded,
        keeps={name: base.keeps for name, base in session.bases.images.items()},
        fresh=session.fresh,
        timeout=session.timeout,
        on_step=session.on_step,
    )
    return capture_of(run, environment=session.environment, inputs=found, provenance=session.provenance)


def _seconds(capture: Capture) -> float:
    return sum(step.seconds for step in capture.steps)
