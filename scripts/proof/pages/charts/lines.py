"""Line charts: one line for each of `series`, with a point for each name in `each`. The scale starts at zero.

`at` is the label below each point, `value` an expression; in both, `{}` is replaced with the name.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from itertools import pairwise

from proof.pages.charts.spec import Spec, ratio
from proof.pages.charts.svg import COLOURS, NARROW, Drawing, Label, element, plain, share
from proof.pages.values import Stated

_TOP, _PLOT, _FOOT = 44, 170, 26  # px: space for the names, height of the highest value, space for the labels
_MARGIN = 0.08  # on both sides, as a share of the width: half the text of a value


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `lines`."""
    spec.table.allow("kind", "title", "each", "at", "series")
    each = spec.texts("each")
    if len(each) < 2:
        raise spec.table.error("each", "a line needs at least two points", 'each = ["1_26", "1_27"]')
    pattern = spec.table.text("at", required=True)
    places = [spec.label("at", pattern.replace("{}", of)) for of in each]
    rows = spec.rows("series")
    if len(rows) > COLOURS:
        raise spec.table.error("series", f"{len(rows)} series, but only {COLOURS} colours", "remove some series")
    series = [_series(row, each) for row in rows]
    spec.same_unit([value for _, values in series for value in values], "series")
    highest = max(value.number for _, values in series for value in values)
    floor = _TOP + _PLOT
    marks = [element("line", "chart__axis", x1="0", x2="100%", y1=floor, y2=floor)]
    across = [_MARGIN + i * (1 - 2 * _MARGIN) / (len(each) - 1) for i in range(len(each))]
    always = _legible([place.width for place in places], range(len(places)))
    for i, (place, x) in enumerate(zip(places, across, strict=True)):
        css = "chart__note" if i in always else "chart__note chart__wide"
        marks.append(element("text", css, place, x=share(x), y=floor + 18, text_anchor="middle"))
    for i, (name, values) in enumerate(series):
        heights = [floor - _PLOT * ratio(value, highest) for value in values]
        marks += _line(f"chart__s{i + 1}", name, values, places, list(zip(across, heights, strict=True)))
    return Drawing(
        marks,
        floor + _FOOT,
        [
            f"{name}: " + ", ".join(f"{value} at {place}" for value, place in zip(values, places, strict=True)) + "."
            for name, values in series
        ],
        ["", *(name for name, _ in series)],
        [[place, *(values[i] for _, values in series)] for i, place in enumerate(places)],
    )


def _series(spec: Spec, each: list[str]) -> tuple[Label, list[Stated]]:
    spec.table.allow("name", "value")
    return spec.label("name"), [spec.amount("value", of) for of in each]


def _line(
    css: str, name: Label, values: list[Stated], places: list[Label], points: list[tuple[float, float]]
) -> list[ET.Element]:
    marks = [
        element("line", f"chart__line {css}", x1=share(x1), y1=y1, x2=share(x2), y2=y2)
        for (x1, y1), (x2, y2) in pairwise(points)
    ]
    numbers = [value.number for value in values]
    extremes = (numbers.index(max(numbers)), numbers.index(min(numbers)))
    always = _legible([plain(str(value)).width for value in values], extremes)
    for i, (value, (x, y)) in enumerate(zip(values, points, strict=True)):
        title = element("title", "", f"{name}, {places[i]}: {value}")
        marks.append(element("circle", f"chart__point {css}", title, cx=share(x), cy=y, r=3.5))
        # At a minimum, the value is put below the point, away from the line, if there is room above the axis.
        valley = 0 < i < len(values) - 1 and numbers[i - 1] > numbers[i] < numbers[i + 1] and y + 24 < _TOP + _PLOT
        wide = "chart__note" if i in always else "chart__note chart__wide"
        marks.append(element("text", wide, str(value), x=share(x), y=y + 20 if valley else y - 9, text_anchor="middle"))
    marks.append(element("text", "chart__value", name, x="0", y=points[0][1] - 27))
    return marks


def _legible(widths: list[float], wanted: Iterable[int]) -> set[int]:
    """Which of several evenly spaced texts fit on a phone: first, last, then `wanted`, then the others."""
    last = len(widths) - 1
    room = NARROW * (1 - 2 * _MARGIN) / last
    chosen = {0, last}
    for i in (*wanted, *range(len(widths))):
        if all((widths[i] + widths[other]) / 2 + 4 <= abs(i - other) * room for other in chosen - {i}):
            chosen.add(i)
    return chosen
