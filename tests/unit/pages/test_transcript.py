"""A transcript as HTML: what is shown, what is collapsed, and what is emphasised."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from proof.captures.model import CapturedStep
from proof.pages.transcript import CAP, render, tab_buttons
from proof.snippets.engine_version import EngineVersion
from tests.support.helpers import REPOSITORY
from tests.support.makers import step

FAILING = (REPOSITORY / "tests" / "data" / "buildkit" / "failing.txt").read_text("utf-8")


def transcript(output: str, *show: str, expect: str = "", command: str = "docker build .", closed: bool = False) -> str:
    """The HTML of one step."""
    done = CapturedStep("one", command, None, 1 if expect else 0, 0.1, output)
    fails = ["exit = 1", f"expect = {json.dumps(expect)}"] if expect else []
    declared = step("docker build .", f"show = {json.dumps(show)}", *fails)
    return render(done, declared, closed=closed)


def text(html: str) -> str:
    """What a reader sees once everything is open."""
    return unescape(re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize("show", [(), (r"^#\d+ DONE",), ("nothing like it",), ("",)])
def test_every_line_is_there(show: tuple[str, ...]) -> None:
    """Whatever is shown, the whole output can be opened in place, in order."""
    html = transcript(FAILING, *show, expect="failed to solve")
    samples = "".join(re.findall(r"<samp>(.*?)</samp>", html, re.DOTALL))
    assert text(samples) == FAILING


def test_lines_that_are_left_out_are_counted() -> None:
    """Each run of them becomes a native disclosure in place, with their number."""
    html = transcript("a\nb\nshown\nc\nshown\n", "shown")
    assert re.findall(r"<summary>(.*?)</summary><pre><samp>(.*?)</samp>", html, re.DOTALL) == [
        ("⋮ 2 more lines", "a\nb\n"),
        ("⋮ 1 more line", "c\n"),
    ]


def test_an_empty_line_alone_is_not_left_out() -> None:
    """A disclosure with only empty lines would be useless."""
    assert "<details" not in transcript("#1 DONE\n\n#2 DONE\n", "DONE")


def test_the_message_of_a_failure_stands_out() -> None:
    """Lines with the expected message and BuildKit's own error lines are emphasised; in a success, no line is."""
    html = transcript("ok\n#7 0.4 x509: unknown\n#7 ERROR: exit code: 1\n", expect="x509")
    assert re.findall("<strong>(.*?)</strong>", html) == ["x509: unknown", "ERROR: exit code: 1"]
    assert "fails as expected: exit 1" in html
    assert "<strong>" not in transcript("ERROR: is a word\n")


def test_the_counters_of_a_build_log_step_back() -> None:
    """The number and the seconds of a step are set apart from its text."""
    html = transcript("#12 0.345 hello\n#12 DONE 0.4s\n# 12 no counter\n")
    assert "<small>#12 0.345 </small>hello\n<small>#12 </small>DONE 0.4s\n# 12 no counter\n" in html


def test_a_closed_one_opens_as_a_whole() -> None:
    """A closed transcript has one disclosure with all lines and their number, unless there are few lines."""
    html = transcript(FAILING, "^#1 ", closed=True)
    assert re.findall(r"<summary>(.*?)</summary>", html) == [f"⋮ {len(FAILING.splitlines())} lines"]
    assert text("".join(re.findall(r"<samp>(.*?)</samp>", html, re.DOTALL))) == FAILING
    assert "<summary>" not in transcript("hello\nworld\n", closed=True)


def test_the_command_is_shown_and_copied_as_typed() -> None:
    """With its quotes and spaces, and whatever HTML would make of it."""
    command = """docker run  alpine:3.22 sh -c 'echo "a  &lt; b" | wc -c' "<b>" --c='d -e'"""
    html = transcript("17\n", command=command)
    assert text(html).startswith(f"$ {command}\n")
    assert unescape(re.findall('data-copy="([^"]*)"', html)[0]) == command


def test_columns_can_be_scrolled_by_keyboard() -> None:
    """A table keeps its columns and may scroll, so it has keyboard focus and a label."""
    html = transcript("REPOSITORY   TAG       IMAGE ID\nexample      latest    0123\n", command='docker ls "x"')
    assert 'tabindex="0" role="group" aria-label="Output of docker ls &quot;x&quot;"' in html
    assert "tabindex" not in transcript("hello world\n")
    assert "tabindex" in transcript("4.0K\t/usr/local/go/VERSION\n19.4M\t/usr/local/go/bin\n")
    assert "tabindex" not in transcript("#8 FAIL\tapp\n#8 FAIL\n")


def test_what_is_too_long_for_a_page_is_counted() -> None:
    """Beyond the cap, a page says how many more lines there are, and where."""
    html = transcript("x" * (CAP - 1) + "\n" + "more\n" * 3)
    assert "⋮ 3 more lines in the capture" in html
    assert "more\n" not in html


def test_nothing_printed_is_nothing_shown() -> None:
    """A command without output has no empty box below it."""
    assert "transcript__output" not in transcript("")


def test_tabs_are_labelled_and_grouped() -> None:
    """The first one is open. Each button has one label; those of another transcript are another group."""
    engines = [EngineVersion("docker", 29, minor=7), EngineVersion("docker", 26, minor=1)]
    html = tab_buttons("note-run", engines) + tab_buttons("note-run-2", engines)
    assert ["checked" in each for each in re.findall(r"<input ([^>]*)>", html)] == [True, False] * 2
    assert re.findall(r'value="([^"]*)"', html) == ["docker-29", "docker-28"] * 2
    assert text(html) == "Docker 29.7Docker 26.1" * 2
    ids = re.findall(r' id="([^"]*)"', html)
    assert ids == re.findall(r' for="([^"]*)"', html)
    assert len(set(ids)) == 4
    assert re.findall(r' name="([^"]*)"', html) == ["note-run-engine"] * 2 + ["note-run-2-engine"] * 2


def test_what_else_is_said_of_a_step() -> None:
    """Until when it was repeated, that the engine's own frontend read a Dockerfile, and in a list how long it took."""
    done = CapturedStep("one", "docker logs web", None, 0, 0.1, "<ready>\n")
    html = render(done, replace(step(), until="<ready>"), frontend="docker/dockerfile:1", closed=True)
    assert (
        "<figcaption>repeated until it printed <code>&lt;ready&gt;</code> "
        "(read by the engine's own frontend, in place of <code>docker/dockerfile:1</code>) (took 0.1 s)</figcaption>"
        in html
    )
    assert "figcaption" not in render(done, step())
