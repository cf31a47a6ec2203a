"""The text of a page, which knows where it is: an element keeps its place from parsing to a message.

Python-Markdown hands an extension nothing but text, and each of its processors hands the next one another text. So the
file is found by its text, once, and positions travel as marks: characters of a private use area, which no page may
contain. They are taken out before anything else reads the finished page.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

from proof.core.errors import Where
from proof.core.files import read_text

FRONT_MATTER = re.compile(r"\A\ufeff?-{3}[ \t]*\n(.*?\n)(?:-{3}|\.{3})[ \t]*(?:\n|\Z)", re.DOTALL)  # as MkDocs reads it
_LARGEST = 100_000  # bytes per page; the largest of this site has 16,000
_LONGEST = 500  # characters by which a line is found
_FIRST, _LAST = 0xF0000, 0xFFFFD  # more than a page of this size has elements
MARK = f"[{chr(_FIRST)}-{chr(_LAST)}]"
_MARKS = re.compile(MARK)


class Document:
    """The text of a page below its front matter. `find_file` returns the file that contains it."""

    def __init__(
        self, text: str = "", root: Path = Path(), find_file: Callable[[str], Path | None] = lambda _: None
    ) -> None:
        self.text, self._root, self._find_file = text, root, find_file
        self._marked: list[int] = []

    @functools.cached_property
    def path(self) -> Path | None:
        """The file with this text. None if there is none."""
        return self._find_file(self.text) if self.text.strip() else None

    @functools.cached_property
    def _above(self) -> int:
        """The number of lines of the file above the text, less the blank lines with which the text begins."""
        assert self.path is not None
        whole, text = page_text(self._root, self.path), self.text
        blank = text[: len(text) - len(text.lstrip())].count("\n")
        return whole.count("\n", 0, max(0, whole.rfind(text.strip()))) - blank

    def mark(self, at: int) -> str:
        """A character that stands for a position of the text."""
        self._marked.append(at)
        return chr(_FIRST + len(self._marked) - 1)

    def place(self, marked: str) -> int | None:
        """The position that the first mark in a text stands for. None if it has no mark."""
        mark = _MARKS.search(marked)
        number = ord(mark[0]) - _FIRST if mark else len(self._marked)
        return self._marked[number] if number < len(self._marked) else None

    def where(self, at: int | None) -> Where | None:
        """The line of a position; the file alone if it is not known. None if no file contains this text."""
        if self.path is None or at is None:
            return Where(self.path) if self.path else None
        return Where(self.path, self._above + self.text.count("\n", 0, at) + 1)

    def find(self, words: str, start: int = 0) -> int | None:
        """The position of these words, with any blanks between them: from `start` on, or else anywhere."""
        pattern = _pattern(words)
        found = pattern.search(self.text, start) or pattern.search(self.text)
        return found.start() if found else None


def unmarked(text: str) -> str:
    """A text without marks."""
    return text if text.isascii() else _MARKS.sub("", text)


def _pattern(words: str) -> re.Pattern[str]:
    """Finds these words with any blanks between them."""
    return re.compile(r"\s+".join(re.escape(word) for word in words[:_LONGEST].split()))


def page_text(root: Path, path: Path) -> str:
    """The text of a page below the project, with newlines normalised, as a site generator reads it."""
    text = read_text(path, below=root, limit=_LARGEST)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def locate(root: Path, path: Path, words: str) -> Where:
    """The line of a file where these words are, with any blanks between them; without a line if they are nowhere."""
    text = page_text(root, path)
    found = _pattern(words).search(text)
    return Where(path, text.count("\n", 0, found.start()) + 1 if found else None)
