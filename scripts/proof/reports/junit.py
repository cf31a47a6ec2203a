"""Results as JUnit XML, for tools that collect test results: one test case per snippet and per problem on a page."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from proof.core.errors import ProofError, Where
from proof.core.files import write_whole
from proof.runs.result import Result, Verdict

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


def write(path: Path, results: Sequence[Result], problems: Sequence[ProofError], *, root: Path, seconds: float) -> None:
    """Write the report to `path`. `seconds` is the duration of the run."""
    write_whole(path, text(results, problems, root=root, seconds=seconds))


def text(results: Sequence[Result], problems: Sequence[ProofError], *, root: Path, seconds: float) -> str:
    """The report as an XML document."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    top = ET.Element("testsuites", name="proof")
    snippets = ET.SubElement(top, "testsuite", name="snippets", timestamp=stamp)
    for result in results:
        place = f"snippets.{result.snippet.folder.name}"
        case = ET.SubElement(
            snippets, "testcase", classname=place, name=result.snippet.name, time=f"{result.seconds:.3f}"
        )
        if (tag := _ELEMENTS.get(result.verdict)) is not None:
            _say(case, tag, result.verdict, _headline(result), _details(result, root))
    pages = ET.SubElement(top, "testsuite", name="pages", timestamp=stamp)
    for problem in problems:
        case = ET.SubElement(pages, "testcase", classname="pages", name=_clean(_at(problem.where, root)), time="0.000")
        _say(case, "failure", type(problem).__name__, problem.what, f"{problem.evidence}\n{problem.hint}")
    if not problems:
        ET.SubElement(pages, "testcase", classname="pages", name="every claim holds", time="0.000")
    for suite, took in ((snippets, seconds), (pages, 0.0)):
        _count(suite)
        suite.set("time", f"{took:.3f}")
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _count(suite: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))


def _say(case: ET.Element, tag: str, kind: str, headline: str, details: str) -> None:
    ET.SubElement(case, tag, type=kind, message=_clean(headline)).text = _clean(details)


def _headline(result: Result) -> str:
    if result.error:
        return result.error.what
    if not result.differences:
        return "; ".join(str(change) for change in result.changes)
    first, *more = result.differences
    return f"{first.what}: {first.old} → {first.new}" + (f", and {len(more)} more" if more else "")


def _details(result: Result, root: Path) -> str:
    lines = [f"because {change}" for change in result.changes]
    for difference in result.differences:
        lines += [f"{_at(difference.where, root)}: {difference.what}", *difference.lines]
    return "\n".join([*lines, *([str(result.error)] if result.error else [])])


def _at(where: Where | None, root: Path) -> str:
    if where is None:
        return "pages"
    path = Path(os.path.realpath(where.path))
    shown = path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path
    return f"{shown}:{where.line}" if where.line else str(shown)


def _clean(content: str) -> str:
    return _NO_XML.sub(lambda found: repr(found[0])[1:-1], content)
