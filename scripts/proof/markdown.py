"""The Python-Markdown extension: facts, transcripts and files in a page, by name, or the build stops.

    {{ single.size }}                             a fact, or an expression over facts, inside a sentence
    {{ transcript single/build }}                 a captured step, alone in its paragraph
    --8<-- "single/context/Dockerfile"            a file of a snippet, in a fence (included by pymdownx.snippets)

It belongs to Python-Markdown and imports nothing of MkDocs, so that any site generator that runs Python-Markdown
extensions can build the pages. Nothing here can start a process: a page is made of committed captures alone.
"""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from click import ClickException
from markdown import Extension, Markdown
from markdown.blockparser import BlockParser
from markdown.blockprocessors import BlockProcessor
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from proof import capture as captures
from proof import errors, expression, facts, manifest, transcript
from proof.errors import Where, did_you_mean
from proof.facts import Fact, FactBook, Source

_INLINE = r"\{\{\s*(.*?)\s*\}\}"
_TRANSCRIPT = re.compile(r"^\{\{\s*transcript\s+(\S+)\s*\}\}$")
_INCLUDE = re.compile(r"^\s*-{1,}8<-{1,}\s+(?P<quote>[\"'])(?P<path>.*?)(?P=quote)\s*$")
_EMBEDDABLE = re.compile(r"\w+/context/[^:]+")


class PageError(errors.PageError, ClickException):
    """Stops the site build: MkDocs prints a ClickException without a traceback and exits with its code."""

    exit_code = errors.PageError.code

    def __init__(self, error: errors.ProofError, where: Where | None) -> None:
        errors.PageError.__init__(
            self, error.what, where=error.where or where, evidence=error.evidence, cure=error.cure
        )


class ProofExtension(Extension):
    """Registers the processors; `project` is the folder that holds snippets/ and docs/ (default: around here)."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "project": [
                "",
                "the folder that holds snippets/ (default: the one around the working directory)",
            ],
            "docs": ["docs", "the folder of the pages, below the project"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Called by Python-Markdown once for each page."""
        start = Path(self.getConfig("project") or ".").absolute()
        page = Page(manifest.find_root(start), self.getConfig("docs"))
        # Before everything: the page as it was written, and its includes before pymdownx.snippets (32) acts on them.
        md.preprocessors.register(_Source(md, page), "proof_source", 100)
        md.parser.blockprocessors.register(_Transcripts(md.parser, page), "proof_transcript", 175)
        # Behind code spans (190), before escapes (180) and everything that could take a `*` or `_` for emphasis.
        md.inlinePatterns.register(_Facts(_INLINE, md, page), "proof_fact", 185)
        md.treeprocessors.register(_Leftovers(md, page), "proof_leftovers", 0)


def makeExtension(**options: Any) -> ProofExtension:  # noqa: N802 - Python-Markdown's name
    """The entry point of Python-Markdown."""
    return ProofExtension(**options)


class Page:
    """The page that is being built: its text, and the captures that it may name."""

    def __init__(self, root: Path, docs: str) -> None:
        self.root, self.snippets, self.docs = root, root / "snippets", root / docs
        self.source = ""

    @property
    def book(self) -> FactBook:
        """Every fact, as captured; read again when a capture changes, as it may while a site is served."""
        records = sorted(self.snippets.glob("*/captured/*/*"))
        return _book(self.snippets, tuple((str(p), p.stat().st_mtime_ns) for p in records))

    def error(self, error: errors.ProofError, token: str) -> PageError:
        """The same error at the line of the page where `token` stands."""
        return PageError(error, self._locate(token))

    def _locate(self, token: str) -> Where | None:
        # Python-Markdown is handed a text and no file name, so the page is the one that holds this very text.
        for path in sorted(self.docs.rglob("*.md")):
            text = path.read_text("utf-8", "replace")
            start = text.find(self.source.strip())
            if self.source.strip() and start >= 0:
                at = text.find(token, start)
                return Where(path, text.count("\n", 0, at) + 1 if at >= 0 else None)
        return None


@functools.lru_cache(maxsize=4)
def _book(snippets: Path, stamp: tuple[tuple[str, int], ...]) -> FactBook:
    del stamp  # it is what tells one state of the captures from the next
    return facts.load(snippets)


class _Source(Preprocessor):
    """Keeps the page's text for error messages, and refuses a file that a page cannot embed."""

    def __init__(self, md: Markdown, page: Page) -> None:
        super().__init__(md)
        self.page = page

    def run(self, lines: list[str]) -> list[str]:
        self.page.source = "\n".join(lines)
        for line in lines:
            if (include := _INCLUDE.match(line)) is not None:
                self._check(include["path"], line)
        return lines

    def _check(self, path: str, line: str) -> None:
        if not _EMBEDDABLE.fullmatch(path) or ".." in path:
            problem, cure = (
                f"'{path}' is not a file that a reader would copy",
                '--8<-- "snippet/context/FILE"',
            )
        elif not (self.page.snippets / path).is_file():
            known = [str(p.relative_to(self.page.snippets)) for p in self.page.snippets.glob("*/context/**/*")]
            problem, cure = (
                f"there is no snippets/{path}{did_you_mean(path, known)}",
                f"ls snippets/{Path(path).parent}",
            )
        else:
            return
        raise self.page.error(errors.PageError(problem, evidence=line.strip(), cure=cure), line)


class _Transcripts(BlockProcessor):
    """`{{ transcript snippet/step }}`, alone in its paragraph."""

    def __init__(self, parser: BlockParser, page: Page) -> None:
        super().__init__(parser)
        self.page = page

    def test(self, parent: ET.Element, block: str) -> bool:  # noqa: ARG002 - Python-Markdown's signature
        return _TRANSCRIPT.match(block.strip()) is not None

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        block = blocks.pop(0).strip()
        found = _TRANSCRIPT.match(block)
        assert found is not None
        try:
            html = self._render(found[1])
        except errors.ProofError as error:
            raise self.page.error(error, block) from error
        # Stashed, so that no later processor reads what a program printed.
        ET.SubElement(parent, "p").text = self.parser.md.htmlStash.store(html)

    def _render(self, name: str) -> str:
        snippet_name, _, step_name = name.partition("/")
        folder = self.page.snippets / snippet_name
        if not (folder / "snippet.toml").is_file():
            known = [p.parent.name for p in self.page.snippets.glob("*/snippet.toml")]
            raise errors.PageError(f"there is no snippet '{snippet_name}'{did_you_mean(snippet_name, known)}")
        snippet = manifest.load(folder)
        steps = {step.name: step for step in snippet.steps}
        if step_name not in steps:
            raise errors.PageError(
                f"the snippet '{snippet_name}' has no step '{step_name}'{did_you_mean(step_name, list(steps))}",
                cure=f"one of: {', '.join(steps)}",
            )
        capture = self.page.book.captures.get(snippet_name) or captures.best(folder)
        step = capture.step(step_name) if capture else None
        if capture is None or step is None:
            raise errors.PageError(f"there is no capture of {name}", cure=f"proof update {snippet_name}")
        if step.command != steps[step_name].text:
            raise errors.PageError(
                f"the capture of {name} is of another command",
                evidence=f"captured: {step.command}\nmanifest: {steps[step_name].text}",
                cure=f"proof update {snippet_name}",
            )
        return transcript.render(capture, step, steps[step_name].show)


class _Facts(InlineProcessor):
    """`{{ expression }}` inside a sentence."""

    def __init__(self, pattern: str, md: Markdown, page: Page) -> None:
        super().__init__(pattern, md)
        self.page = page

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name and signature
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[ET.Element, int, int]:
        text = m[1]
        try:
            if text.startswith("transcript"):
                raise errors.PageError(
                    "a transcript stands alone in its paragraph", cure="a blank line above and below"
                )
            value = expression.evaluate(text, self.page.book)
        except errors.ProofError as error:
            raise self.page.error(error, m[0]) from error
        used = [self.page.book[name] for name in expression.names(text)]
        cited = any(isinstance(fact.origin, Source) for fact in used)
        element = ET.Element(
            "data",
            {
                "class": "fact fact--cited" if cited else "fact",
                "value": str(value.value),
                "title": transcript.visible("; ".join(_origin(fact) for fact in used)),
            },
        )
        element.text = AtomicString(transcript.visible(str(value)))
        return element, m.start(0), m.end(0)


def _origin(fact: Fact) -> str:
    if isinstance(fact.origin, Source):
        return f"{fact.name}: {fact}, {fact.origin.title}"
    exact = f"{fact.value:,} {fact.unit}" if fact.unit == "B" else str(fact)
    return f"{fact.name}: {exact}, measured {fact.origin.provenance.date[:10]}"


class _Leftovers(Treeprocessor):
    """Braces that nothing took: an unclosed `{{` must not reach a reader."""

    def __init__(self, md: Markdown, page: Page) -> None:
        super().__init__(md)
        self.page = page

    def run(self, root: ET.Element) -> None:
        for element in root.iter():
            inside = "" if element.tag in ("code", "pre") else element.text or ""
            for text in (inside, element.tail or ""):
                if "{{" in text:
                    token = text[text.index("{{") :].split("\n")[0]
                    raise self.page.error(
                        errors.PageError("this `{{` is never closed", evidence=token, cure="{{ single.size }}"),
                        token,
                    )
