"""How amounts move: a line for each of `series` over the names in `each`, from zero, and every value beside its point.

`at` is the text below each place and `value` an expression; in both, `{}` stands for the name.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

from proof.charts.drawing import Drawing
from proof.charts.spec import Spec, ratio
from proof.charts.svg import COLOURS, NARROW, Label, element, plain, share, text, tip
from proof.stated import Stated

_TOP, _PLOT, _FOOT = 44, 170, 26  # px: room for the names, the height of the highest value, room for the places
_MARGIN = 0.07  # of the width, on both sides: half of a value's text


def draw(spec: Spec) -> Drawing:
    """The picture that a fence of this kind asks for."""
    spec.allow("kind", "title", "each", "at", "series")
    each = spec.table.texts("each")
    if len(each) < 2:
        raise spec.fail("each", "a line has two points at least", 'each = ["1_26", "1_27"]')
    pattern = spec.table.text("at", required=True)
    places = [spec.label("at", pattern.replace("{}", of)) for of in each]
    rows = spec.rows("series")
    if len(rows) > COLOURS:
        raise spec.fail("series", f"there are {COLOURS} colours and {len(rows)} series", "another picture")
    series = [_series(row, each) for row in rows]
    spec.alike([value for _, values in series for value in values], "series")
    highest = max(value.number for _, values in series for value in values)
    floor = _TOP + _PLOT
    marks = [element("line", "chart__axis", x1="0", x2="100%", y1=floor, y2=floor)]
    across = [_MARGIN + i * (1 - 2 * _MARGIN) / (len(each) - 1) for i in range(len(each))]
    marks += [
        text(place, "chart__note", x=share(x), y=floor + 18, text_anchor="middle")
        for place, x in zip(places, across, strict=True)
    ]
    for i, (name, values) in enumerate(series):
        heights = [floor - _PLOT * ratio(value, highest) for value in values]
        marks += _line(f"chart__s{i + 1}", name, values, places, list(zip(across, heights, strict=True)))
    return Drawing(
        marks,
        floor + _FOOT,
        [_words(name, values, places) for name, values in series],
        ["", *(name for name, _ in series)],
        [[place, *(values[i] for _, values in series)] for i, place in enumerate(places)],
    )


def _series(spec: Spec, each: list[str]) -> tuple[Label, list[Stated]]:
    spec.allow("name", "value")
    return spec.label("name"), [spec.amount("value", of) for of in each]


def _line(
    css: str, name: Label, values: list[Stated], places: list[Label], points: list[tuple[float, float]]
) -> list[ET.Element]:
    marks = [
        element("line", f"chart__line {css}", x1=share(x1), y1=y1, x2=share(x2), y2=y2)
        for (x1, y1), (x2, y2) in pairwise(points)
    ]
    ends = {values[0].number, values[-1].number, max(v.number for v in values), min(v.number for v in values)}
    room = NARROW * (points[1][0] - points[0][0])
    for value, place, (x, y) in zip(values, places, points, strict=True):
        marks.append(
            tip(element("circle", f"chart__point {css}", cx=share(x), cy=y, r=3.5), f"{name}, {place}: {value}")
        )
        # On a phone where they would touch, the ends, the highest and the lowest.
        css_of = "" if plain(str(value)).width < room or value.number in ends else " chart__wide"
        marks.append(text(str(value), f"chart__note{css_of}", x=share(x), y=y - 9, text_anchor="middle"))
    marks.append(text(name, "chart__value", x="0", y=points[0][1] - 27))
    return marks


def _words(name: Label, values: list[Stated], places: list[Label]) -> str:
    return f"{name}: " + ", ".join(f"{value} at {place}" for value, place in zip(values, places, strict=True)) + "."
