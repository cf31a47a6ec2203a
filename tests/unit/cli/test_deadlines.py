"""Each verb ends when a stranger's text hangs: with code 2, and the name of the text."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proof.captures import objections, store
from proof.cli import run_snippets
from proof.core import limits
from proof.pages.lint import audit
from proof.runs.result import Result
from proof.shards import result_files
from proof.snippets import manifest
from proof.snippets.model import Snippet
from tests.support.helpers import captured, results, tiny
from tests.support.in_process import proof

ENDLESS = "This page never ends."
SOON = 0.5  # seconds


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose page `endless.md` hangs, and the page after it has a mistake."""
    root = captured(tiny(tmp_path))
    (root / "docs/endless.md").write_text(f"# Endless\n\n{ENDLESS}\n")
    (root / "docs/zebra.md").write_text("# Zebra\n\n{{ note.sise }}\n")
    hang_if(audit, "audit", lambda _, page: ENDLESS in page.source, monkeypatch)
    monkeypatch.setattr(limits, "SECONDS", SOON)
    monkeypatch.setattr(run_snippets, "run_snippets", accurate)
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path / "cache"))
    return root


def hang_if(module: Any, name: str, condition: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a function of a module never return if the condition is true of its arguments."""
    function = getattr(module, name)

    def hanging(*arguments: Any, **named: Any) -> Any:
        while condition(*arguments):
            pass
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, hanging)


def accurate(snippets: list[Snippet], *_: object) -> dict[str, Result]:
    """A run in which nothing has changed, without an engine."""
    return {snippet.name: Result(snippet, "accurate") for snippet in snippets}


def shard(root: Path) -> str:
    """The results of a run on another machine."""
    folder = root.parent / "part"
    result_files.save(results(root), folder, root=root, origin="rebuilt", seconds=1)
    return str(folder)


@pytest.mark.parametrize(
    "verb",
    ["status", "check", "update", "merge PART", "explain note.size", "facts --json --site https://a.example/",
     "check --page docs/index.md"],
)  # fmt: skip
def test_a_page_that_hangs(verb: str, root: Path) -> None:
    part, began = shard(root), time.process_time()
    done = proof(*(word.replace("PART", part) for word in verb.split()), cwd=root)
    said = done.stdout + done.stderr
    assert f"docs/endless.md: reading this takes longer than {SOON} s" in said
    assert done.returncode == 2, said
    assert time.process_time() - began < 6 * SOON
    if verb in ("status", "check", "merge PART"):  # the other pages are read nevertheless
        assert "docs/zebra.md:3: unknown fact 'note.sise'" in said


@pytest.mark.parametrize(
    ("module", "name", "file"),
    [(manifest, "_matrix", "snippet.toml"), (store, "_read", "captured/rebuilt/capture.json")],
    ids=["manifest", "capture"],
)
@pytest.mark.parametrize("verb", ["status", "check", "facts", "plan", "merge PART", "accept PART", "explain note.size"])
def test_a_snippet_that_hangs(
    verb: str, root: Path, monkeypatch: pytest.MonkeyPatch, *, module: Any, name: str, file: str
) -> None:
    part = shard(root)
    (root / "docs/endless.md").unlink()
    hang_if(module, name, lambda folder, *_: "snippets/note" in str(folder), monkeypatch)
    done = proof(*(word.replace("PART", part) for word in verb.split()), cwd=root)
    said = done.stdout + done.stderr
    assert f"snippets/note/{file}: reading this takes longer than {SOON} s" in said
    assert done.returncode == 2, said


@pytest.mark.parametrize("verb", ["merge", "accept"])
def test_results_that_hang(verb: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = shard(root)
    hang_if(objections, "from_elsewhere", lambda *_: True, monkeypatch)
    done = proof(verb, part, cwd=root)
    assert "part/results.json: reading this takes longer than" in done.stderr
    assert done.returncode == 2
