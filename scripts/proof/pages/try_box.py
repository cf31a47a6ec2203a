"""Shows the block of a snippet on a page: closed, after the snippet's last transcript there."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from proof.core.text import visible
from proof.pages import try_it, verbatim
from proof.pages.page import Page
from proof.snippets.model import Snippet

Stash = Callable[[str], str]  # keeps HTML from later processors, and returns the text that stands for it


def add(root: ET.Element, page: Page, *, stash: Stash) -> None:
    """Add a box for each snippet of which the page shows a transcript. An index page shows all, so it gets no boxes."""
    if page.generated:
        return
    parents = {child: parent for parent in root.iter() for child in parent} if page.rendering.last_transcripts else {}
    for name, transcript in page.rendering.last_transcripts.items():
        place = _outside_boxes(transcript, parents)
        siblings = parents[place]
        siblings.insert(list(siblings).index(place) + 1, _box(page.snippet(name), page, stash))


def _outside_boxes(element: ET.Element, parents: Mapping[ET.Element, ET.Element]) -> ET.Element:
    """The element, or the outermost box around it: in a closed box, nobody would find the block."""
    found = around = element
    while around in parents:
        around = parents[around]
        if around.tag == "details":
            found = around
    return found


def _box(snippet: Snippet, page: Page, stash: Stash) -> ET.Element:
    box = ET.Element("details", {"class": "try", "data-search-exclude": ""})
    ET.SubElement(box, "summary").text = "Try it yourself"
    says = ET.SubElement(box, "p")
    try:
        block = try_it.block(snippet)
    except try_it.NotPasteableError as error:
        _write(
            says, f"This snippet can't be pasted: {error}. Its files are in `snippets/{snippet.folder.name}/context/`."
        )
        return verbatim.literal(box)
    _write(says, _notes(block))
    if any(capture.environment.bases == "rebuilt" for capture in page.book.shown(snippet.name)):
        last = says[-1]
        last.tail = f"{last.tail or ''} Sizes differ slightly, because this site's base images are "
        rebuilt = _link(says, page)
        rebuilt.text, rebuilt.tail = "rebuilt", "."
    verbatim.literal(box)
    ET.SubElement(box, "div").text = stash(
        # In a text, unlike an attribute, quotes need not be escaped.
        f"<pre><code>{escape(visible(block.text), quote=False)}</code></pre>"
    )
    return box


def _notes(block: try_it.Block) -> str:
    """What to know before pasting it, with names between backquotes."""
    does = []
    if block.directory:
        does.append(f"creates the directory `{block.directory}`")
    if block.images:
        names = _listed([f"`{name}`" for name in block.images])
        does.append(f"tags {'images' if block.images[1:] else 'an image'} as {names}")
    if block.runs:
        does.append("leaves stopped containers")
    notes = ["Paste this into `bash` or `zsh`. All you need is Docker."]
    if does:
        notes.append(f"It {_listed(does)}.")
    if block.images:
        tag = "one of these tags" if block.images[1:] else "this tag"
        notes.append(f"An image of yours that has {tag} loses it.")
    if block.fails:
        unless = ", unless your Docker or your machine can do more" if block.depends else ""
        notes.append(f"What fails above fails here too{unless}.")
    return " ".join(notes)


def _listed(items: Sequence[str]) -> str:
    *before, last = items
    return f"{', '.join(before)} and {last}" if before else last


def _write(parent: ET.Element, text: str) -> None:
    """Write a text into an element, with what is between backquotes as code."""
    parent.text, *rest = visible(text).split("`")
    for code, after in zip(rest[::2], [*rest[1::2], ""], strict=False):
        element = ET.SubElement(parent, "code")
        element.text, element.tail = code, after


def _link(parent: ET.Element, page: Page) -> ET.Element:
    """A link to the page about base images, of which a site generator makes an address. No link if it is not known."""
    if not page.options.about_bases or page.document.path is None:
        return ET.SubElement(parent, "span")
    href = Path(os.path.relpath(page.options.docs / page.options.about_bases, page.document.path.parent)).as_posix()
    return ET.SubElement(parent, "a", {"href": href})
