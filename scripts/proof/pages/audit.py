"""Audits a rendered page sentence by sentence: evaluates each claim, and finds everything that nothing backs.

It works on the element tree built by Python-Markdown. The text of a block is flattened, with one private-use character
for each fact, piece of code, claim and waiver. So text can be split into sentences without losing track of these.
"""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from proof.core.errors import PageError, ProofError
from proof.core.text import visible
from proof.facts import claims, expression
from proof.facts.claims import Claim
from proof.pages import verbatim
from proof.pages.page import Page, Waiver
from proof.snippets import context

_BLOCKS = frozenset("p li td th h1 h2 h3 h4 h5 h6 dt dd figcaption summary caption".split())
_CONTAINERS = _BLOCKS | frozenset("ul ol dl table thead tbody tr div blockquote details section figure pre".split())
_FIRST = 0xE000  # first character of the private use area
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_STAGE = re.compile(r"\bstages?(?=\s+([\ue000-\uf8ff]))|([\ue000-\uf8ff])(?=\s+stage\b)")
_WORD = re.compile(r"\w")
_MARKS = re.compile(r"([.!?][\"”’)]*)\s*([\ue000-\uf8ff]+)(?=\s|$)")
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9./_-]*:[A-Za-z0-9][\w.-]*(?:@sha256:[0-9a-f]+)?")
_PATH = re.compile(r"/[\w.-]+(?:/[\w.*-]+)*/?")
_FILE = re.compile(r"(?:[\w-]+/)*(?:[\w-]+\.(?:go|mod|sum|toml|txt|pem|zip)|Dockerfile|\.dockerignore)")


class FalseClaimError(ProofError):
    """A sentence contradicts the measurements."""

    code = 1


@dataclass(frozen=True)
class _Token:
    """What one private-use character stands for."""

    kind: str  # fact, code, claim or waiver
    text: str  # the visible text; the predicate of a claim, the reason of a waiver
    element: ET.Element


def audit(root: ET.Element, page: Page) -> None:
    """Evaluate every claim of the page, and note every number, name and conclusion that nothing backs.

    Adds what it finds to `page`. Raises ProofError at the first problem unless the page collects them.
    """
    names: list[tuple[str, bool]] = []  # a piece of code, and whether it is called a stage
    for block in _blocks(root):
        tokens: list[_Token] = []
        text = _flat(block, tokens)
        # A mark after the full stop belongs to the sentence before it.
        text = _MARKS.sub(functools.partial(_move_marks, tokens), text)
        for sentence in claims.sentences(" ".join(text.split())):
            private = [c for c in _PRIVATE.findall(sentence) if ord(c) - _FIRST < len(tokens)]
            inside = [tokens[ord(c) - _FIRST] for c in private]
            shown = _shown(sentence, tokens)
            marks = [token for token in inside if token.kind == "claim"]
            waivers = [token for token in inside if token.kind == "waiver"]
            page.bound += sum(token.kind == "fact" for token in inside)
            for mark in marks:
                _claim(mark, shown, page)
            for waiver in waivers:
                page.waivers.append(Waiver(shown, waiver.text))
            if waivers:
                continue
            for loose in claims.unbound(sentence, [mark.text for mark in marks]):
                page.note(
                    PageError(
                        loose.what,
                        evidence=shown,
                        hint="use {{ a.fact }}, add {{ claim: … }} to the sentence, or add {{ waiver: why }}",
                    ),
                    loose.text,
                )
            stages = {c for found in _STAGE.finditer(sentence) for c in found.groups()}
            names += [(t.text, c in stages) for c, t in zip(private, inside, strict=True) if t.kind == "code"]
    _names([*names, *((code, False) for code in sorted(page.codes))], page)


def _claim(mark: _Token, sentence: str, page: Page) -> None:
    token = "{{ claim: " + mark.text
    try:
        claim = claims.check(sentence, mark.text, page.book)
    except ProofError as error:
        page.note(error, token)
        return
    page.claims.append(claim)
    page.bound += 1
    page.use(expression.names(mark.text))
    _explain(mark.element, claim, len(page.claims))
    if not claim.holds:
        evidence = f"{sentence}\nclaim: {claim.predicate}\nfacts: {claim.values}"
        page.note(
            FalseClaimError("this claim is false", evidence=evidence, hint="correct the sentence or the claim"), token
        )


def _explain(element: ET.Element, claim: Claim, number: int) -> None:
    """Turn a claim's mark into a button that shows what was checked: a native popover, without a script."""
    name = f"claim-{number}"
    tail = element.tail  # the rest of the sentence, which `clear` would remove
    element.clear()
    element.tag, element.tail = "span", tail
    element.set("class", "claim")
    mark = {"type": "button", "class": "claim__mark", "popovertarget": name, "aria-label": "How this is checked"}
    ET.SubElement(element, "button", mark).text = "✓"
    why = ET.SubElement(element, "span", {"class": "claim__why", "id": name, "popover": "auto"})
    why.text = "Checked whenever the site is built: "
    predicate = ET.SubElement(why, "code")
    predicate.text = claim.predicate
    predicate.tail = f" holds for {visible(claim.values)}." if claim.values else " holds."
    verbatim.literal(why)


def _names(found: list[tuple[str, bool]], page: Page) -> None:
    """Note every image, path, file and stage in the prose that is not in the page's snippets."""
    named = [c for c, stage in found if stage or any(kind.fullmatch(c) for kind in (_REFERENCE, _PATH, _FILE))]
    known = "\n".join(_texts(page)) if named else ""
    for code in named:
        if not _contains_name(code.rstrip("/"), known):
            page.note(
                PageError(
                    f"`{code}` is in no snippet of this page",
                    evidence=f"snippets of this page: {', '.join(sorted(page.snippets)) or 'none'}",
                    hint="correct the name, or add {{ waiver: why }} to the sentence",
                ),
                f"`{code}`",
            )


def _contains_name(name: str, text: str) -> bool:
    """Whether the text contains the name as a whole word. Found without compiling a pattern for each name."""
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(name) : at + len(name) + 1]
        if not (_WORD.match(before) or before == "." or _WORD.match(after) or after == "-"):
            return True
        at = text.find(name, at + 1)
    return False


def _texts(page: Page) -> Iterator[str]:
    """All text of the page's snippets: bases, commands, file names, files and outputs."""
    for name in sorted(page.snippets):
        snippet = page.snippet(name)
        yield "\n".join((*snippet.bases, *(step.text for step in snippet.steps)))
        for path in context.files(snippet.context):
            if not path.is_symlink():
                text = context.content(snippet.context, path).decode("utf-8", "replace")
                yield f"{path.relative_to(snippet.context)}\n{text}"
        if (capture := page.book.captures.get(name)) is not None:
            yield from (step.output for step in capture.steps)


def _blocks(root: ET.Element) -> Iterator[ET.Element]:
    for element in root.iter():
        if element.tag in _BLOCKS:
            yield element


def _flat(element: ET.Element, tokens: list[_Token]) -> str:
    """The text of a block, without that of nested blocks."""
    parts = [str(element.text or "")]
    for child in element:
        kind = str(child.get("class", "")).split(" ")[0]
        if child.tag == "data":
            parts.append(_token(_Token("fact", verbatim.read(child.text), child), tokens))
        elif kind == "verbatim":
            parts.append(verbatim.read(child.text))
        elif kind in ("claim", "waiver"):
            parts.append(_token(_Token(kind, child.get("data-text", ""), child), tokens))
        elif child.tag == "code":
            parts.append(_token(_Token("code", "".join(child.itertext()), child), tokens))
        elif child.tag not in _CONTAINERS:
            parts.append(_flat(child, tokens))
        parts.append(str(child.tail or ""))
    return "".join(parts)


def _token(token: _Token, tokens: list[_Token]) -> str:
    tokens.append(token)
    return chr(_FIRST + len(tokens) - 1)


def _move_marks(tokens: list[_Token], match: re.Match[str]) -> str:
    marks = [c for c in match[2] if tokens[ord(c) - _FIRST].kind in ("claim", "waiver")]
    return "".join(marks) + match[1] + "".join(c for c in match[2] if c not in marks) if marks else match[0]


def _shown(sentence: str, tokens: list[_Token]) -> str:
    def text(found: re.Match[str]) -> str:
        number = ord(found[0]) - _FIRST
        if number >= len(tokens):
            return found[0]
        return tokens[number].text if tokens[number].kind in ("fact", "code") else ""

    return " ".join(_PRIVATE.sub(text, sentence).split())
