"""Checks the finished page: no unclosed braces, no false claims, no unbound numbers, no stale captures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markdown.treeprocessors import Treeprocessor

from proof.core.errors import PageError
from proof.pages import flag_spans, footer, summary, transcript, try_box
from proof.pages.document import unmarked
from proof.pages.lint import audit
from proof.pages.page import OnPage
from proof.pages.processors.transcripts import stale_captures


class Unmark(OnPage, Treeprocessor):
    """Takes marks out of the tree, and finds braces that nothing closed and charts in code, which still have theirs."""

    def run(self, root: ET.Element) -> None:
        for element in root.iter():
            # The text of a fact is what a program printed, which may contain braces.
            if element.tag not in ("code", "pre", "data"):
                self._check(element.text)
            elif charts := self.page.rendering.charts.keys() & (element.text or ""):
                what, hint = "this chart is indented like code", "begin it where the text around it begins"
                raise PageError(what, where=self.page.where(charts.pop()), hint=hint)
            self._check(element.tail)
            element.text, element.tail = _unmarked(element.text), _unmarked(element.tail)
            for name, value in element.items():
                element.set(name, unmarked(value))

    def _check(self, text: str | None) -> None:
        if text and "{{" in text:
            token = text[text.index("{{") :].split("\n")[0]
            shown = unmarked(token)
            raise PageError("this `{{` is never closed", where=self.page.where(token), evidence=shown, hint="add `}}`")


class Finish(OnPage, Treeprocessor):
    """Audits the page, and adds what depends on all of it."""

    def run(self, root: ET.Element) -> None:
        audit.audit(root, self.page)
        self._stale(root)  # after the audit, which finds the snippets that claims use
        try_box.add(root, self.page)
        footer.note_unusual(self.page)
        if foot := footer.foot(self.page):
            ET.SubElement(root, "p").text = self.md.htmlStash.store(foot)
        flag_spans.in_codes(root)
        summary.address(root)

    def _stale(self, root: ET.Element) -> None:
        """Stop the build if the page uses a stale capture; in a draft, say so if no transcript does."""
        if self.page.options.collect and not self.page.options.draft:
            return  # this page is only scanned for its content, and `proof status` reports every capture anyway
        stale = stale_captures(self.page, sorted(self.page.snippets))
        if stale and not self.page.options.draft:
            first, *more = (problem for problems in stale.values() for problem in problems)
            evidence = "\n".join([*first.evidence.splitlines(), *(f"also: {problem.what}" for problem in more)])
            raise type(first)(first.what, where=first.where, evidence=evidence, hint=first.hint)
        shown = {name.partition("/")[0] for name in self.page.shown}
        for name in sorted(stale.keys() - shown):
            around = ET.SubElement(root, "div")
            around.text = self.md.htmlStash.store(transcript.not_current(stale[name]))


def _unmarked(text: str | None) -> str | None:
    return type(text)(unmarked(text)) if text else text
