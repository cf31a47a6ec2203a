"""Shards on a real engine: merged, they report the same as one run, with the same exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from proof.engines.interface import Engine
from tests.support.helpers import edit, proof, tiny

pytestmark = pytest.mark.engine


def said(root: Path, *arguments: str) -> tuple[int, Any, list[str]]:
    """Exit code, results and the table with its advice, of one call; without what no two runs have in common: times."""
    done = proof(*arguments, "--json", cwd=root)
    found = json.loads(done.stdout)
    for result in found["results"]:
        del result["seconds"]
    lines = done.stderr[done.stderr.index("\nsnippet ") :].splitlines()
    return done.returncode, found, [line for line in lines if " in the commands, " not in line]


@pytest.mark.parametrize("drift", [False, True], ids=["accurate", "drift"])
def test_shards_together_are_one_run(drift: bool, tmp_path: Path, engine: Engine) -> None:  # noqa: FBT001
    """1/3, 2/3 and 3/3 merged say what one run says, of an accurate project and of one that drifted."""
    del engine  # each call starts its own, as each machine does
    root = tiny(tmp_path)
    assert proof("update", cwd=root).returncode == 0
    if drift:
        edit(root / "snippets/note/context/Dockerfile", "COPY", "RUN echo more > /srv/more.txt\nCOPY")
        edit(root / "snippets/count/context/note.txt", "a note", "another note, and longer")
    whole = said(root, "check")
    assert whole[0] == (1 if drift else 0)
    folders = []
    for number in (1, 2, 3):
        folders.append(str(tmp_path / f"part-{number}"))
        proof("check", "--shard", f"{number}/3", "--results", folders[-1], cwd=root)
    assert said(root, "merge", *folders) == whole
    assert proof("merge", *folders[:2], cwd=root).returncode == 2
