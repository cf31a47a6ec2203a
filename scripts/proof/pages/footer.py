"""The foot of a page: when, with what and on what everything that it shows was measured, said once."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain, groupby

from proof.captures.model import Capture
from proof.core.text import visible
from proof.pages import verbatim
from proof.pages.page import Page
from proof.snippets.engine_version import Wording

_MONTHS = "January February March April May June July August September October November December".split()
_Circumstances = tuple[tuple[str, str], ...]  # each term with its value


def foot(page: Page) -> ET.Element | None:
    """With what everything on a page was measured: a line, which opens to all of it. None if nothing was."""
    captures = [capture for name in sorted(page.snippets) for capture in page.book.shown(name)]
    if not captures:
        return None
    details = ET.Element("details", {"class": "measured", "data-search-exclude": ""})
    _summary(ET.SubElement(details, "summary"), captures)
    for alike, group in groupby(sorted(captures, key=_circumstances), _circumstances):
        terms = ET.SubElement(details, "dl")
        for name, value in alike:
            _term(terms, name).text = value
        commits = ET.SubElement(_term(terms, "Commits"), "ul")
        for capture in group:
            _code(commits, capture.snippet, f" at {capture.provenance.revision}, {capture.provenance.date}")
    if bases := {base: None for capture in captures for base in sorted(capture.provenance.bases.items())}:
        made = ET.SubElement(_term(ET.SubElement(details, "dl"), "Base images"), "ul")
        for name, origin in bases:
            _code(made, name, f": {origin}")
    return verbatim.literal(details)


def note_unusual(page: Page) -> None:
    """Say below a transcript in what its captures differ from most that the page shows in the words of that engine."""
    shown = {element: page.book.shown(snippet) for element, snippet in page.rendering.transcripts.items()}
    usual: dict[Wording | None, Counter[_Circumstances]] = defaultdict(Counter)
    for capture in chain.from_iterable(shown.values()):
        usual[capture.engine.wording][_circumstances(capture)] += 1
    for element, captures in shown.items():
        for capture in captures:
            most = usual[capture.engine.wording].most_common(1)[0][0]
            unlike = [f"{name.lower()} {value}" for name, value in _circumstances(capture) if (name, value) not in most]
            if unlike:
                note = ET.SubElement(element, "p", {"class": "unusual"})
                note.text = f"Measured here with {_engine(capture)}: {'; '.join(unlike)}."
                verbatim.literal(note)


def _circumstances(capture: Capture) -> _Circumstances:
    """With what and on what it was measured."""
    by = capture.provenance
    found = {
        "Engine": ", ".join(filter(None, [_engine(capture), by.engine_from])),
        "Daemon": "private" if by.private else "the user's own",
        "Builder": by.builder,
        "Image store": by.image_store if by.filesystem == "?" else f"{by.image_store} on {by.filesystem}",
        "Platform": capture.environment.platform,
        "Bases": capture.environment.bases,
    }
    return tuple((name, visible(value)) for name, value in found.items())


def _summary(summary: ET.Element, captures: Sequence[Capture]) -> None:
    """The line: what CI repeats, and then when each other engine was last asked."""
    # CI's reference engine repeats the captures in the words of Docker 28 alone.
    repeated = [capture for capture in captures if capture.engine.wording != "docker-29"] or captures
    engines = sorted({_engine(capture) for capture in repeated})
    bases = sorted({visible(capture.environment.bases) for capture in captures})
    _days(summary, repeated, "Last measured on ", "Measured between ")
    _add(summary, f" with {' and '.join(engines)} on {' and '.join(bases)} bases.")
    rest = sorted((capture for capture in captures if capture not in repeated), key=_engine)
    for engine, group in groupby(rest, _engine):
        _days(summary, group, f" {engine}: last repeated on ", f" {engine}: last repeated between ")
        _add(summary, ".")


def _days(parent: ET.Element, captures: Iterable[Capture], once: str, between: str) -> None:
    """The first and the last day on which they were measured, after words for one day or for two."""
    days = sorted({visible(capture.provenance.date[:10]) for capture in captures})
    ends = [(once, days[0])] if len(days) == 1 else [(between, days[0]), (" and ", days[-1])]
    for words, day in ends:
        _add(parent, words)
        ET.SubElement(parent, "time", {"class": "measured", "datetime": day}).text = _written(day)


def _written(day: str) -> str:
    try:
        then = date.fromisoformat(day)
    except ValueError:  # a record edited by hand, which `proof status` reports
        return day
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}"  # `strftime` has month names that depend on the locale


def _term(terms: ET.Element, name: str) -> ET.Element:
    ET.SubElement(terms, "dt").text = name
    return ET.SubElement(terms, "dd")


def _code(parent: ET.Element, code: str, rest: str) -> None:
    item = ET.SubElement(parent, "li")
    ET.SubElement(item, "code").text = visible(code)
    item[0].tail = visible(rest)


def _add(parent: ET.Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _engine(capture: Capture) -> str:
    name = visible(capture.provenance.engine)
    return f"{name[:1].upper()}{name[1:]}"
