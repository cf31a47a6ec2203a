"""The lists of everything, which are written in Markdown: see `proof.pages.indexes`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from proof.core.errors import PageError
from proof.pages import indexes
from proof.pages.page import INDEX
from proof.pages.processors.alone import Alone


class Lists(Alone):
    """`{{ proof }}`, `{{ measurements }}`, `{{ measurements NAME }}`, `{{ errors }}` and `{{ error snippet/step }}`."""

    pattern = INDEX

    def test(self, parent: ET.Element, block: str) -> bool:
        return parent is self.parser.root and super().test(parent, block)

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        if not self.page.options.expand:
            return
        try:
            lines = indexes.lines(self.page, written)
        except PageError as error:
            self.page.note(error, written[0])
        else:
            self.parser.parseChunk(parent, "\n".join(lines).strip())
