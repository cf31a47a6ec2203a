"""`{{ transcript single/build }}`: a captured step, in the words of each engine."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from proof.captures.staleness import NeverCapturedError
from proof.core.errors import PageError, ProofError, command
from proof.core.text import did_you_mean
from proof.pages import transcript
from proof.pages.page import Page
from proof.pages.processors.alone import OPEN, Alone


class Transcripts(Alone):
    """`{{ transcript snippet/step }}`."""

    pattern = re.compile(OPEN + r"transcript\s+(\S+)\s*\}\}$")

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        snippet, _, step = written[1].partition("/")
        # The element around it has the ID, because a site generator that checks links looks for their targets there.
        name = transcript.anchor(snippet, step, again=self.page.shown.count(written[1]))
        html = ""
        try:
            html = self._render(snippet, step, name)
            self.page.note_use("transcript", f"transcript {written[1]}", [written[1]], written[0])
            if self.page.options.draft and (stale := stale_captures(self.page, [snippet])):
                html = transcript.not_current(stale[snippet]) + html
        except ProofError as error:
            self.page.note(error, written[0])
        around = self.add_html(parent, html, id=name)
        if html:
            self.page.rendering.transcripts[around] = snippet

    def _render(self, snippet_name: str, step_name: str, anchor: str) -> str:
        snippet = self.page.snippet(snippet_name)
        steps = {step.name: step for step in snippet.steps}
        if step_name not in steps:
            what = f"the snippet '{snippet_name}' has no step '{step_name}'{did_you_mean(step_name, list(steps))}"
            raise PageError(what, hint=f"use one of: {', '.join(steps)}")
        self.page.shown.append(f"{snippet_name}/{step_name}")
        self.page.shown_snippet(snippet_name)
        captures = self.page.book.shown(snippet_name)
        if not captures and self.page.book.lacks(snippet_name):
            raise NeverCapturedError.of(snippet_name)
        # A list of everything is skimmed, so its transcripts start closed.
        html = transcript.of_step(snippet, steps[step_name], captures, anchor, closed=self.page.generated)
        if not html:
            what = f"{snippet_name}/{step_name} was never captured"
            raise PageError(what, hint=command("proof", "update", snippet_name))
        return html


def stale_captures(page: Page, names: Iterable[str]) -> dict[str, list[ProofError]]:
    """What is wrong with the captures of these snippets, by name; without those of which nothing is."""
    problems = {name: page.site.stale(page.snippet(name)) for name in names if name in page.book.captures}
    return {name: wrong for name, wrong in problems.items() if wrong}
