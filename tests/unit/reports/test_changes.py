"""Markdown reports of facts and layers, in which untrusted text has no effect in GitHub's renderer."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from proof.captures.diff import Difference
from proof.captures.model import Capture, CapturedFact
from proof.core.errors import PageError, Where
from proof.reports import changes, json_report
from proof.reports.terminal import Terminal
from proof.runs.result import Result
from tests.support.helpers import captured, results, tiny
from tests.support.injections import HOSTILE
from tests.support.makers import capture


class _Reader(HTMLParser):
    """Collects the elements of a document and the text of its cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.inside = False  # of a cell
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag in ("td", "th"):
            self.cells.append("")

        self.inside = tag in ("td", "th", "code")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag == "code"

    def handle_data(self, data: str) -> None:
        if self.cells and self.inside:
            self.cells[-1] += data


def rendered(markdown: str) -> _Reader:
    """Render as GitHub does, except for its last filter, which only removes elements."""
    cmark = pytest.importorskip("cmarkgfm.cmark", reason="cmarkgfm is not installed on a Mac")
    return _Reader(cmark.github_flavored_markdown_to_html(markdown, options=cmark.Options.CMARK_OPT_UNSAFE))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_stays_text_in_a_table(text: str) -> None:
    """Only the table's elements and `code`, no attributes, the right number of cells, the text unchanged."""
    table = changes.table(("a", "b", "c"), [("1", text, "2")])
    assert len(table.splitlines()) == 3
    found = rendered(table)
    assert found.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert found.attributes == []
    assert len(found.cells) == 6
    assert found.cells[5].strip() == "2"
    shown = found.cells[4].replace("\u2060", "")
    if text.isprintable() and len(text) <= 160:
        assert shown == text
    assert shown.isprintable()


@pytest.mark.parametrize("text", ["www.example.invalid", "me@example.invalid", "https://example.invalid", "@somebody"])
def test_nothing_becomes_a_link_or_calls_anybody(text: str) -> None:
    """No names or addresses are visible to GitHub outside code, before it decodes the text."""
    assert re.fullmatch(r"<code>(?:\w|&#\d+;|[ ,/+%()=.-])*</code>", changes.code(text))
    assert "a" not in rendered(changes.code(text)).tags
    assert html.unescape(changes.code(text)).replace("\u2060", "") == f"<code>{text}</code>"


def result(tmp_path: Path, old: Capture | None, new: Capture | None) -> Result:
    """A result of the tiny project's snippet `note`, with these captures."""
    note = results(captured(tiny(tmp_path)))[-1]
    return replace(note, verdict="written", old=old, new=new)


def test_facts_old_and_new(tmp_path: Path) -> None:
    """Changed facts have exact sizes and the change; new and removed ones are listed, unchanged ones not."""
    old = capture(facts={"size": CapturedFact(1000, "B", ""), "gone": CapturedFact(1, "count", "")})
    new = capture(facts={"size": CapturedFact(1100, "B", ""), "user": CapturedFact("root", "text", "")})
    found = rendered(changes.facts([result(tmp_path, old, new)]))
    assert found.cells[4:] == [
        *("note.size", "1kB (1,000 B)", "1.1kB (1,100 B)", "+10.00%"),
        *("note.gone", "1", "(none)", "–"),
        *("note.user", "(none)", "root", "–"),
    ]
    assert changes.facts([result(tmp_path / "same", new, new)]) == ""


def test_the_summary_tells_everything_that_is_not_accurate(tmp_path: Path) -> None:
    """The counts come first, then facts, layers, drifts with reasons, and problems of pages."""
    count, fails, note = results(captured(tiny(tmp_path)))
    drift = Difference(Where(Path("x")), "count/words", "6", "7")
    found = [replace(count, verdict="drift", differences=(drift,)), fails, replace(note, verdict="unstable")]
    text = changes.summary(found, [PageError("not so", where=Where(Path("docs/index.md"), 3))])
    assert text.startswith("**3 snippets: 1 drift, 1 accurate, 1 unstable.**")
    cells = rendered(text).cells
    assert cells[3:6] == ["count/words", "6", "7"]
    assert "count/words: 6 → 7" in cells
    assert cells[-2:] == ["docs/index.md:3", "not so"]


def test_what_was_not_compared_is_said_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the summary, in JSON and in the terminal: an accurate result says nothing about it."""
    count, fails, note = results(captured(tiny(tmp_path)))
    unseen = ("note/version by docker 28.0.0", "note.listed by docker 28.0.0")
    found = [count, fails, replace(note, not_compared=unseen)]
    assert rendered(changes.summary(found, [])).cells == ["output or fact", *unseen]
    Terminal().total([*found, replace(fails, not_compared=("fails.listed by docker 28.0.0",))], 1.0)
    said = "version by docker 28.0.0 (1 snippet), listed by docker 28.0.0 (2 snippets)\n"
    assert f"Not compared, as engines print it differently: {said}" in capsys.readouterr().out
    written = json.loads(json_report.results(found))["results"]
    assert [each["not_compared"] for each in written] == [[], [], list(unseen)]
    Terminal().total(found[:2], 1.0)
    assert "Not compared" not in capsys.readouterr().out


def test_a_long_table_ends_and_says_so() -> None:
    """A long table is cut off, because the text of a pull request is limited."""
    table = changes.table(("a",), [(str(number),) for number in range(1000)])
    assert "700 more are left out here." in table
    assert len(rendered(table).cells) == 301
