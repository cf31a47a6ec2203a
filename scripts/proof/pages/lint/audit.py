"""Audits a rendered page sentence by sentence: evaluates each claim, and finds everything that nothing backs.

It works on the element tree built by Python-Markdown. The text of a block is flattened, with one private-use character
for each fact, piece of code, claim and waiver. So text can be split into sentences without losing track of these.
"""

from __future__ import annotations

import functools
import itertools
import re
import string
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import unescape

from markdown.treeprocessors import UnescapeTreeprocessor
from markdown.util import STX

from proof.core.errors import PageError, ProofError
from proof.core.text import visible
from proof.facts import expression
from proof.facts.values import Source
from proof.pages import verbatim
from proof.pages.lint import alterations, claims, commands, official, quantities
from proof.pages.lint.claims import Claim, Unbound
from proof.pages.lint.evidence import PROMPT, Evidence
from proof.pages.page import Page, Waiver

_STASHED = f"{STX}wzxhzdk:"  # how the mark of stashed HTML begins
_BLOCKS = frozenset("p li td th h1 h2 h3 h4 h5 h6 dt dd figcaption summary caption".split())
_CONTAINERS = _BLOCKS | frozenset("ul ol dl table thead tbody tr div blockquote details section figure pre".split())
# What stands for each kind of token that readers see, where the grammar reads the sentence.
_PLACEHOLDERS = {"fact": quantities.FACT, "code": quantities.CODE, "cited code": quantities.CODE}
_MOST = 20  # problems that are reported of a sentence
_FIRST = 0xE000  # first character of the private use area
_LAST = 0xF8FF
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_STAGE = re.compile(r"\bstages?(?=\s+([\ue000-\uf8ff]))|([\ue000-\uf8ff])(?=\s+stage\b)")
_MARKS = re.compile(r"([.!?][\"”’)]*)((?:\s*[\ue000-\uf8ff])+)(?=\s|$)")
_ENDS = re.compile(r"[.!?][\"”’)]*\Z")
_ESCAPED = UnescapeTreeprocessor()
_FIRST_MARK = re.compile(r"\s*([\ue000-\uf8ff])")
_PROMPT = re.compile(rf"\s*{PROMPT}\s+[\w./\"']")
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9./_-]*:[A-Za-z0-9][\w.-]*(?:@sha256:[0-9a-f]+)?")
_PATH = re.compile(r"/[\w.-]+(?:/[\w.*-]+)*/?")
_NUMBER = re.compile(r"(?s).*(?<!\w)\d.*|[lIO]{1,4}")  # the digits of amd64 are no number
_DIGITS_APART = re.compile(r"(?<=\d)_(?=\d)")  # in the name of a fact
_FILE = re.compile(r"(?:[\w-]+/)*(?:[\w-]+\.(?:go|mod|sum|toml|txt|pem|zip)|Dockerfile|\.dockerignore)")


class FalseClaimError(ProofError):
    """A sentence contradicts the measurements."""

    code = 1


@dataclass(frozen=True)
class _Token:
    """What one private-use character stands for."""

    kind: str  # fact, code, cited code (in a link to another site), claim, waiver or link: the end of such a link
    text: str  # the visible text; the predicate of a claim, the reason of a waiver, the address of a link
    element: ET.Element


def audit(root: ET.Element, page: Page) -> None:
    """Evaluate every claim of the page, and note every number, name and conclusion that nothing backs.

    Adds what it finds to `page`. Raises ProofError at the first problem unless the page collects them.
    """
    names: list[tuple[str, bool]] = []  # a piece of code, and whether it is called a stage
    evidence = Evidence(page)
    # What is generated into an index page follows from the data. Its own text is read before that.
    exempt = page.waived or (page.generated and page.options.expand)
    for row in root.iter("tr"):
        page.rendering.beside |= dict.fromkeys(row, _facts(row, page))
    page.rendering.named |= _named(root)
    for cell, kind in _alone(root, page) if not exempt and not page.is_full else ():
        what, text = f"a fact of {kind}… stands alone in a table about others", "".join(cell.itertext())
        hint = "is it meant to be a fact of the snippet of its row or column?"
        page.note(PageError(what, evidence=text, hint=hint), text)
    for block in _blocks(root):
        tokens: list[_Token] = []
        # What `{{ errors }}` lists is stashed: no author can write the mark that stands for it.
        is_message = "message" in block.get("class", "").split() and not (block.text or "").startswith(_STASHED)
        if is_message:
            block.set("class", "message message--reported")
        text = _flat(block, tokens)
        for mark in _before_the_end(text, tokens):
            what, hint = "this claim stands in the middle of its sentence", "put it after the full stop"
            page.note(PageError(what, evidence=mark.text, hint=hint), page.place(mark.element, mark.text))
        # A mark after the full stop belongs to the sentence before it.
        text = _MARKS.sub(functools.partial(_move_marks, tokens), text)
        for sentence in claims.sentences(" ".join(text.split())):
            inside = _inside(sentence, tokens)
            shown = _shown(sentence, inside)
            marks = [token for token in inside.values() if token.kind == "claim"]
            waivers = [token for token in inside.values() if token.kind == "waiver"]
            page.bound += sum(token.kind == "fact" for token in inside.values())
            for mark in marks:
                _claim(mark, shown, _written(sentence, inside, page), page)
            for waiver in waivers:
                page.waivers.append(Waiver(shown, waiver.text))
            if is_message and not waivers and not exempt:
                what, hint = "no snippet printed this error message", "add {{ waiver: who printed it }} to the heading"
                page.note(PageError(what, evidence=shown, hint=hint), shown)
            if waivers:
                if not (exempt or is_message):
                    _check_waiver(waivers[0], sentence, inside, block, page=page, evidence=evidence)
                continue
            stages = {c for found in _STAGE.finditer(sentence) for c in found.groups()}
            names += [(token.text, mark in stages) for mark, token in inside.items() if token.kind == "code"]
            if not exempt and not page.is_full:
                _unbound(sentence, inside, shown, page, evidence)
                _values(sentence, inside, shown, page)
                for what, hint, at in _unlike(sentence, inside, block, page):
                    page.note(PageError(what, evidence=shown, hint=hint), shown if at is None else at)
    if not exempt:
        _attributes(root, page)
        for label in page.rendering.labels:
            if not evidence.has_label(label, cited=""):
                what = f"the {label.kind} '{label.text}' in a chart is in no snippet of this page"
                page.note(PageError(what, hint="use {{ a.fact }}, or reword it"), label.text)
    _names([*names, *((code, False) for code in sorted(page.rendering.codes))], page, evidence, exempt=exempt)


def _check_waiver(
    waiver: _Token, sentence: str, inside: Mapping[str, _Token], block: ET.Element, *, page: Page, evidence: Evidence
) -> None:
    """Tell the author of a waiver that waives nothing."""
    if page.options.collect and not page.is_full and not _needs(sentence, inside, block, page, evidence):
        where = page.document.where(page.place(waiver.element, "{{ waiver: " + waiver.text))
        shown = _shown(sentence, inside)
        page.notes.append(f"{where}: this waiver waives nothing that the lint finds: {shown}")


def _needs(sentence: str, inside: Mapping[str, _Token], block: ET.Element, page: Page, evidence: Evidence) -> bool:
    """Whether anything in a sentence would be reported if it had no waiver."""
    codes = [token.text for token in inside.values() if token.kind == "code"]
    if any(not evidence.names(code.rstrip("/")) for code in codes) or any(_not_run(codes, evidence)):
        return True
    stated = _stated(inside, page)
    altered = any(_altered(sentence, inside, "")) or any(_unlike(sentence, inside, block, page))
    return altered or len(set(stated)) < len(stated) or any(_loose(sentence, inside, page, evidence))


def _unbound(sentence: str, inside: Mapping[str, _Token], shown: str, page: Page, evidence: Evidence) -> None:
    """Note each quantity and comparison of a sentence that nothing backs."""
    for loose in itertools.islice(_loose(sentence, inside, page, evidence), _MOST):
        hint = "use {{ a.fact }}, add {{ claim: … }} to the sentence, or add {{ waiver: why }}"
        page.note(
            PageError(_PRIVATE.sub("…", loose.what), evidence=shown, hint=hint), _place(loose.text, sentence, page)
        )


def _loose(sentence: str, inside: Mapping[str, _Token], page: Page, evidence: Evidence) -> Iterator[Unbound]:
    # A version may be in the address of its release notes, in a cited figure's source, or in the name of a fact.
    links = [token.text for token in inside.values() if token.kind == "link"]
    names = [name for text in _stated(inside, page) for name in expression.names(text)]
    origins = [page.book[name].origin for name in names]
    titles = [f"{origin.title} {origin.url}" for origin in origins if isinstance(origin, Source)]
    cited = "\n".join([*links, *titles, *(_DIGITS_APART.sub(".", name) for name in names)])
    return claims.unbound(
        _prose(sentence, inside),
        [token.text for token in inside.values() if token.kind == "claim"],
        page.book,
        is_known=functools.partial(evidence.has_label, cited=cited),
    )


def _place(words: str, sentence: str, page: Page) -> str:
    """Text of the page to look for: the words, and what follows them there in one piece."""
    for part in _PRIVATE.split(sentence):
        if (at := part.find(words)) >= 0 and page.where(part[at:].strip()):
            return part[at:].strip()
    return _PRIVATE.sub(" ", words)


def _values(sentence: str, inside: Mapping[str, _Token], shown: str, page: Page) -> None:
    """Note what is typed around a value and changes it, and a value that is shown twice in a sentence."""
    for error in _altered(sentence, inside, shown):
        page.note(error, shown)
    stated = _stated(inside, page)
    for text in dict.fromkeys(text for text in stated if stated.count(text) > 1):
        what, hint = f"this sentence shows `{text}` twice", "is one of them another fact? If not, say it once"
        page.note(PageError(what, evidence=shown, hint=hint), "{{ " + text)


def _altered(sentence: str, inside: Mapping[str, _Token], shown: str) -> Iterator[PageError]:
    """What is typed around the values of a sentence and makes other values of them."""
    visible_text = {mark: _typed(token.text) if "code" in token.kind else "" for mark, token in inside.items()}
    text = _PRIVATE.sub(lambda found: found[0] if inside[found[0]].kind == "fact" else visible_text[found[0]], sentence)
    for what, hint in alterations.altered(text, lambda mark: inside[mark].text):
        yield PageError(what, evidence=shown, hint=hint)


def _stated(inside: Mapping[str, _Token], page: Page) -> list[str]:
    """The expressions whose values are in a sentence."""
    return [page.rendering.stated[token.element] for token in inside.values() if token.element in page.rendering.stated]


def _unlike(
    sentence: str, inside: Mapping[str, _Token], block: ET.Element, page: Page
) -> Iterator[tuple[str, str, int | None]]:
    """What is called official or compared although it was measured on another base, what to do about it, and its place.

    A cell is read with the rest of its row and the head of its column, and a caption with its chart.
    """
    words = " | ".join([*page.rendering.named.get(block, ()), sentence])
    beside = page.rendering.beside.get(block, [])
    stated = {block: beside if block.tag == "figcaption" else []}
    for token in inside.values():
        text = token.text if token.kind == "claim" else page.rendering.stated.get(token.element, "")
        stated[token.element] = expression.names(text) if text else []
    every = [*itertools.chain(*stated.values()), *beside]
    for element, names in stated.items():
        for what, hint in official.unlike(names, every, page.book, words):
            yield what, hint, page.rendering.places.get(element)


def _named(root: ET.Element) -> Iterator[tuple[ET.Element, tuple[str, str]]]:
    """Each cell of a table with the words of the first cells of its row and its column."""
    for table in root.iter("table"):
        rows = list(table.iter("tr"))
        heads = [_flat(cell, []) for cell in rows[0]] if rows else []
        for row in rows:
            first = _flat(row[0], []) if len(row) else ""
            yield from ((cell, (first, head)) for head, cell in zip(heads, row, strict=False))


def _facts(of: ET.Element, page: Page) -> list[str]:
    """The facts that a row or a cell of a table states."""
    stated = (page.rendering.stated[element] for element in of.iter() if element in page.rendering.stated)
    return [name for text in stated for name in expression.names(text)]


def _alone(root: ET.Element, page: Page) -> Iterator[tuple[ET.Element, str]]:
    """Each cell with a kind of fact that no other cell of its row or column has, where both show others."""
    for table in root.iter("table"):
        rows = list(table.iter("tr"))
        kinds = [[_kinds(_facts(cell, page)) for cell in row] for row in rows]
        columns = [Counter(itertools.chain(*column)) for column in itertools.zip_longest(*kinds, fillvalue=[])]
        for row, cells in zip(rows, kinds, strict=True):
            mates = Counter(itertools.chain(*cells))
            for cell, own, column in zip(row, map(Counter, cells), columns, strict=False):
                for kind, count in own.items():
                    others = min(mates.total(), column.total()) - count
                    if mates[kind] == column[kind] == count and others > 1:
                        yield cell, kind


def _kinds(names: list[str]) -> list[str]:
    """What the snippets of facts are called, up to the first underscore: variants and series have that in common."""
    return [name.partition(".")[0].partition("_")[0] for name in names]


def _attributes(root: ET.Element, page: Page) -> None:
    """Note what texts state that no claim can stand in: those for images, and the titles of links."""
    for element in root.iter():
        for text in (element.get("alt", ""), element.get("title", "")) if element.tag != "data" else ():
            for loose in claims.unbound(unescape(text), ()):
                hint = "say it in a sentence, where a fact or a claim can stand"
                page.note(PageError(loose.what, evidence=text, hint=hint), loose.text)


def _claim(mark: _Token, sentence: str, written: str, page: Page) -> None:
    at = page.place(mark.element, "{{ claim: " + mark.text)
    try:
        claim = claims.check(sentence, mark.text, page.book)
    except ProofError as error:
        page.note(error, at)
        return
    page.claims.append(replace(claim, written=written, at=at))
    page.bound += 1
    page.use(expression.names(mark.text))
    _explain(mark.element, claim, len(page.claims))
    if not claim.holds:
        evidence = f"{sentence}\nclaim: {claim.predicate}\nfacts: {claim.values}"
        page.note(
            FalseClaimError("this claim is false", evidence=evidence, hint="correct the sentence or the claim"), at
        )
    elif all(page.book[name].capture is None for name in expression.names(mark.text)):
        what, hint = (
            "no run checks this claim: its facts are cited",
            "leave it out: {{ a.fact }} names the source",
        )
        page.note(PageError(what, evidence=sentence, hint=hint), at)


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


def _names(found: list[tuple[str, bool]], page: Page, evidence: Evidence, *, exempt: bool) -> None:
    """Note every image, path, file, stage and number in code that is not in the page's snippets."""
    for code in (code for code, _ in found if _PROMPT.match(code)):
        what, hint = "a prompt in a sentence: nothing ran this command", "show it: {{ transcript snippet/step }}"
        page.note(PageError(what, evidence=code, hint=hint), f"`{code}`")
    for code in () if exempt else _not_run(dict.fromkeys(code for code, _ in found), evidence):
        what, hint = f"no snippet of this page has the command `{code}`", "run it, or add {{ waiver: why }}"
        page.note(PageError(what, hint=hint), f"`{code}`")
    kinds = (_REFERENCE, _PATH, _FILE) if exempt else (_REFERENCE, _PATH, _FILE, _NUMBER)
    for code in (c for c, stage in found if stage or any(kind.fullmatch(c) for kind in kinds)):
        if not evidence.names(code.rstrip("/")):
            page.note(
                PageError(
                    f"`{code}` is in no snippet of this page",
                    evidence=f"snippets of this page: {', '.join(sorted(page.snippets)) or 'none'}",
                    hint="correct the name, or add {{ waiver: why }} to the sentence",
                ),
                f"`{code}`" if f"`{code}`" in page.source else code,
            )


def _not_run(codes: Iterable[str], evidence: Evidence) -> Iterator[str]:
    """The commands and instructions among these pieces of code that no snippet of the page has."""
    for code in map(verbatim.read, codes):
        if commands.is_command(code) and not evidence.has(functools.partial(commands.contains, code)):
            yield code


def _blocks(root: ET.Element) -> Iterator[ET.Element]:
    for element in root.iter():
        if element.tag in _BLOCKS:
            yield element


def _flat(element: ET.Element, tokens: list[_Token], *, cited: bool = False) -> str:
    """The text of a block, without that of nested blocks. With `cited`, it is inside a link to another site."""
    parts = [_typed(element.text)]
    for child in element:
        kind = str(child.get("class", "")).split(" ")[0]
        if child.tag == "data":
            parts.append(_token(_Token("fact", verbatim.read(child.text), child), tokens))
        elif kind in ("claim", "waiver") and child.get("data-text"):
            parts.append(_token(_Token(kind, child.get("data-text", ""), child), tokens))
        elif child.tag == "code":
            parts.append(_token(_Token("cited code" if cited else "code", "".join(child.itertext()), child), tokens))
        elif child.tag not in _CONTAINERS:
            outside = child.tag == "a" and str(child.get("href", "")).startswith(("https://", "http://"))
            parts.append(_flat(child, tokens, cited=cited or outside))
            if outside:
                parts.append(_token(_Token("link", child.get("href", ""), child), tokens))
        parts.append(_typed(child.tail))
    return "".join(parts)


def _typed(text: str | None) -> str:
    """Text as readers see it, without characters of the private use area, which would be taken for tokens."""
    return _PRIVATE.sub("\N{REPLACEMENT CHARACTER}", _ESCAPED.unescape(text or ""))


def _token(token: _Token, tokens: list[_Token]) -> str:
    if len(tokens) > _LAST - _FIRST:
        raise PageError("there are too many values, pieces of code and claims in this block", hint="divide it")
    tokens.append(token)
    return chr(_FIRST + len(tokens) - 1)


def _inside(text: str, tokens: list[_Token]) -> dict[str, _Token]:
    """The tokens in a text, by their characters."""
    return {c: tokens[ord(c) - _FIRST] for c in _PRIVATE.findall(text)}


def _move_marks(tokens: list[_Token], match: re.Match[str]) -> str:
    """The claims and waivers after the end of a sentence, moved before its full stop."""
    marks, rest = "", match[2]
    inside = _inside(rest, tokens)
    while (found := _FIRST_MARK.match(rest)) and inside[found[1]].kind in ("claim", "waiver"):
        marks += found[1]
        rest = rest[found.end() :]
    return marks + match[1] + rest


def _before_the_end(text: str, tokens: list[_Token]) -> Iterator[_Token]:
    """The claims in a block that stand in the middle of a sentence: in the text before and after is more of it."""
    unseen = "".join(chr(_FIRST + n) for n, token in enumerate(tokens) if token.kind in ("claim", "waiver", "link"))
    blank = unseen + string.whitespace
    for mark, token in _inside(unseen, tokens).items():
        before, _, after = text.partition(mark)
        if token.kind == "claim" and after.strip(blank) and not _ENDS.search(before.rstrip(blank)):
            yield token


def _prose(sentence: str, inside: Mapping[str, _Token]) -> str:
    """The sentence as the grammar reads it."""
    return _PRIVATE.sub(lambda found: _PLACEHOLDERS.get(inside[found[0]].kind, ""), sentence)


def _shown(sentence: str, inside: Mapping[str, _Token]) -> str:
    """The sentence as readers see it."""
    shown = {mark: token.text for mark, token in inside.items() if token.kind in _PLACEHOLDERS}
    return " ".join(_PRIVATE.sub(lambda found: shown.get(found[0], ""), sentence).split())


def _written(sentence: str, inside: Mapping[str, _Token], page: Page) -> str:
    """The sentence as its author wrote it, with expressions in place of their values."""
    expressions = {
        mark: replace(token, text="{{ " + page.rendering.stated[token.element] + " }}")
        for mark, token in inside.items()
        if token.element in page.rendering.stated
    }
    return _shown(sentence, {**inside, **expressions})
