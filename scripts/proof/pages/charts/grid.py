"""Tables of marks and words. Either the `rows` are questions and the `columns` are items, or the other way round.

An item has `of`, a part of the name of its facts. A question has a `value`, the text in the cell, and `yes`, the
predicate for a tick or a cross. In both, `{}` is replaced with the item's `of`. Instead of a `value`, a question may
have two `words`, for true and false.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from proof.pages.charts.spec import Spec
from proof.pages.charts.svg import Drawing, Row, element

_MARKS = {True: "M3 7.5 6 10.5 11 4", False: "M4 4 10 10M10 4 4 10"}  # a tick and a cross, in 14 × 14 px


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `grid`, as an HTML table."""
    spec.table.allow("kind", "title", "rows", "columns")
    rows, columns = spec.rows("rows"), spec.rows("columns")
    for side in (*rows, *columns):
        side.table.allow(*(("name", "of") if side.has("of") else ("name", "value", "yes", "words")))
    header: Row = ["", *(column.label("name") for column in columns)]
    cells: list[Row] = [[row.label("name"), *(_cell(row, column) for column in columns)] for row in rows]
    return Drawing([], 0, [], header, cells)


def _cell(row: Spec, column: Spec) -> ET.Element:
    asking, asked = (row, column) if column.has("of") else (column, row)
    if asking.has("of") or not asked.has("of"):
        raise row.table.error("name", "either all rows or all columns need `of`", 'of = "single"')
    of = asked.table.text("of", required=True)
    cell = element("span", "chart__state")
    yes = asking.holds("yes", of) if asking.has("yes") else None
    if yes is not None:
        css = f"chart__mark chart__mark--{'yes' if yes else 'no'}"
        path = element("path", d=_MARKS[yes])
        cell.append(element("svg", css, path, width=14, height=14, aria_hidden="true"))
    if asking.has("value"):
        cell.append(asking.value("value", of).element())
        return cell
    words = asking.labels("words") if asking.has("words") else [asking.label("words", w) for w in ("yes", "no")]
    if yes is None or len(words) != 2:
        hint = 'words = ["there", "missing"]'
        raise asking.table.error("words", "without a `value`, `yes` and two `words` are needed", hint)
    cell.append(element("span", "", words[0 if yes else 1]))
    return cell
