"""Graphs of boxes and arrows, from top to bottom.

`boxes` have a name, `lines` of text below it, and may be `dim`. `arrows` lead `from` one box `to` another; `says` is
the label of an arrow.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from proof.pages.charts.spec import Spec
from proof.pages.charts.svg import NARROW, Drawing, Label, element, lines, share

_LINE, _PAD, _GAP = 17, 9, 40  # px: height of a line of text, padding, length of an arrow
_LEAST = 92  # px: the smallest width of a box
_BOLD = 1.12  # how much wider bold text is


@dataclass(frozen=True)
class Box:
    """A box: its name, the lines below it, and whether it is drawn dim and dashed."""

    name: Label
    lines: list[Label]
    dim: bool = False


@dataclass(frozen=True)
class Arrow:
    """An arrow between two boxes, given by their indexes."""

    start: int
    end: int
    says: Label | None = None


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `graph`."""
    spec.table.allow("kind", "title", "boxes", "arrows")
    rows = spec.rows("boxes", 2)
    for row in rows:
        row.table.allow("name", "lines", "dim")
    boxes = [
        Box(row.label("name"), row.labels("lines"), bool(row.table.typed("dim", bool, "true or false"))) for row in rows
    ]
    names = [row.table.text("name") for row in rows]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise spec.table.error("boxes", f"two boxes are called '{twice}'", "rename one of them")
    arrows = []
    for row in spec.rows("arrows"):
        row.table.allow("from", "to", "says")
        ends = (names.index(row.choice("from", names, "box")), names.index(row.choice("to", names, "box")))
        arrows.append(Arrow(*ends, row.label("says") if row.has("says") else None))
    try:
        marks, height = picture(boxes, arrows)
    except CycleError as error:
        cycle = " → ".join(names[box] for box in error.args[1])
        raise spec.table.error("arrows", f"the arrows form a cycle: {cycle}", "remove one of the arrows") from error
    words, table = [], []
    for i, box in enumerate(boxes):
        inside, onward = [str(line) for line in box.lines], [arrow for arrow in arrows if arrow.start == i]
        to = ", ".join(f"{arrow.says or 'to'} {boxes[arrow.end].name}" for arrow in onward)
        words.append(", ".join([str(box.name), *inside]) + (f"; arrow {to}." if to else "."))
        table.append((box.name, ", ".join(inside), ", ".join(str(boxes[arrow.end].name) for arrow in onward)))
    return Drawing(marks, height, words, ["Box", "In it", "Arrow to"], table)


def picture(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> tuple[list[ET.Element], float]:
    """The marks of a graph and their height in px. Raises CycleError if the arrows form a cycle."""
    levels = _levels(len(boxes), arrows)
    marks: list[ET.Element] = []
    places: dict[int, tuple[float, float, float]] = {}  # x as a share of the width, top and bottom in px
    y = 1.0
    for level in range(max(levels) + 1):
        inside = [i for i, own in enumerate(levels) if own == level]
        width = min(max(_width(boxes[i]) for i in inside), NARROW / len(inside) - 10)
        drawn = [_draw(boxes[i], (n + 0.5) / len(inside), y, width) for n, i in enumerate(inside)]
        tallest = max(height for _, height in drawn)
        for n, (i, (box, height)) in enumerate(zip(inside, drawn, strict=True)):
            marks.append(box)
            places[i] = ((n + 0.5) / len(inside), y, y + height)
        y += tallest + _GAP
    linked = [mark for arrow in arrows for mark in _arrow(arrow, boxes, places)]
    # Arrows come first, so that a long arrow passes behind the boxes.
    return [*linked, *marks], y - _GAP + 1


def _levels(boxes: int, arrows: Sequence[Arrow]) -> list[int]:
    """For each box, how many arrows lead to it one after another, at most. Raises CycleError for a cycle."""
    starts: dict[int, list[int]] = {box: [] for box in range(boxes)}
    for arrow in arrows:
        starts[arrow.end].append(arrow.start)
    levels = [0] * boxes
    for box in TopologicalSorter(starts).static_order():
        levels[box] = max((levels[start] + 1 for start in starts[box]), default=0)
    return levels


def _width(box: Box) -> float:
    widest = max(box.name.width * _BOLD, *(line.width for line in box.lines), 0)
    return max(_LEAST, widest + 2 * _PAD)


def _draw(box: Box, x: float, y: float, width: float) -> tuple[ET.Element, float]:
    names = box.name.wrapped((width - 2 * _PAD) / _BOLD)
    words = [line for text in box.lines for line in text.wrapped(width - 2 * _PAD)]
    height = 2 * _PAD + (len(names) + len(words)) * _LINE - 4
    # A nested SVG is placed in % of the width, and its content in px from there.
    place = element("svg", x=share(x), y=y, overflow="visible")
    css = "chart__box chart__box--dim" if box.dim else "chart__box"
    place.append(element("rect", css, x=-width / 2, y=0, width=width, height=height, rx=4))
    text = lines(names, "chart__value", x=0, y=_PAD + 11)
    text += lines(words, "chart__note", x=0, y=_PAD + 11 + len(names) * _LINE)
    for line in text:
        line.set("text-anchor", "middle")
    place.extend(text)
    return place, height


def _arrow(arrow: Arrow, boxes: Sequence[Box], places: Mapping[int, tuple[float, float, float]]) -> list[ET.Element]:
    (x1, _, y1), (x2, y2, _) = places[arrow.start], places[arrow.end]
    css = "chart__arrow chart__arrow--dim" if boxes[arrow.start].dim or boxes[arrow.end].dim else "chart__arrow"
    bend = y2 - _GAP / 2
    ways = [(x1, y1, x1, bend), (x1, bend, x2, bend), (x2, bend, x2, y2 - 5)] if x1 != x2 else [(x1, y1, x2, y2 - 5)]
    marks = [element("line", css, x1=share(a), y1=b, x2=share(c), y2=d) for a, b, c, d in ways]
    head = element("path", css.replace("arrow", "head"), d="M-4.5-8 0 0 4.5-8z")
    marks.append(element("svg", "", head, x=share(x2), y=y2, overflow="visible"))
    if arrow.says:
        marks.append(element("text", "chart__note", arrow.says, x=share(x2), dx=9, y=bend + 5))
    return marks
