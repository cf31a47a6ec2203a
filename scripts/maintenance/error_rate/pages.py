"""Changes each number and each comparison of the pages, one at a time, and asks whether the lint would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import ProofError, UsageError
from proof.facts import expression, phrases
from proof.facts.book import FactBook
from proof.pages.document import FRONT_MATTER, page_text
from proof.pages.lint import confirmed, quantities
from proof.pages.page import PageReport
from proof.pages.scan import Reader, scan
from proof.pages.site import Site

# What is changed. Of the last kind nothing but a reader can tell: the other fact is measured, too.
KINDS = (
    VALUE := "a value typed in place of a fact",
    UNIT := "a unit typed after a fact",
    CLAIM_NUMBER := "a number in a claim",
    CLAIM_SIGN := "a comparison in a claim",
    SENTENCE_NUMBER := "a number in the sentence of a claim",
    SENTENCE_WORD := "a comparison in the sentence of a claim",
    LABEL := "a version, port, ID or exit code",
    OTHER := "another fact with the same unit",
)
_TOKEN = re.compile(
    r"\{\{\s*(?!transcript|waiver|page waiver|proof\s*\}|measurements|errors\s*\}|text:|code:)(.*?)\s*\}\}", re.DOTALL
)
_CLAIM = re.compile(r"claim:\s*(.*)", re.DOTALL)
_DIGITS = re.compile(r"\d+")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_FLIPPED = {"==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">", ">": "<"}
_NEXT = {word: phrases.NUMBERS[(n + 1) % len(phrases.NUMBERS)] for n, word in enumerate(phrases.NUMBERS)}
_OPPOSITE = {
    "smaller": "larger",
    "fewer": "more",
    "smallest": "largest",
    "less": "more",
    "shorter": "longer",
    "grew": "shrank",
}
_OPPOSITE |= {other: word for word, other in _OPPOSITE.items() if other != "more"} | {"more": "less", "same": "other"}
_WORD = re.compile(r"(?<![\w`{])[A-Za-z]+(?![\w`}])")
_LABEL = re.compile(r"\b(Go|Docker|Alpine|port|user|exit code) (\d+(?:\.\d+)*)\b")
_CODE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Change:
    """One change of a page."""

    kind: str
    page: str
    line: int
    old: str
    new: str
    text: str  # of the whole page, changed


@dataclass
class Tally:
    """How many changes of a kind there were, and which were not noticed."""

    total: int
    missed: list[Change]

    @property
    def caught(self) -> int:
        """How many were noticed."""
        return self.total - len(self.missed)


def measure(root: Path) -> dict[str, Tally]:
    """Change the pages that have to prove what they say, and count which changes are noticed, by kind."""
    site = Site.at(root)
    reader = Reader(site, site.book)
    tallies = {kind: Tally(0, []) for kind in KINDS}
    for report in scan(root, expand=False):
        if report.problems:
            raise UsageError(f"{report.path} has problems already", hint="proof status")
        if not report.page.waived and not report.page.generated:
            for change in changes(report, root, site.book):
                tallies[change.kind].total += 1
                if not _is_noticed(change, report.path, root, reader):
                    tallies[change.kind].missed.append(change)
    return tallies


def _is_noticed(change: Change, path: Path, root: Path, reader: Reader) -> bool:
    page = reader.render(FRONT_MATTER.sub("", change.text), expand=False)
    return bool(page.problems) or any(confirmed.problems(root, [PageReport(path, page)]))


def changes(report: PageReport, root: Path, book: FactBook) -> Iterator[Change]:
    """Every change of a page."""
    text = page_text(root, report.path)
    name = report.path.relative_to(root).as_posix()
    for kind, start, end, new in _edits(text, book):
        line = text.count("\n", 0, start) + 1
        yield Change(kind, name, line, text[start:end], new, text[:start] + new + text[end:])


def _edits(text: str, book: FactBook) -> Iterator[tuple[str, int, int, str]]:
    """The changes of a text: kind, place and new text."""
    front = FRONT_MATTER.match(text)
    quoted = [(0, front.end() if front else 0), *(found.span() for found in _FENCE.finditer(text))]
    prose = _TOKEN.sub(lambda found: quantities.FACT * len(found[0]), text)
    for token in _TOKEN.finditer(text):
        if any(start <= token.start() < end for start, end in quoted):
            continue
        if (claim := _CLAIM.fullmatch(token[1])) is not None:
            begin = token.start(1) + claim.start(1)
            for found in re.finditer(r"(?<![\w.])\d+(?![\w.])", claim[1]):
                for number in (int(found[0]) + 1, int(found[0]) * 10 + 3):
                    yield CLAIM_NUMBER, begin + found.start(), begin + found.end(), str(number)
            for found in _OPERATOR.finditer(claim[1]):
                yield CLAIM_SIGN, begin + found.start(), begin + found.end(), _FLIPPED[found[0]]
            yield from _words(prose, _sentence(prose, token.start()), token.start())
            continue
        try:
            value = expression.evaluate(token[1], book)
        except ProofError:
            continue  # not a token, but an example of one
        shown = str(value).replace("\N{NO-BREAK SPACE}", " ")
        if value.unit == "text" and value.exact is None:
            continue  # a name, and no number
        for other in _other_values(shown):
            yield VALUE, *token.span(), other
        for unit in (" MiB", "%", " seconds") if _DIGITS.search(shown) else ():
            yield UNIT, token.end(), token.end(), unit
        if (fact := _other_fact(token[1], book)) is not None:
            yield OTHER, *token.span(1), fact
    quoted += [found.span() for found in _CODE.finditer(text)]
    for found in _LABEL.finditer(text):
        if not any(start <= found.start() < end for start, end in quoted):
            before, dot, last = found[2].rpartition(".")
            yield LABEL, *found.span(2), f"{before}{dot}{int(last) + 37}"


def _sentence(text: str, end: int) -> int:
    """Where the sentence begins that ends here."""
    block = text.rfind("\n\n", 0, end) + 2
    ends = [found.end() for found in re.finditer(r"[.!?:]\s+", text[block : end - 2])]
    return block + (ends[-1] if ends else 0)


def _words(text: str, start: int, end: int) -> Iterator[tuple[str, int, int, str]]:
    """Changes of the words that state something in the sentence of a claim: kind, place and new word."""
    said = [quantity.text.lower() for quantity in quantities.find(text[start:end])]
    for found in _WORD.finditer(text, start, end):
        word = found[0].lower()
        stated = any(re.search(rf"\b{word}\b", each) for each in said)
        if stated and word in _NEXT:
            yield SENTENCE_NUMBER, *found.span(), _NEXT[word]
        if stated and word in _OPPOSITE:
            yield SENTENCE_WORD, *found.span(), _OPPOSITE[word]
    for found in re.finditer(r"(?<![\w.{`])\d+(?![\w.}`])", text[start:end]):
        if any(re.search(rf"\b{found[0]}\b", each) for each in said):
            yield SENTENCE_NUMBER, start + found.start(), start + found.end(), str(int(found[0]) + 1)


def _other_values(shown: str) -> Iterator[str]:
    """Other values in place of the one that is shown. None for a text without a number or a comparison."""
    if (digits := _DIGITS.search(shown)) is not None:
        for other in (str(int(digits[0]) + 1), f"{digits[0]}7", str(int(digits[0]) * 3 + 2)):
            yield shown[: digits.start()] + other + shown[digits.end() :]
        return
    for found in _WORD.finditer(shown):
        if (word := _NEXT.get(found[0]) or _OPPOSITE.get(found[0])) is not None:
            yield shown[: found.start()] + word + shown[found.end() :]


def _other_fact(text: str, book: FactBook) -> str | None:
    """The expression with its first fact replaced by the same fact of another snippet. None if there is none."""
    for name in expression.names(text):
        snippet, _, fact = name.partition(".")
        for other in ("single", "multi"):
            if (
                other != snippet
                and f"{other}.{fact}" in book
                and name in book
                and book[f"{other}.{fact}"].value != book[name].value
            ):
                return text.replace(name, f"{other}.{fact}", 1)
    return None
