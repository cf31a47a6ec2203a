"""Checks that a page contains only allowed HTML: it may come from a stranger, and Markdown lets any HTML through.

The Content-Security-Policy keeps foreign scripts from running. It does not prevent redirects or forms that ask for a
password, and a browser applies it without telling the author. So only listed elements and attributes are allowed, and
only some kinds of addresses. Anything else stops the build.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from proof.core.errors import UsageError, Where
from proof.publish.page import Page
from proof.publish.scripts import Scripts

_HEAD = frozenset("head link meta script title".split())
_ELEMENTS = _HEAD | frozenset(
    # used by pages and the theme
    "html body article aside div footer header main nav section "
    "h1 h2 h3 h4 h5 h6 p hr br wbr ol ul li dl dt dd blockquote figure figcaption details summary "
    "table caption colgroup col thead tbody tfoot tr th td "
    "a abbr b cite code data del dfn em i ins kbd mark pre q s samp small span strong sub sup time u var img "
    "button form input label option output select "
    # used in pictures
    "svg g title desc circle ellipse line path polygon polyline rect text tspan".split()
)
_ATTRIBUTES = frozenset(
    "abbr align alt aria-* autocapitalize autocomplete autocorrect charset checked class clip-rule colspan content cx "
    "cy d data-* datetime defer dir disabled dx dy fill fill-opacity fill-rule focusable for height hidden href "
    "hreflang id lang loading max min name opacity open overflow placeholder points popover popovertarget property r "
    "rel required role rowspan rx ry scope selected spellcheck src start step stroke stroke-dasharray stroke-linecap "
    "stroke-linejoin stroke-opacity stroke-width tabindex target text-anchor title transform type value viewbox width "
    "x x1 x2 xmlns y y1 y2".split()
)
_SETTINGS, _JSON = "__config", "application/json"  # the theme's script reads the first element with this id
_LINKED = frozenset({"canonical", "alternate", "prev", "next"})  # `link` relations that load nothing
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_IGNORED = re.compile(r"[\x00-\x20]+")  # browsers ignore these characters in an address
# What themes load from other hosts, and how to switch it off.
_SWITCHES = {
    "//fonts.g": "write font: false below theme in mkdocs.yml, to use system fonts",
    "//cdnjs.cloudflare.com/ajax/libs/highlight.js": "write highlightjs: false below theme in mkdocs.yml",
}
# What the Markdown extension would have filled in. Code may show how it is written.
_UNFILLED = re.compile(r"\{\{\s*(?:(?:transcript|explorer|claim|waiver|measurements|error)\b|[a-z]\w*\.[a-z]|\w+\()")
_CODE = frozenset("code pre samp kbd script".split())
_LIST = "if the theme uses it, add it to the list in publish/markup.py"


def check(page: Page, scripts: Scripts) -> None:
    """Raise UsageError, with the line of the built page, for markup that is not allowed."""
    reader = _Reader(page, scripts)
    reader.feed(page.html)
    reader.close()
    # A title is text in HTML and markup in SVG: with a `<` in it, two parsers could read different pages.
    for found in re.finditer(r"<title\b[^>]*>(?![^<]*</title>)", page.html, re.IGNORECASE):
        line = page.html.count("\n", 0, found.start()) + 1
        raise _error(page, line, "a title must not contain markup", found[0], "write &lt; for <")


class _Reader(HTMLParser):
    """Checks every element. HTMLParser gives the names of elements and attributes in lower case."""

    def __init__(self, page: Page, scripts: Scripts) -> None:
        super().__init__(convert_charrefs=True)
        self._page, self._scripts = page, scripts
        self._in_head = False
        self._code = 0  # open elements around the text that hold code
        self._settings = 0
        self._script: tuple[int, list[str]] | None = None  # the inline script being read: its line and its text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ELEMENTS:
            self._refuse(f"<{tag}> is not allowed in a page", f"use plain Markdown; {_LIST}")
        self._code += tag in _CODE
        self._in_head = tag == "head" or (self._in_head and tag != "body")
        if self._in_head and tag not in _HEAD:
            self._refuse(f"<{tag}> is not allowed in the head of a page", "look at the page's front matter")
        if not self._in_head and tag in ("link", "meta"):
            self._refuse(f"<{tag}> is only allowed in the head of a page", "add it there with a template of the theme")
        has = {name: value or "" for name, value in attrs}
        for name, value in attrs:
            self._attribute(name, value or "", tag, has)
        if _SETTINGS in (has.get("id"), has.get("name")) and (tag, has.get("type")) != ("script", _JSON):
            self._refuse("the theme would take this for its settings", "use another id")
        if tag == "script" and has.get("type") == _JSON:
            self._settings += 1
            if self._settings > 1 or has.get("id") != _SETTINGS:
                self._refuse("only the theme may have data in a page", "put it in a file in docs/assets/")
        elif tag == "script" and "src" not in has:
            if has:
                hint = "put it in a file in docs/assets/, loaded by <script src>"
                self._refuse("an inline script must not have attributes", hint)
            self._script = self.getpos()[0], []

    def _attribute(self, name: str, value: str, tag: str, has: dict[str, str]) -> None:
        family = re.sub(r"^(aria|data)-[\w-]+$", r"\1-*", name)
        if family not in _ATTRIBUTES:
            hint = f"leave it out; {_LIST}"
            if name == "style":
                hint = "use a class, and a rule in a style sheet in docs/assets/"
                if tag in ("th", "td"):
                    hint = "in mkdocs.yml, give the extension `tables` the option use_align_attribute: true"
            self._refuse(f"the attribute `{name}` is not allowed in a page", hint)
        if name == "src" and tag == "script" and not re.fullmatch(r"[\w.~/%-]+\.js", value, re.ASCII):
            self._refuse(f"`{value}` is not a script of this site", "use a .js file in docs/assets/")
        if name in ("href", "src"):
            loads = name == "src" or (tag == "link" and has.get("rel", "") not in _LINKED)
            self._address(value, loads=loads, image=tag == "img")
        if name == "src" and tag == "script" and not self._scripts.may_be_loaded(self._page, value):
            what = f"`{value}` is neither the theme's script nor one that mkdocs.yml names"
            self._refuse(what, "name it in mkdocs.yml: extra_javascript for every page, extra: scripts for this one")

    def _address(self, value: str, *, loads: bool, image: bool) -> None:
        bare = _IGNORED.sub("", value)
        found = _SCHEME.match(bare)
        scheme = found[1].lower() if found else ""
        if loads:
            fine = not scheme and not re.match(r"[/\\]{2}", bare)
            fine = fine or (image and re.match(r"data:image/[\w+.-]+[;,]", bare) is not None)
            hint = next((said for place, said in _SWITCHES.items() if place in bare), "use a file in docs/")
        else:
            fine, hint = scheme in ("", "http", "https", "mailto"), "use https://…, or a page of this site"
        if not fine:
            self._refuse(f"the address `{value:.80}` is not allowed here", hint)

    def handle_endtag(self, tag: str) -> None:
        if tag == "head":
            self._in_head = False
        self._code -= tag in _CODE and self._code > 0
        if tag == "script" and self._script is not None:
            line, pieces = self._script
            self._script = None
            if not self._scripts.know("".join(pieces)):
                raise unknown(self._page, line, "".join(pieces))

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script[1].append(data)
        if not self._code and (found := _UNFILLED.search(data)):
            hint = "add `proof` to markdown_extensions, and build the site again"
            self._refuse("this was not filled in", hint, data[found.start() :])

    def handle_comment(self, data: str) -> None:
        # Parsers disagree about where an unusual comment ends.
        if re.search(r"[<>]|--", data):
            self._refuse("a comment must not contain markup", "leave it out", f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self._refuse("this declaration is not allowed in a page", "leave it out", f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self._refuse("a processing instruction is not allowed in a page", "leave it out", f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self._refuse("a marked section is not allowed in a page", "leave it out", f"<![{data}")

    def _refuse(self, what: str, hint: str, evidence: str = "") -> None:
        raise _error(self._page, self.getpos()[0], what, evidence or self.get_starttag_text() or "", hint)


def unknown(page: Page, line: int | None, script: str) -> UsageError:
    """The error for an inline script that is neither the theme's nor ours."""
    what = "unknown inline script, which would not run"
    hint = "use a file in docs/assets/, loaded by <script src>; for a script of the theme see publish/scripts.py"
    return _error(page, line, what, f"<script>{script}", hint)


def _error(page: Page, line: int | None, what: str, evidence: str, hint: str) -> UsageError:
    lines = evidence.strip().splitlines()[:5]
    shown = "\n".join(f"{text[:200]}…" if len(text) > 200 else text for text in lines)
    return UsageError(f"{what} (page {page})", where=Where(page.path, line), evidence=shown, hint=hint)
