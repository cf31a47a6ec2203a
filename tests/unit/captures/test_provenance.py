"""Where captures say they come from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from proof.captures import store
from proof.core.hashes import sha256
from tests.support.helpers import REPOSITORY

RECORDS = sorted(REPOSITORY.glob("snippets/*/captured/**/capture.json"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: str(path.relative_to(REPOSITORY).parent))
def test_a_committed_capture_names_a_commit(record: Path) -> None:
    """No `+`: what was measured is in a commit, and not only in somebody's working tree."""
    capture = store.load(record.parent)
    assert capture is not None
    assert re.fullmatch("[0-9a-f]{12}", capture.provenance.revision)


def test_these_commits_hold_what_was_measured() -> None:
    """Each file of a context has in that commit the hash that is among the capture's inputs."""
    git = ["git", "-c", f"safe.directory={REPOSITORY}", "-C", str(REPOSITORY)]
    asked = {}
    for record in RECORDS:
        capture = store.load(record.parent)
        assert capture is not None
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
