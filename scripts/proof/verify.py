"""check and update: run each snippet for real, compare it with its capture, and say what differs and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from proof import capture as captures
from proof import execute, files, inputs, revision
from proof.bases import Bases, Origin
from proof.capture import Basis, Capture, Provenance
from proof.compare import Difference, compare
from proof.dockerfile import Dockerfile
from proof.engine import Engine
from proof.errors import CannotMeasureError, ProofError, Where
from proof.inputs import Change
from proof.manifest import Snippet, Step
from proof.normalise import LABEL
from proof.rebuild import Loaded
from proof.record import NotAsDeclaredError, capture_of

Verdict = Literal["accurate", "drift", "unstable", "not measured", "another basis", "written"]
# What a drift comes from, the surest first. `output` is what is left: nothing that goes in has changed.
Cause = Literal["capture", "snippet", "base", "engine", "output"]
CODES: dict[Verdict, int] = {
    "accurate": 0,
    "written": 0,
    "drift": 1,
    "unstable": 1,
    "not measured": 3,
    "another basis": 4,
}
CAUSE_CODES: dict[Cause, int] = {"output": 1, "snippet": 5, "base": 6, "engine": 7, "capture": 8}


@dataclass(frozen=True)
class Result:
    """What came of one snippet."""

    snippet: Snippet
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    changes: tuple[Change, ...] = ()  # which inputs changed since the capture
    cause: Cause | None = None  # of a drift
    old: Capture | None = None
    new: Capture | None = None
    error: ProofError | None = None  # why nothing was measured
    seconds: float = 0.0
    cached: bool = False  # found by an earlier run, since which nothing has changed


@dataclass(frozen=True)
class Session:
    """What all snippets of one run share."""

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
    def basis(self) -> Basis:
        """What the numbers of this run depend on."""
        # On containerd's store the same images have the same facts, and `image ls` and the build log say otherwise.
        store = " with containerd's store" if self.provenance.image_store == "containerd" else ""
        return Basis(self.engine.platform, self.engine.kind + store, self.origin)

    def inputs_of(self, snippet: Snippet) -> dict[str, str]:
        """What the captures of this run depend on."""
        major = self.provenance.engine.split(".")[0]
        return inputs.of(snippet, {name: base.key for name, base in self.loaded.items()}, major)


def provenance(root: Path, engine: Engine, loaded: dict[str, Loaded]) -> Provenance:
    """Where the captures of this run come from."""
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


def verify(snippet: Snippet, session: Session, *, write: bool, once: bool = False, beside: bool = False) -> Result:
    """Run one snippet and compare; with `write`, accept what changed.

    A first difference is looked at twice: an output that is never the same twice is `unstable`, and not drift.
    With `once` it is not: the caller looks again when there is time. Run `beside` others, what they may have had a
    part in is `unstable` too, and nothing of it is kept: the caller looks again without them.
    """
    folder = captures.folder_of(snippet.folder, session.origin, snippet.variant)
    old = captures.load(folder)
    if (other := _other_basis(snippet, old, session, folder)) is not None and not (write and old is None):
        return Result(snippet, "another basis", (other,), old=old)
    found = session.inputs_of(snippet)
    changes = inputs.changed(old.inputs, found) if old else []
    cause = cause_of(old, changes)
    try:
        first = session.engine.again(lambda: _measure(snippet, session, found))
        differences = tuple(compare(old, first, snippet, folder))
        if is_accurate(old, changes, differences):
            result = Result(snippet, "accurate", old=old, new=first, seconds=_seconds(first))
            return result if write else as_shown(result)
        if beside and ((differences and cause == "output") or (write and _is_mixed_up(first, snippet))):
            return Result(snippet, "unstable", differences, tuple(changes), old=old, new=first)
        if differences and not once and not (old and old.tampered):
            second = session.engine.again(lambda: _measure(snippet, session, found))
            if shaky := tuple(compare(first, second, snippet, folder)):
                return Result(snippet, "unstable", shaky, tuple(changes), old=old, new=second)
        if write:
            captures.save(first, folder)
    except CannotMeasureError as error:
        return Result(snippet, "not measured", old=old, error=error)
    except OSError as error:
        if (trouble := files.trouble(error)) is None:
            raise
        return Result(snippet, "not measured", old=old, error=trouble)
    except NotAsDeclaredError as error:
        if beside and cause == "output":  # a log of several builds can lack what a fact is read from
            return Result(snippet, "unstable", (error.difference,), tuple(changes), old=old)
        return Result(snippet, "drift", (error.difference,), tuple(changes), cause, old)
    verdict: Verdict = "written" if write else "drift"
    return Result(snippet, verdict, differences, tuple(changes), cause, old, first, seconds=_seconds(first))


def is_accurate(old: Capture | None, changes: Sequence[Change], differences: Sequence[Difference]) -> bool:
    """Whether a capture still says what is so: of the same state, and without a difference."""
    return old is not None and not differences and not any(change.hard for change in changes)


def as_shown(result: Result) -> Result:
    """The result; `another basis` where it is accurate, and pages show a capture that this run did not measure.

    What an image holds depends on its bases. A run on rebuilt bases cannot tell an honest capture of the registry's
    from an invented one, so it must not say that what the pages show is accurate.
    """
    snippet, new = result.snippet, result.new
    if result.verdict != "accurate" or new is None:
        return result
    for origin, shown in captures.each(snippet.folder, snippet.variant):
        if origin != new.basis.bases:
            where = Where(captures.folder_of(snippet.folder, origin, snippet.variant) / captures.RECORD)
            what = f"{snippet.name}: pages show this capture, and this run did not measure it"
            measured = f"{new.basis}; to measure it: proof check {snippet.name} --bases {origin}"
            other = Difference(where, what, str(shown.basis), measured)
            return replace(result, verdict="another basis", differences=(other,))
        break  # pages show only the first
    return result


def _other_basis(snippet: Snippet, old: Capture | None, session: Session, folder: Path) -> Difference | None:
    """Why the capture cannot be compared with a run of this session, if it cannot."""
    here = str(session.basis)
    if old is not None:
        return Difference(Where(folder), snippet.name, str(old.basis), here) if old.basis != session.basis else None
    others = [
        c for o in captures.ORIGINS if (c := captures.load(captures.folder_of(snippet.folder, o, snippet.variant)))
    ]
    return Difference(Where(snippet.captured), snippet.name, str(others[0].basis), here) if others else None


def cause_of(old: Capture | None, changes: Sequence[Change]) -> Cause:
    """What a drift comes from, the surest explanation first."""
    if old is not None and old.tampered:
        return "capture"
    kinds = {change.kind for change in changes}
    if old is None or "snippet" in kinds:
        return "snippet"
    return "base" if "base" in kinds else "engine" if "engine" in kinds else "output"


def _is_mixed_up(capture: Capture, snippet: Snippet) -> bool:
    """Whether a log names the steps otherwise than its build alone would: one that shared them had a part in it."""
    return any(
        _mixes_up(step.output, build, whole=step.exit == 0)
        for step in capture.steps
        if (build := snippet.dockerfiles.get(step.name))
    )


def _mixes_up(log: str, build: Dockerfile, *, whole: bool) -> bool:
    steps = {label[1]: label[2] for label in LABEL.finditer(log) if label[1].startswith("#")}  # by their numbers
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
    return capture_of(run, basis=session.basis, inputs=found, provenance=session.provenance)


def _seconds(capture: Capture) -> float:
    return sum(step.seconds for step in capture.steps)


def worst(results: Sequence[Result], *, by_cause: bool = False) -> int:
    """The exit code of a run: drift first, for it is certain; then what could not be measured or compared.

    With `by_cause` a drift has a code for what it comes from (CAUSE_CODES), the first snippet's that drifted.
    """
    codes = {CODES[result.verdict] for result in results}
    code = next((code for code in (1, 3, 4) if code in codes), 0)
    causes = [result.cause for result in results if result.verdict == "drift" and result.cause]
    return CAUSE_CODES[causes[0]] if by_cause and code == 1 and causes else code
