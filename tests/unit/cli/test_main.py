"""The command line: exit codes, messages, and output at 80 columns."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest

from proof.cli import facts, main
from tests.support.helpers import captured, edit, tiny, tree
from tests.support.in_process import proof


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("snippets/note/snippet.toml", "image =", "imaeg =", "snippet.toml:2: unknown key 'imaeg' - did you mean 'image'?"),
        ("snippets/note/snippet.toml", '"docker run note"', "\"docker run 'note\"", "snippet.toml:11: the command cannot be split"),
        ("snippets/note/snippet.toml", "docker run note", "docker run -v /:/host note", "snippet.toml:11: the flag `-v` is refused"),
        ("snippets/note/context/Dockerfile", "FROM alpine:3.22\nCOPY", "FROM alpine:3.21\nCOPY", "Dockerfile:4: the image 'alpine:3.21' is not in"),
        ("snippets/note/context/Dockerfile", "FROM alpine:3.22 AS", "# syntax=docker/dockerfile:2\nFROM alpine:3.22 AS", "Dockerfile:1: the directive"),
        ("docs/index.md", "note.own_size", "note.own_sise", "index.md:3: unknown fact 'note.own_sise'"),
        ("docs/index.md", "transcript note/run", "transcript note/ran", "index.md:18: the snippet 'note' has no step 'ran'"),
        ("snippets/bases.toml", "registry =", "regisrty =", "unknown key 'regisrty'"),
        ("mkdocs.yml", "  - proof\n", "", "mkdocs.yml: the site does not use the extension `proof`"),
    ],
)  # fmt: skip
def test_wrong_input_is_reported_with_its_line(path: str, old: str, new: str, says: str, tmp_path: Path) -> None:
    """Exit code 2, with the file, the line, the reason and a hint. No engine is used, and nothing is written."""
    root = captured(tiny(tmp_path))
    edit(root / path, old, new)
    before = tree(root)
    done = proof("check", cwd=root, env={"PATH": "/nonexistent", "DOCKER_HOST": "unix:///nonexistent"})
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    assert "hint:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert tree(root) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "nobody"], "unknown snippet 'nobody'"),
        (["update", "nots"], "did you mean 'note'?"),
        (["check", "--project", "/nonexistent"], "unrecognized arguments"),
        (["check", "--timeout", "-1"], "more than 0 and at most 86400"),
        (["verify"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_use_is_reported(arguments: list[str], says: str, tmp_path: Path) -> None:
    """Exit code 2 for a wrong command line. An empty selection is never a success."""
    done = proof(*arguments, cwd=tiny(tmp_path))
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    "verb", ["check", "update", "plan", "merge build/results", "accept build/results", "status", "facts"]
)
def test_a_missing_project_is_reported(verb: str, tmp_path: Path) -> None:
    """No verb searches for another project above a misspelled directory."""
    done = proof("--project", str(tmp_path / "tiny" / "docz"), *verb.split(), cwd=tiny(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no such directory: {tmp_path / 'tiny' / 'docz'}" in done.stderr


def test_an_interrupt_is_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends with one line and no traceback."""

    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(facts, "_run", interrupted)
    assert main.main(["facts"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_crash_is_no_verdict(tmp_path: Path) -> None:
    """Python would exit with 1, which means drift. A log says where it was, and what is installed."""
    code = "import sys; from proof.cli import facts, main; facts._run = len; sys.exit(main.main(['facts']))"
    env = {**os.environ, "PROOF_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    (log,) = (tmp_path / "cache/logs").iterdir()
    what = "proof: unexpected error: TypeError: object of type 'Namespace' has no len()"
    assert (done.returncode, done.stdout, done.stderr) == (70, "", f"{what}\n    hint: report it with {log}\n")
    text = log.read_text()
    versions = [f"Python {sys.version}", platform.platform(), f"pyyaml {metadata.version('pyyaml')}"]
    assert [line for line in versions if line not in text] == []
    assert "proof.cli" not in text.splitlines()[0]
    assert "called as proof" in text
    assert re.search(r'main\.py", line \d+, in _run\n', text)


def test_a_crash_without_a_place_for_its_log(tmp_path: Path) -> None:
    """The log goes to the directory for temporary files; if it can't be written there either, it is printed."""
    code = (
        "import sys, tempfile; from proof.cli import facts, main; facts._run = len\n"
        "tempfile.tempdir = sys.argv[1]; sys.exit(main.main(['facts']))"
    )
    (tmp_path / "file").write_text("")
    env = {**os.environ, "PROOF_CACHE": str(tmp_path / "file")}
    for folder, said in (
        (tmp_path / "temporary", "report it with /"),
        (tmp_path / "file", "report it with these lines:"),
    ):
        call = [sys.executable, "-c", code, str(folder)]
        done = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 70
        assert said in done.stderr
    assert [path.suffix for path in (tmp_path / "temporary").iterdir()] == [".log"]
    assert "Traceback (most recent call last):" in done.stderr


@pytest.mark.parametrize("code", [0, 1])
def test_a_thread_that_crashes_is_no_verdict(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was doing is missing, so neither "accurate" nor "drift" can be trusted."""

    def run(_options: object) -> int:
        thread = threading.Thread(target=len)
        thread.start()
        thread.join()
        return code

    monkeypatch.setenv("PROOF_CACHE", str(tmp_path))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # it is set by `main`
    monkeypatch.setattr(facts, "_run", run)
    assert main.main(["facts"]) == 70
    (log,) = (tmp_path / "logs").iterdir()
    assert "TypeError: len() takes exactly one argument (0 given)" in log.read_text()


def test_the_version() -> None:
    """As it is installed."""
    done = proof("--version", cwd=Path.cwd())
    assert done.returncode == 0
    assert re.fullmatch(r"proof \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words", ["check", "update", "status", "engine start"])
def test_a_file_in_the_place_of_the_cache(words: str, tmp_path: Path) -> None:
    """Exit code 2, with the variable to set."""
    (tmp_path / "file").write_text("")
    root = captured(tiny(tmp_path))
    done = proof(*words.split(), cwd=root, env={"PROOF_CACHE": str(tmp_path / "file/cache")})
    assert done.returncode == 2
    what = f"proof: the cache cannot be at {tmp_path}/file/cache: {tmp_path}/file is not a directory"
    assert done.stderr == f"{what}\n    hint: set PROOF_CACHE to a directory, which may be a new one\n"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), 24),
        (("note",), 11),
        (("count.words",), 1),
        (("note.size", "leaflet"), 2),
    ],
)
def test_facts_by_name(arguments: tuple[str, ...], names: int, tmp_path: Path) -> None:
    """All facts, those of a snippet or a source, or single ones; in JSON too."""
    root = captured(tiny(tmp_path))
    assert len(proof("facts", *arguments, cwd=root).stdout.splitlines()) == names
    assert len(json.loads(proof("facts", "--json", *arguments, cwd=root).stdout)["facts"]) == names


def test_a_fact_that_is_not_there(tmp_path: Path) -> None:
    """A near name, or that its snippet was never captured."""
    root = captured(tiny(tmp_path))
    done = proof("facts", "nota", cwd=root)
    assert done.returncode == 2
    assert "there is no fact or snippet 'nota' - did you mean 'note'?" in done.stderr
    shutil.rmtree(root / "snippets/note/captured")
    done = proof("facts", "note.size", cwd=root)
    assert done.returncode == 2
    assert done.stderr == "proof: note was never captured\n    hint: proof update note\n"


def test_lines_of_facts_are_short(tmp_path: Path) -> None:
    """A long source or value is cut; what is asked for by name is whole."""
    root = captured(tiny(tmp_path))
    edit(root / "snippets/cited.toml", "a leaflet", f"a leaflet{' of many pages' * 30}")
    assert max(map(len, proof("facts", cwd=root).stdout.splitlines())) == 120
    assert " of many pages" * 30 in proof("facts", "leaflet", cwd=root).stdout
