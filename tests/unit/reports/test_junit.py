"""The JUnit XML is valid for tools that read pytest's, whatever a snippet printed."""

import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
import xmlschema

from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.core.errors import CannotMeasureError, PageError, Where
from proof.reports import junit
from proof.reports.formats import FinishedRun
from proof.runs.result import Result
from tests.support.helpers import REPOSITORY, captured, results, tiny
from tests.support.injections import HOSTILE

SCHEMA = xmlschema.XMLSchema(str(REPOSITORY / "tests" / "data" / "junit.xsd"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny project with made-up captures, as the working directory."""
    monkeypatch.chdir(tiny(tmp_path))
    return captured(Path.cwd())


def xml(results: list[Result], problems: list[PageError], root: Path, seconds: float = 1) -> str:
    """The report of a run, which is valid."""
    text = junit.text(FinishedRun(results, problems, [], seconds, root, io.StringIO()))
    SCHEMA.validate(text)
    return text


def test_every_verdict_has_its_element(root: Path) -> None:
    """A drift is a failure, `not measured` an error, another environment is skipped; the counts add up."""
    count, fails, note = results(root)
    drift = Difference(Where(root / "snippets/fails/snippet.toml", 9), "fails/run", "a", "b")
    found = [
        replace(count, verdict="not measured", new=None, error=CannotMeasureError("gone", hint="wait")),
        replace(fails, verdict="drift", differences=(drift, drift), changes=(Change("the engine", "changed"),)),
        replace(note, verdict="another environment", differences=(drift,)),
        note,
        replace(note, verdict="unstable", differences=(drift,)),
    ]
    problem = PageError("not so", where=Where(root / "docs/index.md", 5), evidence="a sentence", hint="mend it")
    text = xml(found, [problem], root, 61.23456)
    snippets, pages = ET.fromstring(text)  # noqa: S314 - our own
    assert [[outcome.tag for outcome in case] for case in snippets] == [
        *(["error"], ["failure"], ["skipped"], [], ["failure"]),
    ]
    counted = {name: snippets.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counted == {"tests": "5", "failures": "2", "errors": "1", "skipped": "1", "time": "61.235"}
    failure = snippets[1][0]
    assert (failure.get("type"), failure.get("message")) == ("drift", "fails/run: a → b, and 1 more")
    assert str(failure.text).splitlines()[:2] == [
        "because the engine changed",
        "snippets/fails/snippet.toml:9: fails/run",
    ]
    (case,) = pages
    assert (case.get("name"), case[0].get("message")) == ("docs/index.md:5", "not so")


def test_pages_without_a_problem_are_one_test_that_passed(root: Path) -> None:
    """There is always at least one test case for pages."""
    text = xml(results(root), [], root)
    assert [case.get("name") for case in ET.fromstring(text)[1]] == ["every claim holds"]  # noqa: S314 - our own


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_text_is_text(content: str, root: Path) -> None:
    """Hostile text does not change the tree, and characters that XML allows are unchanged."""
    count, fails, note = results(root)
    difference = Difference(Where(Path(root / "x")), content, content, content)
    found = [
        replace(count, verdict="drift", differences=(difference,), changes=(Change(content, content),)),
        replace(fails, verdict="not measured", error=CannotMeasureError(content, evidence=content, hint=content)),
        note,
    ]
    text = xml(found, [PageError(content, evidence=content)], root)
    snippets, pages = ET.fromstring(text)  # noqa: S314 - our own
    assert [[outcome.tag for outcome in case] for case in snippets] == [["failure"], ["error"], []]
    assert len(pages) == 1
    if content.isprintable():
        assert content in str(snippets[0][0].get("message"))
        assert content in str(snippets[1][0].get("message"))


def test_the_report_is_written_whole(root: Path, tmp_path: Path) -> None:
    """The file is UTF-8, and its directory is created if needed."""
    file = tmp_path / "reports" / "junit.xml"
    junit.write(FinishedRun(results(root), [], [], 1, root, io.StringIO()), str(file))
    SCHEMA.validate(str(file))
    assert [path.name for path in file.parent.iterdir()] == ["junit.xml"]
