"""Refuses what no author writes, and what Python-Markdown takes minutes to read.

It reads a block again for each of its headings, and the rest of a sentence for each bracket that is not closed. Where
blocks are short and brackets few, the time for a page grows with its length alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

from proof.core.errors import PageError
from proof.pages.document import unmarked
from proof.pages.page import OnPage, Page

_LINES = 500  # of a block, which ends at a blank line; the longest of this site has 40
_LINE = 5_000  # characters of a line, in a fence too, whose colours take time that grows with its square
_CHARACTERS = 10_000  # of a block; the longest of this site has 3,000
_HEADINGS = 500  # of a page, since Material's search looks for each among all; the most on a page of this site is 20
_HEADING = re.compile(r"[ >*+\-0-9.]*(?:#|[=-]+[ ]*$)")  # or a rule
_BRACKETS = 100  # in a paragraph, a heading, or a cell of a table
_SHOWN = 60  # characters of a block in a message


def register(md: Markdown, current: Callable[[], Page]) -> None:
    """Register the checks.

    Of lines once files are included (100), of blocks once fences (25) are taken out, of brackets once code and escapes
    (180) are.
    """
    md.preprocessors.register(_Lines(md, current=current), "proof_lines", 99)
    md.preprocessors.register(_Blocks(md, current=current), "proof_blocks", 24)
    md.inlinePatterns.register(_Brackets(r"\A", md, current=current), "proof_brackets", 175)


class _Lines(OnPage, Preprocessor):
    """Leaves out lines that are too long."""

    def run(self, lines: list[str]) -> list[str]:
        written: list[str] = []
        for line in lines:
            if len(line) <= _LINE or len(unmarked(line)) <= _LINE:
                written.append(line)
                continue
            shown = line.strip()[:_SHOWN]
            what = f"a line of more than {_LINE:,} characters"
            self.page.note(PageError(what, evidence=shown, hint="divide it"), shown)
        return written


class _Blocks(OnPage, Preprocessor):
    """Leaves out blocks that are too long, and what follows too many headings."""

    def run(self, lines: list[str]) -> list[str]:
        headings = [number for number, line in enumerate(lines) if _HEADING.match(line)]
        if len(headings) > _HEADINGS:
            end = headings[_HEADINGS]
            what, shown = f"more than {_HEADINGS} headings", lines[end].strip()[:_SHOWN]
            self.page.note(PageError(what, evidence=shown, hint="divide the page"), shown)
            lines = lines[:end]
        written: list[str] = []
        for _, group in groupby(lines, key=lambda line: not line.strip()):
            block = list(group)
            if block[0].strip() and (len(block) > _LINES or sum(map(len, block)) > _CHARACTERS):
                what = f"more than {_LINES} lines, or {_CHARACTERS:,} characters, without a blank line"
                shown = block[0].strip()[:_SHOWN]
                self.page.note(PageError(what, evidence=shown, hint="divide it into paragraphs"), shown)
                block = []
            written += block
        return written


class _Brackets(OnPage, InlineProcessor):
    """Leaves out texts with too many brackets."""

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name and signature
        self,
        m: re.Match[str],  # noqa: ARG002
        data: str,
    ) -> tuple[str, int, int] | tuple[None, None, None]:
        if data.count("[") <= _BRACKETS:
            return None, None, None
        shown = data[:_SHOWN]
        hint = "divide it into paragraphs, or put brackets into `code`"
        self.page.note(PageError(f"more than {_BRACKETS} `[` in a text", evidence=shown, hint=hint), shown)
        return "", 0, len(data)
