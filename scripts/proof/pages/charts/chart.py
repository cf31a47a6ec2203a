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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import Where
from proof.core.text import first_invisible
from proof.core.toml_table import Table
from proof.pages.charts import bars, graph, grid, layers, lines, stages, treemap
from proof.pages.charts.drawing import Cell, Drawing
from proof.pages.charts.spec import Spec
from proof.pages.charts.svg import COLOURS, Label, append, element, to_html
from proof.pages.page import Page
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


@dataclass(frozen=True)
class Chart:
    """A figure. Its title is Markdown of the page; its inside is HTML that no Markdown processor reads."""

    kind: str
    title: str
    inside: str


def render(body: str, page: Page, number: int, *, below: Where | None = None) -> Chart:
    """Render the chart that is described by `body`, the `number`th of its page.

    Raises ManifestError or PageError for an invalid description. If `below` is where the fence opens, the error has the
    line number in that file.
    """
    path, above = (below.path, below.line or 0) if below else (Path("this page"), 0)
    spec = Spec(Table.parse(path, body, above=above), page)
    kind = spec.choice("kind", list(KINDS))
    title = spec.table.text("title", required=True)
    if hidden := first_invisible(title):  # TOML can spell them, and Python-Markdown has some of them for its own use
        raise spec.table.error("title", f"`title` has the invisible character {hidden}", "leave it out")
    drawing = KINDS[kind](spec)
    name = str(spec.shown("title", _ASIDE.sub("", title))).strip()
    return Chart(kind, title, "".join(to_html(part) for part in _inside(drawing, name, f"chart-{number}")))


def _inside(drawing: Drawing, title: str, name: str) -> list[ET.Element]:
    table = _table(drawing)
    if not drawing.marks:
        return [table]
    svg = element("svg", "", role="img", width="100%", height=drawing.height, focusable="false")
    for tag, text in (("title", title), ("desc", " ".join(drawing.words))):
        part = element(tag, id=f"{name}-{tag}")
        part.text = text
        svg.append(part)
        svg.set("aria-labelledby" if tag == "title" else "aria-describedby", f"{name}-{tag}")
    svg.extend(drawing.marks)
    numbers = element("details", "chart__numbers", element("summary"), table)
    numbers[0].text = (
        "The numbers" if any(isinstance(cell, Stated) for row in drawing.rows for cell in row) else "In words"
    )
    return [*_key(drawing.key), svg, *_cited(drawing), numbers]


def _cited(drawing: Drawing) -> list[ET.Element]:
    """A note on the sources of cited figures, which look like measured ones in the picture."""
    stated = [cell for row in drawing.rows for cell in row if isinstance(cell, Stated)]
    sources = dict.fromkeys(source for cell in stated for source in cell.sources)
    said = element("p", "chart__cited")
    said.text = f"With figures that were published, and not measured here: {', '.join(sources)}."
    return [said] if sources else []


def _key(names: list[Label]) -> list[ET.Element]:
    key = element("p", "chart__key")
    for i, name in enumerate(names):
        item = element("span", "", element("span", f"chart__swatch chart__c{i % COLOURS + 1}"))
        item[0].tail = ""
        words = element("span")
        append(words, name)
        item.append(words)
        key.append(item)
    return [key] if names else []


def _table(drawing: Drawing) -> ET.Element:
    head = element("tr", "", *(_cell("th" if cell else "td", cell) for cell in drawing.header))
    rows = [
        element("tr", "", *(_cell("td" if i else "th", cell) for i, cell in enumerate(row))) for row in drawing.rows
    ]
    for row in rows:
        row[0].set("scope", "row")
    for cell in head.iter("th"):
        cell.set("scope", "col")
    return element("table", "chart__table", element("thead", "", head), element("tbody", "", *rows))


def _cell(tag: str, cell: Cell) -> ET.Element:
    made = element(tag)
    match cell:
        case ET.Element():
            made.append(cell)
        case Stated():
            made.append(cell.element())
        case Label():
            append(made, cell)
        case str():
            made.text = cell
    return made
