"""SVG by hand, without a plotting library: along x in % of the page's width, everything else in px.

So text has the same size on a phone and on a wide screen, colours come from the style sheet and follow light and dark,
a picture weighs some 2 kB, and every mark can say what it is. A library's picture scales its text with its width.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

NARROW, WIDE = 290, 560  # px: what a picture has on a phone; from which width on it is called wide (the style sheet)
SIZE = 13  # px, of all text
COLOURS = 4  # that the style sheet has

_SLIM = frozenset("iljtfr.,:;'|!()[]/ ")
_BROAD = frozenset("mwMW%@×—→…")


@dataclass(frozen=True)
class Label:
    """A text of the author's, in pieces: words and `code`."""

    pieces: tuple[tuple[str, bool], ...]  # text, and whether it is code

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)

    @property
    def width(self) -> float:
        """About how many px it takes: rather too many."""
        return sum(sum(_width(c, code=code) for c in text) for text, code in self.pieces)

    def wrapped(self, width: float) -> list[Label]:
        """Lines of at most this many px; a single word may be longer."""
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
    """A label without code in it."""
    return Label(((text, False),))


def _width(c: str, *, code: bool) -> float:
    if code:
        return SIZE * 0.61
    return SIZE * (0.36 if c in _SLIM else 0.95 if c in _BROAD else 0.68 if c.isupper() else 0.59)


def element(tag: str, css: str = "", *children: ET.Element, **attributes: str | float) -> ET.Element:
    """An element of class `css`; numbers are px, and `text_anchor` is text-anchor."""
    made = ET.Element(tag, {"class": css} if css else {})
    for name, value in attributes.items():
        made.set(name.replace("_", "-"), value if isinstance(value, str) else f"{value:.6g}")
    made.extend(children)
    return made


def share(part: float) -> str:
    """A part of the picture's width."""
    return f"{part * 100:.6g}%"


def text(label: Label | str, css: str = "", **attributes: str | float) -> ET.Element:
    """A text; its code in a type of its own."""
    made = element("text", css, **attributes)
    append(made, label if isinstance(label, Label) else plain(label), "tspan")
    return made


def append(parent: ET.Element, label: Label, code: str = "code") -> None:
    """Add a label to an element, each piece of code in an element of this tag."""
    for is_code, pieces in groupby(label.pieces, key=lambda piece: piece[1]):
        words = "".join(text for text, _ in pieces)
        if is_code:
            ET.SubElement(parent, code, {"class": "chart__code"} if code == "tspan" else {}).text = words
        elif len(parent):
            parent[-1].tail = words
        else:
            parent.text = words


def lines(labels: Iterable[Label], css: str = "", *, x: float | str, y: float, step: float = 17) -> list[ET.Element]:
    """Several lines of text, the first one's foot at `y`."""
    return [text(label, css, x=x, y=y + i * step) for i, label in enumerate(labels)]


def tooltip(mark: ET.Element, says: str) -> ET.Element:
    """The mark, saying what it is when it is pointed at."""
    title = element("title")
    title.text = says
    mark.insert(0, title)
    return mark


def to_html(root: ET.Element) -> str:
    """The element as it stands in a page: escaped by the serialiser, and no element empties itself."""
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)
