"""`{{ waiver: why }}` above a block of code, and `{{ page waiver: why }}` below the title."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markdown.util import STX

from proof.core.errors import PageError
from proof.pages.lint import markup
from proof.pages.page import WHOLE_PAGE, Waiver
from proof.pages.processors.alone import OPEN, Alone

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SHORTEST_REASON = 2  # words


class Waivers(Alone):
    """A waiver that is alone, or with a fence directly below it, which has been stashed by then."""

    pattern = re.compile(
        OPEN + rf"(?P<page>page )?waiver:(?P<reason>(?:(?!\}}\}}).)+)\}}\}}\s*(?=\Z|{STX}wzxhzdk:)", re.DOTALL
    )

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        reason = " ".join(written["reason"].split())
        try:
            check_reason(reason)
        except PageError as error:
            self.page.note(error, written[0])
        self.page.waivers.append(Waiver(WHOLE_PAGE if written["page"] else "a fence", reason))
        if not written["page"]:
            markup.waiver(parent, reason)
        elif parent is not self.parser.root or any(before.tag not in _HEADINGS for before in parent):
            what = "a page waiver comes before the first paragraph"
            self.page.note(PageError(what, evidence=written[0], hint="move it below the title"), written[0])


def check_reason(text: str) -> None:
    """Raise PageError if a text is too short to say why something needs no proof."""
    if len(re.findall(r"\w+", text)) < _SHORTEST_REASON:
        raise PageError(f"`{text}` is no reason", hint="say why it needs no proof: {{ waiver: an example }}")
