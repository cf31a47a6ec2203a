"""The result of drawing a chart: the picture, and the same content as text and as a table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from proof.pages.charts.svg import Label
from proof.pages.values import Stated

Cell = str | Label | Stated | ET.Element
Row = list[Cell]  # the first cell is the name of the row


@dataclass(frozen=True)
class Drawing:
    """The parts of a chart."""

    marks: list[ET.Element]  # the content of the SVG; empty if the table is the picture
    height: float  # px
    words: list[str]  # one sentence for each item in the picture
    header: Row
    rows: list[Row]
    key: list[Label] = field(default_factory=list)  # the names of the colours, in order
