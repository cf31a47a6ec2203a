"""The pages' style sheets as one, without what no page and no script of the site can make use of.

A theme styles everything that anyone may write; three fifths of it remain. Left out is a selector that names a class,
an id or an attribute's value which is in no page's markup and is no word of any script, for then nothing can ever match
it, and a custom property that is used nowhere. Only a name that a script puts together out of pieces would be missed.
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

# It ends at a semicolon that is not inside of a string or an address, as those of icons are.
_TEXT = r"\"[^\"]*\"|'[^']*'"
_DECLARED = re.compile(rf"(?<=[{{;])\s*(--[\w-]+):(?:url\((?:{_TEXT}|[^)\"'])*\)|{_TEXT}|[^;{{}}\"'])*(?:;|(?=\}}))")
_NESTED = {"media", "supports", "layer", "container"}  # rules that hold rules


def join(site: Path, pages: list[Page]) -> str:
    """Write one style sheet for all pages; its path in the site."""
    lists = {tuple(_path(page, href) for href in page.reads.styles) for page in pages}
    if len(lists) != 1:
        raise UsageError("the pages name different style sheets, which cannot be one", where=Where(site))
    whole = "\n".join(_balanced(site / path) for path in next(iter(lists)))
    scripts = [path.read_text("utf-8") for path in site.rglob("*.js")]
    trimmed = trim(whole, set().union(*(page.reads.words for page in pages), *(_words(text) for text in scripts)))
    if strange := re.search(r"url\((?![\"']?data:)[^)]*\)|@import[^;]*;", trimmed):
        raise UsageError("a style sheet names a file, and is about to be moved", where=Where(site), evidence=strange[0])
    name = f"assets/style.{hashlib.sha256(trimmed.encode()).hexdigest()[:8]}.css"
    (site / name).write_text(f'@charset "UTF-8";{trimmed}', "utf-8")
    return name


def _balanced(path: Path) -> str:
    """A style sheet whose blocks are all closed: a brace too few would swallow the sheets behind it, without a word."""
    css = path.read_text("utf-8")
    outside = re.sub(rf"/\*.*?\*/|{_TEXT}|url\([^)]*\)", "", css, flags=re.DOTALL)
    if (left := outside.count("{") - outside.count("}")) != 0:
        what = f"{abs(left)} braces {'without their end' if left > 0 else 'closing nothing'}"
        raise UsageError(what, where=Where(path), hint="one } for each {")
    return css


def trim(css: str, words: set[str]) -> str:
    """A style sheet without what none of these words can bring to life."""
    kept = "".join(_kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), words))
    used = set(re.findall(r"var\(\s*(--[\w-]+)", kept)) | words
    return _DECLARED.sub(lambda found: found[0] if found[1] in used else "", kept)


def _kept(rules: Iterable[Node], words: set[str]) -> Iterator[str]:
    for rule in rules:
        match rule.type:
            case "qualified-rule":
                alive = [part for part in _split(rule.prelude) if _names(part) <= words]
                if alive:
                    selectors = ",".join(tinycss2.serialize(part).strip() for part in alive)
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
    """The selectors of a list of them."""
    parts: list[list[Node]] = [[]]
    for node in prelude:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _names(selector: list[Node]) -> set[str]:
    """What has to be there for a selector to match. What stands in `:is()` or `:not()` may be there or not."""
    names = set()
    for before, node in zip([None, *selector], selector, strict=False):
        if (node.type == "ident" and before == ".") or node.type == "hash":
            names.add(node.value)
        elif node.type == "[] block":
            names |= {found[1] for found in [re.fullmatch(r"[\w-]+=[\"']?([\w-]+)[\"']?", _inside(node))] if found}
    return names


def _inside(block: Node) -> str:
    return str(tinycss2.serialize(block.content)).replace(" ", "")


def _words(script: str) -> set[str]:
    return set(re.findall(r"[\w-]+", script))


def _path(page: Page, href: str) -> str:
    """A style sheet's path in the site."""
    return href.removeprefix(page.base).removeprefix("./")
