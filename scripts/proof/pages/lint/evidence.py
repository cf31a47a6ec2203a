"""Looks things up in the snippets of a page: names, versions, ports, user IDs and exit codes that its prose states."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

from proof.facts.values import Source
from proof.pages.lint.quantities import Quantity
from proof.pages.page import Page
from proof.snippets import context
from proof.snippets.engine_version import WORDINGS

_WORD = re.compile(r"\w")


# Of a shell, without the blank behind it.
PROMPT = r"(?:\S{1,40}@[^\n#$%>]{0,60}[#$%>]|[~/][\w./~-]{0,60} ?[#$%]|[$%>\u276f\u279c»])"
# A prompt with a command, the header of a table of `docker`, or a line of a build log.
_TRANSCRIPT = re.compile(
    rf"(?m)^\s*(?:{PROMPT}|(?:ba|z|da)?sh-?[\d.]*[#$%] ) *[\w./\\\"'~]"
    r"|^\s*(?:PS )?[A-Z]:\\[^\n>]{0,60}>"
    r"|^\s*[A-Z]+(?: [A-Z]+)*(?: {2,}[A-Z]+(?:[ (][A-Z]+\)?)*)+\s*$"
    r"|^\s*#\d+ (?:\[|CACHED|DONE|\d)"
)
_BLANK = re.compile(r"[^\S\n]")  # any, such as one that does not break


class _File(str):
    """The text of a file, below its path, among texts of commands and outputs."""

    __slots__ = ()

    def is_called(self, title: str) -> bool:
        """Whether a title is the path of the file in its context, alone or before a comma."""
        return self.partition("\n")[0] == title.partition(",")[0]


class Evidence:
    """What the snippets of a page contain. It reads no more of them than it takes to find something."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._texts: list[str] = []  # what was read so far
        self._more = _texts(page)

    def has(self, test: Callable[[str], bool]) -> bool:
        """Whether the test is true of a base, a command, a file or an output."""
        if any(test(text) for text in self._texts):
            return True
        for text in self._more:
            self._texts.append(text)
            if test(text):
                return True
        return False

    def shows(self, code: str, title: str = "") -> bool:
        """Whether these lines stand together among the commands, in an output, or in the file that the title names.

        Lines of blanks alone do not count. What looks like a transcript is never from a file, in which anything may be
        written.
        """
        lines = _lines(code)
        lines, file = lines[lines.find("\0") :], "" if _TRANSCRIPT.search(_BLANK.sub(" ", code)) else title
        if file and self.has(lambda text: isinstance(text, _File) and text.is_called(file)):
            return self.has(lambda text: isinstance(text, _File) and text.is_called(file) and lines in _lines(text))
        return self.has(lambda text: not isinstance(text, _File) and lines in _lines(text))

    def names(self, name: str) -> bool:
        """Whether a name is anywhere in the snippets, as a whole word."""
        return self.has(functools.partial(_contains, name))

    def has_label(self, label: Quantity, *, cited: str) -> bool:
        """Whether a version, port, user ID or exit code is in the snippets. A version may be in `cited` instead."""
        if label.kind == "exit code":
            return label.number in self._exits
        if label.kind == "date":
            return bool(cited.strip()) or any(year in self._years for year in re.findall(r"\d{4}", label.text))
        name, _, number = label.text.lower().rpartition(" ")
        number = re.escape(number.strip(":").removeprefix("v"))
        pattern = re.compile(rf"(?<![\d.]){number}(?!\w)")
        if label.kind == "version":
            if "." not in number:  # a plain number alone could be anything
                pattern = re.compile(rf"\b{re.escape(name)}\W{{0,2}}v?{number}(?!\w)", re.IGNORECASE)
            if pattern.search(cited) or pattern.search(self._engines):
                return True
        return self.has(lambda text: pattern.search(text) is not None)

    @functools.cached_property
    def _exits(self) -> set[int]:
        """The exit codes of all steps."""
        captures = (self._page.book.captures.get(name) for name in self._page.snippets)
        return {step.exit for capture in captures if capture is not None for step in capture.steps}

    @functools.cached_property
    def _years(self) -> set[str]:
        """The years in which something was measured, or published that the project cites."""
        book = self._page.book
        origins = [fact.origin for fact in book.cited.values() if isinstance(fact.origin, Source)]
        published = {
            year for origin in origins for year in re.findall(r"\b(?:19|20)\d\d\b", f"{origin.title} {origin.date}")
        }
        shown = (capture for name in book.captures for capture in book.shown(name))
        return published | {capture.provenance.date[:4] for capture in shown}

    @functools.cached_property
    def _engines(self) -> str:
        """The engines that made the captures, and those that pages may compare."""
        shown = [capture for name in self._page.snippets for capture in self._page.book.shown(name)]
        compared = WORDINGS if shown else ()
        return "\n".join({*(capture.provenance.engine for capture in shown), *compared})


def _texts(page: Page) -> Iterator[str]:
    """All text of the page's snippets, what is quick to read first: bases and commands, files, outputs."""
    names = sorted(page.snippets)
    for name in names:
        snippet = page.snippet(name)
        yield "\n".join((*snippet.bases, *(step.text for step in snippet.steps)))
    for name in names:
        folder = page.snippet(name).context
        for path in context.files(folder):
            if not path.is_symlink():
                yield _File(f"{path.relative_to(folder)}\n{context.content(folder, path).decode('utf-8', 'replace')}")
    for name in names:
        if (capture := page.book.captures.get(name)) is not None:
            yield from (step.output for step in capture.steps)


@functools.lru_cache(maxsize=256)
def _lines(text: str) -> str:
    """The lines that are not empty, each after a number: how far it is indented beyond the line before.

    Python-Markdown replaces tabs by blanks.
    """
    lines, above = [], 0
    for line in text.replace("\0", "\N{REPLACEMENT CHARACTER}").expandtabs(4).split("\n"):
        if words := line.strip(" "):
            indent = len(line) - len(line.lstrip(" "))
            lines.append(f"{indent - above}\0{words}\n")
            above = indent
    return "".join(lines)


def _contains(name: str, text: str) -> bool:
    """Whether the text contains the name as a whole word. Found without compiling a pattern for each name."""
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(name) : at + len(name) + 1]
        if not (_WORD.match(before) or before == "." or _WORD.match(after) or after == "-"):
            return True
        at = text.find(name, at + 1)
    return False
