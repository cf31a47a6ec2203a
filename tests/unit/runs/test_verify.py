"""What a run comes to: the pure parts of it, which need no engine."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from proof.captures import store
from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.captures.model import Capture, Provenance
from proof.core.errors import CannotMeasureError, EngineLostError, Where
from proof.engines.image_archive import Image, Layer
from proof.engines.interface import Engine
from proof.provision.loader import Loaded
from proof.runs import execute, verify
from proof.runs.execute import Run, StepRun
from proof.runs.failure import FailedError
from proof.runs.result import CAUSE_CODES, Cause, Result, Verdict, cause_of, worst
from proof.runs.verify import Session
from proof.snippets import base_images, manifest
from proof.snippets.capture_locations import Origin, folder_of
from proof.snippets.engine_version import Wording
from proof.snippets.model import Snippet, Step
from tests.support.engines import podman, private
from tests.support.helpers import LAYERS, REPOSITORY, capture_in, captured, edit, of_layers, printed, tiny, tree
from tests.support.makers import by_engine, capture

OTHER: Verdict = "another environment"

SNIPPET, BASE = Change("context/main.go", "changed"), Change("the base alpine:3.22", "changed")
ENGINE, RULES = (
    Change("the engine", "changed from docker 26 to docker 29"),
    Change("the normaliser", "changed from 1 to 2"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny(tmp_path)


@pytest.mark.parametrize(
    ("old", "changes", "cause"),
    [
        (capture(), [], "output"),
        (capture(), [ENGINE], "engine"),
        (capture(), [RULES], "engine"),
        (capture(), [ENGINE, BASE], "base"),
        (capture(), [ENGINE, BASE, SNIPPET], "snippet"),
        (None, [], "snippet"),
        (replace(capture(), tampered=("run.txt",)), [ENGINE, BASE, SNIPPET], "capture"),
    ],
)
def test_the_surest_cause_is_named(old: Capture | None, changes: list[Change], cause: Cause) -> None:
    """A capture that was edited by hand before all others, and the output or the network where nothing else changed."""
    (snippet,) = manifest.variants(REPOSITORY / "snippets/multi")
    assert cause_of(snippet, old, changes) == cause
    fetching = replace(snippet, steps=(replace(snippet.steps[0], network=("a.example",)), *snippet.steps[1:]))
    assert cause_of(fetching, old, changes) == ("network" if cause == "output" else cause)


def result(verdict: Verdict, cause: Cause | None = None) -> Result:
    """One of a snippet that does not matter."""
    return Result(cast(Any, None), verdict, cause=cause)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        (["accurate", "written"], 0),
        (["accurate", "another environment"], 4),
        (["another environment", "not measured"], 3),
        (["not measured", "another environment", "drift"], 1),
        (["drift", "failed"], 2),
        (["accurate", "never captured"], 2),
        (["not measured", "unstable"], 1),
    ],
)
def test_the_worst_verdict_is_the_code(verdicts: list[Verdict], code: int) -> None:
    """Failures come first, then drift, then what was not measured or compared. It is never 0 by mistake."""
    assert worst([result(verdict) for verdict in verdicts]) == code
    assert worst([result(verdict) for verdict in reversed(verdicts)]) == code


@pytest.mark.parametrize("cause", CAUSE_CODES)
def test_the_code_of_a_cause(cause: Cause) -> None:
    """Asked for, the first drift's; what did not drift has none."""
    drifted = [result("accurate"), result("not measured"), result("drift", cause), result("drift", "snippet")]
    assert worst(drifted, by_cause=True) == CAUSE_CODES[cause]
    assert worst(drifted) == 1
    assert worst([result("unstable", cause)], by_cause=True) == 1
    assert worst([result("not measured", cause)], by_cause=True) == 3
    assert worst([result("drift")], by_cause=True) == 1  # a shard may not say what from


# ── The decision table: a faked run, a capture as it may be, and what `verify` makes of the two ─────────────────────


# What BuildKit prints of `note`: of each step its number and its place in its stage. The stages have a FROM in common.
LOG = """\
#4 [paper 1/2] FROM docker.io/library/alpine:3.22
#5 [paper 2/2] RUN mkdir /empty
#6 [stage-1 2/2] COPY note.txt /srv/note.txt
#6 DONE 0.1s
"""


def ran(snippet: Snippet, own: int = 27, *, status: int | None = None, log: str | None = None) -> Run:
    """A run that comes to the made-up capture, or with another size, exit code or output of its first step."""
    counted = (LAYERS[0], replace(LAYERS[1], size=own)) if snippet.image else ()
    layers = tuple(Layer("", each.digest, each.size, each.files, None, each.instruction) for each in counted)
    image = Image("sha256:1", layers, "linux/amd64", "", '["cat"]') if snippet.image else None
    texts, exits = [printed(step) for step in snippet.steps], [step.exit for step in snippet.steps]
    texts[0] = texts[0] if log is None else log
    exits[0] = exits[0] if status is None else status
    steps = tuple(StepRun(*each, 0.1) for each in zip(snippet.steps, exits, texts, strict=True))
    return Run(snippet, steps, image, base_layers=1)


FULL_DISK = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere")
Outcome = Callable[[Snippet], Run] | Exception
SAME: Outcome = ran
GREW: Outcome = partial(ran, own=28)
GREW_MORE: Outcome = partial(ran, own=29)
FAILED: Outcome = partial(ran, status=1)
WHOLE_LOG: Outcome = partial(ran, log=LOG)
MIXED_LOG: Outcome = partial(ran, log=LOG.replace("#5 [paper 2/2] RUN mkdir /empty\n", ""))
OTHERS_LOG: Outcome = partial(ran, log=LOG.replace("[paper 1/2]", "[other 1/3]"))
OTHER_LOG: Outcome = partial(ran, log="#1 exporting to image\n#1 naming to docker.io/library/note:latest done\n")
GREW_OTHER_LOG: Outcome = partial(ran, own=28, log="#1 exporting to image\n#1 naming to docker.io/library/note done\n")
NO_ENGINE: Outcome = CannotMeasureError("the engine is gone")
LOST: Outcome = EngineLostError("the engine was lost")


class Case(NamedTuple):
    """One row."""

    old: str  # the capture that there is: see `Project.arrange`
    runs: tuple[Outcome, ...]  # what the snippet does each time it is run: just as often
    options: str  # of write, once and concurrent
    verdict: Verdict
    cause: Cause | None = None
    differs: str = ""  # in what, first
    saved: bool = False
    codes: tuple[int, int] = (0, 0)  # the exit code, and the one by cause


TABLE = [
    # Nothing changed, and the run says so.
    Case("same", (SAME,), "", "accurate"),
    Case("same", (SAME,), "write", "accurate"),
    Case("same", (SAME,), "write concurrent", "accurate"),
    Case("other engine version", (SAME,), "", "accurate"),  # which explains a difference, and is none
    Case("other engine version", (SAME,), "write", "accurate"),
    # No capture yet.
    Case("none", (SAME, SAME), "", "never captured", None, "note", codes=(2, 2)),
    Case("none", (SAME, SAME), "write", "written", "snippet", "note", saved=True),
    Case("none", (WHOLE_LOG, WHOLE_LOG), "write concurrent", "written", "snippet", "note", saved=True),
    Case("none", (MIXED_LOG,), "write concurrent", "unstable", None, "note", codes=(1, 1)),
    Case("none", (OTHERS_LOG,), "write concurrent", "unstable", None, "note", codes=(1, 1)),
    Case("none", (MIXED_LOG, MIXED_LOG), "write", "written", "snippet", "note", saved=True),
    Case("none", (GREW, GREW_MORE), "write", "unstable", None, "note.size", codes=(1, 1)),
    Case("none", (NO_ENGINE,), "write", "not measured", codes=(3, 3)),
    # The run differs, and nothing that goes in has changed.
    Case("same", (GREW, GREW), "", "drift", "output", "note.size", codes=(1, 1)),
    Case("same", (GREW,), "once", "drift", "output", "note.size", codes=(1, 1)),
    Case("same", (GREW, GREW), "write", "written", "output", "note.size", saved=True),
    Case("same", (GREW,), "write once", "written", "output", "note.size", saved=True),
    Case("same", (GREW,), "concurrent", "unstable", None, "note.size", codes=(1, 1)),
    Case("same", (GREW, GREW_MORE), "write", "unstable", None, "note.size", codes=(1, 1)),
    Case("same", (GREW, SAME), "", "unstable", None, "note.size", codes=(1, 1)),
    # Words that nobody compares may vary: Podman's size of an image does, by a byte.
    Case("same", (GREW, GREW_OTHER_LOG), "", "unstable", None, "note/build", codes=(1, 1)),
    Case("podman", (GREW, GREW_OTHER_LOG), "", "drift", "engine", "note.size", codes=(1, 7)),
    Case("podman", (GREW, GREW_MORE), "", "unstable", None, "note.size", codes=(1, 1)),
    Case("containerd's store", (GREW, GREW_OTHER_LOG), "same_engine", "unstable", None, "note/build", codes=(1, 1)),
    Case("containerd's store", (GREW, GREW_OTHER_LOG), "write", "unstable", None, "note/build", codes=(1, 1)),
    # What goes in has changed since: without a difference too, a stale capture is never accurate.
    *(
        case
        for old, cause, code in (("stale snippet", "snippet", 5), ("stale base", "base", 6))
        for case in (
            Case(old, (SAME,), "", "drift", cast(Cause, cause), codes=(1, code)),
            Case(old, (SAME,), "once concurrent", "drift", cast(Cause, cause), codes=(1, code)),
            Case(old, (SAME,), "write", "written", cast(Cause, cause), saved=True),
            Case(old, (GREW, GREW), "", "drift", cast(Cause, cause), "note.size", codes=(1, code)),
            Case(old, (GREW, GREW), "concurrent", "drift", cast(Cause, cause), "note.size", codes=(1, code)),
            Case(old, (GREW, GREW), "write", "written", cast(Cause, cause), "note.size", saved=True),
            Case(old, (GREW, GREW_MORE), "write", "unstable", None, "note.size", codes=(1, 1)),
            Case(old, (FAILED,), "", "drift", cast(Cause, cause), "note/build", codes=(1, code)),
            Case(old, (FAILED,), "concurrent", "drift", cast(Cause, cause), "note/build", codes=(1, code)),
        )
    ),
    Case("stale snippet", (MIXED_LOG,), "write concurrent", "unstable", None, "note/build", codes=(1, 1)),
    Case("other engine version", (GREW, GREW), "", "drift", "engine", "note.size", codes=(1, 7)),
    Case("other engine version", (GREW,), "concurrent", "unstable", None, "note.size", codes=(1, 1)),
    Case("other engine version", (GREW, GREW), "write", "written", "engine", "note.size", saved=True),
    Case("other engine version", (FAILED,), "", "drift", "engine", "note/build", codes=(1, 7)),
    Case("other engine version", (FAILED,), "concurrent", "unstable", None, "note/build", codes=(1, 1)),
    # Another engine words it otherwise: only what it means is compared.
    Case("other engine version", (OTHER_LOG,), "", "accurate"),
    Case("other engine version", (OTHER_LOG,), "write", "accurate"),  # with the classic store: no reader has that
    Case("without native diff", (OTHER_LOG,), "", "accurate"),
    Case("without native diff", (GREW, GREW), "", "drift", "engine", "note.size", codes=(1, 7)),
    Case("containerd's store", (OTHER_LOG,), "write", "written", saved=True),
    Case("containerd's store", (SAME,), "write", "accurate"),
    Case("containerd's store", (GREW, GREW), "", "drift", "engine", "note.size", codes=(1, 7)),
    Case("of Docker 29", (OTHER_LOG,), "", "accurate"),
    Case("of Docker 29", (OTHER_LOG,), "write", "written", saved=True),
    Case("of Docker 29", (OTHER_LOG, OTHER_LOG), "same_engine", "drift", "engine", "note/build", codes=(1, 7)),
    Case("of Docker 29", (SAME,), "same_engine", "accurate"),
    Case("containerd's store", (OTHER_LOG, OTHER_LOG), "same_engine", "drift", "engine", "note/build", codes=(1, 7)),
    Case(
        "containerd's store", (OTHER_LOG, OTHER_LOG), "same_engine write", "written", "engine", "note/build", saved=True
    ),
    Case("containerd's store", (SAME,), "same_engine", "accurate"),
    Case("of Docker 29", (GREW, GREW), "", "drift", "engine", "note.size", codes=(1, 7)),
    Case("of Docker 29 too", (SAME,), "", "accurate"),
    Case("of Docker 29 too", (OTHER_LOG, OTHER_LOG), "", "drift", "output", "note/build", codes=(1, 1)),
    Case("of Docker 29 too, wrong", (SAME, SAME), "", "drift", "output", "note.size", codes=(1, 1)),
    Case("of Docker 29 too, wrong", (SAME, SAME), "write", "written", "output", "note.size", saved=True),
    Case("of Docker 29 too, in the wrong place", (SAME, SAME), "", "drift", "output", "note", codes=(1, 1)),
    Case("of Docker 29 alone is current", (SAME,), "", "accurate"),
    Case("of Docker 29 alone is current", (OTHER_LOG,), "write", "written", saved=True),
    # Nobody keeps the words of podman.
    Case("podman", (SAME,), "", "accurate"),
    Case("podman", (GREW, GREW), "write", "drift", "engine", "note.size", codes=(1, 7)),
    Case("by podman", (SAME, SAME), "", "drift", "engine", "note", codes=(1, 7)),
    # The capture was edited by hand: no second run can tell more.
    Case("tampered", (SAME,), "", "drift", "capture", "note/run", codes=(1, 8)),
    Case("tampered", (SAME,), "write", "written", "capture", "note/run", saved=True),
    Case("tampered", (FAILED,), "", "drift", "capture", "note/build", codes=(1, 8)),
    # A step does not do what its manifest declares: nothing is accepted.
    Case("same", (FAILED,), "", "drift", "output", "note/build", codes=(1, 1)),
    Case("same", (FAILED,), "concurrent", "unstable", None, "note/build", codes=(1, 1)),
    Case("none", (FAILED,), "", "failed", codes=(2, 2)),
    Case("same", (GREW, FAILED), "write", "drift", "output", "note/build", codes=(1, 1)),
    # Nothing could be measured.
    Case("same", (NO_ENGINE,), "write", "not measured", codes=(3, 3)),
    Case("same", (GREW, NO_ENGINE), "write", "not measured", codes=(3, 3)),
    Case("same", (FULL_DISK,), "write", "not measured", codes=(3, 3)),
    # The engine was lost meanwhile, and started again.
    Case("same", (LOST, SAME), "", "accurate"),
    Case("same", (LOST, GREW, LOST, GREW), "", "drift", "output", "note.size", codes=(1, 1)),
    Case("same", (LOST, LOST), "", "not measured", codes=(3, 3)),
    # Numbers of two environments are never compared, and none takes the place of another.
    *(
        Case(old, (), options, OTHER, None, "note", codes=(4, 4))
        for old in ("of another platform", "kept in the wrong place")
        for options in ("", "write", "once concurrent")
    ),
    Case("of the registry's bases alone", (), "", OTHER, None, "note", codes=(4, 4)),
    Case("of the registry's bases alone", (SAME, SAME), "write", "written", "snippet", "note", saved=True),
    Case("of the registry's bases too", (SAME,), "", "accurate"),
    Case("of the registry's bases too", (SAME,), "write", "accurate"),
    Case("of the registry's bases too", (GREW, GREW), "", "drift", "output", "note.size", codes=(1, 1)),
]


class Project:
    """The tiny project with made-up captures, and a run in which only the engine is missing."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = captured(root)
        self.calls: list[dict[str, Any]] = []
        self.restarts = 0
        self._outcomes: list[Outcome] = []
        known = base_images.load(self.root)
        self.key, self.made_of = known.key("alpine:3.22"), known.made_of("alpine:3.22")
        self.version, self.store = "docker 26.1.5", "overlay2"
        monkeypatch.setattr(execute, "run", self._run)

    def arrange(self, old: str) -> None:
        """Make the capture of `note` what a row says."""
        folder = self.folder()
        here = self.capture()
        match old:
            case "none":
                shutil.rmtree(folder)
            case "stale snippet":
                edit(self.root / "snippets/note/context/note.txt", "a note", "a NOTE")
            case "stale base":
                self.key = "sha256:" + "9" * 64
            case "other engine version":
                self.version = "docker 29.0.1"
            case "tampered":
                (folder / "run.txt").write_text("edited\n")
            case "of another platform":
                store.save(of_environment(here, platform="linux/arm64"), folder)
            case "containerd's store":
                self.version, self.store = "docker 29.0.1", "containerd"
            case "without native diff":
                self.store = "overlay2-without-native-diff"
            case "podman":
                self.version = "podman 5.4.2"
            case "by podman":
                store.save(by_engine(here, "podman 5.4.2"), folder)
            case "of Docker 29" | "of Docker 29 too" | "of Docker 29 alone is current":
                if old == "of Docker 29 alone is current":
                    store.save(replace(here, inputs=here.inputs | {"context/note.txt": "sha256:0"}), folder)
                store.save(by_engine(here, "docker 29.7.2"), self.folder(wording="docker-29"))
                if old == "of Docker 29":
                    shutil.rmtree(folder)
            case "of Docker 29 too, wrong":
                snippet = manifest.variants(self.root / "snippets/note")[0]
                wrong = of_layers(here, snippet, [LAYERS[0], replace(LAYERS[1], size=99)])
                store.save(by_engine(wrong, "docker 29.7.2"), self.folder(wording="docker-29"))
            case "of Docker 29 too, in the wrong place":
                store.save(here, self.folder(wording="docker-29"))
            case "kept in the wrong place":
                store.save(of_environment(here, bases="registry"), folder)
            case "of the registry's bases too":
                store.save(of_environment(here, bases="registry"), self.folder("registry"))
            case "of the registry's bases alone":
                store.save(of_environment(here, bases="registry"), self.folder("registry"))
                shutil.rmtree(folder)
            case _:
                assert old == "same"

    def folder(self, origin: Origin = "rebuilt", name: str = "note", wording: Wording = "docker-28") -> Path:
        return folder_of(self.root / "snippets" / name, origin, "", wording)

    def capture(self, origin: Origin = "rebuilt", wording: Wording = "docker-28") -> Capture:
        return capture_in(self.folder(origin, wording=wording))

    def session(self, origin: Origin = "rebuilt", **fields: Any) -> Session:
        """What the snippets of a run share."""
        name = "alpine:3.22"
        given: dict[str, Any] = {
            "root": self.root,
            "engine": podman() if self.version.startswith("podman") else private(restart=self._restart),
            "bases": base_images.load(self.root),
            "loaded": {name: Loaded(name, "sha256:1", (), self.made_of, self.key)},
            "origin": origin,
            "cache": self.root.with_name("cache"),
            "provenance": replace(
                capture().provenance, engine=self.version, image_store=self.store, bases={name: self.made_of}
            ),
        }
        return Session(**given | fields)

    def verify(
        self, *outcomes: Outcome, options: str = "", session: Session | None = None, name: str = "note"
    ) -> Result:
        """Verify a snippet whose runs have these outcomes, one each."""
        self._outcomes = list(outcomes)
        words = [word for word in options.split() if word != "same_engine"]
        same_engine = "same_engine" in options
        found = verify.verify(
            manifest.variants(self.root / "snippets" / name)[0],
            session or self.session(same_engine=same_engine),
            write="write" in words,
            **{word: True for word in words if word != "write"},
        )
        assert self._outcomes == [], "it was not run as often as it should be"
        return found

    def _restart(self) -> None:
        self.restarts += 1

    def _run(self, snippet: Snippet, engine: Engine, **given: Any) -> Run:
        self.calls.append({"engine": engine, **given})
        assert self._outcomes, "it was run more often than it should be"
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome(snippet)


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(root, monkeypatch)


def of_environment(found: Capture, **fields: str) -> Capture:
    """The capture as if it had been measured elsewhere."""
    return replace(found, environment=replace(found.environment, **fields))


CHANGES = {
    "stale snippet": ("context/note.txt changed",),
    "stale base": ("the base alpine:3.22 changed",),
    "other engine version": ("the engine changed from docker 26 to docker 29",),
    "containerd's store": ("the engine changed from docker 26 to docker 29",),
    "without native diff": ("the engine changed from docker 26 to docker 26, without native diff",),
    "podman": ("the engine changed from docker 26 to podman 5",),
    "by podman": ("the engine changed from podman 5 to docker 26",),
    "of Docker 29": ("the engine changed from docker 29 to docker 26",),
}


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.old}-{len(case.runs)}-{case.options}-{case.verdict}")
def test_the_decision_table(case: Case, project: Project) -> None:
    """One row a case: what a capture and the runs come to, what is kept of them, and the exit code."""
    project.arrange(case.old)
    before = tree(project.root)
    old = store.load(project.folder())
    if old is None or case.old == "of Docker 29 alone is current":
        old = store.load(project.folder(wording="docker-29")) or old
    found = project.verify(*case.runs, options=case.options)

    assert (found.verdict, found.cause, found.old) == (case.verdict, case.cause, old)
    assert not found.cached
    assert (worst([found]), worst([found], by_cause=True)) == case.codes
    first = found.differences[0].what if found.differences else ""
    assert first.partition(":")[0] == case.differs
    changed = found.verdict in ("drift", "unstable") or found.cause  # one in other words alone has neither
    assert tuple(map(str, found.changes)) == (CHANGES.get(case.old, ()) if changed else ())

    measured = [act(found.snippet) for act in case.runs if not isinstance(act, Exception)]
    ended = case.runs[-1] if case.runs else None  # in what is no measurement?
    if ended is FAILED or isinstance(ended, Exception) or not measured:
        assert (found.new, found.seconds) == (None, 0)
    else:
        shown = measured[-1] if found.verdict == "unstable" else measured[0]
        assert found.new is not None
        assert found.new.facts["size"].value == shown.image.size if shown.image else False
        assert found.seconds == pytest.approx(0.3)
    if ended is FULL_DISK:
        assert "the disk is full" in str(found.error)
    else:
        assert isinstance(found.error, FailedError) is (found.verdict == "failed")
        assert found.verdict == "failed" or found.error is (ended if found.verdict == "not measured" else None)

    assert project.restarts == sum(one is LOST for one, _ in pairwise(case.runs))
    assert (tree(project.root) != before) is case.saved
    place = project.session().location
    assert not case.saved or (place and project.capture(wording=place.wording) == found.new)


def test_a_run_proves_captures_of_other_engines_wrong(project: Project) -> None:
    """A capture in other words that contradicts what was measured is removed by an update; a stale one stays."""
    project.arrange("of Docker 29 too, wrong")
    project.verify(SAME, SAME, options="write")
    assert not project.folder(wording="docker-29").exists()
    project.arrange("of Docker 29 too")
    edit(project.root / "snippets/note/context/note.txt", "a note", "a NOTE")
    project.verify(SAME, options="write")
    assert project.folder(wording="docker-29").exists()
    assert project.verify(SAME).verdict == "accurate"


def test_facts_in_other_words_are_not_compared(project: Project) -> None:
    """A run by another engine says how many outputs are in other words, and proves nothing about facts from them."""
    project.arrange("containerd's store")
    found = project.verify(OTHER_LOG)
    assert (found.words, found.measured is not None) == ((2, 1), True)
    project.version, project.store = "docker 26.9", "overlay2"
    assert project.verify(SAME).words == (0, 0)


@pytest.mark.parametrize(
    ("old", "place", "theirs", "here"),
    [
        ("of another platform", "captured/rebuilt", "linux/arm64, docker, rebuilt", "linux/amd64, docker, rebuilt"),
        ("of the registry's bases alone", "captured", "linux/amd64, docker, registry", "linux/amd64, docker, rebuilt"),
    ],
)
def test_numbers_of_two_environments_are_not_compared(
    old: str, place: str, theirs: str, here: str, project: Project
) -> None:
    """What the capture was measured in is said, and what this run measures in; no snippet is run for that."""
    project.arrange(old)
    (difference,) = project.verify().differences
    assert difference == Difference(
        Where(project.root / "snippets" / "note" / place), "note", f"{theirs} bases", f"{here} bases"
    )


def test_a_run_on_the_registrys_bases_has_a_capture_of_its_own(project: Project) -> None:
    """It is written next to the one of the rebuilt bases, and compared with no other."""
    registry = project.session("registry")
    assert project.verify(session=registry).verdict == OTHER
    assert project.verify(SAME, SAME, options="write", session=registry).verdict == "written"
    assert project.capture("registry") == of_environment(project.capture("registry"), bases="registry")
    assert project.verify(SAME, session=registry).verdict == "accurate"
    assert project.verify(GREW, GREW, session=registry).verdict == "drift"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ECONNRESET])
@pytest.mark.parametrize("runs", [(), (GREW,)])
def test_an_error_that_is_no_disks_is_not_hidden(number: int, runs: tuple[Outcome, ...], project: Project) -> None:
    """It is a mistake of the tool, which a verdict would hide."""
    before = tree(project.root)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))) as raised:
        project.verify(*runs, OSError(number, os.strerror(number)), options="write")
    assert raised.value.errno == number
    assert tree(project.root) == before


def test_a_capture_that_cannot_be_written_is_not_measured(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk filled up after the runs: code 3, and the old capture is still there."""

    def full(*_: object) -> None:
        raise FULL_DISK

    before = tree(project.root)
    monkeypatch.setattr(store, "save", full)
    found = project.verify(GREW, GREW, options="write")
    assert (found.verdict, worst([found])) == ("not measured", 3)
    assert tree(project.root) == before


@pytest.mark.parametrize(
    ("options", "verdict", "cause"),
    [("", "drift", "output"), ("write", "drift", "output"), ("concurrent", "unstable", None)],
)
def test_an_output_that_lacks_what_a_fact_is_read_from(
    options: str, verdict: Verdict, cause: Cause | None, project: Project
) -> None:
    """Nothing is accepted; of a log that other builds may have had a part in it says nothing yet."""
    found = project.verify(partial(ran, log="nothing to read\n"), options=options, name="count")
    assert (found.verdict, found.cause) == (verdict, cause)
    assert [difference.what for difference in found.differences] == ["count.words"]


FAILING = 'title = "A note"\n[[step]]\nname = "build"\ncommand = "docker build ."\nexit = 1\nexpect = "#4"\n'


UNNEEDED = re.sub(r"(?m)^#5 .*\n", "", LOG).replace("[paper 1/2]", "[stage-1 1/2]")


@pytest.mark.parametrize(
    ("manifest", "log", "mixed"),
    [
        pytest.param("", LOG, False, id="as the build alone prints it"),
        pytest.param("", UNNEEDED, False, id="a stage that is not needed"),
        pytest.param("", re.sub(r"(?m)^#5 .*\n", "", LOG), True, id="a step is missing"),
        pytest.param("", re.sub(r"(?m)^#4 .*\n", "", LOG), True, id="a step that both stages begin with is missing"),
        pytest.param("", LOG.replace("paper 1/2", "source 1/2"), True, id="a step has another build's name"),
        pytest.param("", LOG.replace("stage-1 2/2", "stage-1 2/3"), True, id="a step has another build's number"),
        pytest.param("", f"{LOG}#8 [paper 2/2] RUN mkdir /empty\n", True, id="a step is there twice"),
        pytest.param("", f"{LOG}#5 [paper 2/2] RUN mkdir /empty\n", False, id="a step is named twice"),
        pytest.param("", f"{LOG} > [other 1/2] RUN true:\n", False, id="an excerpt"),
        pytest.param(FAILING, LOG[: LOG.index("#6")], False, id="a build that is to fail ends early"),
        pytest.param(FAILING, "#4 [x 1/2] y\n", True, id="a build that fails has another build's name"),
    ],
)
def test_a_log_in_which_another_build_had_a_part_is_not_kept(
    manifest: str, log: str, project: Project, *, mixed: bool
) -> None:
    """Run next to others, BuildKit prints a shared step under either build's name."""
    project.arrange("none")
    if manifest:
        (project.root / "snippets/note/snippet.toml").write_text(manifest)
    act = partial(ran, log=log)
    found = project.verify(*([act] if mixed else [act, act]), options="write concurrent")
    assert found.verdict == ("unstable" if mixed else "written")


def test_a_run_is_handed_what_its_session_says(project: Project) -> None:
    """The bases that were loaded, the folders that they keep, and the options of the command line."""
    steps: list[Step] = []
    session = project.session(fresh=True, timeout=7.0, on_step=steps.append)
    project.verify(SAME, session=session)
    (call,) = project.calls
    assert call == {
        "engine": session.engine,
        "cache": session.cache,
        "loaded": session.loaded,
        "keeps": {name: base.keeps for name, base in session.bases.images.items()},
        "fresh": True,
        "reuse": True,
        "timeout": 7.0,
        "network": False,
        "on_step": session.on_step,
    }
    assert call["keeps"] == {"alpine:3.22": ""}
    project.verify(SAME)
    assert (project.calls[1]["fresh"], project.calls[1]["timeout"]) == (False, None)
    call["on_step"](manifest.variants(project.root / "snippets/note")[0].steps[0])
    assert len(steps) == 1


PRINTED = LOG.replace("RUN mkdir /empty\n", "RUN mkdir /empty\n#5 0.213 made\n")
CACHED = LOG.replace("RUN mkdir /empty\n", "RUN mkdir /empty\n#5 CACHED\n")


@pytest.mark.parametrize(
    ("old", "captured", "runs", "reuse", "verdict"),
    [
        pytest.param("same", LOG, [LOG], [True], "accurate", id="nothing was printed"),
        pytest.param("same", PRINTED, [PRINTED], [False], "accurate", id="what was printed is seen"),
        pytest.param("same", CACHED, [CACHED], [True], "accurate", id="the capture shows no output"),
        pytest.param("same", PRINTED, [CACHED, CACHED], [False, False], "drift", id="it cannot be seen"),
        pytest.param("same", CACHED, [PRINTED], [True], "accurate", id="the capture hides it"),
        pytest.param("none", "", [PRINTED, PRINTED], [True, False], "written", id="it is shown for the first time"),
        pytest.param("stale snippet", PRINTED, [CACHED, CACHED], [True, True], "written", id="the capture is stale"),
    ],
)
def test_a_run_sees_what_a_capture_shows(
    project: Project, *, old: str, captured: str, runs: list[str], reuse: list[bool], verdict: Verdict
) -> None:
    """If a capture shows what a RUN printed, no run takes that from the cache of an earlier run."""
    here = project.capture()
    build = replace(here.steps[0], output=captured)
    store.save(replace(here, steps=(build, *here.steps[1:])), project.folder())
    project.arrange(old)
    found = project.verify(*(partial(ran, log=log) for log in runs), options="write" * (verdict == "written"))
    assert found.verdict == verdict
    assert [call["reuse"] for call in project.calls] == reuse


def test_what_a_run_depends_on(project: Project) -> None:
    """Its environment, in which containerd's store is another engine, and the engine's major version."""
    session = project.session()
    assert str(session.environment) == "linux/amd64, docker, rebuilt bases"
    stored = replace(session.provenance, image_store="containerd")
    assert str(project.session(provenance=stored).environment) == (
        "linux/amd64, docker with containerd's store, rebuilt bases"
    )
    other = project.session("registry", engine=podman(platform="linux/arm64"))
    assert str(other.environment) == "linux/arm64, podman, registry bases"
    inputs = session.inputs_of(manifest.variants(project.root / "snippets/note")[0])
    assert (inputs["the engine"], inputs["the base alpine:3.22"]) == ("docker 26", project.key)


def test_where_the_captures_of_a_run_come_from(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine says of itself, what its bases are made of, and the moment, in UTC."""
    told = SimpleNamespace(version="5.4.2", builder="buildah 1.39", image_store="overlay", filesystem="xfs")
    session = project.session(engine=podman())
    monkeypatch.setattr(type(session.engine), "info", lambda _: told)
    before = datetime.now(UTC).replace(microsecond=0)
    found = verify.provenance(project.root, session.engine, session.loaded, "built from its source")
    assert before <= datetime.strptime(found.date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) <= datetime.now(UTC)
    assert replace(found, date="") == Provenance(
        date="",
        engine="podman 5.4.2",
        builder="buildah 1.39",
        image_store="overlay",
        filesystem="xfs",
        private=False,
        bases={"alpine:3.22": project.made_of},
        revision="not under version control",
        engine_from="built from its source",
    )
    told.version, told.builder = "26.1.5+dfsg1-certified", "buildx missing"
    told.image_store, told.filesystem = "a new one", "certified"
    other = verify.provenance(project.root, session.engine, session.loaded)
    assert (other.engine, other.builder) == ("podman 26.1.5+dfsg1", "buildx ?")
    assert (other.image_store, other.filesystem) == ("?", "?")


@pytest.mark.parametrize(
    ("was", "now", "options", "verdict"),
    [
        ("0123456789ab+", "ba9876543210", "write", "written"),
        ("0123456789ab+", "ba9876543210+", "write", "accurate"),
        ("0123456789ab+", "ba9876543210", "", "accurate"),
        ("0123456789ab", "ba9876543210", "write", "accurate"),
    ],
)
def test_a_capture_that_names_no_commit(was: str, now: str, options: str, verdict: Verdict, project: Project) -> None:
    """It was made before its snippet was committed. An update keeps what it measured anew, and can name a commit."""
    here = project.capture()
    store.save(replace(here, provenance=replace(here.provenance, revision=was)), project.folder())
    session = project.session()
    session = replace(session, provenance=replace(session.provenance, revision=now))
    assert project.verify(SAME, options=options, session=session).verdict == verdict
    assert project.capture().provenance.revision == (now if verdict == "written" else was)


def test_a_step_that_took_longer_than_its_limit_is_not_kept(project: Project) -> None:
    """With --timeout it can, but then every check would refuse the capture."""
    before = tree(project.root)
    slow = ran(manifest.variants(project.root / "snippets/note")[0], own=28)
    slow = replace(slow, steps=(replace(slow.steps[0], seconds=300.1), *slow.steps[1:]))
    found = project.verify(lambda _: slow, options="write")
    assert found.verdict == "not measured"
    assert found.error is not None
    assert (found.error.what, found.error.hint) == (
        "its capture would say build seconds 300.1, which no check accepts",
        "if a step needs more time, set its timeout in snippet.toml",
    )
    assert tree(project.root) == before
