"""The foot of a page: when, with what and on what everything that it shows was measured, said once."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain, groupby

from proof.captures.model import Capture
from proof.core.text import as_html, visible
from proof.pages import verbatim
from proof.pages.page import Page
from proof.snippets.engine_version import Wording

_MONTHS = "January February March April May June July August September October November December".split()
_Circumstances = tuple[tuple[str, str], ...]  # each term with its value


def foot(page: Page) -> str:
    """With what everything on a page was measured: a line, which opens to all of it, as HTML. Empty if nothing was."""
    captures = [capture for name in sorted(page.snippets) for capture in page.book.shown(name)]
    if not captures:
        return ""
    lists = ""
    for alike, group in groupby(sorted(captures, key=_circumstances), _circumstances):
        terms = [_term(name, as_html(value)) for name, value in alike]
        commits = ((each.snippet, f" at {each.provenance.revision}, {each.provenance.date}") for each in group)
        lists += f"<dl>{''.join(terms)}{_term('Commits', _items(commits))}</dl>"
    if bases := dict.fromkeys(chain.from_iterable(sorted(each.provenance.bases.items()) for each in captures)):
        lists += f"<dl>{_term('Base images', _items((name, f': {origin}') for name, origin in bases))}</dl>"
    line = _summary(captures) + _alone(captures)
    return f'<details class="measured" data-search-exclude=""><summary>{line}</summary>{lists}</details>'


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
                note.text = visible(f"Measured here with {_engine(capture)}: {'; '.join(unlike)}.")
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
    return tuple(found.items())


def _summary(captures: Sequence[Capture]) -> str:
    """The line: what CI repeats, and then when each other engine was last asked."""
    # CI's reference engine repeats the captures in the words of Docker 28 alone.
    repeated = [capture for capture in captures if capture.engine.wording != "docker-29"] or captures
    engines = " and ".join(sorted({as_html(_engine(capture)) for capture in repeated}))
    kinds = sorted({capture.environment.bases for capture in captures})
    bases = " and ".join("pulled" if kind == "registry" else as_html(kind) for kind in kinds)
    said = f"{_days(repeated, 'Last measured on', 'Measured between')} with {engines} on {bases} bases."
    rest = sorted((capture for capture in captures if capture not in repeated), key=_engine)
    for engine, group in groupby(rest, _engine):
        said += f" {as_html(engine)}: {_days(group, 'last repeated on', 'last repeated between')}."
    return said


def _alone(captures: Sequence[Capture]) -> str:
    """Which snippets the engine that CI repeats has captured alone, on a page where others have two captures."""
    repeated = {capture.snippet: capture for capture in captures if capture.engine.wording != "docker-29"}
    others = {capture.snippet for capture in captures if capture.engine.wording == "docker-29"}
    alone = [capture for name, capture in repeated.items() if others and name not in others]
    said = ""
    for engine, group in groupby(sorted(alone, key=_engine), _engine):
        names = ", ".join(f"<code>{as_html(capture.snippet)}</code>" for capture in group)
        said += f" Captured with {as_html(engine)} alone: {names}."
    return said


def _days(captures: Iterable[Capture], once: str, between: str) -> str:
    """The first and the last day on which they were measured, after words for one day or for two."""
    days = sorted({capture.provenance.date[:10] for capture in captures})
    ends = [
        f'<time class="measured" datetime="{as_html(day)}">{as_html(_written(day))}</time>'
        for day in dict.fromkeys((days[0], days[-1]))
    ]
    return f"{once if len(ends) == 1 else between} {' and '.join(ends)}"


def _written(day: str) -> str:
    try:
        then = date.fromisoformat(day)
    except ValueError:  # a record edited by hand, which `proof status` reports
        return day
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}"  # `strftime` has month names that depend on the locale


def _term(name: str, html: str) -> str:
    return f"<dt>{name}</dt><dd>{html}</dd>"


def _items(items: Iterable[tuple[str, str]]) -> str:
    return f"<ul>{''.join(f'<li><code>{as_html(code)}</code>{as_html(rest)}</li>' for code, rest in items)}</ul>"


def _engine(capture: Capture) -> str:
    name = capture.provenance.engine
    return f"{name[:1].upper()}{name[1:]}"
