"""The layers of an image, uppermost first like `docker history`, each with its size to scale.

`rows` have a name and a `value`: a layer, or all layers of the base. They may name a file that the layer `holds` or
`hides`. A file is crossed out if a layer above it hides or replaces it: it is no longer visible, but still counts.
`total` is the size of the image, to which the rows have to add up.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from proof.captures import contents
from proof.pages.charts.spec import Spec, ratio, total
from proof.pages.charts.svg import NARROW, Drawing, Label, element, lines, plain, share
from proof.pages.values import Stated

_LINE, _PAD, _BLOCK, _GAP = 17, 9, 18, 3  # px: height of a line of text, padding, height of a bar, space between layers
_STROKES = 20  # strokes that cross out a file of the size of the largest layer
_VALUE = re.compile(r"\s*(?P<snippet>\w+)\.(?:layer_(?P<number>[0-9]+)|base_size)\s*", re.ASCII)
_PATH = re.compile(r"(?:/[\w.+@-]+)+", re.ASCII)


def draw(spec: Spec) -> Drawing:
    """Draw a chart of kind `layers`."""
    spec.table.allow("kind", "title", "rows", "total")
    layers = [_Layer(row) for row in spec.rows("rows")]
    image = spec.amount("total")
    _check(spec, layers, image)
    for i, layer in enumerate(layers):
        layer.gone = any(layer.holds and layer.holds in (other.holds, other.hides) for other in layers[:i])
    longest = max(layer.value.number for layer in layers)
    marks: list[ET.Element] = []
    y = 0.5
    for layer in layers:
        y += layer.draw(marks, y, longest) + _GAP
    marks.append(element("text", "chart__name", "the image", x=_PAD, y=y + _LINE))
    marks.append(_at_end(image, y + _LINE))
    return Drawing(
        marks,
        y + _LINE + 6,
        [*(f"{layer.words}." for layer in layers), f"The image: {image}."],
        ["Layer, the uppermost first", "Size", "File"],
        [*((layer.name, layer.value, layer.file) for layer in layers), ("The image", image, "")],
    )


def _check(spec: Spec, layers: list[_Layer], image: Stated) -> None:
    """Raise an error unless these are the layers of the image, each once and in their order."""
    (snippet, *others) = dict.fromkeys(layer.snippet for layer in layers)
    if others:
        raise spec.table.error("rows", f"layers of different images: {snippet} and {others[0]}", "draw two pictures")
    if spec.table.text("total").strip() != f"{snippet}.size":
        raise spec.table.error("total", "`total` is not the size of the image", f'total = "{snippet}.size"')
    if any(upper.number <= lower.number for upper, lower in pairwise(layers)):
        raise spec.table.error(
            "rows", "these layers are not in their order", "begin with the uppermost, and end with 1"
        )
    if (whole := total([layer.value for layer in layers])).number != image.number:
        what = f"the layers add up to {whole}, but `total` is {image}"
        raise spec.table.error("total", what, "add a row for each layer")


def _at_end(value: Stated, y: float) -> ET.Element:
    return element("text", "chart__value", str(value), x="100%", dx=-_PAD, y=y, text_anchor="end")


class _Layer:
    """One layer, and the file that it holds or hides."""

    def __init__(self, spec: Spec) -> None:
        spec.table.allow("name", "value", "holds", "hides")
        self.name, self.value = spec.label("name"), spec.amount("value")
        if not (written := _VALUE.fullmatch(spec.table.text("value"))):
            hint = "use a.layer_1, or a.base_size for all layers of the base"
            raise spec.table.error("value", "`value` is not a layer of an image", hint)
        self.snippet, self.number = written["snippet"], int(written["number"] or 0)  # 0 for the base
        self.holds, self.hides = (self._path(spec, key) for key in ("holds", "hides"))
        self.gone = False

    def _path(self, spec: Spec, key: str) -> str:
        """A path in the image, or "". It has to be in a snippet of the page, and in the layer if that says what is."""
        path = spec.table.text(key)
        if path and not _PATH.fullmatch(path):
            raise spec.table.error(key, f"`{key}` is not a path in the image", f'write {key} = "/srv/app"')
        capture = spec.page.book.captures.get(self.snippet)
        for layer in capture.layers[self.number - 1 : self.number] if path and capture else ():
            if contents.lacks(layer, path, removed=key == "hides"):
                what = f"`{path}` is not in the contents of this layer"
                raise spec.table.error(key, what, f"look into it: {{{{ explorer {self.snippet} }}}}")
        if path:
            spec.page.rendering.codes.add(path)
        return path

    @property
    def file(self) -> Label:
        """The text about the file; empty if there is none."""
        if self.hides:
            return Label((("hides ", False), (self.hides, True)))
        if self.holds:
            return Label(((self.holds, True), (": hidden, and still counted" if self.gone else "", False)))
        return plain("")

    @property
    def words(self) -> str:
        """The layer as text."""
        return f"{self.name}: {self.value}" + (f", {self.file}" if str(self.file) else "")

    def draw(self, marks: list[ET.Element], y: float, longest: float) -> float:
        """Add the marks of the layer, and return its height in px."""
        names = self.name.wrapped(NARROW - 2 * _PAD - plain(str(self.value)).width - 16)
        said = self.file.wrapped(NARROW - 2 * _PAD) if str(self.file) else []
        part = ratio(self.value, longest)
        block = _PAD + len(names) * _LINE + 3
        foot = block + (_BLOCK if part else 0)
        height = foot + (len(said) * _LINE + 8 if said else 0)
        marks.append(element("rect", "chart__slab", x=0.5, y=y, width="100%", height=height, rx=2))
        marks += lines(names, "chart__name", x=_PAD, y=y + _PAD + 10)
        marks.append(_at_end(self.value, y + _PAD + 10))
        if part:
            css = "chart__c2" if self.gone else "chart__c1"
            title = element("title", "", self.words)
            marks.append(element("rect", css, title, x=0.5, y=y + block, width=share(part), height=_BLOCK))
        for i in range(strokes := max(1, round(part * _STROKES)) if self.gone else 0):
            ends = {"x1": share(part * i / strokes), "x2": share(part * (i + 1) / strokes)}
            marks.append(element("line", "chart__cross", **ends, y1=y + block + _BLOCK, y2=y + block))
        for line in lines(said, "chart__note", x=_PAD, y=y + foot + 14):
            for code in line.iter("tspan") if self.gone else ():
                code.set("class", "chart__code chart__code--gone")
            marks.append(line)
        return height
