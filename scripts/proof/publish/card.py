"""The preview image that social networks show next to a link: the page's title, and bars for two of its sizes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from proof.publish.page import Page

WIDTH, HEIGHT = 1200, 630  # the format that is cropped least
_EDGE = 84
_INK, _PAPER, _QUIET, _BAR, _LITTLE = "#ffffff", "#10242f", "#a9c0cc", "#3f6577", "#5dc9e2"


def draw(page: Page, site: Path) -> str:
    """Write the card of a page, and return its path in the site; "" for a page that nobody links to."""
    if not page.listed:
        return ""
    name = f"assets/cards/{page.url.strip('/').replace('/', '-') or 'index'}.png"
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    # There are only a few colours: a palette reduces the file to a third of its size.
    _drawn(page).quantize(32, Image.Quantize.FASTOCTREE).save(site / name, optimize=True)
    return name


def _drawn(page: Page) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    title, _, of = page.reads.title.partition(" · ")
    bottom = float(_EDGE)
    if of:
        pen.text((_EDGE, bottom), of, fill=_LITTLE, font=_font(30))
        bottom += 58
    for line in _wrapped(pen, title, _font(68), lines=3):
        pen.text((_EDGE, bottom), line, fill=_INK, font=_font(68))
        bottom += 82
    bars = _sizes(page)
    for line in _wrapped(pen, page.reads.meta("description"), _font(30), lines=2 if bars else 6):
        pen.text((_EDGE, bottom + 18), line, fill=_QUIET, font=_font(30))
        bottom += 44
    _bars(pen, bars)
    return image


def _sizes(page: Page) -> list[tuple[float, str]]:
    """The first two different sizes in bold, each in bytes and as written; empty if there are fewer."""
    sizes = list(dict.fromkeys(page.reads.sizes))[:2]
    return sizes if len(sizes) == 2 else []


def _bars(pen: ImageDraw.ImageDraw, sizes: list[tuple[float, str]]) -> None:
    if not sizes:  # draw the site's logo, as in its icon
        pen.rectangle((_EDGE, HEIGHT - _EDGE - 64, _EDGE + 80, HEIGHT - _EDGE - 36), fill=_BAR)
        pen.rectangle((_EDGE, HEIGHT - _EDGE - 24, _EDGE + 16, HEIGHT - _EDGE + 4), fill=_LITTLE)
        return
    font, most = _font(44), max(size for size, _ in sizes)
    room = WIDTH - 2 * _EDGE - max(pen.textlength(text, font) for _, text in sizes) - 24
    for row, (size, text) in enumerate(sizes):
        top, width = HEIGHT - _EDGE - 128 + row * 72, room * size / most
        colour = _BAR if size == most else _LITTLE
        pen.rectangle((_EDGE, top, _EDGE + max(width, 2), top + 56), fill=colour)
        pen.text((_EDGE + width + 24, top + 28), text, fill=_INK, font=font, anchor="lm")


def _wrapped(pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, *, lines: int) -> list[str]:
    """Wrap a text to the card's width. If it needs more than `lines`, it ends in an ellipsis."""
    wrapped = [""]
    for word in text.split():
        longer = f"{wrapped[-1]} {word}".strip()
        if pen.textlength(longer, font) <= WIDTH - 2 * _EDGE:
            wrapped[-1] = longer
        else:
            wrapped.append(word)
    return wrapped if len(wrapped) <= lines else [*wrapped[: lines - 1], f"{wrapped[lines - 1]} …"]


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that a card is the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
