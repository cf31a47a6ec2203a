"""Where captures say they come from."""

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from proof.captures.model import CapturedStep
from proof.captures.provenance import implausible
from proof.core.hashes import sha256
from tests.support.helpers import REPOSITORY, capture_in
from tests.support.makers import capture, placed, step

NOW = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("date", ("today", "2026-13-02T03:04:05Z", "2999-01-02T03:04:05Z", "1999-01-02T03:04:05Z", "")),
        ("date", ("\u0662\u0660\u0662\u0666-01-02T03:04:05Z", "2027-06-02T00:00:01Z", "2026-1-2T03:04:05Z")),
        ("engine", ("a fast one", "docker 26 and a half", "docker 26.1.5-certified", "docker", "Docker 26")),
        ("builder", ("<script>", "buildx certified.by.docker", "buildx 0.13.1-certified", "buildx\n::error::")),
        ("image_store", ("", "a good one", "certified")),
        ("filesystem", ("ext4\n", "<b>", "certified by a lab")),
        ("revision", ("0123456", "main", "the newest one")),
        ("engine_from", ("certified by the Docker Foundation", "built from its source, certified", "\u202eecruos")),
    ],
)
def test_a_value_that_the_tool_never_writes(field: str, values: tuple[str, ...], tmp_path: Path) -> None:
    """Readers see it, so there is no room for words in it."""
    snippet, made = placed(tmp_path), capture()
    assert list(implausible(made, snippet, NOW)) == []
    for value in values:
        fields: dict[str, Any] = {field: value}
        forged = replace(made, provenance=replace(made.provenance, **fields))
        assert (field, value) in implausible(forged, snippet, NOW)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("date", ("2020-01-01T00:00:00Z", "2027-06-01T23:59:59Z")),
        ("engine", ("docker 26.1.5+dfsg1", "docker 28", "docker 29.0.0-rc.2", "docker 27.5.1-1ubuntu0")),
        ("builder", ("buildx 0.13.1", "buildx v0.30.1-desktop.1", "buildx ?", "buildah 1.39.3")),
        ("image_store", ("overlay2", "overlay2-without-native-diff", "fuse-overlayfs", "?")),
        ("filesystem", ("extfs", "xfs", "?")),
        ("revision", ("0123456789ab", "0123456789ab+", "not under version control")),
        ("engine_from", ("", "built from its source", "built from the public source of Docker 29.1.2 with Go 1.26")),
    ],
)
def test_a_value_that_the_tool_writes(field: str, values: tuple[str, ...], tmp_path: Path) -> None:
    """Versions as distributors write them, and a question mark for what an engine does not say."""
    made = capture()
    for value in values:
        fields: dict[str, Any] = {field: value}
        honest = replace(made, provenance=replace(made.provenance, **fields))
        assert list(implausible(honest, placed(tmp_path), NOW)) == []


@pytest.mark.parametrize(
    ("environment", "engine", "names"),
    [
        ({"engine": "docker by a certified lab"}, "docker 26", ["engine"]),
        ({"engine": "podman"}, "docker 26", ["engine"]),
        ({"engine": "docker with containerd's store"}, "docker 26", ["engine"]),
        ({"platform": "a certified one"}, "docker 26", ["environment"]),
        ({"bases": "certified"}, "docker 26", ["environment"]),
        ({}, "docker 29", ["engine"]),
        ({}, "docker 26", []),
    ],
)
def test_what_contradicts_the_engine(
    environment: dict[str, str], engine: str, names: list[str], tmp_path: Path
) -> None:
    """Its name stands in the environment, in the inputs and in the provenance."""
    made = capture(inputs={"the engine": engine})
    forged = replace(made, environment=replace(made.environment, **environment))
    assert [name for name, _ in implausible(forged, placed(tmp_path), NOW)] == names


@pytest.mark.parametrize(
    ("seconds", "found"), [(-1.0, True), (0.0, False), (300.0, False), (300.1, True), (1e300, True)]
)
def test_how_long_a_step_took(seconds: float, found: bool, tmp_path: Path) -> None:  # noqa: FBT001 - an expected value
    """At most its time limit."""
    snippet = replace(placed(tmp_path), steps=(step("docker run example"),))
    forged = capture(steps=(CapturedStep("one", "docker run example", None, 0, seconds, ""),))
    assert ("one seconds" in dict(implausible(forged, snippet, NOW))) is found


RECORDS = sorted(REPOSITORY.glob("snippets/*/captured/**/capture.json"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: str(path.relative_to(REPOSITORY).parent))
def test_a_committed_capture_names_a_commit(record: Path) -> None:
    """No `+`: what was measured is in a commit, and not only in somebody's working tree."""
    capture = capture_in(record.parent)
    assert re.fullmatch("[0-9a-f]{12}", capture.provenance.revision)


def test_these_commits_hold_what_was_measured() -> None:
    """Each file of a context has in that commit the hash that is among the capture's inputs."""
    git = ["git", "-c", f"safe.directory={REPOSITORY}", "-C", str(REPOSITORY)]
    asked = {}
    for record in RECORDS:
        capture = capture_in(record.parent)
        folder = record.relative_to(REPOSITORY).parts[1]
        for name, digest in capture.inputs.items():
            if name.startswith("context/"):
                asked[f"{capture.provenance.revision}:snippets/{folder}/{name}"] = digest.removeprefix("executable ")
    shallow = subprocess.run(
        [*git, "rev-parse", "--is-shallow-repository"], capture_output=True, text=True, check=False
    )
    if shallow.stdout.strip() != "false":
        pytest.skip("this is no clone with all its history")
    given = "".join(f"{name}\n" for name in asked).encode()
    found = subprocess.run([*git, "cat-file", "--batch"], input=given, capture_output=True, check=True).stdout
    for name, digest in asked.items():
        header, _, found = found.partition(b"\n")
        assert re.fullmatch(rb"\w+ blob \d+", header), f"{name}: {header.decode()}"
        size = int(header.split()[2])
        assert sha256(found[:size]) == digest, name
        found = found[size + 1 :]
