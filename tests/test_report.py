"""What a terminal and a CI's log are given: text from outside does nothing in either."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proof import manifest
from proof.compare import Difference
from proof.errors import CannotMeasureError, PageError, Where, plain
from proof.inputs import Change
from proof.report import data
from proof.report.terminal import Terminal
from proof.verify import Result
from tests import site
from tests.makers import capture

# What GitHub's, GitLab's, Azure's and TeamCity's runners act on, wherever it stands in a line or at its beginning.
COMMANDS = [
    *("::error file=x::y", "  ::set-output name=a::b", "\t::add-mask::x", "::stop-commands::x"),
    *("##[group]x", "x ##[error]y", "##vso[task.setvariable variable=x]y", "##teamcity[buildStop]"),
    "\x1b[0Ksection_start:1:x\r\x1b[0Kx",
]
HOSTILE = [*site.outputs("x", "y")[:-4], *COMMANDS, *(f"first\n{command}\nlast" for command in COMMANDS)]


def acts(printed: str) -> list[str]:
    """The lines of a log in which something would act."""
    lines = printed.split("\n")
    commands = [line for line in lines if line.strip().startswith("::") or "##[" in line or "##vso[" in line]
    return commands + [
        line for line in lines if not line.replace("\t", "").replace("\N{NO-BREAK SPACE}", "").isprintable()
    ]


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """A result with nothing in it yet."""
    folder = tmp_path / "single"
    folder.mkdir()
    (folder / "snippet.toml").write_text('title = "t"\n[[step]]\nname = "run"\ncommand = "docker version"\n')
    return Result(manifest.load(folder), "drift", old=capture(), new=capture())


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:60])
def test_a_log_does_not_act(
    text: str, result: Result, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a difference, an input, an error, a problem, a name, advice or a stage: seen, and without effect."""
    monkeypatch.setattr("proof.report.terminal._QUICK", 0)
    terminal = Terminal()
    with terminal.stage(text):
        pass
    difference = Difference(Where(Path(text)), text, text, text)
    error = CannotMeasureError(text, where=Where(Path(text)), evidence=text, cure=text)
    terminal.result(replace(result, differences=(difference,), changes=(Change(text, text),), error=error))
    terminal.problems([PageError(text, evidence=text)])
    terminal.say(text)
    printed = capsys.readouterr().out
    assert acts(printed) == []
    assert acts(str(error)) == []


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:60])
def test_json_does_not_act(text: str, result: Result) -> None:
    """`proof check --json` says what was printed, character by character, on lines that no CI system acts on."""
    written = data.results([replace(result, differences=(Difference(Where(Path("x")), "single/run", text, text),))])
    assert json.loads(written)["results"][0]["differences"][0]["old"] == text
    assert not [line for line in written.split("\n") if line.strip().startswith("::") or "##[" in line]
    assert "\x1b" not in written


def test_what_is_harmless_stays_as_it_is() -> None:
    """Nothing is done to what does nothing."""
    for text in ("a::b", "x ::y", "# [1/2] RUN", "#1 [2/3] ## x", "Größe: 10\N{NO-BREAK SPACE}MB – 你好", "a\tb\n\nc"):
        assert plain(text) == text


def test_the_control_acts() -> None:
    """Every one of these would act if it were printed as it is."""
    assert all(acts(text) for text in COMMANDS if "teamcity" not in text)
