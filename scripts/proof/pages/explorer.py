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

from proof.captures.contents import paths
from proof.captures.model import Capture, CapturedEntry, CapturedLayer
from proof.captures.staleness import NeverCapturedError
from proof.core import units
from proof.core.errors import PageError, command
from proof.core.text import as_html
from proof.snippets.model import Snippet

# The classes of bars, whose colours are those of charts.
_BASE, _MADE, _COPIED, _LOST = "chart__c2", "chart__c1", "chart__c4", "chart__c3"
_LONGEST = 160  # characters of an instruction
_SHELL = "/bin/sh -c "  # how an image's history writes the shell form of RUN
_ABOUT = (
    "An image’s bar is to scale, a layer’s is its share of the image, and a file’s its share of the layer. "
    "Small files are grouped."
)


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
    def copied(self) -> Mapping[int, tuple[str, tuple[str, ...]]]:
        """For each layer that a `COPY --from` made, by its index: the stage, and the paths that were copied."""
        own = [i for i, layer in enumerate(self.capture.layers) if not layer.from_base]
        steps = self.snippet.image_steps()
        if len(own) != len(steps):
            return {}  # an engine that makes other layers than one for each step
        return {i: found for i, step in zip(own, steps, strict=True) if (found := _copy(step))}


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
    crossed: dict[str, int] = {}  # the paths that were copied into one of the images, with their sizes there
    for each in images:
        for i, (_, sources) in each.copied.items():
            crossed |= dict.fromkeys(sources, each.capture.layers[i].size)
    largest = max(each.size for each in images)
    parts = [_image(each, f"{name}-{n}", largest, crossed) for n, each in enumerate(images, start=1)]
    toggle, key = "", [(_BASE, "base image"), (_MADE, "added by the Dockerfile")]
    key += [(_COPIED, "copied between stages")] if crossed else []
    if any(_hidden(layer) for each in images for layer in each.capture.layers):
        label = '<input type="checkbox"> Leave out what a later layer hides'
        key.append((_LOST, "hidden by a later layer"))
        toggle = f'<label class="explorer__toggle">{label}</label>'
    said = " and ".join(as_html(each.snippet.title) for each in images)
    return (
        f'<figure class="explorer" data-search-exclude aria-label="What is in the image: {said}">'
        f'{_key(key)}{toggle}<div class="explorer__images">{"".join(parts)}</div>'
        f"<figcaption>{_ABOUT}</figcaption>{_table(images)}</figure>"
    )


def _key(colours: Sequence[tuple[str, str]]) -> str:
    items = (f'<span><span class="chart__swatch {css}"></span>{said}</span>' for css, said in colours)
    return f'<p class="chart__key">{"".join(items)}</p>'


def _copy(step: str) -> tuple[str, tuple[str, ...]] | None:
    """The stage and the sources of a `COPY --from`; None for any other step."""
    word, *rest = step.replace("\\\n", " ").split()
    if word.upper() != "COPY":
        return None
    stage = next((flag.partition("=")[2] for flag in rest if flag.startswith("--from=")), "")
    sources = tuple(word.rstrip("/") for word in rest if not word.startswith("--"))[:-1]
    return (stage, sources) if stage else None


def _image(shown: Image, name: str, largest: int, crossed: Mapping[str, int]) -> str:
    layers = list(enumerate(shown.capture.layers, start=1))
    base = shown.snippet.image_base()
    groups = {
        f"base image <code>{as_html(str(base))}</code>": [each for each in layers if each[1].from_base],
        "added by the Dockerfile": [each for each in layers if not each[1].from_base],
    }
    title = f'<b id="{name}">{as_html(shown.snippet.title)}</b>'
    sizes: Counter[str] = Counter()
    for number, layer in layers:
        sizes[_colour(shown, number, layer)] += layer.size - _hidden(layer)
        sizes[_LOST] += _hidden(layer)
    return (
        f'<div class="explorer__image" role="group" aria-labelledby="{name}">'
        f'<p class="explorer__title">{title} {_size(shown.size)}</p>{_bar(sizes, largest)}'
        + "".join(_group(shown, said, group, crossed) for said, group in groups.items() if group)
        + "</div>"
    )


def _group(shown: Image, said: str, layers: Sequence[tuple[int, CapturedLayer]], crossed: Mapping[str, int]) -> str:
    items = "".join(_layer(shown, number, layer, crossed) for number, layer in layers)
    size = _size(sum(layer.size for _, layer in layers))
    return f'<p class="explorer__part"><span>{said}</span> {size}</p><ul>{items}</ul>'


def _colour(shown: Image, number: int, layer: CapturedLayer) -> str:
    """The class of a layer's bar."""
    return _BASE if layer.from_base else _COPIED if number - 1 in shown.copied else _MADE


def _layer(shown: Image, number: int, layer: CapturedLayer, crossed: Mapping[str, int]) -> str:
    stage, _ = shown.copied.get(number - 1, ("", ()))
    notes = [f'<strong class="explorer__copied">copied from {as_html(stage)}</strong>'] if stage else []
    notes += [_lost(layer.size, _hidden(layer))]
    name = f"<b>{number}</b> <code>{as_html(_instruction(layer))}</code>"
    colour = _colour(shown, number, layer)
    row = _row([name, *notes], layer.contents[0], shown.size, colour)
    inside = "".join(_nodes(_tree(layer.contents).below, layer.size, colour, {} if stage else crossed))
    return _item(row, inside, css="explorer__layer")


def _nodes(nodes: Sequence[_Node], whole: int, colour: str, crossed: Mapping[str, int]) -> Iterator[str]:
    for node in nodes:
        entry = node.entry
        is_copied = crossed.get(node.path) == entry.size and entry.size > 0
        notes = ['<strong class="explorer__copied">copied to the other image</strong>'] if is_copied else []
        notes += [_lost(entry.size, entry.hidden)]
        row = _row([_name(node), *notes], entry, whole, _COPIED if is_copied else colour)
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
    """The shares of the `parts` in `whole`, by class."""
    drawn, at = "", 0
    for css, size in parts.items():
        if size:
            x = f' x="{_percent(at, whole)}"' if at else ""
            drawn += f'<rect class="{css}"{x} width="{_percent(size, whole)}" height="100%"/>'
            at += size
    return f'<svg aria-hidden="true">{drawn}</svg>'


def _percent(part: int, whole: int) -> str:
    """With one decimal, which is less than a pixel of a bar."""
    return f"{round(100 * part / whole, 1):g}%"


def _size(size: int, files: int | None = None) -> str:
    count = "" if files is None else f" in {units.counted(files, 'file')}"
    return f'<data value="{size}" title="{size:,} B{count}">{units.size(size)}</data>'


def _lost(size: int, hidden: int) -> str:
    if not hidden:
        return ""
    said = "hidden by a later layer" if hidden == size else f"{_size(hidden)} hidden"
    return f'<small class="explorer__note">{said}</small>'


def _hidden(layer: CapturedLayer) -> int:
    return layer.contents[0].hidden if layer.contents else 0


def _instruction(layer: CapturedLayer) -> str:
    text = layer.instruction.removesuffix(" # buildkit").replace(f"RUN {_SHELL}", "RUN ", 1)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _table(images: Sequence[Image]) -> str:
    """The layers as a plain table."""
    rows = []
    for each in images:
        copied = each.copied
        for number, layer in enumerate(each.capture.layers, start=1):
            origin = f"copied from {as_html(copied[number - 1][0])}" if number - 1 in copied else ""
            origin = "base image" if layer.from_base else origin
            cells = (origin, _size(layer.size), _size(hidden) if (hidden := _hidden(layer)) else "")
            name = f"{as_html(each.snippet.title)}, layer {number}" if len(images) > 1 else f"layer {number}"
            rows.append(
                f'<tr><th scope="row">{name}: <code>{as_html(_instruction(layer))}</code></th>'
                + "".join(f"<td>{cell}</td>" for cell in cells)
                + "</tr>"
            )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Layer", "From", "Size", "Hidden by later layers"))
    table = f'<table class="chart__table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<details class="chart__numbers"><summary>The layers as a table</summary>{table}</details>'
