"""Results as JUnit XML, for tools that collect test results: one test case per snippet and per problem on a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from proof.core.files import write_whole
from proof.reports.formats import FinishedRun
from proof.reports.rows import headline, rows
from proof.runs.result import Verdict

# The element for each verdict: a test that failed, could not be carried out, or was skipped.
_ELEMENTS: dict[Verdict, str] = {
    "drift": "failure",
    "unstable": "failure",
    "failed": "failure",
    "never captured": "error",
    "not measured": "error",
    "another environment": "skipped",
}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def write(run: FinishedRun, file: str) -> None:
    """Write the report to a file."""
    write_whole(Path(file), text(run))


def text(run: FinishedRun) -> str:
    """The report as an XML document."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    top = ET.Element("testsuites", name="proof")
    snippets = ET.SubElement(top, "testsuite", name="snippets", timestamp=stamp)
    for result in run.results:
        place, name = f"snippets.{result.snippet.folder.name}", result.snippet.name
        case = ET.SubElement(snippets, "testcase", classname=place, name=name, time=f"{result.seconds:.3f}")
        if tag := _ELEMENTS.get(result.verdict):
            _say(case, tag, result.verdict, headline(result), "\n".join(line for _, line in rows(result)))
    pages = ET.SubElement(top, "testsuite", name="pages", timestamp=stamp)
    for problem in run.problems:
        place = _clean(str(problem.where or "pages"))
        case = ET.SubElement(pages, "testcase", classname="pages", name=place, time="0.000")
        _say(case, "failure", type(problem).__name__, problem.what, f"{problem.evidence}\n{problem.hint}")
    if not run.problems:
        ET.SubElement(pages, "testcase", classname="pages", name="every claim holds", time="0.000")
    for suite, took in ((snippets, run.seconds), (pages, 0.0)):
        _count(suite)
        suite.set("time", f"{took:.3f}")
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _count(suite: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))


def _say(case: ET.Element, tag: str, kind: str, headline: str, details: str) -> None:
    ET.SubElement(case, tag, type=kind, message=_clean(headline)).text = _clean(details)


def _clean(content: str) -> str:
    return _NO_XML.sub(lambda found: repr(found[0])[1:-1], content)
