"""Builds SVG without a plotting library. Horizontal positions are in % of the width, everything else is in px.

So text has the same size on a phone and on a wide screen. With a library's picture, text would scale with the width.
Colours come from the style sheet, for light and dark mode, a picture has about 2 kB, and every mark has a tooltip.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from proof.pages.values import Stated

NARROW, WIDE = 290, 560  # px: the width on a phone; the width from which the style sheet shows `chart__wide`
SIZE = 13  # px: the size of all text
COLOURS = 4  # in the style sheet

_SLIM = frozenset("iljtfr.,:;'|!()[]/ ")
_BROAD = frozenset("mwMW%@×—→…")


@dataclass(frozen=True)
class Label:
    """A text by the author, in pieces of words and `code`."""

    pieces: tuple[tuple[str, bool], ...]  # text, and whether it is code

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)

    @property
    def width(self) -> float:
        """The estimated width in px, rather too large."""
        return sum(sum(_width(c, code=code) for c in text) for text, code in self.pieces)

    def wrapped(self, width: float) -> list[Label]:
        """The text in lines of at most this many px, except that a single word may be longer."""
        words: list[Label] = [Label(())]
        for text, code in self.pieces:
            first, *others = text.split(" ")
            words[-1] = Label((*words[-1].pieces, (first, code)))
            words += [Label(((word, code),)) for word in others]
        lines = [words[0]]
        for word in words[1:]:
            longer = Label((*lines[-1].pieces, (" ", word.pieces[0][1]), *word.pieces))
            if longer.width > width and str(lines[-1]):
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


def plain(text: str) -> Label:
    """A label without code."""
    return Label(((text, False),))


def _width(c: str, *, code: bool) -> float:
    if code:
        return SIZE * 0.61
    return SIZE * (0.36 if c in _SLIM else 0.95 if c in _BROAD else 0.68 if c.isupper() else 0.59)


Content = ET.Element | Label | Stated | str


def element(tag: str, css: str = "", *content: Content, **attributes: str | float) -> ET.Element:
    """An element of class `css`. Numbers are px, and underscores in attribute names become hyphens."""
    made = ET.Element(tag, {"class": css} if css else {})
    for name, value in attributes.items():
        made.set(name.replace("_", "-"), value if isinstance(value, str) else f"{value:.6g}")
    for part in content:
        match part:
            case ET.Element():
                made.append(part)
            case Stated():
                made.append(part.element())
            case Label():
                _append(made, part)
            case str():
                made.text = part
    return made


def _append(parent: ET.Element, label: Label) -> None:
    """Add a label to an element, with each piece of code in an element of its own."""
    for is_code, pieces in groupby(label.pieces, key=itemgetter(1)):
        words = "".join(text for text, _ in pieces)
        if is_code and parent.tag == "text":
            ET.SubElement(parent, "tspan", {"class": "chart__code"}).text = words
        elif is_code:
            ET.SubElement(parent, "code").text = words
        elif len(parent):
            parent[-1].tail = words
        else:
            parent.text = words


def share(part: float) -> str:
    """A share of the width, as a percentage."""
    return f"{part * 100:.6g}%"


def lines(labels: Iterable[Label], css: str = "", *, x: float | str, y: float, step: float = 17) -> list[ET.Element]:
    """Lines of text, the first with its baseline at `y`, each `step` px below the one before."""
    return [element("text", css, label, x=x, y=y + i * step) for i, label in enumerate(labels)]


Row = Sequence[Content]  # the first cell is the name of the row


@dataclass(frozen=True)
class Drawing:
    """The result of drawing a chart: the picture, and the same content as text and as a table."""

    marks: list[ET.Element]  # the content of the SVG; empty if the table is the picture
    height: float  # px
    words: list[str]  # one sentence for each item in the picture
    header: Row
    rows: Sequence[Row]
    key: list[Label] = field(default_factory=list)  # the names of the colours, in order
