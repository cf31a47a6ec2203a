"""Bar charts: `rows` with a name and a `value`, or with `values`, one for each of `parts`.

The scale is linear and starts at zero. An optional `note`, like times(a.size / b.size), is shown after the value.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from proof.pages.charts.drawing import Drawing, Row
from proof.pages.charts.spec import Spec, ratio, total
from proof.pages.charts.svg import NARROW, Label, element, lines, plain, share, tooltip
from proof.pages.values import Stated

_LINE, _BAR, _GAP = 17, 14, 12  # px: height of a line of text, of a bar, and the space between rows


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `bars`."""
    spec.allow("kind", "title", "parts", "rows")
    parts = spec.parts()
    rows = [_Row(row, parts) for row in spec.rows("rows")]
    spec.same_unit([value for row in rows for value in row.values], "rows")
    longest = max(row.total.number for row in rows)
    marks: list[ET.Element] = []
    y = 0.0
    for row in rows:
        y += _GAP if marks else 0
        y += row.draw(marks, y, parts, longest)
    header: Row = ["", *parts, "In all"] if parts else ["", "Value"]
    if any(row.note for row in rows):
        header.append("Compared")
    return Drawing(
        marks, y, [row.words(parts) for row in rows], header, [row.cells(len(header)) for row in rows], parts
    )


class _Row:
    """A row: its name, its values and their sum."""

    def __init__(self, spec: Spec, parts: list[Label]) -> None:
        spec.allow("name", "values" if parts else "value", "note")
        self.name = spec.label("name")
        self.values = spec.amounts("values", len(parts)) if parts else [spec.amount("value")]
        spec.same_unit(self.values, "values" if parts else "value")
        self.total = total(self.values) if parts else self.values[0]
        self.note = spec.value("note") if spec.has("note") else None

    def draw(self, marks: list[ET.Element], y: float, parts: list[Label], longest: float) -> float:
        """Add the marks of the row, and return its height in px."""
        written = plain(f"{self.total} · {self.note}" if self.note else str(self.total))
        names = self.name.wrapped(NARROW - written.width - 16)
        marks += lines(names, "chart__name", x=0, y=y + 12)
        bold = element("tspan", "chart__value")
        bold.text, bold.tail = str(self.total), f" · {self.note}" if self.note else ""
        marks.append(element("text", "chart__note", bold, x="100%", y=y + 12, text_anchor="end"))
        y += len(names) * _LINE + 2
        # The axis shows where a row begins, even if its bar is very short.
        marks.append(element("line", "chart__axis", x1=0.5, x2=0.5, y1=y - 2, y2=y + _BAR + 2))
        x = 0.0
        for i, value in enumerate(self.values):
            part = ratio(value, longest)
            bar = element("rect", f"chart__c{i + 1}", x=share(x), y=y, width=share(part), height=_BAR)
            marks.append(tooltip(bar, f"{self.name}: {parts[i]}, {value}" if parts else f"{self.name}: {value}"))
            x += part
        return len(names) * _LINE + 2 + _BAR

    def words(self, parts: list[Label]) -> str:
        """The row as text."""
        made = ", ".join(f"{part} {value}" for part, value in zip(parts, self.values, strict=False))
        note = f" ({self.note})" if self.note else ""
        return f"{self.name}: {self.total}{note}" + (f", of which {made}." if made else ".")

    def cells(self, count: int) -> Row:
        """The row of the table, filled up to `count` cells."""
        values: list[Stated] = [*self.values, self.total] if len(self.values) > 1 else self.values
        cells: Row = [self.name, *values]
        if self.note:
            cells.append(self.note)
        return cells + [""] * (count - len(cells))
