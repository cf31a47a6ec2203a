"""Writes the pages that show the measurements of one snippet each: `{{ measurements NAME }}`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proof.core.files import write_whole
from proof.pages.document import page_text
from proof.pages.page import INDEX
from proof.pages.site import Site
from proof.snippets import project

_PAGE = """\
---
description: The commands of the snippet {name} with their output, and every fact that was measured.
tags: [measurement]
search: {{ exclude: true }}
hide: [navigation]
---

{{{{ measurements {name} }}}}
"""


def write_missing(root: Path) -> list[Path]:
    """Write a page for each snippet that has none, next to those of the others, and return the new pages.

    A project in which no snippet has a page of its own has one page for all: nothing is written.
    """
    pages = dict(_pages(root))
    if not pages:
        return []
    folder = next(iter(pages.values())).parent
    names = [snippet.name for snippet in project.folders(root)]
    written = [folder / f"{name}.md" for name in names if name not in pages]
    for path in written:
        write_whole(path, _PAGE.format(name=path.stem))
    return written


def _pages(root: Path) -> Iterator[tuple[str, Path]]:
    """The name of each snippet that has a page of its own, and that page."""
    for path in sorted(Site.at(root).docs.rglob("*.md")):
        for line in page_text(root, path).splitlines():
            if (found := INDEX.match(line)) is not None and found["snippet"]:
                yield found["snippet"], path
