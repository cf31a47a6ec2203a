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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import tinycss2  # type: ignore[import-untyped]
from tinycss2.ast import Node  # type: ignore[import-untyped]

from proof.core.errors import UsageError, Where
from proof.core.limits import limited
from proof.publish import theme
from proof.publish.page import Page, attribute

# Material switches all transitions off while the reader changes the colors, and also on each load, which calculates the
# style of every element twice more. Without the rule, links and buttons get their new color in a quarter of a second.
_COSTLY = "[data-md-color-switching]"
_NESTED = {"media", "supports", "layer", "container"}  # at-rules that contain rules
_IMPLIED = {"html", "head", "body", "tbody"}  # elements that a browser adds if the markup has none


class Styles(NamedTuple):
    """Two style sheets: as text, or as paths in the site."""

    first: str
    later: str


def _sheets(page: Page) -> tuple[Path, ...]:
    """The style sheets that a page loads, in order."""
    return tuple(page.file(attribute(link, "href")) for link in page.tree.css("link[rel=stylesheet]"))


def join(site: Path, pages: list[Page]) -> Styles:
    """Write two style sheets for all pages, and return their paths in the site."""
    lists = [_sheets(page) for page in pages]
    (common, _), *_ = Counter(lists).most_common()
    if odd := next((page for page, sheets in zip(pages, lists, strict=True) if sheets != common), None):
        what = f"this page has other style sheets than the rest of the site (page {odd})"
        raise UsageError(what, where=Where(odd.path), hint="do not write a page below docs/assets/")
    rules = [rule for path in common for rule in read(path)]
    first = set().union(_IMPLIED, theme.ADDED, *map(names_in, pages))
    later: set[str] = set()
    for path in site.rglob("*.js"):
        if _sees_pages(path.relative_to(site)):
            # A script asks whether a page is written from right to left, but does not make it so.
            words = _words(path.read_text("utf-8")) - {"rtl"}
            (later if _of_theme(path.relative_to(site)) else first).update(words)
    return Styles(*(_write(site, css) for css in split(rules, first, later)))


def names_in(page: Page) -> set[str]:
    """Every element, class, id and value of an attribute in a page."""
    names: set[str] = set()
    for node in page.tree.css("*"):
        names.add(node.tag or "")
        for value in filter(None, node.attributes.values()):
            names |= {value, *value.split()}
    return names


def _write(site: Path, css: str) -> str:
    if strange := re.search(r"(?i)(?:url\((?! ?\"?data:)|@import).{0,100}", css):
        what = "a style sheet refers to another file, so it cannot be moved"
        raise UsageError(what, where=Where(site), evidence=strange[0])
    name = f"assets/style.{hashlib.sha256(css.encode()).hexdigest()[:8]}.css"
    (site / name).write_text(f'@charset "UTF-8";{css}', "utf-8")
    return name


class _Rule(NamedTuple):
    """A rule: its selectors, what each needs, and its declarations. Or another at-rule, whole, with no selectors."""

    around: tuple[str, ...]  # the at-rules that it is in, from outside to inside
    selectors: dict[str, set[str]]
    content: list[str]

    @property
    def printed(self) -> bool:
        return "@media print" in self.around

    def __str__(self) -> str:
        content = ";".join(self.content)
        return f"{','.join(self.selectors)}{{{content}}}" if self.selectors else content


def read(path: Path) -> list[_Rule]:
    """The rules of a style sheet. Raises UsageError if it is unbalanced: it would disable the sheets behind it."""
    css = path.read_text("utf-8").replace(theme.UNMARKED, theme.MARKED)
    with limited(Where(path)):
        *nodes, end = tinycss2.parse_component_value_list(f"{css}\n@end", skip_comments=True)
        wrong = [node for node in nodes if node.type == "error"] + ([end] if end.type != "at-keyword" else [])
        if wrong:
            what, where = "a bracket or a quote is not closed, or not opened", Where(path, wrong[0].source_line)
            raise UsageError(what, where=where, hint="write one } for each {")
        return list(_rules(tinycss2.parse_stylesheet(nodes, skip_whitespace=True)))


def split(rules: Iterable[_Rule], first: set[str], later: set[str]) -> Styles:
    """Split style sheets into the rules that need only names in `first`, and those that need one in `later`.

    Rules that need other names are removed, and properties that nothing uses. What is only for printing comes later,
    and so does a property that only later rules use.
    """
    sheets: tuple[list[_Rule], list[_Rule]] = [], []
    for rule in rules:
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
        _text(_keeping(sheets[0], lambda name: name in needed or not name.startswith("--"))),
        _text(_keeping(sheets[0], lambda name: name in deferred and name.startswith("--")))
        + _text(_keeping(sheets[1], lambda name: name in needed | deferred or not name.startswith("--"))),
    )


def _rules(nodes: Iterable[Node], around: tuple[str, ...] = ()) -> Iterator[_Rule]:
    for node in nodes:
        match node.type:
            case "qualified-rule":
                parts = {tinycss2.serialize(part).strip(): _names(part) for part in _split(node.prelude, ",")}
                if selectors := {text: names for text, names in parts.items() if not text.startswith(_COSTLY)}:
                    declared = filter(None, map(_declaration, _split(node.content, ";")))
                    yield _Rule(around, selectors, list(declared))
            case "at-rule" if node.content is not None and node.lower_at_keyword in _NESTED:
                inside = tinycss2.parse_rule_list(node.content, skip_whitespace=True)
                at = f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}".strip()
                yield from _rules(inside, (*around, at))
            case "at-rule" if node.lower_at_keyword != "charset":
                yield _Rule(around, {}, [node.serialize()])
            case "error":
                raise UsageError("a style sheet cannot be read", evidence=str(node.message))


def _declaration(nodes: list[Node]) -> str:
    for node in nodes:
        if node.type == "whitespace":
            node.value = " "
        elif node.type in ("number", "dimension"):
            node.representation = re.sub(r"^0(?=\.)", "", node.representation)
    name, colon, value = tinycss2.serialize(nodes).partition(":")
    return f"{name.strip()}{colon}{value.strip()}"


def _keeping(rules: Iterable[_Rule], is_kept: Callable[[str], bool]) -> Iterator[_Rule]:
    """The rules with the declarations of which the name is kept."""
    for rule in rules:
        if content := [text for text in rule.content if is_kept(text.partition(":")[0])]:
            yield rule._replace(content=content)


def _text(rules: Iterable[_Rule]) -> str:
    return "".join(
        "".join(f"{at}{{" for at in around) + "".join(map(str, inside)) + "}" * len(around)
        for around, inside in groupby(rules, key=lambda rule: rule.around)
    )


def _split(nodes: Iterable[Node], mark: str) -> list[list[Node]]:
    """Split nodes at a mark."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node == mark:
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
            names |= set(
                re.findall(r"^[\w-]+=[\"']?([\w-]+)[\"']?$", tinycss2.serialize(node.content).replace(" ", ""))
            )
    return names


def _sees_pages(script: Path) -> bool:
    """False for the scripts of Material's worker, which searches in the background and has no page to change."""
    return not {"workers", "lunr"}.intersection(script.parts)


def _of_theme(script: Path) -> bool:
    """True for the script of Material that `scripts.AFTER_PAINT` loads."""
    return script.parts[:2] == ("assets", "javascripts")


def _words(script: str) -> set[str]:
    """The names that a script may give. One that only follows a dot is looked for: a selector or a property."""
    return set(re.findall(r"(?<![.\w-])[\w-]+", script))
