"""Renders the contents of one or two images: layers, directories and files that a reader can open.

Everything is a native disclosure, so it works without a script and by keyboard. Names of files come from an image and
are escaped. What a `COPY --from` brought into the last stage is marked, and if the other image has the same file, there
too.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from proof.captures.contents import paths
from proof.captures.model import Capture, CapturedEntry, CapturedLayer
from proof.captures.staleness import NeverCapturedError
from proof.core import units
from proof.core.errors import PageError, command
from proof.core.text import as_html
from proof.snippets.model import Snippet

# The classes of bars, whose colours are those of charts: the base first, then what is added to it.
_BASE, _MADE, _COPIED, _LOST = "chart__c1", "chart__c2", "chart__c4", "chart__c3"
_LONGEST = 160  # characters of an instruction
_SHELL = "/bin/sh -c "  # how an image's history writes the shell form of RUN
_ABOUT = (
    "Sizes are the bytes of files. An image’s bar is to scale, a layer’s is its share of the image, and a file’s its "
    "share of the layer. Small files are grouped."
)


@dataclass(frozen=True)
class _Layer:
    """A layer of an image, and what a `COPY --from` copied into it."""

    number: int
    captured: CapturedLayer
    stage: str  # that it was copied from; empty for other layers
    sources: Sequence[str]  # the paths that were copied

    @property
    def hidden(self) -> int:
        return self.captured.contents[0].hidden if self.captured.contents else 0

    @property
    def colour(self) -> str:
        return _BASE if self.captured.from_base else _COPIED if self.stage else _MADE

    @property
    def instruction(self) -> str:
        text = self.captured.instruction.removesuffix(" # buildkit").replace(f"RUN {_SHELL}", "RUN ", 1)
        return f"<code>{as_html(text if len(text) <= _LONGEST else f'{text[: _LONGEST - 1]}…')}</code>"


@dataclass(frozen=True)
class Image:
    """A captured image, and the snippet that builds it."""

    snippet: Snippet
    capture: Capture

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(layer.size for layer in self.capture.layers)

    @functools.cached_property
    def layers(self) -> list[_Layer]:
        """The layers, the lowest first."""
        steps = self.snippet.image_steps()
        if len(steps) != sum(not layer.from_base for layer in self.capture.layers):
            steps = []  # an engine that makes other layers than one for each step
        made = iter(steps)
        return [
            _Layer(number, layer, *_copy("" if layer.from_base else next(made, "")))
            for number, layer in enumerate(self.capture.layers, start=1)
        ]


@dataclass
class _Node:
    entry: CapturedEntry
    path: str
    name: str
    below: list[_Node] = field(default_factory=list)


def image(snippet: Snippet, capture: Capture | None) -> Image:
    """The image of a snippet. Raises PageError if its contents were not captured."""
    if snippet.contents is None:
        hint = f"add contents = {{}} to {snippet.where}, then run {command('proof', 'update', snippet.name)}"
        raise PageError(f"the snippet '{snippet.name}' does not capture what is in its image", hint=hint)
    if capture is None:
        raise NeverCapturedError.of(snippet.name)
    if not any(layer.contents for layer in capture.layers):
        what = f"what is in the image of '{snippet.name}' was never captured"
        raise PageError(what, hint=command("proof", "update", snippet.name))
    return Image(snippet, capture)


def render(images: Sequence[Image], name: str) -> str:
    """The images side by side. `name` is unique on the page."""
    layers = [layer for image in images for layer in image.layers]
    crossed = {source: layer.captured.size for layer in layers for source in layer.sources}
    largest = max(image.size for image in images)
    parts = [_image(image, f"{name}-{n}", largest, crossed) for n, image in enumerate(images, start=1)]
    toggle, key = "", {_BASE: "base image", _MADE: "added by the Dockerfile"}
    if crossed:
        key[_COPIED] = "copied between stages"
    if any(layer.hidden for layer in layers):
        label = '<input type="checkbox"> Leave out what a later layer hides'
        key[_LOST] = "hidden by a later layer"
        toggle = f'<label class="explorer__toggle">{label}</label>'
    colours = (f'<span><span class="chart__swatch {css}"></span>{of}</span>' for css, of in key.items())
    titles = " and ".join(as_html(image.snippet.title) for image in images)
    return (
        f'<figure class="explorer" data-search-exclude aria-label="What is in the image: {titles}">'
        f'<p class="chart__key">{"".join(colours)}</p>{toggle}<div class="explorer__images">{"".join(parts)}</div>'
        f"<figcaption>{_ABOUT}</figcaption>{_table(images)}</figure>"
    )


def _copy(step: str) -> tuple[str, Sequence[str]]:
    """The stage and the sources of a `COPY --from`; empty for any other step."""
    words = step.replace("\\\n", " ").split()
    stage = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), "")
    if not stage or words[0].upper() != "COPY":
        return "", []
    return stage, [word.rstrip("/") for word in words[1:-1] if not word.startswith("--")]


def _image(image: Image, name: str, largest: int, crossed: Mapping[str, int]) -> str:
    base = f"base image <code>{as_html(str(image.snippet.image_base()))}</code>"
    sizes: Counter[str] = Counter()
    parts = ""
    for from_base, group in groupby(image.layers, key=lambda layer: layer.captured.from_base):
        title, items, size = base if from_base else "added by the Dockerfile", "", 0
        for layer in group:
            items += _layer(image, layer, crossed)
            size += layer.captured.size
            sizes[layer.colour] += layer.captured.size - layer.hidden
            sizes[_LOST] += layer.hidden
        parts += f'<p class="explorer__part"><span>{title}</span> {_size(size)}</p><ul>{items}</ul>'
    return (
        f'<div class="explorer__image" role="group" aria-labelledby="{name}"><p class="explorer__title">'
        f'<b id="{name}">{as_html(image.snippet.title)}</b> {_size(image.size)}</p>{_bar(sizes, largest)}{parts}</div>'
    )


def _layer(image: Image, layer: _Layer, crossed: Mapping[str, int]) -> str:
    contents, size = layer.captured.contents, layer.captured.size
    copied = f'<strong class="explorer__copied">copied from {as_html(layer.stage)}</strong>' if layer.stage else ""
    name = f"<b>{layer.number}</b> {layer.instruction}"
    row = _row([name, copied, _lost(size, layer.hidden)], contents[0], image.size, layer.colour)
    inside = "".join(_nodes(_tree(contents).below, size, layer.colour, {} if layer.stage else crossed))
    return _item(row, inside, css="explorer__layer")


def _nodes(nodes: Sequence[_Node], whole: int, colour: str, crossed: Mapping[str, int]) -> Iterator[str]:
    for node in nodes:
        entry = node.entry
        is_copied = crossed.get(node.path) == entry.size and entry.size > 0
        copied = '<strong class="explorer__copied">copied to the other image</strong>' if is_copied else ""
        words = [_name(node), copied, _lost(entry.size, entry.hidden)]
        row = _row(words, entry, whole, _COPIED if is_copied else colour)
        css = "explorer__gone" if 0 < entry.size == entry.hidden else ""
        yield _item(row, "".join(_nodes(node.below, whole, colour, crossed)), css=css)


def _name(node: _Node) -> str:
    match node.entry.kind:
        case "others":
            count = node.entry.files
            return f"<i>{units.counted(count, 'other file')}</i>" if count else "<i>other links</i>"
        case "removed":
            return f"<del>{as_html(node.name)}</del> <small>removed</small>"
        case "directory":
            return f"{as_html(node.name)}/"
        case "link":
            return f"{as_html(node.name)} <small>link</small>"
        case _:
            return as_html(node.name)


def _tree(entries: Sequence[CapturedEntry]) -> _Node:
    """The entries as a tree, in which a directory with a single entry is joined with that."""
    top, *rest = (_Node(entry, path, entry.name) for path, entry in paths(entries))
    open_ = [top]
    for node in rest:
        del open_[node.entry.depth :]
        open_[-1].below.append(node)
        open_.append(node)
    for node in reversed([top, *rest]):
        node.below = [_joined(child) for child in node.below]
    return top


def _joined(node: _Node) -> _Node:
    if len(node.below) != 1 or node.below[0].entry.kind == "removed":
        return node
    (child,) = node.below
    return _Node(child.entry, child.path, f"{node.name}/{child.name}", child.below)


def _item(row: str, inside: str, css: str) -> str:
    attribute = f' class="{css}"' if css else ""
    if inside:
        return f"<li{attribute}><details><summary>{row}</summary><ul>{inside}</ul></details></li>"
    return f"<li{attribute}><div>{row}</div></li>"


def _row(words: Sequence[str], entry: CapturedEntry, whole: int, colour: str) -> str:
    bar = _bar({colour: entry.size - entry.hidden, _LOST: entry.hidden}, whole)
    return f"<span>{' '.join(filter(None, words))}</span>{bar}{_size(entry.size, entry.files)}"


def _bar(parts: Mapping[str, int], whole: int) -> str:
    """The shares of the `parts` in `whole`, by class. With one decimal, which is less than a pixel of a bar."""
    drawn, at = "", 0
    for css, size in parts.items():
        if size:
            x, width = (f"{round(100 * part / whole, 1):g}%" for part in (at, size))
            place = f' x="{x}"' if at else ""
            drawn += f'<rect class="{css}"{place} width="{width}" height="100%"/>'
            at += size
    return f'<svg aria-hidden="true">{drawn}</svg>'


def _size(size: int, files: int | None = None) -> str:
    count = "" if files is None else f" in {units.counted(files, 'file')}"
    return f'<data value="{size}" title="{size:,} B{count}">{units.size(size)}</data>'


def _lost(size: int, hidden: int) -> str:
    if not hidden:
        return ""
    said = "hidden by a later layer" if hidden == size else f"{_size(hidden)} hidden"
    return f'<small class="explorer__note">{said}</small>'


def _table(images: Sequence[Image]) -> str:
    """The layers as a plain table."""
    rows = ""
    for image in images:
        of = f"{as_html(image.snippet.title)}, " if len(images) > 1 else ""
        for layer in image.layers:
            origin = "base image" if layer.captured.from_base else f"copied from {as_html(layer.stage)}"
            cells = (
                origin if layer.captured.from_base or layer.stage else "",
                _size(layer.captured.size),
                _size(layer.hidden) if layer.hidden else "",
            )
            rows += f'<tr><th scope="row">{of}layer {layer.number}: {layer.instruction}</th>'
            rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Layer", "From", "Size", "Hidden by later layers"))
    table = f'<table class="chart__table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<details class="chart__numbers"><summary>The layers as a table</summary>{table}</details>'
