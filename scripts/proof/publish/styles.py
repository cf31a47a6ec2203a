"""Joins the style sheets of the pages into one, without the rules that no page and no script can use.

A theme has styles for everything that anyone may write; three fifths remain here. A selector is removed if it needs a
class, an id or an attribute value that is neither in a page's markup nor a word in a script, because then it can never
match. Unused custom properties are removed too, and one rule that slows each page down. A name that a script builds
from pieces would not be recognised.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import tinycss2  # type: ignore[import-untyped]
from tinycss2.ast import Node  # type: ignore[import-untyped]

from proof.core.errors import UsageError, Where
from proof.publish.page import Page

# A declaration ends at a semicolon outside strings and addresses. The addresses of icons contain semicolons.
_TEXT = r"\"[^\"]*\"|'[^']*'"
_DECLARED = re.compile(rf"(?<=[{{;])\s*(--[\w-]+):(?:url\((?:{_TEXT}|[^)\"'])*\)|{_TEXT}|[^;{{}}\"'])*(?:;|(?=\}}))")
# Material switches all transitions off while the reader changes the colors, and also on each load, which calculates the
# style of every element twice more. Without the rule, links and buttons get their new color in a quarter of a second.
_COSTLY = "[data-md-color-switching]"
_NESTED = {"media", "supports", "layer", "container"}  # at-rules that contain rules


def join(site: Path, pages: list[Page]) -> str:
    """Write one style sheet for all pages, and return its path in the site."""
    lists = {tuple(map(page.file, page.reads.styles)) for page in pages}
    if len(lists) != 1:
        raise UsageError("pages use different style sheets, which cannot be joined", where=Where(site))
    whole = "\n".join(_balanced(path) for path in next(iter(lists)))
    in_pages = set().union(*(page.reads.words for page in pages))
    scripts = [path.read_text("utf-8") for path in site.rglob("*.js") if _sees_pages(path.relative_to(site))]
    in_scripts = set().union(*map(_words, scripts))
    # A script asks whether a page is written from right to left, but does not make it so.
    trimmed = trim(whole, in_pages | (in_scripts - {"rtl"}))
    if strange := re.search(r"url\((?![\"']?data:)[^)]*\)|@import[^;]*;", trimmed):
        what = "a style sheet refers to another file, so it cannot be moved"
        raise UsageError(what, where=Where(site), evidence=strange[0])
    name = f"assets/style.{hashlib.sha256(trimmed.encode()).hexdigest()[:8]}.css"
    (site / name).write_text(f'@charset "UTF-8";{trimmed}', "utf-8")
    return name


def _balanced(path: Path) -> str:
    """Read a style sheet, and check its braces: a missing one would silently disable the sheets after it."""
    css = path.read_text("utf-8")
    outside = re.sub(rf"/\*.*?\*/|{_TEXT}|url\([^)]*\)", "", css, flags=re.DOTALL)
    if (left := outside.count("{") - outside.count("}")) != 0:
        what = f"{abs(left)} braces {'not closed' if left > 0 else 'too many'}"
        raise UsageError(what, where=Where(path), hint="write one } for each {")
    return css


def trim(css: str, words: set[str]) -> str:
    """Remove the rules and properties from a style sheet that need names not in `words`."""
    kept = "".join(_kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), words))
    used = set(re.findall(r"var\(\s*(--[\w-]+)", kept)) | words
    return _DECLARED.sub(lambda found: found[0] if found[1] in used else "", kept)


def _kept(rules: Iterable[Node], words: set[str]) -> Iterator[str]:
    for rule in rules:
        match rule.type:
            case "qualified-rule":
                alive = [tinycss2.serialize(part).strip() for part in _split(rule.prelude) if _names(part) <= words]
                if selectors := ",".join(part for part in alive if not part.startswith(_COSTLY)):
                    yield f"{selectors}{{{tinycss2.serialize(rule.content).strip()}}}"
            case "at-rule" if rule.content is not None and rule.lower_at_keyword in _NESTED:
                inside = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                if kept := "".join(_kept(inside, words)):
                    yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
            case "at-rule" if rule.lower_at_keyword != "charset":
                yield rule.serialize()
            case "error":
                raise UsageError("a style sheet cannot be read", evidence=str(rule.message))


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
        if (node.type == "ident" and before == ".") or node.type == "hash":
            names.add(node.value)
        elif node.type == "[] block":
            names |= {found[1] for found in [re.fullmatch(r"[\w-]+=[\"']?([\w-]+)[\"']?", _inside(node))] if found}
    return names


def _inside(block: Node) -> str:
    return str(tinycss2.serialize(block.content)).replace(" ", "")


def _sees_pages(script: Path) -> bool:
    """False for the scripts of Material's worker, which searches in the background and has no page to change."""
    return not {"workers", "lunr"}.intersection(script.parts)


def _words(script: str) -> set[str]:
    return set(re.findall(r"[\w-]+", script))
