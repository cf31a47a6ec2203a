"""Runs a snippet and compares the result with its capture: the core of `proof check` and `proof update`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from proof.captures import fingerprint, index
from proof.captures import provenance as forms
from proof.captures.buildkit_log import labels
from proof.captures.diff import Difference, compare
from proof.captures.model import Capture, Environment, Provenance
from proof.captures.normalise import states_output
from proof.core import files
from proof.core.errors import CannotMeasureError, Where
from proof.engines.interface import Engine
from proof.provision.loader import Loaded
from proof.runs import execute, failure
from proof.runs.committed import Committed, accurate, committed, differences, save
from proof.runs.failure import NotAsDeclaredError
from proof.runs.result import Result, cause_of, is_accurate
from proof.runs.to_capture import capture_of
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import Location, Origin, location_of
from proof.snippets.dockerfile import Dockerfile
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Snippet, Step
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
    network: bool = False  # whether steps reach the hosts that they name
    same_engine: bool = False  # what pages show has to be in the words of this engine
    on_step: Callable[[Step], None] = lambda step: None

    @property
    def environment(self) -> Environment:
        """The environment that the numbers of this run are measured in."""
        # With containerd's store facts are the same, but the output of `image ls` and of builds is not.
        store = " with containerd's store" if self.provenance.image_store == "containerd" else ""
        return Environment(self.engine.platform, self.engine.kind + store, self.origin, self.engine.emulated_on)

    @property
    def engine_version(self) -> EngineVersion:
        """What decides how the engine words its outputs."""
        return EngineVersion.of(self.provenance.engine, self.provenance.image_store)

    @property
    def location(self) -> Location | None:
        """Where the captures of this run belong; None if they are not kept."""
        return location_of(self.origin, self.engine_version)

    def inputs_of(self, snippet: Snippet) -> dict[str, str]:
        """The inputs that the snippet's capture depends on."""
        major = self.provenance.engine.split(".")[0]
        return fingerprint.of(snippet, {name: base.key for name, base in self.loaded.items()}, major)


def provenance(root: Path, engine: Engine, loaded: dict[str, Loaded], engine_from: str = "") -> Provenance:
    """The provenance of the captures that this run makes. `engine_from` says where an unusual engine comes from."""
    info = engine.info()
    builder, _, builder_version = info.builder.partition(" ")
    return Provenance(
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        engine=f"{engine.kind} {forms.version(info.version)}",
        builder=f"{builder} {forms.version(builder_version)}",
        image_store=forms.in_form("image_store", info.image_store),
        filesystem=forms.in_form("filesystem", info.filesystem),
        private=engine.private,
        bases={name: base.origin for name, base in loaded.items()},
        revision=revision.of(root),
        engine_from=engine_from,
    )


def verify(snippet: Snippet, session: Session, *, write: bool, once: bool = False, concurrent: bool = False) -> Result:
    """Run one snippet and compare it with its captures; with `write`, accept what changed.

    If something differs, the snippet runs twice: output that changes from run to run is `unstable`, not drift. With
    `once` it does not run again; the caller can do that later. With `concurrent`, differences that other snippets may
    have caused are `unstable` as well, and nothing is written: the caller has to run the snippet again, alone.
    """
    inputs = session.inputs_of(snippet)
    known = committed(snippet, session.origin, session.engine_version, inputs)
    old, changes = (known[0].capture, known[0].changes) if known else (None, ())
    location = session.location if write else None  # None too for podman, whose words are not kept
    folder = known[0].folder if known else snippet.captured
    if (other := _other_environment(snippet, old, session, folder)) is not None and not (location and old is None):
        return Result(snippet, "another environment", (other,), old=old)
    # If builds share steps, a log may show other names, or lack what a fact is read from.
    is_doubtful = concurrent and cause_of(snippet, old, changes) in ("output", "engine")
    try:
        return _compared(
            snippet, session, known, inputs, location, once=once, doubtful=is_doubtful, concurrent=concurrent
        )
    except CannotMeasureError as error:
        return Result(snippet, "not measured", old=old, error=error)
    except OSError as error:
        if (trouble := files.disk_error(error)) is None:
            raise
        return Result(snippet, "not measured", old=old, error=trouble)
    except NotAsDeclaredError as error:
        if is_doubtful:
            return Result(snippet, "unstable", (error.difference,), changes, old=old)
        kept = failure.keep(error.step, session.root, session.cache) if error.step else ""
        difference = replace(error.difference, new="\n".join(filter(None, (error.difference.new, kept))))
        if old is None:
            return Result(snippet, "failed", error=failure.never_captured(snippet, error, difference))
        return Result(snippet, "drift", (difference,), changes, cause_of(snippet, old, changes), old)


def _compared(
    snippet: Snippet,
    session: Session,
    known: Sequence[Committed],
    inputs: dict[str, str],
    location: Location | None,
    *,
    once: bool,
    doubtful: bool,
    concurrent: bool,
) -> Result:
    """Measure the snippet, maybe twice, and compare it; if it has a `location`, write its capture there."""
    old, changes = (known[0].capture, known[0].changes) if known else (None, ())
    shown = [each.capture for each in known if each.current]
    first = _with_fetched(_measure(snippet, session, inputs, old, shown), old)
    if location:
        _check_plausible(first, snippet)
    differs = differences(known, first, snippet, words=session.same_engine)
    if is_accurate(old, changes, differs):
        result = accurate(snippet, known, first)
        return _kept(result, session, location, known) if location else result
    if (differs and doubtful) or (concurrent and location and _is_mixed_up(first, snippet)):
        return Result(snippet, "unstable", differs, changes, old=old, new=first)
    if differs and not once and not (old and old.tampered):
        second = _measure(snippet, session, inputs, old, [*shown, first])
        unstable = tuple(compare(first, second, snippet, snippet.captured))
        if old and old.engine != first.engine and not (location or session.same_engine):
            # The engine's own words were not compared with the capture, so they may vary.
            compared = {difference.what for difference in differs}
            unstable = tuple(difference for difference in unstable if difference.what in compared)
        if unstable:
            return Result(snippet, "unstable", unstable, changes, old=old, new=second)
    if old is None and not location:
        return Result(snippet, "never captured", differs, new=first)
    if location:
        save(first, snippet, location, known)
    return Result(
        snippet, "written" if location else "drift", differs, changes, cause_of(snippet, old, changes), old, first
    )


def _with_fetched(capture: Capture, old: Capture | None) -> Capture:
    """The capture, with what the old one fetched if this run took it all from the build cache."""
    return replace(capture, fetched=old.fetched) if old and not capture.fetched else capture


def _kept(result: Result, session: Session, location: Location, known: Sequence[Committed]) -> Result:
    """The result; `written` if this run's capture is kept although the one that there is is accurate.

    It is kept beside that one if it is in other words or has more facts, and in its location if that one names no
    commit that holds what it measured, and this run can.
    """
    old, new = result.old, result.measured or result.new
    assert old is not None
    assert new is not None
    if result.measured:
        says_more = result.words[1] > 0 or not new.facts.keys() <= old.facts.keys()
        is_kept = says_more and known[0].location != location and session.engine_version.is_shown
    else:
        was, now = (revision.is_uncommitted(capture.provenance.revision) for capture in (old, new))
        is_kept = was and not now
    if not is_kept:
        return result
    save(new, result.snippet, location, known)
    return replace(result, verdict="written", differences=(), new=new)


def _check_plausible(new: Capture, snippet: Snippet) -> None:
    """Raises CannotMeasureError if this capture says something that no check would accept."""
    for name, value in forms.implausible(new, snippet):
        raise CannotMeasureError(
            f"its capture would say {name} {value}, which no check accepts",
            where=snippet.where,
            hint="if a step needs more time, set its timeout in snippet.toml",
        )


def _other_environment(snippet: Snippet, old: Capture | None, session: Session, folder: Path) -> Difference | None:
    """Why the capture cannot be compared with this run; None if it can."""
    here = session.environment
    if old is not None:
        there = old.environment
        if (there.platform, there.bases) == (here.platform, here.bases):
            return None
        return Difference(Where(folder), snippet.name, str(there), str(here))
    others = [capture for _, capture in index.each(snippet.folder, snippet.variant)]
    if not others:
        return None
    return Difference(Where(folder), snippet.name, str(others[0].environment), str(here))


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
    # Label → the base and the steps up to it. BuildKit runs a step once for stages that begin alike, under one label.
    own: dict[str, tuple[str, ...]] = {}
    for stage, labelled in zip(build.stages, build.labelled, strict=True):
        if labelled.keys() & named:
            texts = (stage.parent, *labelled.values())
            own |= {label: texts[: number + 1] for number, label in enumerate(labelled, 1)}
    ran = {own[label] for label in named & own.keys()}
    return len(named) < len(steps) or not named <= own.keys() or (whole and not ran >= set(own.values()))


def _measure(
    snippet: Snippet, session: Session, inputs: dict[str, str], old: Capture | None, shown: Sequence[Capture]
) -> Capture:
    """Run the snippet once. `shown` are the captures that it is compared with: what they show, the run has to see."""
    engine = session.engine_version
    ran = session.engine.retry_if_lost(
        lambda: execute.run(
            snippet.on(engine),
            session.engine,
            cache=session.cache,
            loaded=session.loaded,
            keeps={name: base.keeps for name, base in session.bases.images.items()},
            fresh=session.fresh,
            reuse=not any(_states_output(capture, snippet) for capture in shown),
            timeout=session.timeout,
            network=session.network,
            on_step=session.on_step,
        )
    )
    # The patterns of facts may be written for the words of the engine that made the capture.
    known = old is None or old.engine == engine
    return capture_of(
        ran, environment=session.environment, inputs=inputs, provenance=session.provenance, known_words=known
    )


def _states_output(capture: Capture, snippet: Snippet) -> bool:
    """Whether a capture says what a RUN printed, which a run would not see if it took that from the cache."""
    done = ((step, capture.step(step.name)) for step in snippet.steps)
    return any(states_output(captured.output, step) for step, captured in done if captured)
