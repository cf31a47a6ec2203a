"""Renders the body of a ``` chart fence: the picture, a key to its colours, and a table of its numbers.

kind = "bars"
title = "One stage and two, to scale"
rows = [
  { name = "one stage", value = "single.size" },
  { name = "two stages", value = "multi.size", note = "percent(multi.size / single.size)" },
]
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

from proof.core.errors import Where
from proof.core.text import objection, visible
from proof.core.toml_table import Table
from proof.pages.charts import bars, graph, grid, layers, lines, stages, treemap
from proof.pages.charts.spec import Spec
from proof.pages.charts.svg import COLOURS, Drawing, Label, element
from proof.pages.page import Chart, Page
from proof.pages.values import Stated

KINDS: dict[str, Callable[[Spec], Drawing]] = {
    "bars": bars.draw,  # values to scale, whole or in parts
    "treemap": treemap.draw,  # the parts of a whole, as areas
    "layers": layers.draw,  # the layers of an image, with hidden files that still count
    "lines": lines.draw,  # how values change
    "graph": graph.draw,  # boxes and arrows
    "stages": stages.draw,  # the stages of a Dockerfile, and which of them a captured build ran
    "grid": grid.draw,  # a table of marks and words
}
_ASIDE = re.compile(r"\{\{\s*(?:claim|waiver):.*?\}\}", re.DOTALL)


def render(body: str, page: Page, number: int, *, below: Where | None = None) -> Chart:
    """Render the chart that is described by `body`, the `number`th of its page.

    Raises ManifestError or PageError for an invalid description. If `below` is where the fence opens, the error has the
    line number in that file.
    """
    path, above = (below.path, below.line or 0) if below else (Path("this page"), 0)
    spec = Spec(Table.parse(path, body, above=above), page)
    kind = spec.choice("kind", list(KINDS))
    title = spec.table.text("title", required=True)
    if why := objection(title):  # TOML can spell any character, and Python-Markdown has some for its own use
        raise spec.table.error("title", f"`title` has {why}", "use Latin letters and digits")
    used = len(page.uses)
    drawing = KINDS[kind](spec)
    name = str(spec.shown("title", _ASIDE.sub("", title))).strip()
    parts = _inside(drawing, name, f"chart-{number}")
    inside = "".join(ET.tostring(part, "unicode", short_empty_elements=False) for part in parts)
    return Chart(kind, title, inside, [name for use in page.uses[used:] for name in use.facts])


def _inside(drawing: Drawing, title: str, name: str) -> list[ET.Element]:
    table = _table(drawing)
    if not drawing.marks:
        return [table]
    svg = element("svg", "", role="img", width="100%", height=drawing.height, focusable="false")
    svg.set("aria-labelledby", f"{name}-title")
    svg.set("aria-describedby", f"{name}-desc")
    svg.append(element("title", "", title, id=f"{name}-title"))
    svg.append(element("desc", "", " ".join(drawing.words), id=f"{name}-desc"))
    svg.extend(drawing.marks)
    stated = [cell for row in drawing.rows for cell in row if isinstance(cell, Stated)]
    summary = element("summary", "", "The numbers" if stated else "In words")
    return [*_key(drawing.key), svg, *_cited(stated), element("details", "chart__numbers", summary, table)]


def _cited(stated: list[Stated]) -> Iterator[ET.Element]:
    """A note on the sources of cited figures, which look like measured ones in the picture."""
    if sources := ", ".join(dict.fromkeys(source for value in stated for source in value.sources)):
        words = f"With figures that were published, and not measured here: {visible(sources)}."
        yield element("p", "chart__cited", words)


def _key(names: list[Label]) -> Iterator[ET.Element]:
    items = []
    for i, name in enumerate(names):
        swatch = element("span", f"chart__swatch chart__c{i % COLOURS + 1}")
        items.append(element("span", "", swatch, element("span", "", name)))
    if items:
        yield element("p", "chart__key", *items)


def _table(drawing: Drawing) -> ET.Element:
    head = [element("th", "", cell, scope="col") if cell else element("td") for cell in drawing.header]
    rows = [
        element("tr", "", element("th", "", name, scope="row"), *(element("td", "", cell) for cell in cells))
        for name, *cells in drawing.rows
    ]
    return element("table", "chart__table", element("thead", "", element("tr", "", *head)), element("tbody", "", *rows))
