"""`{{ single.size }}`, `{{ claim: multi.layers == 2 }}` and `{{ waiver: why }}` inside a sentence."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markdown.inlinepatterns import InlineProcessor

from proof.core.errors import PageError, ProofError
from proof.facts import expression
from proof.pages import values, verbatim
from proof.pages.document import unmarked
from proof.pages.page import OnPage
from proof.pages.processors.waivers import check_reason

# Without an end it matches all the rest, where there is no end either: else each `{{` would be compared with the rest.
PATTERN = r"\{\{(.*?)(\}\}|\Z)"
_ASIDE = re.compile(r"(claim|waiver):\s*(.+)", re.DOTALL)
_ALONE = re.compile(r"(transcript|explorer|proof|measurements|errors|error)\b(?!\.)")


class Inline(OnPage, InlineProcessor):
    """Replaces an element with its value, or with what the audit reads once the tree is complete."""

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name and signature
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[ET.Element, int, int] | tuple[None, None, None]:
        if not m[2]:
            return None, None, None
        place = self.page.document.place(m[0])
        try:
            element = self._element(unmarked(m[1]).strip(), place)
        except ProofError as error:
            element = ET.Element("data", {"class": "fact"})
            self.page.note(error, m[0])
        if place is not None:
            self.page.rendering.places[element] = place
        return element, m.start(0), m.end(0)

    def _element(self, text: str, place: int | None) -> ET.Element:
        if (aside := _ASIDE.fullmatch(text)) is None:
            return self._fact(text, place)
        if aside[1] == "waiver":
            check_reason(aside[2])
        # The audit finds the sentence that it belongs to. Code in it is a placeholder by now.
        return ET.Element("span", {"class": aside[1], "data-text": " ".join(self.unescape(aside[2]).split())})

    def _fact(self, text: str, place: int | None) -> ET.Element:
        if _ALONE.match(text):
            raise PageError(f"`{text}` must be alone in its paragraph", hint="add a blank line above and below")
        element = verbatim.literal(values.evaluate(text, self.page).element())
        self.page.rendering.stated[element] = text
        self.page.note_use("fact", " ".join(text.split()), expression.names(text), place)
        return element
