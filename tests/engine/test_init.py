"""From an empty directory to a page with a measured number, by two commands."""

import json
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from tests.support.helpers import mkdocs, proof, succeeded

pytestmark = pytest.mark.engine


def test_two_commands(tmp_path: Path, engine: Engine) -> None:
    """`proof init` and `proof update`: then nothing is wrong, and the page states what was measured."""
    del engine  # the command starts its own
    for words in (["init", "--bases", "rebuilt"], ["update"], ["status"], ["check"]):
        succeeded(proof(*words, cwd=tmp_path))
    succeeded(mkdocs(tmp_path, tmp_path / "site"))
    (size,) = json.loads(proof("facts", "hello.size", "--json", cwd=tmp_path).stdout)["facts"]
    assert f">{size['values'][0]['written']}<" in (tmp_path / "site/index.html").read_text("utf-8")
