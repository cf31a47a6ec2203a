"""Bar charts: `rows` with a name and a `value`, or with `values`, one for each of `parts`.

The scale is linear and starts at zero. An optional `note`, like times(a.size / b.size), is shown after the value.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from proof.pages.charts.spec import Spec, ratio, total
from proof.pages.charts.svg import NARROW, Content, Drawing, Label, element, lines, plain, share

_LINE, _BAR, _GAP = 17, 14, 12  # px: height of a line of text, of a bar, and the space between rows


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `bars`."""
    spec.table.allow("kind", "title", "parts", "rows")
    parts = spec.parts()
    rows = [_Bar(row, parts) for row in spec.rows("rows")]
    spec.same_unit([value for row in rows for value in row.values], "rows")
    longest = max(row.total.number for row in rows)
    marks: list[ET.Element] = []
    y = 0.0
    for row in rows:
        y += _GAP if marks else 0
        y += row.draw(marks, y, longest)
    header: list[Content] = ["", *parts, "In all"] if parts else ["", "Value"]
    if any(row.note for row in rows):
        header.append("Compared")
    cells = [row.cells + [""] * (len(header) - len(row.cells)) for row in rows]
    return Drawing(marks, y, [row.words for row in rows], header, cells, parts)


class _Bar:
    """A row: its name, its values and their sum."""

    def __init__(self, spec: Spec, parts: list[Label]) -> None:
        spec.table.allow("name", "values" if parts else "value", "note")
        self.name, self.parts = spec.label("name"), parts
        self.values = spec.amounts("values", len(parts)) if parts else [spec.amount("value")]
        spec.same_unit(self.values, "values" if parts else "value")
        self.total = total(self.values) if parts else self.values[0]
        self.note = spec.value("note") if spec.has("note") else None

    def draw(self, marks: list[ET.Element], y: float, longest: float) -> float:
        """Add the marks of the row, and return its height in px."""
        after = f" · {self.note}" if self.note else ""
        names = self.name.wrapped(NARROW - plain(f"{self.total}{after}").width - 16)
        marks += lines(names, "chart__name", x=0, y=y + 12)
        bold = element("tspan", "chart__value", str(self.total))
        bold.tail = after
        marks.append(element("text", "chart__note", bold, x="100%", y=y + 12, text_anchor="end"))
        y += len(names) * _LINE + 2
        # The axis shows where a row begins, even if its bar is very short.
        marks.append(element("line", "chart__axis", x1=0.5, x2=0.5, y1=y - 2, y2=y + _BAR + 2))
        x = 0.0
        for i, value in enumerate(self.values):
            part = ratio(value, longest)
            title = element(
                "title", "", f"{self.name}: {self.parts[i]}, {value}" if self.parts else f"{self.name}: {value}"
            )
            marks.append(element("rect", f"chart__c{i + 1}", title, x=share(x), y=y, width=share(part), height=_BAR))
            x += part
        return len(names) * _LINE + 2 + _BAR

    @property
    def words(self) -> str:
        """The row as text."""
        note = f" ({self.note})" if self.note else ""
        made = ", ".join(f"{part} {value}" for part, value in zip(self.parts, self.values, strict=False))
        return f"{self.name}: {self.total}{note}" + (f", of which {made}." if made else ".")

    @property
    def cells(self) -> list[Content]:
        """The row of the table."""
        return [
            self.name,
            *self.values,
            *([self.total] if self.values[1:] else []),
            *([self.note] if self.note else []),
        ]
