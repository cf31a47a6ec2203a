"""The line at the end of a page that says when its facts were measured, and with which engine."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date

from proof.core.text import visible
from proof.pages.page import Page

_MONTHS = "January February March April May June July August September October November December".split()


def line(page: Page) -> ET.Element | None:
    """The dates of the captures that a page shows, from first to last, and their engines. None if it shows none."""
    used = [capture for name in sorted(page.snippets) for capture in page.book.shown(name)]
    if not used:
        return None
    days = sorted({visible(capture.provenance.date[:10]) for capture in used})
    engines = sorted({visible(capture.provenance.engine) for capture in used})
    engines = [f"{engine[:1].upper()}{engine[1:]}" for engine in engines]
    element = ET.Element("p", {"class": "measured"})
    element.text = "Last measured on " if len(days) == 1 else "Measured between "
    times = [_time(element, day) for day in dict.fromkeys((days[0], days[-1]))]
    times[0].tail = " and "
    times[-1].tail = f" with {' and '.join(engines)}."
    return element


def _time(parent: ET.Element, day: str) -> ET.Element:
    element = ET.SubElement(parent, "time", {"class": "measured", "datetime": day})
    try:
        then = date.fromisoformat(day)
    except ValueError:  # a record edited by hand, which `proof status` reports
        element.text = day
    else:  # not `strftime`, whose month names depend on the locale
        element.text = f"{then.day} {_MONTHS[then.month - 1]} {then.year}"
    return element
