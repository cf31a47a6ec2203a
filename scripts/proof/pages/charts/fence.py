"""Finds the ``` chart fences in a page, before anything reads them as code, and replaces them with figures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.blockprocessors import BlockProcessor
from markdown.preprocessors import Preprocessor
from markdown.util import ETX, STX

from proof.core.errors import PageError, ProofError
from proof.pages.charts import chart
from proof.pages.charts.chart import Chart
from proof.pages.document import unmarked
from proof.pages.page import OnPage, Page

FENCE = re.compile(r"^(?P<indent>\s*)(?P<mark>`{3,}|~{3,})\s*(?P<info>.*?)\s*$")
# Python-Markdown removes STX and ETX from every page, so no author can write this.
_PLACE = re.compile(rf"{STX}chart:(\d+){ETX}")


def register(md: Markdown, current: Callable[[], Page]) -> None:
    """Register the processors after normalising (30), before superfences (25), which takes every fence as code."""
    drawn: list[Chart] = []
    md.preprocessors.register(_Fences(md, current, drawn), "proof_chart_fence", 28)
    md.parser.blockprocessors.register(_Figures(md.parser, drawn), "proof_chart", 176)


class _Fences(OnPage, Preprocessor):
    """Draws every chart, and puts a placeholder into the text."""

    def __init__(self, md: Markdown, current: Callable[[], Page], drawn: list[Chart]) -> None:
        super().__init__(md, current=current)
        self.drawn = drawn

    def run(self, lines: list[str]) -> list[str]:
        self.drawn.clear()
        written: list[str] = []
        for opening, block in divided(lines):
            is_chart = opening is not None and is_of_chart(opening)
            written += self._chart(block) if is_chart else block
        return written

    def _chart(self, block: list[str]) -> list[str]:
        opening = FENCE.match(block[0])
        assert opening is not None
        text = "\n".join(block)
        try:
            if unmarked(opening["info"]) != "chart":
                raise PageError("a chart fence takes no options", evidence=block[0], hint="write ``` chart")
            if not block[1:] or not block[-1].strip().startswith(opening["mark"]):
                raise PageError("this fence is never closed", evidence=block[0], hint=f"add {opening['mark']}")
            body = "\n".join(block[1:-1]) + "\n"
            where = self.page.where(text)
            self.drawn.append(chart.render(body, self.page, len(self.drawn) + 1, below=where))
        except ProofError as error:
            self.page.note(error, text)
            return []
        return ["", f"{opening['indent']}{STX}chart:{len(self.drawn) - 1}{ETX}", ""]


class _Figures(BlockProcessor):
    """Replaces each placeholder with its chart."""

    def __init__(self, parser: BlockParser, drawn: list[Chart]) -> None:
        super().__init__(parser)
        self.drawn = drawn

    def test(self, parent: ET.Element, block: str) -> bool:  # noqa: ARG002 - Python-Markdown's signature
        # An indented block belongs to the list item above it, whose own processor hands it over without the indent.
        return not block.lstrip("\n").startswith("    ") and _PLACE.fullmatch(block.strip()) is not None

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        found = _PLACE.fullmatch(blocks.pop(0).strip())
        assert found is not None
        drawn = self.drawn[int(found[1])]
        figure = ET.SubElement(parent, "figure", {"class": f"chart chart--{drawn.kind}"})
        ET.SubElement(figure, "figcaption").text = drawn.title
        # Stashed, so that nothing reads it as Markdown. Not searched, because that would find each word twice.
        inside = ET.SubElement(figure, "div", {"class": "chart__inside", "data-search-exclude": ""})
        inside.text = self.parser.md.htmlStash.store(drawn.inside)


def is_of_chart(opening: re.Match[str]) -> bool:
    """Whether the first line of a fence opens a chart."""
    return unmarked(opening["info"]).split(" ")[0] == "chart"


def divided(lines: list[str]) -> Iterator[tuple[re.Match[str] | None, list[str]]]:
    """The fences of a text, each with the match of its first line, and the lines between them one by one."""
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        end = _end(lines, at, opening["mark"]) if opening else at
        yield opening, lines[at : end + 1]
        at = end + 1


def _end(lines: list[str], at: int, mark: str) -> int:
    """The index of the line that closes the fence opened at `at`, or of the last line if none does."""
    for number in range(at + 1, len(lines)):
        line = lines[number].strip()
        if line.startswith(mark) and not line.strip(mark[0]):
            return number
    return len(lines) - 1
