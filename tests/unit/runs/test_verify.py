"""What a run comes to: the pure parts of it, which need no engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proof.captures import store
from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.captures.model import Capture
from proof.core.errors import Where
from proof.runs import result as result_module
from proof.runs import verify
from proof.runs.result import CAUSE_CODES, CODES, Cause, Result, Verdict, cause_of, is_accurate, worst
from proof.runs.verify import Session
from proof.snippets import manifest
from proof.snippets.places import folder_of
from tests.support.helpers import captured, tiny
from tests.support.makers import capture

SNIPPET, BASE = Change("context/main.go", "changed"), Change("the base alpine:3.22", "changed")
ENGINE, RULES = (
    Change("the engine", "changed from docker 26 to docker 29"),
    Change("the normaliser", "changed from 1 to 2"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny(tmp_path)


DIFFERENCE = Difference(Where(Path("x")), "single.size", "1", "2")


@pytest.mark.parametrize(
    ("old", "changes", "differences", "accurate"),
    [
        (capture(), [], [], True),
        (capture(), [ENGINE, RULES], [], True),  # which explain a difference, and are none
        (capture(), [SNIPPET], [], False),
        (capture(), [BASE], [], False),
        (capture(), [ENGINE, BASE], [], False),
        (capture(), [], [DIFFERENCE], False),
        (None, [], [], False),
    ],
)
def test_accurate_is_what_has_no_difference_and_is_not_stale(
    old: Capture | None,
    changes: list[Change],
    differences: list[Difference],
    accurate: bool,  # noqa: FBT001 - an expected value
) -> None:
    """Each of them alone is enough."""
    assert is_accurate(old, changes, differences) is accurate


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
    """A capture that was edited by hand before all others, and the output where nothing else changed."""
    assert cause_of(old, changes) == cause


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
        (["not measured", "unstable"], 1),
    ],
)
def test_the_worst_verdict_is_the_code(verdicts: list[Verdict], code: int) -> None:
    """A drift before what could not be measured, and that before what could not be compared; never 0 by mistake."""
    assert worst([result(verdict) for verdict in verdicts]) == code
    assert worst([result(verdict) for verdict in reversed(verdicts)]) == code


def test_every_verdict_has_a_code_of_its_kind() -> None:
    """Only what is accurate, or was just written, is a success."""
    assert {verdict for verdict, code in CODES.items() if code == 0} == {"accurate", "written"}
    assert all(worst([result(verdict)]) == code for verdict, code in CODES.items())


@pytest.mark.parametrize("cause", CAUSE_CODES)
def test_the_code_of_a_cause(cause: Cause) -> None:
    """Asked for, the first drift's; what did not drift has none."""
    drifted = [result("accurate"), result("not measured"), result("drift", cause), result("drift", "snippet")]
    assert worst(drifted, by_cause=True) == CAUSE_CODES[cause]
    assert worst(drifted) == 1
    assert worst([result("unstable", cause)], by_cause=True) == 1
    assert worst([result("not measured", cause)], by_cause=True) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c, None),
        (
            lambda c: replace(c, environment=replace(c.environment, platform="linux/arm64")),
            "linux/arm64, docker, rebuilt bases",
        ),
        (
            lambda c: replace(c, environment=replace(c.environment, engine="podman")),
            "linux/amd64, podman, rebuilt bases",
        ),
        (
            lambda c: replace(c, environment=replace(c.environment, bases="registry")),
            "linux/amd64, docker, registry bases",
        ),
    ],
)
def test_numbers_of_two_bases_are_not_compared(
    change: Callable[[Capture], Capture], says: str | None, tmp_path: Path
) -> None:
    """Another platform, engine or origin of the bases is said, and so is a capture of another origin alone."""
    snippet = manifest.variants(captured(tiny(tmp_path)) / "snippets" / "note")[0]
    folder = folder_of(snippet.folder, "rebuilt")
    here = store.load(folder)
    assert here is not None
    session = cast(Session, SimpleNamespace(environment=here.environment))
    found = verify._other_environment(snippet, change(here), session, folder)
    assert (found.old if found else None) == says
    registry = cast(Session, SimpleNamespace(environment=replace(here.environment, bases="registry")))
    found = verify._other_environment(snippet, None, registry, folder_of(snippet.folder, "registry"))
    assert found is not None
    assert (found.old, found.new) == (str(here.environment), str(registry.environment))


def test_what_pages_show_was_measured(root: Path) -> None:
    """Beside a capture of the registry's bases, which pages show, an accurate one of rebuilt bases proves nothing."""
    snippet = manifest.variants(captured(root) / "snippets" / "note")[0]
    here = store.load(folder_of(snippet.folder, "rebuilt"))
    assert here is not None
    found = Result(snippet, "accurate", old=here, new=here)
    assert result_module.as_shown(found) == found
    registry = replace(here, environment=replace(here.environment, bases="registry"))
    store.save(registry, folder_of(snippet.folder, "registry"))
    other = result_module.as_shown(found)
    assert (other.verdict, worst([other])) == ("another environment", 4)
    assert other.differences[0].where.path == folder_of(snippet.folder, "registry") / store.RECORD
    assert "proof check note --bases registry" in other.differences[0].new
    measured = replace(found, new=registry)
    assert result_module.as_shown(measured) == measured
    drift = replace(found, verdict="drift")
    assert result_module.as_shown(drift) == drift
