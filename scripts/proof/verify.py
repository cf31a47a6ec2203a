"""check and update: run each snippet for real, compare it with its capture, and say what differs and why."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from proof import capture as captures
from proof import execute, facts, inputs, process
from proof.bases import Bases, Loaded, Origin
from proof.capture import Basis, Capture, CapturedFact, CapturedLayer, CapturedStep, Provenance
from proof.engine import Engine
from proof.errors import CannotMeasureError, ManifestError, ProofError, Where
from proof.execute import Run
from proof.inputs import Change
from proof.manifest import Snippet, Step
from proof.normalise import normalise

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
class Difference:
    """One thing that is not as captured."""

    where: Where
    what: str  # `single.size`, `single/run`
    old: str
    new: str


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
        return Basis(self.engine.platform, self.engine.kind, self.origin)

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
        revision=_revision(root),
    )


def verify(snippet: Snippet, session: Session, *, write: bool) -> Result:
    """Run one snippet and compare; with `write`, accept what changed.

    A first difference is looked at twice: an output that is never the same twice is `unstable`, and not drift.
    """
    folder = captures.folder_of(snippet.folder, session.origin, snippet.variant)
    old = captures.load(folder)
    if (other := _other_basis(snippet, old, session)) is not None and not (write and old is None):
        return Result(snippet, "another basis", (other,), old=old)
    changes = inputs.changed(old.inputs, session.inputs_of(snippet)) if old else []
    cause = _cause(old, changes)
    try:
        first = capture_of(_run(snippet, session), session)
        differences = tuple(compare(old, first, snippet, folder))
        hard = any(change.hard for change in changes)
        if old and not differences and not hard:
            return Result(snippet, "accurate", old=old, new=first, seconds=_seconds(first))
        if differences and not (old and old.tampered):
            second = capture_of(_run(snippet, session), session)
            if shaky := tuple(compare(first, second, snippet, folder)):
                return Result(snippet, "unstable", shaky, tuple(changes), old=old, new=second)
    except CannotMeasureError as error:
        return Result(snippet, "not measured", old=old, error=error)
    except UnexpectedExitError as error:
        return Result(snippet, "drift", (error.difference,), tuple(changes), cause, old)
    if write:
        captures.save(first, folder)
    verdict: Verdict = "written" if write else "drift"
    return Result(snippet, verdict, differences, tuple(changes), cause, old, first, seconds=_seconds(first))


def _other_basis(snippet: Snippet, old: Capture | None, session: Session) -> Difference | None:
    """Why the capture cannot be compared with a run of this session, if it cannot."""
    here = str(session.basis)
    if old is not None:
        folder = captures.folder_of(snippet.folder, session.origin, snippet.variant)
        return Difference(Where(folder), snippet.name, str(old.basis), here) if old.basis != session.basis else None
    others = [
        c for o in captures.ORIGINS if (c := captures.load(captures.folder_of(snippet.folder, o, snippet.variant)))
    ]
    return Difference(Where(snippet.captured), snippet.name, str(others[0].basis), here) if others else None


def _cause(old: Capture | None, changes: Sequence[Change]) -> Cause:
    """What a drift comes from, the surest explanation first."""
    if old is not None and old.tampered:
        return "capture"
    kinds = {change.kind for change in changes}
    if old is None or "snippet" in kinds:
        return "snippet"
    return "base" if "base" in kinds else "engine" if "engine" in kinds else "output"


class UnexpectedExitError(ProofError):
    """A step did not exit as its manifest declares: nothing that follows it was run, and nothing is accepted."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(difference.what)


def capture_of(run: Run, session: Session) -> Capture:
    """A run as a capture; UnexpectedExitError where a step did not do what its manifest declares."""
    snippet = run.snippet
    if (wrong := run.unexpected) is not None:
        tail = "\n".join(wrong.output.rstrip().splitlines()[-12:])
        expected = f"exit {wrong.step.exit}" + (f", printing '{wrong.step.expect}'" if wrong.step.expect else "")
        raise UnexpectedExitError(
            Difference(wrong.step.where, str(wrong.step), expected, f"{execute.ends_unexpectedly(wrong)}\n{tail}")
        )
    return Capture(
        snippet=snippet.name,
        basis=session.basis,
        inputs=session.inputs_of(snippet),
        steps=tuple(
            CapturedStep(s.step.name, s.step.text, s.step.inside, s.exit, round(s.seconds, 1), s.output)
            for s in run.steps
        ),
        facts=dict(_facts(run)),
        layers=tuple(
            CapturedLayer(layer.instruction, layer.size, layer.files, layer.digest, i < run.base_layers)
            for i, layer in enumerate(run.image.layers if run.image else ())
        ),
        provenance=replace(
            session.provenance,
            bases={name: session.provenance.bases[name] for name in snippet.bases},
        ),
    )


def compare(old: Capture | None, new: Capture, snippet: Snippet, folder: Path) -> Iterator[Difference]:
    """Every difference that is not noise, each at the line that a reader would open."""
    record = folder / captures.RECORD
    if old is None:
        yield Difference(snippet.where, snippet.name, "no capture", "measured for the first time")
        return
    for name in dict.fromkeys([*old.facts, *new.facts]):
        before, after = old.facts.get(name), new.facts.get(name)
        if not _same(before, after):
            yield Difference(
                _line_of(record, f'"{name}": {{'), f"{snippet.name}.{name}", _written(before), _written(after)
            )
    for step in snippet.steps:
        before_step, after_step = old.step(step.name), new.step(step.name)
        if after_step is None or before_step is None:
            if after_step is not before_step:
                yield Difference(step.where, str(step), "no capture" if before_step is None else "captured", "run")
            continue
        if before_step.exit != after_step.exit:
            yield Difference(step.where, f"{step} exit", str(before_step.exit), str(after_step.exit))
        yield from _compare_output(step, before_step.output, after_step.output, folder / f"{step.name}.txt")
    for name in old.tampered:
        yield Difference(Where(folder / name), f"{snippet.name}: {name}", "what the tool wrote", "edited by hand")


def _same(old: CapturedFact | None, new: CapturedFact | None) -> bool:
    """Whether two values are equal, as far as theirs can be."""
    if old is None or new is None or old.unit != new.unit:
        return old is new
    if new.volatile:
        return True
    if isinstance(old.value, str) or isinstance(new.value, str):
        return old.value == new.value
    return abs(new.value - old.value) <= new.tolerance * abs(old.value)


def _compare_output(step: Step, old: str, new: str, path: Path) -> Iterator[Difference]:
    before, after = normalise(old, step).splitlines(), normalise(new, step).splitlines()
    for tag, i, j, k, m in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag != "equal":
            removed, added = "\n".join(before[i:j]), "\n".join(after[k:m])
            # Lines are named in the text as printed where they can be found in it: normalising reorders a build log.
            printed = [line for line in old.splitlines() if normalise(line, step) == (before[i] if i < j else "")]
            line = old.splitlines().index(printed[0]) + 1 if i < j and printed else i + 1
            yield Difference(Where(path, line), str(step), removed or "(nothing)", added or "(nothing)")


def _facts(run: Run) -> Iterator[tuple[str, CapturedFact]]:
    saved = "the files in the layers of `docker image save`"
    if (image := run.image) is not None:
        base, own = image.layers[: run.base_layers], image.layers[run.base_layers :]
        yield "size", CapturedFact(image.size, "B", f"the sum of {saved}")
        yield "base_size", CapturedFact(sum(layer.size for layer in base), "B", f"the base's part of {saved}")
        yield (
            "own_size",
            CapturedFact(sum(layer.size for layer in own), "B", f"the part of {saved} that is not the base's"),
        )
        yield "layers", CapturedFact(len(image.layers), "count", "the manifest in `docker image save`")
        yield (
            "base_layers",
            CapturedFact(len(base), "count", "the layers that the image shares with its base"),
        )
        yield "own_layers", CapturedFact(len(own), "count", "the layers that its base does not have")
        if run.snippet.transfer:
            for name, layers in (
                ("transfer_size", image.layers),
                ("base_transfer_size", base),
                ("own_transfer_size", own),
            ):
                size = sum(layer.compressed or 0 for layer in layers)
                yield name, CapturedFact(size, "B", f"{saved}, each layer gzipped (level 6)", tolerance=0.01)
        for number, layer in enumerate(image.layers, start=1):
            yield f"layer_{number}", CapturedFact(layer.size, "B", f"layer {number}: {layer.instruction}")
        yield "command", CapturedFact(image.command, "text", "the configuration in `docker image save`")
        yield "user", CapturedFact(image.user or "root", "text", "the configuration in `docker image save`")
        yield "platform", CapturedFact(image.platform, "text", "the configuration in `docker image save`")
    for done in run.steps:
        for rule in done.step.facts:
            found = rule.match.search(done.output)
            if found is None:
                raise ManifestError(
                    f"the pattern of the fact '{rule.name}' is not in the output of {done.step}",
                    where=rule.where,
                    evidence="\n".join(done.output.splitlines()[:8]),
                    cure="mend the pattern",
                )
            try:
                value = _read(found[1], rule.unit)
            except ValueError as error:
                raise ManifestError(f"'{found[1]}' cannot be read as {rule.unit}", where=rule.where) from error
            source = f"the output of `{done.step.text}`"
            yield rule.name, CapturedFact(value, rule.unit, source, rule.tolerance, rule.volatile)


def _read(text: str, unit: str) -> captures.Scalar:
    match unit:
        case "text":
            return text
        case "count":
            return int(text.replace(",", ""))
        case "KiB":
            return round(facts.parse_binary(text), 3)
        case "B":
            return int(text.replace(",", ""))
        case _:
            return float(text)


def _run(snippet: Snippet, session: Session) -> Run:
    return execute.run(
        snippet,
        session.engine,
        cache=session.cache,
        keeps={name: base.keeps for name, base in session.bases.images.items()},
        fresh=session.fresh,
        timeout=session.timeout,
        on_step=session.on_step,
    )


def _seconds(capture: Capture) -> float:
    return sum(step.seconds for step in capture.steps)


def _written(fact: CapturedFact | None) -> str:
    if fact is None:
        return "(none)"
    text = facts.written(fact.value, fact.unit)
    return f"{text} ({fact.value:,} B)" if fact.unit == "B" else text


def _line_of(path: Path, text: str) -> Where:
    if path.exists():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if text in line:
                return Where(path, number)
    return Where(path)


def _revision(root: Path) -> str:
    git = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "GIT_OPTIONAL_LOCKS": "0"}
    safe = ("-c", f"safe.directory={root}", "-C", str(root))
    try:
        commit = process.run(["git", *safe, "rev-parse", "--short=12", "HEAD"], env=git, deadline=10)
        if commit.exit != 0:
            return "not under version control"
        dirty = process.run(
            ["git", *safe, "status", "--porcelain", "--", "snippets/*/context", "snippets/*.toml"], env=git
        )
        return commit.text().strip() + ("+" if dirty.output.strip() else "")
    except CannotMeasureError:
        return "not known: git is not installed"


def worst(results: Sequence[Result], *, by_cause: bool = False) -> int:
    """The exit code of a run: drift first, for it is certain; then what could not be measured or compared.

    With `by_cause` a drift has a code for what it comes from (CAUSE_CODES), the first snippet's that drifted.
    """
    codes = {CODES[result.verdict] for result in results}
    code = next((code for code in (1, 3, 4) if code in codes), 0)
    causes = [result.cause for result in results if result.verdict == "drift" and result.cause]
    return CAUSE_CODES[causes[0]] if by_cause and code == 1 and causes else code
