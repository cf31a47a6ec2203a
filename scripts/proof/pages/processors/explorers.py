"""`{{ explorer single multi }}`: what is in one or two images."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from proof.core.errors import PageError, ProofError
from proof.pages import explorer
from proof.pages.processors.alone import OPEN, Alone

_SIDE_BY_SIDE = 2  # images


class Explorers(Alone):
    """`{{ explorer snippet }}` or `{{ explorer snippet snippet }}`."""

    pattern = re.compile(OPEN + r"explorer\b(?!\.)(.*?)\s*\}\}$")

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        self.page.rendering.explorers += 1
        html = ""
        try:
            names = written[1].split()
            if not 0 < len(names) <= _SIDE_BY_SIDE:
                raise PageError("an explorer shows one or two images", hint="write {{ explorer single multi }}")
            snippets = [self.page.shown_snippet(name) for name in names]
            self.page.note_use("explorer", f"explorer {' '.join(names)}", names, written[0])
            images = [explorer.image(snippet, self.page.book.captures.get(snippet.name)) for snippet in snippets]
            html = explorer.render(images, f"explorer-{self.page.rendering.explorers}")
        except ProofError as error:
            self.page.note(error, written[0])
        self.add_html(parent, html)
