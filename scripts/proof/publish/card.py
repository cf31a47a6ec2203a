"""The preview image that social networks show next to a link: title, answer, and bars for two of the page's sizes."""

from __future__ import annotations

import re
from bisect import bisect_right
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from proof.core import hashes
from proof.publish.page import Page

WIDTH, HEIGHT = 1200, 630  # the format that is cropped least
_EDGE = 72
_INK, _PAPER, _QUIET, _BAR, _LITTLE = "#ffffff", "#10242f", "#a9c0cc", "#3f6577", "#5dc9e2"
_BARS, _LOGO = 128, 68  # heights of what is at the bottom: the bars, or else the logo
_GAP = 28  # above them
_TEXT_SIZES = (42, 39, 36, 33, 30, 27)  # of the answer: the first with which it fits is used
_LONGEST = 1000  # characters of a text: more than a card has room for. Pillow refuses a million, and takes long before
_LONGEST_NAME = 200  # bytes
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


def draw(page: Page, site: Path) -> str:
    """Write the card of a page, and return its path in the site; "" without an absolute address, which a card needs."""
    if not page.address:
        return ""
    stem = page.url.strip("/").replace("/", "-") or "index"
    # A path may be longer than the name of a file.
    name = f"assets/cards/{stem if len(stem.encode()) <= _LONGEST_NAME else hashes.hash_text(stem)[-32:]}.png"
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    # There are only a few colours: a palette reduces the file to a third of its size.
    _drawn(page).quantize(32, Image.Quantize.FASTOCTREE).save(site / name, optimize=True)
    return name


def _drawn(page: Page) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    title, _, of = page.title[:_LONGEST].partition(" · ")
    bottom = float(_EDGE)
    if of:
        pen.text((_EDGE, bottom), of, fill=_LITTLE, font=_font(28))
        bottom += 50
    for line in _shortened(pen, title, _font(58), lines=3):
        pen.text((_EDGE, bottom), line, fill=_INK, font=_font(58))
        bottom += 70
    bottom += 14
    sizes = _sizes(page)
    room = HEIGHT - _EDGE - (_BARS if sizes else _LOGO) - _GAP - bottom
    if page.summary:
        _text(pen, page.summary, top=bottom, room=room, fill=_INK)
    else:
        _text(pen, page.meta("description"), top=bottom, room=room, fill=_QUIET)
    _bars(pen, sizes)
    return image


def _text(pen: ImageDraw.ImageDraw, text: str, *, top: float, room: float, fill: str) -> None:
    """Write the page's answer into the room between the title and the bars, as large as it fits there."""
    text = text[:_LONGEST]
    for size in _TEXT_SIZES:
        font, height = _font(size), size * 1.36
        most = int(room / height)
        lines = _wrapped(pen, text, font)
        if len(lines) <= most:
            break
    else:
        lines = _sentences(pen, text, font, lines=most)
    for number, line in enumerate(lines):
        pen.text((_EDGE, top + number * height), line, fill=fill, font=font)


def _sentences(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, *, lines: int) -> list[str]:
    """As many whole sentences as fit, with an ellipsis after them; a part of the first if not even that fits."""
    sentences = _SENTENCE.split(text)

    def wrapped(count: int) -> list[str]:
        return _wrapped(pen, f"{' '.join(sentences[:count])} …", font)

    fitting = bisect_right(range(1, len(sentences)), lines, key=lambda count: len(wrapped(count)))
    return wrapped(fitting) if fitting else _shortened(pen, sentences[0], font, lines=lines)


def _sizes(page: Page) -> list[tuple[float, str]]:
    """The first two different sizes of the answer or in bold, in bytes and as written; empty if there are fewer."""
    sizes = [(size, text[:_LONGEST]) for size, text in dict.fromkeys(page.sizes)][:2]
    return sizes if len(sizes) == 2 else []


def _bars(pen: ImageDraw.ImageDraw, sizes: list[tuple[float, str]]) -> None:
    if not sizes:  # draw the site's logo, as in its icon
        pen.rectangle((_EDGE, HEIGHT - _EDGE - 64, _EDGE + 80, HEIGHT - _EDGE - 36), fill=_BAR)
        pen.rectangle((_EDGE, HEIGHT - _EDGE - 24, _EDGE + 16, HEIGHT - _EDGE + 4), fill=_LITTLE)
        return
    font, most = _font(44), max(size for size, _ in sizes)
    room = WIDTH - 2 * _EDGE - max(pen.textlength(text, font) for _, text in sizes) - 24
    for row, (size, text) in enumerate(sizes):
        top, width = HEIGHT - _EDGE - _BARS + row * 72, room * size / most
        colour = _BAR if size == most else _LITTLE
        pen.rectangle((_EDGE, top, _EDGE + max(width, 2), top + 56), fill=colour)
        pen.text((_EDGE + width + 24, top + 28), text, fill=_INK, font=font, anchor="lm")


def _wrapped(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Wrap a text to the card's width."""
    wrapped = [""]
    for word in text.split():
        longer = f"{wrapped[-1]} {word}".strip()
        if pen.textlength(longer, font) <= WIDTH - 2 * _EDGE:
            wrapped[-1] = longer
        else:
            wrapped.append(word)
    return wrapped


def _shortened(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, *, lines: int) -> list[str]:
    """Wrap a text to the card's width. If it needs more than `lines`, it ends in an ellipsis."""
    wrapped = _wrapped(pen, text, font)
    return wrapped if len(wrapped) <= lines else [*wrapped[: lines - 1], f"{wrapped[lines - 1]} …"]


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that a card is the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
