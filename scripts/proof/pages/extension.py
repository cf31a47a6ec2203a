"""The Python-Markdown extension: fills facts, transcripts and files into a page, or stops the build.

    {{ single.size }}                             a fact, or an expression over facts, inside a sentence
    {{ transcript single/build }}                 a captured step, alone in its paragraph
    {{ explorer single multi }}                   what is in one or two images, alone in its paragraph
    ``` chart                                     a picture of facts, described in TOML: see proof.pages.charts
    --8<-- "single/context/Dockerfile"            a file of a snippet, alone on its line in a fence
    {{ claim: multi.layers == 2 }}                after a sentence: what must hold for it to be true
    {{ waiver: why }}                             after a sentence, or above a fence: why it needs no fact
    {{ page waiver: why }}                        alone on its line: why no sentence of the page needs one
    {{ proof }}                                   everything that was claimed, waived and cited
    {{ measurements }}                            every snippet: its commands, outputs and facts
    {{ measurements single }}                     those of one snippet, on a page of its own
    {{ error single/build }}                      the message of an expected failure, and where it is explained
    {{ errors }}                                  every such message that the page has not listed yet

It does not import MkDocs, so any site generator that runs Python-Markdown extensions can build the pages. Nothing here
can start a process: pages are rendered from committed captures alone.
"""

from __future__ import annotations

import functools
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from click import ClickException, echo, get_current_context
from markdown import Extension, Markdown
from markdown.blockparser import BlockParser
from markdown.blockprocessors import BlockProcessor
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX

from proof.captures.diff import is_in_same_words
from proof.captures.model import Capture, CapturedStep
from proof.captures.staleness import NeverCapturedError, StaleError
from proof.core import errors
from proof.core.files import read_text
from proof.core.limits import limited
from proof.core.site_file import site_file
from proof.core.text import did_you_mean, first_invisible, plain
from proof.pages import (
    allowed_files,
    audit,
    explorer,
    flag_spans,
    footer,
    indexes,
    manifest_texts,
    markdown_limits,
    markup,
    metadata,
    transcript,
    try_box,
    values,
    verbatim,
)
from proof.pages.charts import fence as chart_fence
from proof.pages.page import INDEX, OnPage, Page, PageReport, Waiver
from proof.pages.site import Site
from proof.pages.summary import Summary
from proof.snippets import context, manifest, project
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Step
from proof.snippets.places import LAST_OF_OLD_WORDING, Wording, wording_of

# Without an end it matches all the rest, where there is no end either: else each `{{` would be compared with the rest.
_INLINE = r"\{\{(.*?)(\}\}|\Z)"
# Neither before the next pair nor in the same paragraph.
_UNCLOSED = re.compile(r"\{\{(?!(?:(?!\{\{|\n[ \t]*\n).)*?\}\})", re.DOTALL)
_ASIDE = re.compile(r"(claim|waiver):\s*(.+)", re.DOTALL)
_WAIVER = re.compile(  # alone, or with a fence directly below it, which has been stashed by then
    rf"^\{{\{{\s*(?P<page>page )?waiver:(?P<reason>(?:(?!\}}\}}).)+)\}}\}}\s*(?=\Z|{STX}wzxhzdk:)", re.DOTALL
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TRANSCRIPT = re.compile(r"^\{\{\s*transcript\s+(\S+)\s*\}\}$")
_EXPLORER = re.compile(r"^\{\{\s*explorer\b(?!\.)(.*?)\s*\}\}$")
_INCLUDE = re.compile(r'(?P<indent> *)--8<-- "(?P<path>[^"]*)"')
_MARKER = "-8<-"  # in every spelling that pymdownx.snippets accepts; any other line with it is refused
_CODE_SPAN = re.compile(r"`[^`]*`")
_ENDS_FENCE = re.compile(rf"^[>\s]*(`{{3,}}|~{{3,}})|({_MARKER})", re.MULTILINE)
_SHORTEST_REASON = 2  # words
_AROUND = 60  # characters before and after an element, by which its line is found
_SIDE_BY_SIDE = 2  # images in an explorer
_LARGEST = 1_000_000  # bytes per embedded file
_EMBEDDABLE = re.compile(r"\w{1,100}/context/[^:\0]{1,300}")


class StopBuildError(errors.UsageError, ClickException):
    """Stops the site build: MkDocs prints a ClickException without a traceback and exits with its code."""

    exit_code = errors.UsageError.code

    def __init__(self, error: errors.ProofError) -> None:
        errors.ProofError.__init__(self, error.what, where=error.where, evidence=error.evidence, hint=error.hint)
        self.also = error.also

    def show(self, file: IO[Any] | None = None) -> None:
        """Called by MkDocs, which has already logged the whole message."""
        print(plain(f"The build stops at {self.where or 'this page'}."), file=file or sys.stderr)


class DriftStopsBuildError(StopBuildError):
    """Stops the site build because a page does not show what was measured: a false claim, or a stale capture."""

    code = exit_code = StaleError.code

    def show(self, file: IO[Any] | None = None) -> None:
        """Called by MkDocs, which ends with code 1 for errors of its own too: scripts/site looks for this line."""
        super().show(file)
        print("The page does not show what was measured.", file=file or sys.stderr)


class ProofExtension(Extension):
    """Registers the processors. The options are described in `config`."""

    def __init__(self, *, list_pages: Callable[[Page], list[PageReport]], **options: Any) -> None:
        self._list_pages = list_pages  # injected, because listing the pages means rendering them with this extension
        self.config = {
            "project": [
                "",
                "the directory with snippets/ (default: the project around the working directory)",
            ],
            "docs": ["docs", "the directory of the pages, below the project"],
            "collect": [False, "collect every problem of a page instead of stopping at the first"],
            "draft": [False, "show stale captures, and say so at each, instead of stopping"],
            "about_bases": ["", "the page, below docs, that says where base images come from"],
            "classes": [[], "classes that attribute lists and fences may set, and types of admonitions"],
            "built_later": [[], "addresses that pages may link although the site generator does not know them"],
        }
        super().__init__(**options)

    page: Page  # the one being converted, or the last one

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Called by Python-Markdown when it is set up. MkDocs does that for each page, others once."""
        self._root = project.find_root(Path(self.getConfig("project") or ".").absolute())
        self._site = Site.at(self._root)
        if _generating():
            self._check_before_reading()
        self._md, self._is_restricted = md, False
        md.registerExtension(self)
        md.convert = partial(self._convert, md.convert)  # type: ignore[method-assign]
        # First, to see the page as it was written.
        md.preprocessors.register(_Source(md, self.current), "proof_source", 100)
        # After the includes, before superfences (25), which takes every fence as code.
        chart_fence.register(md, self.current, _note)
        markdown_limits.register(md, self.current, _note)
        for number, element in enumerate((_Transcripts, _Explorers, _Lists, _Waivers)):
            processor = element(md.parser, self.current)
            md.parser.blockprocessors.register(processor, f"proof{element.__name__.lower()}", 175 - number)
        # After code spans (190), before escapes (180) and everything that could take a `*` or `_` as emphasis.
        md.inlinePatterns.register(_Inline(_INLINE, md, self.current), "proof_fact", 185)
        # After inline processing (20) and attribute lists (8), before the table of contents (5) reads the headings.
        md.treeprocessors.register(_Audit(md, self.current), "proof_audit", 7)
        md.treeprocessors.register(Summary(md), "proof_summary", 6)

    def _check_before_reading(self) -> None:
        """Stop a site generator now: it reads all front matter before it converts a page, and may never end."""
        try:
            check_project(self._site, self._root / self.getConfig("docs"))
        except errors.ProofError as error:
            for each in (error, *error.also):
                echo(str(each), err=True)
            # Not an Exception, of which MkDocs would make an error in its settings.
            raise SystemExit(error.code) from error

    def _convert(self, convert: Callable[[str], str], text: str) -> str:
        """Convert a page, which has to end: a stranger may have written it."""
        try:
            check_project(self._site, self._root / self.getConfig("docs"))
            path = self._site.page_with(text)
            with limited(errors.Where(path) if path else None):
                return convert(text)
        except errors.ProofError as error:
            if self.getConfig("collect"):
                raise
            raise stopping(error) from error

    def current(self) -> Page:
        """The page being rendered."""
        return self.page

    def reset(self) -> None:
        """Called by Python-Markdown when all extensions are set up, and before each page except the first."""
        if not self._is_restricted:
            self._is_restricted = True
            if "snippet" in self._md.preprocessors:
                what = "pymdownx.snippets would publish any file that a link leads to"
                where = errors.Where(site_file(self._root))
                raise stopping(errors.PageError(what, where=where, hint="remove it there"))
            classes, later = self.getConfig("classes"), self.getConfig("built_later")
            note = lambda error, token: _note(self.page, error, token)  # noqa: E731
            markup.restrict(self._md, self.current, note, classes=classes, later=later)
        self.page = Page(
            self._root,
            self._root / self.getConfig("docs"),
            load_book=lambda: self._site.book,
            list_pages=lambda: self._list_pages(self.page),
            collect=self.getConfig("collect"),
            # An author edits a snippet there, and looks at the page before running it.
            draft=self.getConfig("draft") or _generating("serve"),
            find_file=self._site.page_with,
            stash=functools.cache(self._md.htmlStash.store),
            about_bases=self.getConfig("about_bases"),
        )


def check_project(site: Site, docs: Path) -> None:
    """Raise a ProofError for a file or for front matter that is not allowed, in any page."""
    allowed_files.check(site, docs)
    site.cached("front matter", lambda: metadata.check(site.root, docs))


def _generating(command: str | None = None) -> bool:
    """Whether this is a command of a site generator, and this one of its commands. They use Click."""
    context = get_current_context(silent=True)
    return context is not None and command in (None, context.info_name)


_INDEXES = {"proof": indexes.proof, "measurements": indexes.measurements, "errors": indexes.errors}


class _Source(OnPage, Preprocessor):
    """Keeps the page's text for error messages, and includes files in fences."""

    def __init__(self, md: Markdown, current: Callable[[], Page]) -> None:
        super().__init__(md)
        self.current = current

    def run(self, lines: list[str]) -> list[str]:
        self.page.source = "\n".join(lines)
        fence = ""
        written: list[str] = []
        for line in lines:
            if hidden := first_invisible(line, " \t\r\ufeff\N{NO-BREAK SPACE}"):
                what = f"this line has the invisible character {hidden}"
                _note(self.page, errors.PageError(what, evidence=line, hint="leave it out"), line)
            if _MARKER in _CODE_SPAN.sub("", line):
                written += self._included(line, fenced=bool(fence))
                continue
            if (mark := chart_fence.FENCE.match(line)) is not None:
                fence = "" if fence and line.strip().startswith(fence) else fence or mark["mark"]
            written.append(line)
        return written

    def _included(self, line: str, *, fenced: bool) -> list[str]:
        """The lines of the file that `line` includes. On a problem, notes it and returns nothing."""
        try:
            indent, text = self._file(line, fenced=fenced)
        except errors.PageError as error:
            _note(self.page, errors.PageError(error.what, evidence=line.strip(), hint=error.hint), line)
        except errors.ProofError as error:  # from a manifest, or because it is not a regular file
            _note(self.page, error, line)
        else:
            return [indent + each for each in text.replace("\r\n", "\n").split("\n")]
        return []

    def _file(self, line: str, *, fenced: bool) -> tuple[str, str]:
        """The indent of `line` and the text of the file that it includes. Links are not followed."""
        found = _INCLUDE.fullmatch(line)
        if found is None:
            what = f"this line contains `{_MARKER}`, but does not include a file"
            raise errors.PageError(what, hint='write --8<-- "snippet/context/FILE", alone on its line in a fence')
        path = found["path"]
        parts = path.split("/")
        folder = self.page.folder
        if not fenced:
            problem, hint = (
                "a file can only be embedded in a fence: elsewhere it would be read as Markdown",
                "put a line like ``` dockerfile above it, and ``` below",
            )
        elif not _EMBEDDABLE.fullmatch(path) or ".." in path:
            problem, hint = f"'{path}' is not a file of a snippet's context", 'write --8<-- "snippet/context/FILE"'
        elif not context.holds(folder / Path(*parts[:2]), "/".join(parts[2:])):
            known = [str(p.relative_to(folder)) for p in folder.glob("*/context/**/*")]
            problem, hint = (
                f"no such file: snippets/{path}{did_you_mean(path, known)}",
                errors.command("ls", str(Path("snippets", path).parent)),
            )
        else:
            text = read_text(folder / path, below=self.page.root, limit=_LARGEST)
            if not (acts := _acting(text.replace("\r\n", "\n"))):
                self.page.snippets |= {s.name for s in manifest.variants(folder / parts[0])}
                return found["indent"], text
            problem, hint = f"{path} cannot be shown in a fence: {acts}", "remove it from the file"
        raise errors.PageError(problem, hint=hint)


def _acting(text: str) -> str:
    """What in an untrusted file would act on the page that embeds it, instead of being shown."""
    if (found := _ENDS_FENCE.search(text)) is not None:
        number = text.count("\n", 0, found.end()) + 1
        return f"`{found[1] or found[2]}` in line {number} would end the fence"
    if hidden := first_invisible(text, " \t\n\N{NO-BREAK SPACE}\N{VARIATION SELECTOR-16}"):
        return f"it contains the invisible character {hidden}"
    return ""


class _Alone(OnPage, BlockProcessor):
    """An element that is alone in its paragraph."""

    pattern: re.Pattern[str]  # with one group: what it names

    def __init__(self, parser: BlockParser, current: Callable[[], Page]) -> None:
        super().__init__(parser)
        self.current = current

    def test(self, parent: ET.Element, block: str) -> bool:  # noqa: ARG002 - Python-Markdown's signature
        # An indented block belongs to the list item above it, whose own processor hands it over without the indent.
        return not block.lstrip("\n").startswith("    ") and self.pattern.match(block.strip()) is not None

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        block = blocks.pop(0).strip()
        found = self.pattern.match(block)
        assert found is not None
        if rest := block[found.end() :]:
            blocks.insert(0, rest)
        self.show(parent, found)

    def show(self, parent: ET.Element, found: re.Match[str]) -> None:
        """Add what the element shows to `parent`."""
        raise NotImplementedError


class _Transcripts(_Alone):
    """`{{ transcript snippet/step }}`."""

    pattern = _TRANSCRIPT

    def show(self, parent: ET.Element, found: re.Match[str]) -> None:
        named = found[1]
        snippet, _, step = named.partition("/")
        again = self.page.shown.count(named)
        html = ""
        try:
            html = self._render(snippet, step)
            if self.page.draft and (stale := stale_captures(self.page, [snippet])):
                html = transcript.not_current(stale[snippet]) + html
        except errors.ProofError as error:
            _note(self.page, error, found[0])
        # Stashed, so that no later processor reads what a program printed. The element around it has the ID, because a
        # site generator that checks links looks for their targets in the tree.
        around = ET.SubElement(parent, "div", {"id": transcript.anchor(snippet, step, again=again)})
        around.text = self.parser.md.htmlStash.store(html)
        if html:
            self.page.last_transcripts[snippet] = around

    def _render(self, snippet_name: str, step_name: str) -> str:
        name = f"{snippet_name}/{step_name}"
        snippet = self.page.snippet(snippet_name)
        steps = {step.name: step for step in snippet.steps}
        if step_name not in steps:
            raise errors.PageError(
                f"the snippet '{snippet_name}' has no step '{step_name}'{did_you_mean(step_name, list(steps))}",
                hint=f"use one of: {', '.join(steps)}",
            )
        self.page.shown.append(name)
        self.page.snippets.add(snippet_name)
        manifest_texts.check(snippet)
        captures = self._captures(snippet_name, steps[step_name])
        if self.page.book.lacks(snippet_name):
            raise NeverCapturedError.of(snippet_name)
        if not captures:
            raise errors.PageError(f"{name} was never captured", hint=errors.command("proof", "update", snippet_name))
        shown: dict[Wording, str] = {}
        for wording, (capture, done) in captures.items():
            declared = steps[step_name].on(capture.engine)
            # A list of everything is skimmed, so its transcripts start closed.
            closed = self.page.generated
            build = snippet.dockerfiles.get(step_name)
            shown[wording] = transcript.render(
                capture,
                done,
                declared.show,
                expect=declared.expect,
                closed=closed,
                until=declared.until,
                frontend=build.frontend if build else "",
                notes=[] if wording else [*_with_last(steps[step_name], capture.engine)],
            )
        if len(shown) == 1:
            return next(iter(shown.values()))
        again = self.page.shown.count(name) - 1
        return transcript.tabs(transcript.anchor(snippet_name, step_name, again=again), shown)

    def _captures(self, snippet: str, step: Step) -> dict[Wording, tuple[Capture, CapturedStep]]:
        """The captures of a step that pages show, without those in the same words as the first."""
        found: dict[Wording, tuple[Capture, CapturedStep]] = {}
        for capture in self.page.book.shown(snippet):
            if (done := capture.step(step.name)) is not None and not any(
                is_in_same_words(done, other, step) for _, other in found.values()
            ):
                found[wording_of(capture.engine) or ""] = capture, done
        return found


def _with_last(step: Step, measured: EngineVersion) -> Iterator[str]:
    """What the last engine with the old wording is declared to do otherwise than the one that was measured."""
    last = LAST_OF_OLD_WORDING
    engine = f"with Docker {last.major}"
    if (code := step.on(last).exit) != step.on(measured).exit:
        yield f"{engine}: exit {code}" if code else f"{engine} it succeeds"
    for condition, why in step.differs.items():
        if condition.holds(last) and not condition.holds(measured):
            yield f"{engine}, {why}"


class _Explorers(_Alone):
    """`{{ explorer snippet }}` or `{{ explorer snippet snippet }}`."""

    pattern = _EXPLORER

    def show(self, parent: ET.Element, found: re.Match[str]) -> None:
        self.page.explorers += 1
        html = ""
        try:
            names = found[1].split()
            if not 0 < len(names) <= _SIDE_BY_SIDE:
                raise errors.PageError("an explorer shows one or two images", hint="write {{ explorer single multi }}")
            self.page.snippets |= set(names)
            for name in names:
                manifest_texts.check(self.page.snippet(name))
            images = [explorer.image(self.page.snippet(name), self.page.book.captures.get(name)) for name in names]
            html = explorer.render(images, f"explorer-{self.page.explorers}")
        except errors.ProofError as error:
            _note(self.page, error, found[0])
        ET.SubElement(parent, "div").text = self.parser.md.htmlStash.store(html)


class _Lists(_Alone):
    """`{{ proof }}` and the other lists, written in Markdown."""

    pattern = INDEX

    def test(self, parent: ET.Element, block: str) -> bool:
        return parent is self.parser.root and super().test(parent, block)

    def show(self, parent: ET.Element, found: re.Match[str]) -> None:
        self.page.lists.append(f"measurements/{found['snippet']}" if found["snippet"] else found["list"] or "error")
        if not self.page.expand:
            return
        try:
            if found["step"]:
                lines = indexes.error(self.page, found["step"])
            elif found["snippet"]:
                lines = indexes.measurements_of(self.page, found["snippet"])
            else:
                lines = _INDEXES[found["list"]](self.page)
        except errors.PageError as error:
            _note(self.page, error, found[0])
        except errors.ProofError as error:  # from a manifest, with its own line
            raise stopping(error) from error
        else:
            self.parser.parseChunk(parent, "\n".join(lines).strip())


class _Waivers(_Alone):
    """`{{ waiver: why }}` above a block of code, and `{{ page waiver: why }}` below the title."""

    pattern = _WAIVER

    def show(self, parent: ET.Element, found: re.Match[str]) -> None:
        reason = " ".join(found["reason"].split())
        try:
            _check_reason(reason)
        except errors.PageError as error:
            _note(self.page, error, found[0])
        self.page.waivers.append(Waiver("a page" if found["page"] else "a fence", reason))
        if not found["page"]:
            markup.waiver(parent, reason)
            return
        self.page.waived = reason
        if parent is not self.parser.root or any(before.tag not in _HEADINGS for before in parent):
            what = "a page waiver comes before the first paragraph"
            _note(self.page, errors.PageError(what, evidence=found[0], hint="move it below the title"), found[0])


class _Inline(OnPage, InlineProcessor):
    """`{{ expression }}`, `{{ claim: … }}` and `{{ waiver: … }}` inside a sentence."""

    def __init__(self, pattern: str, md: Markdown, current: Callable[[], Page]) -> None:
        super().__init__(pattern, md)
        self.current = current

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name and signature
        self,
        m: re.Match[str],
        data: str,
    ) -> tuple[ET.Element, int, int] | tuple[None, None, None]:
        if not m[2]:
            return None, None, None
        try:
            element = self._element(m[1].strip())
        except errors.ProofError as error:
            element = ET.Element("data", {"class": "fact"})
            _note(self.page, error, m[0] if self.page.is_full else self._with_its_line(data, m))
        return element, m.start(0), m.end(0)

    def _with_its_line(self, data: str, m: re.Match[str]) -> str:
        """The element with what its author wrote around it: the page may have the same element elsewhere."""
        start, end = m.span(0)
        # Before it, what comes after all that has been replaced already. Not all of a long line: it is searched for.
        before = data[max(0, start - _AROUND) : start].rpartition("\n")[2].rpartition(ETX)[2]
        after = data[end : end + _AROUND].partition("\n")[0].partition(STX)[0]
        whole = f"{before}{m[0]}{after}"
        where = self.page.locate(whole)
        return whole if where is not None and where.line else m[0]

    def _element(self, text: str) -> ET.Element:
        return self._aside(found[1], found[2]) if (found := _ASIDE.fullmatch(text)) else self._fact(text)

    def _aside(self, kind: str, text: str) -> ET.Element:
        if kind == "waiver":
            _check_reason(text)
        # The audit finds the sentence that it belongs to, once the tree is complete.
        # Code in it is a placeholder by now, which `unescape` resolves.
        return ET.Element("span", {"class": kind, "data-text": " ".join(self.unescape(text).split())})

    def _fact(self, text: str) -> ET.Element:
        if re.match(r"(transcript|explorer|proof|measurements|errors|error)\b(?!\.)", text):
            raise errors.PageError(f"`{text}` must be alone in its paragraph", hint="add a blank line above and below")
        stated = values.evaluate(text, self.page)
        element = verbatim.literal(stated.element())
        self.page.stated[element] = text
        return element


class _Audit(OnPage, Treeprocessor):
    """Checks the finished page: no unclosed braces, no false claims, no unbound numbers."""

    def __init__(self, md: Markdown, current: Callable[[], Page]) -> None:
        super().__init__(md)
        self.current = current

    def run(self, root: ET.Element) -> None:
        try:
            self._leftovers(root)
            audit.audit(root, self.page)
            self._stale(root)  # after the audit, which finds the snippets that claims use
            try_box.add(root, self.page, stash=self.md.htmlStash.store)
            if (line := footer.line(self.page)) is not None:
                root.append(verbatim.literal(line))
            flag_spans.in_codes(root)
        except errors.ProofError as error:
            raise stopping(error) from error

    def _stale(self, root: ET.Element) -> None:
        """Stop the build if the page uses a stale capture; in a draft, say so if no transcript does."""
        if self.page.collect and not self.page.draft:
            return  # this page is only scanned for its content, and `proof status` reports every capture anyway
        found = stale_captures(self.page, sorted(self.page.snippets))
        if found and not self.page.draft:
            first, *more = (problem for problems in found.values() for problem in problems)
            evidence = "\n".join([*first.evidence.splitlines(), *(f"also: {problem.what}" for problem in more)])
            raise type(first)(first.what, where=first.where, evidence=evidence, hint=first.hint)
        shown = {name.partition("/")[0] for name in self.page.shown}
        for name in [name for name in found if name not in shown]:
            around = ET.SubElement(root, "div")
            around.text = self.md.htmlStash.store(transcript.not_current(found[name]))

    def _leftovers(self, root: ET.Element) -> None:
        for element in root.iter():
            # The text of a fact is what a program printed, which may contain braces.
            quoted = element.tag in ("code", "pre", "data")
            inside = "" if quoted else element.text or ""
            for text in (inside, element.tail or ""):
                if "{{" in text:
                    token = text[text.index("{{") :].split("\n")[0]
                    start = _unclosed(self.page.source, token)
                    where = self.page.locate(token if start is None else "{{", start=start or 0)
                    raise errors.PageError("this `{{` is never closed", where=where, evidence=token, hint="add `}}`")


def _unclosed(source: str, token: str) -> int | None:
    """The position of `token` in the page where it is not closed: others may look the same. None if it isn't found."""
    written = token.partition(STX)[0].partition("&")[0]  # up to what has been replaced already
    marks = (mark.start() for mark in _UNCLOSED.finditer(source))
    return next((mark for mark in marks if source.startswith(written, mark)), None)


def _check_reason(text: str) -> None:
    if len(re.findall(r"\w+", text)) < _SHORTEST_REASON:
        raise errors.PageError(f"`{text}` is no reason", hint="say why it needs no proof: {{ waiver: an example }}")


def _note(page: Page, error: errors.ProofError, token: str) -> None:
    """Collect a problem, or stop the build with it."""
    try:
        page.note(error, token)
    except errors.ProofError as located:
        raise stopping(located) from error


def stopping(error: errors.ProofError) -> StopBuildError:
    """The same error as an exception that stops the site build."""
    if isinstance(error, StopBuildError):
        return error
    return (DriftStopsBuildError if error.code == StaleError.code else StopBuildError)(error)


def stale_captures(page: Page, names: Iterable[str]) -> dict[str, list[errors.ProofError]]:
    """What is wrong with the captures of these snippets, by name; without those of which nothing is."""
    site = Site.at(page.root)
    found = {name: site.stale(page.snippet(name)) for name in names if name in page.book.captures}
    return {name: problems for name, problems in found.items() if problems}
