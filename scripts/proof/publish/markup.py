"""Checks that a page contains only allowed elements, attributes, addresses and scripts.

Authors write Markdown without HTML, so this is a second wall: it holds for whatever made the page. A browser applies a
Content-Security-Policy without telling the author, and a policy prevents neither redirects nor forms that ask for a
password.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from proof.core.errors import UsageError, Where
from proof.publish.page import Page, attribute
from proof.publish.scripts import Scripts

# What pages and the theme use. SVG and HTML have elements of the same names, and the place of an element has to say
# which of the two it is: so there is no HTML in a picture, not even where browsers allow it.
_HEAD = frozenset("link meta script title".split())
_PICTURE = frozenset("g title desc circle ellipse line path polygon polyline rect svg text tspan".split())
_BODY = frozenset(
    "script article aside div footer header main nav section "
    "h1 h2 h3 h4 h5 h6 p hr br wbr ol ul li dl dt dd blockquote figure figcaption details summary "
    "table caption colgroup col thead tbody tfoot tr th td "
    "a abbr b cite code data del dfn em i ins kbd mark pre q s samp small span strong sub sup time u var img "
    "button form input label option output select svg".split()
)
_INSIDE = {"html": frozenset({"head", "body"}), "head": _HEAD, "body": _BODY, "svg": _PICTURE}
_DEEPEST = 256  # what is nested more than 512 deep, Chromium takes out of its element
_ATTRIBUTES = frozenset(
    "abbr align alt aria-* autocapitalize autocomplete autocorrect charset checked class clip-rule colspan content cx "
    "cy d data-* datetime defer dir disabled dx dy fill fill-opacity fill-rule focusable for height hidden href "
    "hreflang id lang loading max min name opacity open overflow placeholder points popover popovertarget property r "
    "rel required role rowspan rx ry scope selected spellcheck src start step stroke stroke-dasharray stroke-linecap "
    "stroke-linejoin stroke-opacity stroke-width tabindex target text-anchor title transform type value viewbox width "
    "x x1 x2 xmlns y y1 y2".split()
)
_FAMILY = re.compile(r"^(aria|data)-[\w-]+$")
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
    """Raise UsageError for the first thing in the page that is not allowed."""
    if page.tree.css_matches('meta[http-equiv="Content-Security-Policy"]'):
        raise UsageError("this site is already finished", where=Where(page.site), hint="build it again: mkdocs build")
    if len(page.tree.css("link[rel=canonical]")) > 1:
        raise _error(page, "a page has one canonical address", "", "look at its front matter")
    assert page.tree.root is not None
    _Check(page, scripts).element(page.tree.root, frozenset({"html"}), 1)


class _Check:
    def __init__(self, page: Page, scripts: Scripts) -> None:
        self._page, self._scripts = page, scripts

    def _content(self, parent: LexborNode, allowed: frozenset[str], depth: int) -> None:
        for node in parent.iter(include_text=True):
            if node.is_element_node:
                self.element(node, allowed, depth)
            elif node.is_text_node and (match := _UNFILLED.search(node.text_content or "")) and not _in_code(node):
                hint = "add `proof` to markdown_extensions, and build the site again"
                raise _error(self._page, "this was not filled in", (node.text_content or "")[match.start() :], hint)

    def element(self, node: LexborNode, allowed: frozenset[str], depth: int) -> None:
        """Check an element, and what is in it, where these elements are allowed."""
        tag = node.tag or ""
        if depth > _DEEPEST:
            self._refuse(node, "this is nested too deeply", "use fewer lists and quotes in each other")
        if tag not in allowed:
            where = {_HEAD: "the head of a page", _PICTURE: "a picture"}.get(allowed, "a page")
            hint = "look at the page's front matter" if allowed is _HEAD else f"use plain Markdown; {_LIST}"
            self._refuse(node, f"<{tag}> is not allowed in {where}", hint)
        for name, value in node.attributes.items():
            self._attribute(node, name.lower(), value or "")
        is_json = tag == "script" and attribute(node, "type") == _JSON
        if _SETTINGS in (attribute(node, "id"), attribute(node, "name")) and not is_json:
            self._refuse(node, "the theme would take this for its settings", "use another id")
        if tag == "script":
            self._script(node)
        self._content(node, _INSIDE.get(tag, allowed), depth + 1)

    def _attribute(self, node: LexborNode, name: str, value: str) -> None:
        if _FAMILY.sub(r"\1-*", name) not in _ATTRIBUTES:
            hint = f"leave it out; {_LIST}"
            if name == "style":
                hint = "use a class, and a rule in a style sheet in docs/assets/"
                if node.tag in ("th", "td"):
                    hint = "in mkdocs.yml, give the extension `tables` the option use_align_attribute: true"
            self._refuse(node, f"the attribute `{name}` is not allowed in a page", hint)
        if name in ("href", "src"):
            self._address(node, name, value)

    def _address(self, node: LexborNode, name: str, value: str) -> None:
        bare = _IGNORED.sub("", value)
        match = _SCHEME.match(bare)
        scheme = match[1].lower() if match else ""
        if name == "src" or (node.tag == "link" and attribute(node, "rel") not in _LINKED):
            fine = not scheme and not re.match(r"[/\\]{2}", bare)
            fine = fine or (node.tag == "img" and re.match(r"data:image/[\w+.-]+[;,]", bare) is not None)
            hint = next((switch for place, switch in _SWITCHES.items() if place in bare), "use a file in docs/")
        else:
            fine, hint = scheme in ("", "http", "https", "mailto"), "use https://…, or a page of this site"
        if not fine:
            self._refuse(node, f"the address `{value:.80}` is not allowed here", hint)

    def _script(self, node: LexborNode) -> None:
        """A script is a file that is known, the theme's settings, or an inline script that is known."""
        text, attributes = node.text(), set(node.attributes)
        if "src" in attributes:
            address = attribute(node, "src")
            if text or attributes - {"src", "defer"}:
                self._refuse(node, "a script from a file has only `src` and `defer`", "leave the rest out")
            if not self._scripts.path(self._page, address):
                what = f"`{address}` is neither the theme's script nor one that mkdocs.yml names"
                hint = "name it in mkdocs.yml: extra_javascript for every page, extra: scripts for this one"
                self._refuse(node, what, hint)
        elif attribute(node, "type") == _JSON:
            first = self._page.tree.css_first(f'script[type="{_JSON}"]')
            if first is None or first.mem_id != node.mem_id or attribute(node, "id") != _SETTINGS:
                self._refuse(node, "only the theme may have data in a page", "put it in a file in docs/assets/")
        elif attributes:
            self._refuse(node, "an inline script must not have attributes", "put it in a file in docs/assets/")
        elif not self._scripts.know(text):
            what = "unknown inline script, which would not run"
            self._refuse(node, what, "use a file in docs/assets/; for a script of the theme see publish/scripts.py")

    def _refuse(self, node: LexborNode, what: str, hint: str) -> None:
        raise _error(self._page, what, node.html or "", hint)


def _in_code(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None and parent.tag not in _CODE:
        parent = parent.parent
    return parent is not None


def _error(page: Page, what: str, evidence: str, hint: str) -> UsageError:
    lines = evidence.strip().splitlines()[:5]
    shown = "\n".join(f"{text[:200]}…" if len(text) > 200 else text for text in lines)
    return UsageError(f"{what} (page {page})", where=Where(page.path), evidence=shown, hint=hint)
