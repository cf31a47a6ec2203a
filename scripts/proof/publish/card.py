"""The preview image that social networks show next to a link: title, answer, and bars for two of the page's sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from selectolax.lexbor import LexborNode

from proof.publish.page import Page, attribute

WIDTH, HEIGHT = 1200, 630  # the format that is cropped least
_EDGE = 72
_INK, _PAPER, _BAR, _LITTLE = "#ffffff", "#10242f", "#3f6577", "#5dc9e2"
_BARS = 128  # height of the bars at the bottom
_LINE = 1.25  # height of a line, in sizes of its font
_LONGEST = 1000  # characters of a text: more than a card has room for. Pillow refuses a million, and takes long before
_ANSWER = "#in-short"  # the box with a page's answer: see proof/pages/summary.py
_MEASURED = "data.fact:not(.fact--cited)"
_NOT_ANSWER = frozenset({"admonition-title", "claim"})  # classes of elements in it that are not part of its text
_SIZE = re.compile(r"\d{1,15}(?:\.\d{1,9})?(?:B|kB|MB|GB)")
_BYTES = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


def draw(page: Page, site: Path) -> str:
    """Write the card of a page, and return its path in the site; "" without an absolute address, which a card needs."""
    if not page.address:
        return ""
    card = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(card)
    title, _, of = page.title.partition(" · ")
    top = _write(pen, of, (28,), top=_EDGE, bottom=_EDGE + 40, fill=_LITTLE) + 10
    top = _write(pen, title, (58,), top=top, bottom=top + 220, fill=_INK) + 20
    sizes = _sizes(page)
    bottom = HEIGHT - _EDGE - (_BARS + 28 if sizes else 0)
    _write(pen, answer(page) or page.meta("description"), (42, 36, 30), top=top, bottom=bottom, fill=_INK)
    _draw_bars(pen, sizes)
    path = site / "assets/cards" / page.url / "card.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    # There are only a few colours: a palette reduces the file to a third of its size.
    card.quantize(32, Image.Quantize.FASTOCTREE).save(path, optimize=True)
    return path.relative_to(site).as_posix()


def answer(page: Page) -> str:
    """The text of the box "In short" without its title, or ""."""
    box = page.tree.css_first(_ANSWER)
    return " ".join("".join(_texts(box)).split()) if box else ""


def _texts(node: LexborNode) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.is_text_node:
            yield child.text_content or ""
        elif not _NOT_ANSWER.intersection(attribute(child, "class").split()):
            yield from _texts(child)
            if "fact--cited" in attribute(child, "class").split():  # a style marks it on the page
                yield " (cited)"


def _sizes(page: Page) -> dict[str, float]:
    """Two different measured sizes, of the answer or in bold before the first h2: as written, and in bytes."""
    sizes: dict[str, float] = {}
    for node in page.tree.css(f"h2, {_ANSWER} {_MEASURED}, strong {_MEASURED}"):
        value, text = attribute(node, "value"), node.text()
        if _SIZE.fullmatch(text) and _BYTES.fullmatch(value):
            sizes[text] = float(value)
        if node.tag == "h2" or len(sizes) == 2:
            break
    return sizes if len(sizes) == 2 else {}


def _write(
    pen: ImageDraw.ImageDraw, text: str, sizes: tuple[int, ...], *, top: float, bottom: float, fill: str
) -> float:
    """Write a text in the first of these sizes that fits, or what fits of it in the last. Returns where it ends."""
    for size in sizes:
        font = _font(size)
        lines = _wrapped(pen, text[:_LONGEST], font)
        most = int((bottom - top) / (size * _LINE))
        if len(lines) <= most:
            break
    else:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    for line in lines:
        pen.text((_EDGE, top), line, fill=fill, font=font)
        top += size * _LINE
    return top


def _wrapped(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """The lines of a text that has the card's width."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.textlength(longer, font) <= WIDTH - 2 * _EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _draw_bars(pen: ImageDraw.ImageDraw, sizes: dict[str, float]) -> None:
    if not sizes or not max(sizes.values()):
        return
    font, most = _font(44), max(sizes.values())
    room = WIDTH - 2 * _EDGE - max(pen.textlength(text, font) for text in sizes) - 24
    for row, (text, size) in enumerate(sizes.items()):
        top, width = HEIGHT - _EDGE - _BARS + row * 72, room * size / most
        pen.rectangle((_EDGE, top, _EDGE + max(width, 2), top + 56), fill=_BAR if size == most else _LITTLE)
        pen.text((_EDGE + width + 24, top + 28), text, fill=_INK, font=font, anchor="lm")


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that a card is the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
