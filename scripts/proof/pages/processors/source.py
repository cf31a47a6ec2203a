"""The page as it was written: elements and charts get marks, and `--8<-- "single/context/Dockerfile"` the file."""

from __future__ import annotations

import re
from pathlib import Path

from markdown.preprocessors import Preprocessor

from proof.core.errors import PageError, ProofError, command
from proof.core.files import read_text
from proof.core.text import did_you_mean, first_invisible, first_misleading
from proof.pages.charts import chart, fence
from proof.pages.charts.fence import divided, is_of_chart
from proof.pages.page import OnPage
from proof.snippets import context

_INCLUDE = re.compile(r'(?P<indent> *)--8<-- "(?P<path>[^"]*)"')
_MARKER = "-8<-"  # in every spelling that pymdownx.snippets accepts; any other line with it is refused
_CODE_SPAN = re.compile(r"`[^`]*`")
_ENDS_FENCE = re.compile(rf"^[>\s]*(`{{3,}}|~{{3,}})|({_MARKER})", re.MULTILINE)
_LARGEST = 1_000_000  # bytes per embedded file
_EMBEDDABLE = re.compile(r"\w{1,100}/context/[^:\0]{1,300}")
_OPENING = re.compile(r"\{\{")
_QUOTED_FENCE = re.compile(r"[> ]*>[> ]*(?:`{3}|~{3})")


class Source(OnPage, Preprocessor):
    """Sees the page as it was written: it marks elements with their places, and includes files in fences."""

    def run(self, lines: list[str]) -> list[str]:
        written: list[str] = []
        at, has_quoted_fence = 0, any(_QUOTED_FENCE.match(line) for line in lines)
        for opening, block in divided(lines):
            start, is_chart = at, opening is not None and is_of_chart(opening)
            fenced: list[str] = []
            for number, line in enumerate(block):
                clean = self._without_invisible(line, at)
                if is_chart:
                    fenced.append(clean)
                elif _MARKER in _CODE_SPAN.sub("", line):
                    fence_is_plain = opening is not None and number > 0 and fence.is_plain(opening, block)
                    written += self._included(line, at, fenced=fence_is_plain)
                elif opening or has_quoted_fence:
                    written.append(clean)
                else:
                    written.append(self._marked(clean, at))
                at += len(line) + 1
            if opening and is_chart:
                written += self._chart(opening, fenced, start)
        return written

    def _chart(self, opening: re.Match[str], block: list[str], at: int) -> list[str]:
        """A mark in place of a chart. On a problem, notes it and returns nothing."""
        try:
            number = len(self.page.rendering.charts) + 1
            drawn = chart.render(fence.body(opening, block), self.page, number, below=self.page.where(at))
        except ProofError as error:
            self.page.note(error, at)
            return []
        mark = self.page.document.mark(at)
        self.page.rendering.charts[mark] = drawn
        return ["", opening["indent"] + mark, ""]

    def _without_invisible(self, line: str, at: int) -> str:
        """The line; without what nobody sees, and what could be taken for a mark, if it has any."""
        allowed = " \t\r\N{NO-BREAK SPACE}" + ("" if at else "\ufeff")
        if hidden := first_invisible(line, allowed):
            what = f"this line has the invisible character {hidden}"
            self.page.note(PageError(what, evidence=line, hint="leave it out"), at)
            return "".join(character for character in line if not first_invisible(character, allowed))
        if misleading := first_misleading(line):
            what = f"this line has {misleading}, which readers may take for another character"
            self.page.note(PageError(what, evidence=line, hint="use Latin letters and digits"), at)
        return line

    def _marked(self, line: str, at: int) -> str:
        return _OPENING.sub(lambda opening: opening[0] + self.page.document.mark(at + opening.start()), line)

    def _included(self, line: str, at: int, *, fenced: bool) -> list[str]:
        """The lines of the file that `line` includes. On a problem, notes it and returns nothing."""
        try:
            indent, text = self._file(line, at, fenced=fenced)
        except PageError as error:
            self.page.note(PageError(error.what, evidence=line.strip(), hint=error.hint), at)
        except ProofError as error:  # from a manifest, or because it is not a regular file
            self.page.note(error, at)
        else:
            return [indent + each for each in text.split("\n")]
        return []

    def _file(self, line: str, at: int, *, fenced: bool) -> tuple[str, str]:
        """The indent of `line` and the text of the file that it includes. Links are not followed."""
        include = _INCLUDE.fullmatch(line)
        if include is None:
            what = f"this line contains `{_MARKER}`, but does not include a file"
            raise PageError(what, hint='write --8<-- "snippet/context/FILE", alone on its line in a fence')
        path = include["path"]
        snippet, *inside = path.split("/")
        folder = self.page.root / "snippets"
        if not fenced:
            what = "a file can only be embedded in a fence: elsewhere it would be read as Markdown"
            raise PageError(what, hint="put a line like ``` dockerfile above it, and ``` below")
        if not _EMBEDDABLE.fullmatch(path) or ".." in path:
            what = f"'{path}' is not a file of a snippet's context"
            raise PageError(what, hint='write --8<-- "snippet/context/FILE"')
        if not context.holds(folder / snippet / "context", "/".join(inside[1:])):
            files = [str(file.relative_to(folder)) for file in folder.glob("*/context/**/*")]
            what = f"no such file: snippets/{path}{did_you_mean(path, files)}"
            raise PageError(what, hint=command("ls", str(Path("snippets", path).parent)))
        text = read_text(folder / path, below=self.page.root, limit=_LARGEST).replace("\r\n", "\n")
        if acts := _acting(text):
            raise PageError(f"{path} cannot be shown in a fence: {acts}", hint="remove it from the file")
        names = [variant.name for variant in self.page.site.variants(folder / snippet)]
        self.page.snippets.update(names)
        self.page.note_use("file", line.strip(), names, at)
        return include["indent"], text


def _acting(text: str) -> str:
    """What in an untrusted file would act on the page that embeds it, instead of being shown."""
    if (ends := _ENDS_FENCE.search(text)) is not None:
        number = text.count("\n", 0, ends.end()) + 1
        return f"`{ends[1] or ends[2]}` in line {number} would end the fence"
    if hidden := first_invisible(text, " \t\n\N{NO-BREAK SPACE}\N{VARIATION SELECTOR-16}"):
        return f"it contains the invisible character {hidden}"
    return ""
