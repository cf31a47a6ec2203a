"""Joins the style sheets of the pages into two: one for what a page first shows, and one for later.

A theme has styles for everything that anyone may write. A selector is removed if it needs an element, a class, an id or
an attribute value that is neither in a page's markup nor a word in a script, because then it can never match. If it
needs one that only the theme's script has, it goes into the second style sheet, because that script is loaded after the
first paint. So do the rules for printing. The first one then fits into what a new connection sends at once.

Unused custom properties are removed too, and one rule that slows each page down. A name that a script builds from
pieces would not be recognised.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import tinycss2  # type: ignore[import-untyped]
from tinycss2.ast import Node  # type: ignore[import-untyped]

from proof.core.errors import UsageError, Where
from proof.publish import theme
from proof.publish.page import Page

# A declaration ends at a semicolon outside strings and addresses. The addresses of icons contain semicolons.
_TEXT = r"\"[^\"]*\"|'[^']*'"
_DECLARED = re.compile(rf"(?:^|(?<=;))\s*(--[\w-]+):(?:url\((?:{_TEXT}|[^)\"'])*\)|{_TEXT}|[^;\"'])*(?:;|$)")
# Whitespace that separates nothing, in declarations; text and addresses are matched first, to keep theirs.
_BLANKS = re.compile(rf"({_TEXT}|url\([^)]*\))|\s*([;,])\s*|(:)\s+|\s+")
# Material switches all transitions off while the reader changes the colors, and also on each load, which calculates the
# style of every element twice more. Without the rule, links and buttons get their new color in a quarter of a second.
_COSTLY = "[data-md-color-switching]"
_NESTED = {"media", "supports", "layer", "container"}  # at-rules that contain rules
_IMPLIED = {"html", "head", "body", "tbody"}  # elements that a browser adds if the markup has none


class Styles(NamedTuple):
    """Two style sheets: as text, or as paths in the site."""

    first: str
    later: str


def join(site: Path, pages: list[Page]) -> Styles:
    """Write two style sheets for all pages, and return their paths in the site."""
    lists = {tuple(map(page.file, page.style_sheets)) for page in pages}
    if len(lists) != 1:
        raise UsageError("pages use different style sheets, which cannot be joined", where=Where(site))
    whole = "\n".join(_balanced(path) for path in next(iter(lists))).replace(theme.UNMARKED, theme.MARKED)
    first = set().union(_IMPLIED, theme.ADDED, *(page.words for page in pages))
    later: set[str] = set()
    for path in site.rglob("*.js"):
        if _sees_pages(path.relative_to(site)):
            # A script asks whether a page is written from right to left, but does not make it so.
            words = _words(path.read_text("utf-8")) - {"rtl"}
            (later if _of_theme(path.relative_to(site)) else first).update(words)
    return Styles(*(_write(site, css) for css in split(whole, first, later)))


def _write(site: Path, css: str) -> str:
    if strange := re.search(r"url\((?![\"']?data:)[^)]*\)|@import[^;]*;", css):
        what = "a style sheet refers to another file, so it cannot be moved"
        raise UsageError(what, where=Where(site), evidence=strange[0])
    name = f"assets/style.{hashlib.sha256(css.encode()).hexdigest()[:8]}.css"
    (site / name).write_text(f'@charset "UTF-8";{css}', "utf-8")
    return name


def _balanced(path: Path) -> str:
    """Read a style sheet, and check its braces: a missing one would silently disable the sheets after it."""
    css = path.read_text("utf-8")
    outside = re.sub(rf"/\*.*?\*/|{_TEXT}|url\([^)]*\)", "", css, flags=re.DOTALL)
    if (left := outside.count("{") - outside.count("}")) != 0:
        what = f"{abs(left)} braces {'not closed' if left > 0 else 'too many'}"
        raise UsageError(what, where=Where(path), hint="write one } for each {")
    return css


class _Rule(NamedTuple):
    """A rule with its selectors and what each needs; or another at-rule, whole, with no selectors."""

    around: tuple[str, ...]  # the at-rules that it is in, from outside to inside
    selectors: dict[str, set[str]]
    content: str

    @property
    def printed(self) -> bool:
        return "@media print" in self.around

    def __str__(self) -> str:
        return f"{','.join(self.selectors)}{{{self.content}}}" if self.selectors else self.content


def split(css: str, first: set[str], later: set[str]) -> Styles:
    """Split a style sheet into the rules that need only names in `first`, and those that need one in `later`.

    Rules that need other names are removed, and properties that nothing uses. What is only for printing comes later,
    and so does a property that only later rules use.
    """
    nodes = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    sheets: tuple[list[_Rule], list[_Rule]] = [], []
    for rule in _rules(nodes):
        now = {} if rule.printed else {text: names for text, names in rule.selectors.items() if names <= first}
        then = {text: names for text, names in rule.selectors.items() if text not in now and names <= first | later}
        for sheet, selectors in zip(sheets, (now, then), strict=True):
            if selectors:
                sheet.append(rule._replace(selectors=selectors))
        if not rule.selectors:
            sheets[rule.printed].append(rule)
    uses = [set(re.findall(r"var\(\s*(--[\w-]+)", _text(sheet))) for sheet in sheets]
    needed, deferred = uses[0] | first, (uses[1] | later) - uses[0] - first
    return Styles(
        _text(_declaring(sheets[0], needed)),
        _text(_properties(sheets[0], deferred)) + _text(_declaring(sheets[1], needed | deferred)),
    )


def _rules(nodes: Iterable[Node], around: tuple[str, ...] = ()) -> Iterator[_Rule]:
    for node in nodes:
        match node.type:
            case "qualified-rule":
                parts = {tinycss2.serialize(part).strip(): _names(part) for part in _split(node.prelude)}
                if selectors := {text: names for text, names in parts.items() if not text.startswith(_COSTLY)}:
                    content = tinycss2.serialize(node.content).strip()
                    yield _Rule(around, selectors, _BLANKS.sub(lambda m: m[1] or m[2] or m[3] or " ", content))
            case "at-rule" if node.content is not None and node.lower_at_keyword in _NESTED:
                inside = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                at = f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}".strip()
                yield from _rules(inside, (*around, at))
            case "at-rule" if node.lower_at_keyword != "charset":
                yield _Rule(around, {}, node.serialize())
            case "error":
                raise UsageError("a style sheet cannot be read", evidence=str(node.message))


def _declaring(rules: Iterable[_Rule], names: set[str]) -> Iterator[_Rule]:
    """The rules without custom properties that are not in `names`."""
    for rule in rules:
        content = _DECLARED.sub(lambda found: found[0] if found[1] in names else "", rule.content)
        if content.strip():
            yield rule._replace(content=content)


def _properties(rules: Iterable[_Rule], names: set[str]) -> Iterator[_Rule]:
    """Of the rules nothing but the custom properties in `names`."""
    for rule in rules:
        if declared := "".join(found[0] for found in _DECLARED.finditer(rule.content) if found[1] in names):
            yield rule._replace(content=declared)


def _text(rules: Iterable[_Rule]) -> str:
    return "".join(
        "".join(f"{at}{{" for at in around) + "".join(map(str, inside)) + "}" * len(around)
        for around, inside in groupby(rules, key=lambda rule: rule.around)
    )


def _split(prelude: list[Node]) -> list[list[Node]]:
    """Split a list of selectors at its commas."""
    parts: list[list[Node]] = [[]]
    for node in prelude:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _names(selector: list[Node]) -> set[str]:
    """The names that must exist for a selector to match. Those in `:is()` or `:not()` need not, and are left out."""
    names = set()
    for before, node in zip([None, *selector], selector, strict=False):
        if node.type == "hash" or (node.type == "ident" and before == "."):
            names.add(node.value)
        elif node.type == "ident" and before != ":":
            names.add(node.lower_value)  # an element
        elif node.type == "[] block":
            names |= {found[1] for found in [re.fullmatch(r"[\w-]+=[\"']?([\w-]+)[\"']?", _inside(node))] if found}
    return names


def _inside(block: Node) -> str:
    return str(tinycss2.serialize(block.content)).replace(" ", "")


def _sees_pages(script: Path) -> bool:
    """False for the scripts of Material's worker, which searches in the background and has no page to change."""
    return not {"workers", "lunr"}.intersection(script.parts)


def _of_theme(script: Path) -> bool:
    """True for the script of Material that `scripts.AFTER_PAINT` loads."""
    return script.parts[:2] == ("assets", "javascripts")


def _words(script: str) -> set[str]:
    """The names that a script may give. One that only follows a dot is looked for: a selector or a property."""
    return set(re.findall(r"(?<![.\w-])[\w-]+", script))
