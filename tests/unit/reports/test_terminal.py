"""Untrusted text has no effect in a terminal or in the log of a CI system."""

import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.core import crash
from proof.core.errors import CannotMeasureError, PageError, Where
from proof.core.text import plain
from proof.facts import book
from proof.reports import changes, github, json_report, junit, pull_request
from proof.reports.formats import FinishedRun
from proof.reports.terminal import Screen, Terminal
from proof.runs.result import Result, Verdict
from proof.snippets import manifest
from proof.snippets.capture_locations import folder_of
from tests.support import site
from tests.support.helpers import REPOSITORY, captured, results, tiny
from tests.support.injections import ACTING, acts, everywhere
from tests.support.makers import capture

# What GitHub's, GitLab's, Azure's and TeamCity's runners act on, wherever it stands in a line or at its beginning.
COMMANDS = [
    *("::error file=x::y", "  ::set-output name=a::b", "\t::add-mask::x", "::stop-commands::x"),
    *("##[group]x", "x ##[error]y", "##vso[task.setvariable variable=x]y", "##teamcity[buildStop]"),
    "\x1b[0Ksection_start:1:x\r\x1b[0Kx",
]
HOSTILE = [*site.outputs("x", "y")[:-4], *COMMANDS, *(f"first\n{command}\nlast" for command in COMMANDS)]


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """A result with nothing in it yet."""
    folder = tmp_path / "single"
    folder.mkdir()
    (folder / "snippet.toml").write_text('title = "t"\n[[step]]\nname = "run"\ncommand = "docker version"\n')
    return Result(manifest.variants(folder)[0], "drift", old=capture(), new=capture())


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:60])
def test_a_log_does_not_act(
    text: str, result: Result, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hostile text is visible and has no effect, wherever it is printed."""
    monkeypatch.setattr("proof.reports.terminal._QUICK", 0)
    terminal = Terminal()
    with terminal.stage(text):
        pass
    difference = Difference(Where(Path(text)), text, text, text)
    error = CannotMeasureError(text, where=Where(Path(text)), evidence=text, hint=text)
    terminal.result(replace(result, differences=(difference,), changes=(Change(text, text),), error=error))
    terminal.problems([PageError(text, evidence=text)])
    terminal.say(text)
    printed = capsys.readouterr().out
    assert acts(printed) == []
    assert acts(str(error)) == []


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:60])
def test_json_does_not_act(text: str, result: Result) -> None:
    """`proof check --json` has the exact output, on lines that have no effect in a CI system."""
    written = json_report.results(
        [replace(result, differences=(Difference(Where(Path("x")), "single/run", text, text),))]
    )
    assert json.loads(written)["results"][0]["differences"][0]["old"] == text
    assert not [line for line in written.split("\n") if line.strip().startswith("::") or "##[" in line]
    assert acts(written) == []


@pytest.mark.parametrize("text", ACTING, ids=repr)
def test_no_field_of_a_capture_acts(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hostile values in a validly sealed capture are refused, or shown as text in every report."""
    root = captured(tiny(tmp_path))
    count, fails, note = results(root)
    folder = folder_of(note.snippet.folder, "rebuilt")
    new, refused, errors = everywhere(folder, text)
    # Numbers are numbers, an engine's store is a word, and a day is a day: nothing else may stand there.
    assert {"facts.layers.value", "facts.size.value", "facts.size.unit", "provenance.date"} <= set(refused)
    assert {"provenance.engine", "provenance.filesystem", "facts.size.source", "environment.engine"}.isdisjoint(refused)
    found = [count, fails, replace(note, verdict="drift", old=note.old, new=new, changes=(Change(text, text),))]
    taken = [replace(found[2], verdict="written")]
    terminal = Terminal()
    for result in found:
        terminal.result(result)
    terminal.table(found)
    terminal.total(found, 1)
    terminal.advice(found)
    terminal.problems(errors)
    terminal.facts(book.load(root / "snippets"))
    printed = capsys.readouterr().out
    assert acts(printed) == []
    if text.isprintable() and "##" not in text and not text.startswith("::"):
        assert text in printed  # Rich took nothing of it for its own
    log = io.StringIO()
    run = FinishedRun(found, errors, [], 1, root, log)
    github.write(run)
    assert {line.split(" ")[0] for line in log.getvalue().split("\n")} <= {"::error", "::warning", ""}
    assert not re.search(r"##\w*\[", log.getvalue())
    summary = changes.summary(found, errors) + pull_request.proposal(root, found, taken)
    for piece in ("\x1b", "\x9b", "\u202e", "::", "##[", "[/x]", "<b>", "**y**", "@somebody", "https://example"):
        assert piece not in summary
    ET.fromstring(junit.text(run))  # noqa: S314 - our own
    known = book.load(root / "snippets")
    for written in (json_report.results(found), json_report.facts(map(known.everywhere, known))):
        json.loads(written)
        assert acts(written) == []


@pytest.mark.parametrize("verdict", ["never captured", "drift"])
@pytest.mark.parametrize(
    ("engine", "end"),
    [
        ("docker 26.1.5", "update single"),
        ("docker 29.7.2", "update single"),
        ("podman 5.4.2", "update single (with Docker: Podman can check captures, but not make them)"),
    ],
)
def test_advice_does_not_repeat_what_podman_cannot_do(
    verdict: Verdict, engine: str, end: str, result: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `proof update` with Podman, which keeps nothing, the same command would fail again."""
    made = capture(provenance=replace(capture().provenance, engine=engine))
    Terminal().advice([replace(result, verdict=verdict, cause="snippet", new=made)])
    assert capsys.readouterr().out.rstrip().endswith(f": proof {end}")


def test_pieces_that_are_harmless_make_no_command_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Pieces that are harmless alone must not form a command together."""
    screen = Screen()
    screen.print("  :", (":error::x", "bold"))
    screen.print("a #", "#[group]x")
    screen.print(("\n", ""), ("::", "red"), "add-mask::x")
    assert acts(capsys.readouterr().out) == []


def test_an_error_that_nobody_foresaw_does_not_act(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither does its log, which a user may print."""
    monkeypatch.setenv("PROOF_CACHE", str(tmp_path))
    crash.report(ZeroDivisionError("\n::error::x\x1b[31m ##[group]y"))
    printed = capsys.readouterr().err
    (log,) = (tmp_path / "logs").iterdir()
    for text in (printed, log.read_text()):
        assert "ZeroDivisionError" in text
        assert acts(text) == []


def test_nothing_leaves_by_another_way() -> None:
    """Text goes out through `Screen` or `print_error`. The linter refuses `print`, but where a line says why not."""
    package = REPOSITORY / "scripts" / "proof"
    for way, module in (
        ("from rich", "reports/terminal"),
        ("sys.stdout.write", ""),
        ("sys.stderr.write", "core/errors"),
    ):
        users = {path for path in package.rglob("*.py") if way in path.read_text("utf-8")}
        assert users == ({package / f"{module}.py"} if module else set())
    source = (package / "reports" / "terminal.py").read_text("utf-8")
    inside = source[source.index("class Screen") : source.index("class Terminal")]
    assert source.count("_console") == inside.count("_console")


def test_what_is_harmless_stays_as_it_is() -> None:
    """Harmless text is not changed."""
    for text in ("a::b", "x ::y", "# [1/2] RUN", "#1 [2/3] ## x", "Größe: 10\N{NO-BREAK SPACE}MB – 你好", "a\tb\n\nc"):
        assert plain(text) == text


@pytest.mark.parametrize("columns", [120, 60])
def test_a_table_keeps_the_names(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row starts with the name of its snippet, and ends with the verdict."""
    monkeypatch.setenv("COLUMNS", str(columns))
    Terminal().table(results(captured(tiny(tmp_path))))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0].split() == "snippet size share layers steps verdict".split()
    assert [line.split()[0] for line in lines[1:]] == ["count", "fails", "note"]
    assert all(line.endswith("accurate") for line in lines[1:])


@pytest.mark.parametrize("emulated_on", ["linux/arm64", ""])
def test_what_an_emulator_ran(emulated_on: str, result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    """Each verdict says so, and the last lines what was compared."""
    new = capture()
    made = replace(new, environment=replace(new.environment, emulated_on=emulated_on))
    ran = replace(result, verdict="accurate", new=made)
    terminal = Terminal()
    terminal.result(ran)
    terminal.table([ran])
    terminal.total([ran], 1)
    printed = capsys.readouterr().out
    assert printed.count("accurate, emulated") == (2 if emulated_on else 0)
    assert ("Emulated: values were compared, times were not" in printed) is bool(emulated_on)


def test_a_result_without_end_is_cut(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    """Another machine may say anything, and each line takes time to print."""
    many = (Difference(Where(Path("x")), "what", "old", "line\n" * 5_000),) * 5_000
    Terminal().result(replace(result, differences=many))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 11_000
    assert lines[-2:] == ["     + … and 4,900 more lines", "   and 4,900 more differences"]
