"""Treemaps: the parts of a whole as areas to scale, the largest first, each as square as possible.

`rows` have a name, a `value` and the `part` that selects the colour. A name is shown if it fits, perhaps only on a wide
screen. The table has all names.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from proof.pages.charts.spec import Spec, percentage, total
from proof.pages.charts.svg import NARROW, WIDE, Drawing, Label, element, lines, plain, share
from proof.pages.values import Stated

_SHAPE, _HEIGHT = 440, 300  # px: the width of the layout, between a phone and a wide screen; the height
_LINE, _PAD = 16, 7  # px

Box = tuple[float, float, float, float]  # x, y, width, height


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `treemap`."""
    spec.table.allow("kind", "title", "parts", "rows")
    parts = spec.parts()
    names = spec.table.texts("parts")
    rows: list[tuple[Label, Stated, int]] = []
    for row in spec.rows("rows"):
        row.table.allow("name", "value", "part")
        colour = names.index(row.choice("part", names)) if parts else 0
        rows.append((row.label("name"), row.amount("value"), colour))
    spec.same_unit([value for _, value, _ in rows], "rows")
    whole = total([value for _, value, _ in rows])
    if not whole.number:
        raise spec.table.error("rows", "every value is zero", "use a value that is not zero")
    ordered = sorted((row for row in rows if row[1].number), key=lambda row: -row[1].number)
    area = _SHAPE * _HEIGHT / whole.number
    boxes = squarified([value.number * area for _, value, _ in ordered], (0, 0, _SHAPE, _HEIGHT))
    table = [(name, value, percentage(value, whole)) for name, value, _ in rows]
    return Drawing(
        [_cell(*row, box) for row, box in zip(ordered, boxes, strict=True)],
        _HEIGHT,
        [f"{name}: {value}, {part}." for name, value, part in table],
        ["", "Value", "Share"],
        [*table, ("In all", whole, percentage(whole, whole))],
        parts,
    )


def squarified(areas: Sequence[float], box: Box) -> Iterator[Box]:
    """A box for each area, in order. Together they fill `box`, so the areas must add up to its area, and descend.

    See Bruls, Huizing, van Wijk: Squarified Treemaps (2000).
    """
    x, y, width, height = box
    rest = list(areas)
    while rest:
        side = min(width, height)
        count = 1
        while count < len(rest) and _worst(rest[: count + 1], side) <= _worst(rest[:count], side):
            count += 1
        row, rest = rest[:count], rest[count:]
        depth = sum(row) / side
        along = 0.0
        for area in row:
            length = area / depth
            yield (x, y + along, depth, length) if width >= height else (x + along, y, length, depth)
            along += length
        if width >= height:
            x, width = x + depth, max(width - depth, 1e-9)
        else:
            y, height = y + depth, max(height - depth, 1e-9)


def _worst(row: list[float], side: float) -> float:
    """The largest ratio of sides of the boxes in a row."""
    depth = sum(row) / side
    return max(max(depth * depth / area, area / (depth * depth)) for area in row)


def _cell(name: Label, value: Stated, colour: int, box: Box) -> ET.Element:
    x, y, width, height = box
    title = element("title", "", f"{name}: {value}")
    area = element("rect", f"chart__c{colour + 1} chart__cell", title, width="100%", height="100%")
    # A nested SVG clips its content, and positions it from its own corner.
    cell = element("svg", "", area, x=share(x / _SHAPE), y=y, width=share(width / _SHAPE), height=height)
    for screen, css in ((NARROW, ""), (WIDE, " chart__wide")):
        room = width / _SHAPE * screen - 2 * _PAD
        names, written = name.wrapped(room), plain(str(value))
        height_of_names = len(names) * _LINE
        if max(line.width for line in (*names, written)) <= room and height_of_names + _LINE + _PAD <= height:
            cell.extend(lines(names, f"chart__on{css}", x=_PAD, y=_PAD + 11, step=_LINE))
            cell.extend(lines([written], f"chart__on chart__on--value{css}", x=_PAD, y=_PAD + 11 + height_of_names))
            break
    return cell
