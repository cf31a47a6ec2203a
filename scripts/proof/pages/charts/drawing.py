"""What a kind of picture hands back: the picture, and all that it shows once more in words and as a table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from proof.pages.charts.svg import Label
from proof.pages.values import Stated

Cell = str | Label | Stated | ET.Element
Row = list[Cell]  # the first cell names it


@dataclass(frozen=True)
class Drawing:
    """A picture in its parts."""

    marks: list[ET.Element]  # of the SVG; none where the table is the picture
    height: float  # px
    words: list[str]  # a sentence for each thing that the picture shows
    header: Row
    rows: list[Row]
    key: list[Label] = field(default_factory=list)  # the names of the colours, in their order
