"""The tool works on another project than this article, with only the files of that project."""

import json
import shutil
from pathlib import Path

import pytest

from proof.engines.interface import Engine
from tests.support.helpers import data_values, edit, measure, mkdocs, proof, succeeded, tiny, tree

pytestmark = pytest.mark.engine


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory, engine: Engine, cache: Path) -> Path:
    """The tiny project, captured once."""
    root = tiny(tmp_path_factory.mktemp("captured"))
    assert [r.verdict for r in measure(root, engine, cache, write=True)] == ["written"] * 3
    return root


@pytest.fixture
def project(tmp_path: Path, captured: Path) -> Path:
    """A fresh copy of the captured project."""
    return Path(shutil.copytree(captured, tmp_path / "project"))


def test_a_project_goes_from_nothing_to_a_site(tmp_path: Path, engine: Engine, cache: Path) -> None:
    """Update captures, check agrees, the site builds strictly and its numbers are those of the captures."""
    del engine, cache  # the command starts its own
    root = tiny(tmp_path)
    succeeded(proof("update", cwd=root))
    before = tree(root)
    succeeded(proof("check", cwd=root))
    assert tree(root) == before
    succeeded(mkdocs(root, tmp_path / "site"))
    html = (tmp_path / "site" / "index.html").read_text("utf-8")
    facts = {f["name"]: f["values"][0] for f in json.loads(proof("facts", "--json", cwd=root).stdout)["facts"]}
    stated = dict(data_values(html))
    assert stated[str(facts["note.own_size"]["value"])] == facts["note.own_size"]["written"] == "27B"
    assert stated[str(facts["count.words"]["value"])] == "6"
    assert "a note, and what it weighs" in html
    assert "exit 127" in html


@pytest.mark.parametrize("known", [True, False], ids=["captured before", "never captured"])
def test_an_update_says_what_it_makes_false(known: bool, project: Path, tmp_path: Path) -> None:  # noqa: FBT001
    """The pages are read before it runs; a claim over facts that nobody knew then is evaluated all the same."""
    root = project if known else tiny(tmp_path / "never")
    edit(root / "docs/index.md", "claim: note.own_layers == 1", "claim: note.own_layers == 1 and count.words == 6")
    edit(root / "snippets/count/context/note.txt", "a note", "a short note")
    updated = proof("update", *(["count"] if known else []), cwd=root)
    assert updated.returncode == 1, updated.stdout + updated.stderr
    assert "docs/index.md:6: this claim is no longer true" in updated.stdout
    assert "count.words = 7" in updated.stdout


def test_nothing_changed_means_nothing_written(project: Path, engine: Engine, cache: Path) -> None:
    """Twenty checks and two updates in a row: no alarm, not a byte."""
    before = tree(project)
    for _ in range(20):
        assert {r.verdict for r in measure(project, engine, cache)} == {"accurate"}
    for _ in range(2):
        assert {r.verdict for r in measure(project, engine, cache, write=True)} == {"accurate"}
    assert tree(project) == before
