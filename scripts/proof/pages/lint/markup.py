"""What an author may write: Markdown without HTML, a few attributes, and no code that was not run.

Python-Markdown's readers of HTML are taken out, so its serialiser escapes every `<` of an author: that a page is
harmless does not depend on finding all HTML. The finished page is parsed once, as a browser does it. So a block of code
is checked in whatever way it was written.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Collection
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown import Markdown
from markdown.extensions.attr_list import AttrListTreeprocessor
from markdown.inlinepatterns import InlineProcessor
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX
from selectolax.lexbor import LexborHTMLParser

from proof.core.errors import PageError
from proof.core.limits import PUBLISHED
from proof.core.text import objection
from proof.pages.lint import claims
from proof.pages.lint.evidence import Evidence
from proof.pages.page import Page

Note = Callable[[PageError, str], None]  # collects an error about the page being rendered, or stops the build with it

_COMMENT = re.compile(r"<!--[^<>]*-->\s*")
_HTML = (
    rf"<[A-Za-z/!?][^\n{STX}<]{{0,60}}|&(?:#[0-9]+|#x[0-9a-fA-F]+|[0-9a-zA-Z]+);"  # the start of a tag, or an entity
)
# The types of admonitions for which the theme Material has an icon, and the classes in the Markdown of lists.
_CLASSES = frozenset(
    "note abstract info tip success question warning failure danger bug example quote message shown-on".split()
)
_VALUES = {  # of the attributes that an author may set besides classes
    "id": re.compile(r"(?!__)[\w.:-]+"),  # those that begin with `__` are the theme's
    "title": re.compile(r"(?s).*"),  # the audit reads it
    "width": re.compile(r"\d{1,4}%?"),
    "height": re.compile(r"\d{1,4}%?"),
    "loading": re.compile("lazy|eager"),
}
_SCHEMES = ("", "http", "https", "mailto")
_ESCAPED = re.compile(f"{STX}(amp|[0-9]{{1,6}}){ETX}")  # a character that Markdown must not read
_ACTS = re.compile(r"(?:^|\s)::|##\[|[\\]|^//")  # a command to a CI system, or another host
_PLACEHOLDER = f"{STX}wzxhzdk:"  # of what is stashed
_STASHED = frozenset({"transcript", "explorer", "try"})  # the tool's, and not yet in the tree
_HIGHLIGHTER = re.compile(r"highlight|highlighttable|codehilite|lang(uage)?-\S*")  # its classes
_COMMAND_IN_TITLE = re.compile(r"(?<![\w./-])(?:docker|podman|buildah|go)\s+[\w-]", re.IGNORECASE)
_COMMAND = re.compile(
    r"^[ >]*(?:[^\n$#%>\u276f\u279c]{0,60}[$#%>\u276f\u279c] )?(?:\w+=\S* )*"  # a prompt, variables
    r"(?:(?:sudo|time)(?: -\w+)* )?"  # what runs it
    r"(?:/\S{0,40}/)?(?:docker|podman|buildah|go) (?:\w+)"
)
_WAIVER = "waiver"  # the element that stands above a waived block of code until the page is finished
_WRITTEN = "pre:not(.transcript pre, .try pre)"  # by an author
_BYTES = PUBLISHED // 2  # of the HTML of a page, to which the theme adds its own
_TAGS = 60_000  # of a page, since Material's search looks for each among all; the most on a page of this site is 6,000
_HIDDEN = "hidden-"  # begins the name of an element that the site generator must not look at


def restrict(
    md: Markdown, page: Callable[[], Page], note: Note, *, classes: Collection[str], later: Collection[str]
) -> None:
    """Register the processors. Call this when all extensions are loaded, as it takes out some of theirs.

    Authors may use `classes`, and link the addresses `later`, which the site gets after the site generator has run.
    """
    for registry, name in (
        (md.preprocessors, "html_block"),
        (md.inlinePatterns, "html"),
        (md.inlinePatterns, "entity"),
    ):
        registry.deregister(name, strict=False)
    # After superfences (25), which takes fences out, and before MkDocs' search for IDs (21).
    md.preprocessors.register(_Comments(md), "proof_comments", 22)
    md.inlinePatterns.register(_Html(_HTML, md, note), "proof_html", 90)  # after links in angle brackets (120)
    allowed = _Allowed(note, _CLASSES.union(classes))
    md.treeprocessors.register(_Attributes(md, allowed), "attr_list", 8)
    md.treeprocessors.register(_Hide(md, later), "proof_hide", 6)
    finished = _Finished(md, page, note, allowed)
    md.treeprocessors.register(finished, "proof_tree", -1)
    md.postprocessors.register(finished, "proof_finished", -1)


def waiver(parent: ET.Element, reason: str) -> None:
    """Add the element that waives the block of code below it."""
    ET.SubElement(parent, _WAIVER, {"title": reason})


class _Comments(Preprocessor):
    """Leaves out comments that are alone on their line: they are for tools that read the Markdown.

    And keeps MkDocs from looking for IDs in HTML, which pages do not have: it takes quadratic time for tags that do not
    end, and a traceback is the end of `<![a`.
    """

    def run(self, lines: list[str]) -> list[str]:
        if "mkdocs_raw_html" in self.md.preprocessors:
            self.md.preprocessors["mkdocs_raw_html"].run = lambda lines: lines  # type: ignore[method-assign]
        return [line for line in lines if not _COMMENT.fullmatch(line)]


class _Html(InlineProcessor):
    """Notes HTML, and replaces entities with their characters, so that the audit reads what readers see."""

    def __init__(self, pattern: str, md: Markdown, note: Note) -> None:
        super().__init__(pattern, md)
        self._note = note

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name and signature
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[str, int, int] | tuple[None, None, None]:
        text = unescape(m[0])
        if m[0].startswith("<"):
            hint = "write Markdown; to show it as text, put it in backquotes, or write &lt; for <"
            self._note(PageError("pages have no HTML", evidence=m[0], hint=hint), m[0])
        elif why := objection(text) or ("" if text.isprintable() else "a character that nobody sees"):
            self._note(PageError(f"`{m[0]}` stands for {why}", hint="use Latin letters and digits"), m[0])
        elif text != m[0]:
            return text.replace("&", "&amp;"), m.start(0), m.end(0)
        return None, None, None


class _Allowed:
    """Notes attributes that an author may not set, and leaves them out: the preview shows pages with their problems."""

    def __init__(self, note: Note, classes: Collection[str]) -> None:
        self.note, self._classes = note, classes

    def value(self, name: str, value: str, *, made: bool = False) -> str:
        """What is allowed of an attribute. On an element that was `made` by the tool or an extension, nothing is."""
        if name == "class" and not made:
            return self.classes(value)
        if not made and name in _VALUES and _VALUES[name].fullmatch(value):
            return value
        what = f'the attribute {name:.40}="{value:.80}" is not allowed here'
        self.note(PageError(what, hint=f"an author may set class, {', '.join(_VALUES)}"), value or name)
        return ""

    def address(self, element: ET.Element, name: str) -> None:
        """Check that a link leads to a page or a web address, and that an image is a file of the site.

        MkDocs prints the address of a link that leads nowhere, decoded, and ends in a traceback if it is none.
        """
        written = element.get(name, "")
        text = unquote(unescape(_ESCAPED.sub(lambda m: "&" if m[1] == "amp" else chr(int(m[1])), written)))
        try:
            scheme, host = urlsplit(text)[:2]
            fine = scheme in (_SCHEMES if name == "href" else ("",)) and (name == "href" or not host)
            fine = fine and text.isprintable() and (bool(scheme) or not _ACTS.search(text))
        except ValueError:
            fine = False
        if not fine:
            element.set(name, "")
            hint = "use https://…, or a page of this site" if name == "href" else "use a file in docs/"
            self.note(PageError("this address is not allowed", evidence=text, hint=hint), written.partition(STX)[0])

    def classes(self, value: str, *, more: Collection[str] = (), written: str = "") -> str:
        """Those of some classes that are allowed, or in `more`. `written` is what the page has, if not `.name`."""
        names = value.split()
        for name in names:
            if name not in self._classes and name not in more:
                hint = "leave it out, or list it in mkdocs.yml: classes, below proof"
                self.note(PageError(f"the class `{name:.80}` is not allowed", hint=hint), written or f".{name}")
        return " ".join(name for name in names if name in self._classes or name in more)


class _Attributes(AttrListTreeprocessor):
    """Applies attribute lists, and checks what they change. Checks the types of admonitions."""

    def __init__(self, md: Markdown, allowed: _Allowed) -> None:
        super().__init__(md)
        self._allowed = allowed

    def run(self, doc: ET.Element) -> None:
        for element in doc.iter():
            kinds = element.get("class", "").split()
            if element.tag == "details" or "admonition" in kinds or _STASHED.intersection(kinds):
                written = " ".join(kind for kind in kinds if kind != "admonition")
                element.set("class", self._allowed.classes(" ".join(kinds), more={"admonition"}, written=written))
        before = {element: dict(element.attrib) for element in doc.iter()}
        super().run(doc)
        for element, had in before.items():
            for name, value in dict(element.attrib).items():
                if name not in had or value != had[name]:
                    del element.attrib[name]
                    if allowed := self._allowed.value(name, value or "", made="class" in had) or had.get(name):
                        element.set(name, allowed)
            for name in {"href", "src"}.intersection(element.keys()):
                self._allowed.address(element, name)
            for name, value in element.items():
                if _PLACEHOLDER in value:
                    element.set(name, "")
                    what, hint = "a fence cannot stand in an attribute", "put it on lines of its own"
                    self._allowed.note(PageError(what, evidence=f"a {name} of <{element.tag}>", hint=hint), "```")


class _Hide(Treeprocessor):
    """Hides error messages from the table of contents (5), and links to later files from MkDocs' check of links (0)."""

    def __init__(self, md: Markdown, later: Collection[str]) -> None:
        super().__init__(md)
        self._later = later

    def run(self, root: ET.Element) -> None:
        for element in root.iter():
            is_message = re.fullmatch("h[2-6]", element.tag) and "message" in element.get("class", "").split()
            if (is_message and element.get("id")) or (element.tag == "a" and element.get("href") in self._later):
                element.tag = f"{_HIDDEN}{element.tag}"


class _Finished(Treeprocessor, Postprocessor):
    """Checks the page when nothing changes it any more: its IDs and its blocks of code."""

    def __init__(self, md: Markdown, page: Callable[[], Page], note: Note, allowed: _Allowed) -> None:
        super().__init__(md)
        self._page, self._note, self._allowed = page, note, allowed
        self._complete: Page | None = None  # the page whose tree is complete

    def run(self, given: Any) -> Any:  # a tree, or text
        if not isinstance(given, str):
            for element in given.iter():
                element.tag = element.tag.removeprefix(_HIDDEN)
            self._complete = self._page()
            return None
        if self._complete is not self._page():
            return given  # a heading, for the table of contents
        if len(given.encode()) > _BYTES or given.count("<") > _TAGS:
            what = f"this page has more than {_BYTES:,} bytes of HTML, or {_TAGS:,} tags"
            self._note(PageError(what, hint="divide the page"), "#")
            self._complete.keep()
            return ""
        tree = LexborHTMLParser(given)
        self._ids(tree)
        if self._attributes(tree) and tree.body is not None:
            given = tree.body.inner_html
        self._code(tree)
        self._complete.keep()
        return re.sub(rf'<{_WAIVER} title="[^"]*"></{_WAIVER}>', "", given)

    def _ids(self, tree: LexborHTMLParser) -> None:
        for name, count in Counter(node.attributes["id"] or "" for node in tree.css("[id]")).items():
            if count > 1:
                hint = "write another after the heading, like { #another }"
                self._note(PageError(f"two elements of this page have the ID `{name}`", hint=hint), name)
        for node in tree.css(":is(h1, h2, h3, h4, h5, h6)[id^='__']"):
            self._allowed.value("id", node.attributes["id"] or "")

    def _attributes(self, tree: LexborHTMLParser) -> bool:
        """Check what the options of fences set. Whether something was left out."""
        problems = len(self._page().problems)
        for node in tree.css(f".highlight, .codehilite, {_WRITTEN}, {_WRITTEN} > code"):
            for name, given in node.attributes.items():
                value = given or ""
                if name == "class":
                    highlighters = [kind for kind in value.split() if _HIGHLIGHTER.fullmatch(kind)]
                    node.attrs[name] = self._allowed.classes(value, more=highlighters)
                elif not self._allowed.value(name, value):
                    del node.attrs[name]
        for title in tree.css(".filename"):
            for loose in claims.unbound(title.text(), ()):
                hint = "say it in a sentence, where a fact or a claim can stand"
                self._note(PageError(loose.what, evidence=title.text(), hint=hint), loose.text)
            if _COMMAND_IN_TITLE.search(title.text()):
                what, hint = "this title is a command, and nothing says that it printed the block", "show a transcript"
                self._note(PageError(what, evidence=title.text(), hint=hint), title.text())
        return len(self._page().problems) > problems

    def _code(self, tree: LexborHTMLParser) -> None:
        """Check that each block of code is in the page's snippets, or waived."""
        for number in tree.css(".linenos"):
            number.decompose()
        for marker in tree.css(f"{_WAIVER}:not(:has(+ pre, + .highlight, + .codehilite))"):
            hint = "put it directly above one, or into the paragraph of a sentence, after it"
            token = f"{{{{ waiver: {marker.attributes['title']}"
            self._note(PageError("there is no block of code below this waiver", hint=hint), token)
        evidence = Evidence(self._page())
        waived = f"{_WAIVER} + pre, {_WAIVER} + .highlight pre, {_WAIVER} + .codehilite pre"
        for block in tree.css(f"{_WRITTEN}:not({waived})"):
            code = block.text()
            heading = block.parent.css_first(".filename") if block.parent else None
            title = heading.text() if heading else ""
            if code.strip() and not evidence.shows(code, title):
                self._not_run([line.strip() for line in code.split("\n") if line.strip()], title, evidence)

    def _not_run(self, lines: list[str], title: str, evidence: Evidence) -> None:
        """Note a block of code. On a waived page, only commands are noted."""
        missing = [line for line in lines if not evidence.shows(line, title)]
        hint = "put {{ waiver: why }} above the block"
        if command := next((line for line in missing if _COMMAND.match(" ".join(line.split()))), None):
            what, hint = (
                "this command is shown, but nothing ran it",
                f"use {{{{ transcript snippet/step }}}}, or {hint}",
            )
            self._note(PageError(what, evidence=command, hint=hint), command)
        elif not self._page().waived:
            what = "this code is typed, and in no snippet of this page"
            if not missing:
                what = "the lines of this block do not stand together in a file or output of a snippet"
            line = [*missing, *lines][0]
            hint = f'include a file with --8<-- "snippet/context/FILE", in a fence with title="FILE", or {hint}'
            self._note(PageError(what, evidence=line, hint=hint), line)
