"""`{{ transcript single/build }}`: a captured step, in the words of each engine."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from proof.captures.staleness import NeverCapturedError
from proof.core.errors import PageError, ProofError, command
from proof.core.text import did_you_mean
from proof.pages import transcript
from proof.pages.page import Page
from proof.pages.processors.alone import OPEN, Alone
from proof.snippets.engine_version import WORDINGS, EngineVersion

_OUTPUTS = "Output by version of Docker"


class Transcripts(Alone):
    """`{{ transcript snippet/step }}`."""

    pattern = re.compile(OPEN + r"transcript\s+(\S+)\s*\}\}$")

    def show(self, parent: ET.Element, written: re.Match[str]) -> None:
        snippet, _, step = written[1].partition("/")
        # The element around it has the ID, because a site generator that checks links looks for their targets there.
        name = transcript.anchor(snippet, step, again=self.page.shown.count(written[1]))
        around = ET.SubElement(parent, "div", {"id": name})
        try:
            shown = self._render(snippet, step)
        except ProofError as error:
            self.page.note(error, written[0])
            return
        self.page.note_use("transcript", f"transcript {written[1]}", [written[1]], written[0])
        stale = stale_captures(self.page, [snippet]) if self.page.options.draft else {}
        html = transcript.not_current(stale[snippet]) if stale else ""
        if len(shown) == 1:
            html += "".join(shown.values())
        around.text = self.parser.md.htmlStash.store(html) if html else None
        if len(shown) > 1:
            self._add_tabs(around, name, shown)
        self.page.rendering.transcripts[around] = snippet

    def _add_tabs(self, around: ET.Element, name: str, shown: Mapping[EngineVersion, str]) -> None:
        """A tab for each engine, the newest first. Without scripts, and on paper, all are shown, each below a label."""
        store = self.parser.md.htmlStash.store
        newest_first = [*reversed([*shown.items()])]
        group = ET.SubElement(around, "div", {"class": "engines", "role": "group", "aria-label": _OUTPUTS})
        group.text = store(transcript.tab_buttons(name, [engine for engine, _ in newest_first]))
        for engine, html in newest_first:
            panel = ET.SubElement(group, "div", {"class": "engines__panel"})
            panel.text = store(f'<p class="engines__label">{engine.label}</p>{html}')
            self.page.rendering.panels[panel] = engine.wording or ""

    def _render(self, snippet_name: str, step_name: str) -> dict[EngineVersion, str]:
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
        shown = transcript.of_step(snippet, steps[step_name], captures, closed=self.page.generated)
        if not shown:
            what = f"{snippet_name}/{step_name} was never captured"
            raise PageError(what, hint=command("proof", "update", snippet_name))
        return shown


class InTabs(Alone):
    """`{{ tab docker-29 }} Text`: a paragraph in one tab of the transcript above it, about what that engine printed."""

    pattern = re.compile(OPEN + r"tab\s+(\S+)\s*\}\}\s*")

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        block = blocks.pop(0).strip()
        written = self.pattern.match(block)
        assert written is not None
        try:
            into = self._panel(parent, written[1])
        except PageError as error:
            self.page.note(error, written[0])
            into = parent
        ET.SubElement(into, "p").text = block[
            written.end() :
        ].strip()  # a paragraph: nothing that another engine printed

    def _panel(self, parent: ET.Element, wording: str) -> ET.Element:
        """The tab of these words in the element above. Raises PageError if it has none."""
        if wording not in WORDINGS:
            raise PageError(f"no tab is called '{wording:.60}'", hint=f"use one of: {', '.join(WORDINGS)}")
        panels = self.page.rendering.panels
        for element in parent[-1].iter() if len(parent) else ():
            if panels.get(element) == wording:
                return element
        what = f"the element above has no tab {wording}"
        raise PageError(what, hint="put it below a transcript that has tabs, or write it for all readers")


def stale_captures(page: Page, names: Iterable[str]) -> dict[str, list[ProofError]]:
    """What is wrong with the captures of these snippets, by name; without those of which nothing is."""
    problems = {name: page.site.stale(page.snippet(name)) for name in names if name in page.book.captures}
    return {name: wrong for name, wrong in problems.items() if wrong}
