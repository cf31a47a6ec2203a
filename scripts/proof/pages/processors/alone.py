"""An element that is alone in its paragraph."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markdown.blockprocessors import BlockProcessor

from proof.pages.document import MARK
from proof.pages.page import OnPage

OPEN = rf"^\{{\{{{MARK}?\s*"  # how such an element begins


class Alone(OnPage, BlockProcessor):
    """Replaces a paragraph that begins with `pattern`."""

    pattern: re.Pattern[str]

    def test(self, parent: ET.Element, block: str) -> bool:  # noqa: ARG002 - Python-Markdown's signature
        # An indented block belongs to the list item above it, whose own processor hands it over without the indent.
        return not block.lstrip("\n").startswith("    ") and self.pattern.match(block.strip()) is not None

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        block = blocks.pop(0).strip()
        written = self.pattern.match(block)
        assert written is not None
        if rest := block[written.end() :]:
            blocks.insert(0, rest)
        self.show(parent, written)

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        """Add what the element shows to `parent`."""
        raise NotImplementedError

    def add_html(self, parent: ET.Element, html: str, **attributes: str) -> ET.Element:
        """Add HTML, which no later processor reads, in an element of its own."""
        around = ET.SubElement(parent, "div", attributes)
        around.text = self.parser.md.htmlStash.store(html)
        return around
