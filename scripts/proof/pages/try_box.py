"""Shows the block of a snippet on a page: closed, after the snippet's last transcript there."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html import escape
from pathlib import Path

from proof.core.text import visible
from proof.pages import try_it
from proof.pages.page import Page
from proof.snippets.model import Snippet


def add(root: ET.Element, page: Page) -> None:
    """Add a box for each snippet of which the page shows a transcript. An index page shows all, so it gets no boxes."""
    if page.generated or not page.rendering.transcripts:
        return
    parents = {child: parent for parent in root.iter() for child in parent}
    last = {snippet: transcript for transcript, snippet in page.rendering.transcripts.items()}
    for name, transcript in last.items():
        place = around = transcript
        while around in parents:
            around = parents[around]
            if around.tag == "details":  # in a closed box, nobody would find the block
                place = around
        siblings = parents[place]
        siblings.insert(list(siblings).index(place) + 1, _box(page.snippet(name), page))


def _box(snippet: Snippet, page: Page) -> ET.Element:
    box = ET.Element("details", {"class": "try", "data-search-exclude": ""})
    ET.SubElement(box, "summary").text = "Try it yourself"
    notes = ET.SubElement(box, "p")
    try:
        prefix = f"{snippet.name}/"
        block = try_it.block(snippet, {name.removeprefix(prefix) for name in page.shown if name.startswith(prefix)})
    except try_it.NotPasteableError as error:
        files = f"Its files are in `snippets/{snippet.folder.name}/context/`."
        notes.text = _html(f"This snippet can't be pasted: {error}. {files}", page)
        return box
    notes.text = _html(_notes(block), page)
    if any(capture.environment.bases == "rebuilt" for capture in page.book.shown(snippet.name)):
        total = page.book.get(f"{snippet.name}.official_size")
        notes.text += (
            f" With the official base, the image takes {total}: this"
            if total
            else " Sizes differ slightly, because this"
        )
        notes.text += " site's base images are "
        rebuilt = _link(notes, page)
        rebuilt.text, rebuilt.tail = "rebuilt", "."
    # In a text, unlike an attribute, quotes need not be escaped.
    code = f"<pre><code>{escape(visible(block.text), quote=False)}</code></pre>"
    ET.SubElement(box, "div").text = page.rendering.stash(code)
    return box


def _html(text: str, page: Page) -> str:
    """A text of which nothing is read as markup, with what is between backquotes as code."""
    return page.rendering.stash(re.sub("`([^`]*)`", r"<code>\1</code>", escape(visible(text), quote=False)))


def _notes(block: try_it.Block) -> str:
    """What to know before pasting it, with names between backquotes."""
    several = len(block.images) > 1
    names = _listed([f"`{name}`" for name in block.images])
    does = [
        f"creates the directory `{block.directory}`" if block.directory else "",
        f"tags {'images' if several else 'an image'} as {names}" if names else "",
        "leaves stopped containers" if block.runs else "",
    ]
    notes = ["Paste this into `bash` or `zsh`. All you need is Docker."]
    if any(does):
        notes.append(f"It {_listed([*filter(None, does)])}.")
    if names:
        notes.append(f"An image of yours that has {'one of these tags' if several else 'this tag'} loses it.")
    if block.fails:
        unless = ", unless your Docker or your machine can do more" if block.depends else ""
        notes.append(f"What fails above fails here too{unless}.")
    return " ".join(notes)


def _listed(items: Sequence[str]) -> str:
    """The items with commas, and an `and` before the last one."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def _link(parent: ET.Element, page: Page) -> ET.Element:
    """A link to the page about base images, of which a site generator makes an address. No link if it is not known."""
    if not page.options.about_bases or page.document.path is None:
        return ET.SubElement(parent, "span")
    href = Path(os.path.relpath(page.options.docs / page.options.about_bases, page.document.path.parent)).as_posix()
    return ET.SubElement(parent, "a", {"href": href})
