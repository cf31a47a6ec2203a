"""The words of a sentence: what stands where, and whether the sentence states it or only supposes it."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from proof.pages.lint import lexicon
from proof.pages.lint.lexicon import Bound, Kind

FACT, CODE = "\ue000", "\ue001"  # stand in a sentence for a value that was computed, and for a piece of code

BREAKS = frozenset(",;:—–()")
_CLAUSE = 40  # words: no clause of a page is longer, and the time for a sentence stays linear


@dataclass(frozen=True)
class Quantity:
    """What a sentence says about something that can be measured."""

    kind: Kind
    text: str  # the words that say it
    number: float | None = None  # the number that they state, if they state one
    bound: Bound = ""  # what the words before it make of it


_WORD = re.compile(
    r"(?P<place>[\ue000-\uf8ff])|(?P<version>\b(?:v\d+(?:\.\d+)*|[a-z]+\d+(?:\.\d+)+)\b)|(?P<ordinal>\d+(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)*)|(?P<word>[^\W\d_][^\W_]*(?:['’][^\W\d_]+)?)|(?P<other>\S)",
    re.IGNORECASE,
)
_SPACES = str.maketrans("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{NON-BREAKING HYPHEN}", "   -")


# Definitions, conventions, goals, requirements and made-up cases, by how they begin.
_STATES_NOTHING = re.compile(
    r"an? [\w' ]+? (?:is any|is called)\b|[\w' ]+? (?:stands for|shortened to|is the \w+ (?:below|above|at) which)\b"
    r"|by convention\b|(?:our|my|your) (?:goal|aim) [\w' ]*?\bis\b|this (?:post|article|guide|tutorial|talk) assumes\b"
    r"|(?:[\w']+ ){1,3}an? (?:fictitious|fictional|hypothetical|imaginary)\b|[\w' ]+, let us pretend\b"
    r"|make sure (?:that )?you have\b|for this \w+ i assume\b"
    r"|(?:let \w+ be|had (?:i|we|you|they|it|he|she)|were (?:i|we|you|they|it))\b"
)

Reading = tuple[Quantity | None, int]  # what a rule has read, if it is to be reported, and the position after it


# Letters that look like digits, in a word of such letters: l00, lO, OOO, and I before a unit.
_LOOKS_LIKE = re.compile(
    r"(?<!['’])\b(?=\d*[lIO])(?:[lIO]*\d[\dlIO]*|O{2,}|(?=[IO]*l)[lIO]{2,}|[lIO]{1,4}(?=[ -][kMGT]i?B\b)"
    r"|(?:O|II+)(?=[ -][a-z]{3,}s\b))(?!\w)"
)
_DIGITS = str.maketrans("lIO", "110")
_LETTERS_LOOK_LIKE = ((re.compile(r"(?<=[a-z])I(?=[a-z])"), "l"), (re.compile(r"\brn"), "m"))  # miIlion, rninutes


_JOINED = re.compile(
    rf"\b({'|'.join(lexicon.NUMBERS)})(?=(?:{'|'.join(lexicon.NUMBERS | lexicon.ORDERS)})\b)", re.IGNORECASE
)  # onehundred


def plain(sentence: str) -> str:
    """The sentence as readers take it: without what nobody sees, and with plain letters and digits for look-alikes."""
    sentence = _LOOKS_LIKE.sub(lambda word: word[0].translate(_DIGITS), sentence)
    sentence = _JOINED.sub(r"\1 ", sentence)
    for pattern, letter in _LETTERS_LOOK_LIKE:
        sentence = pattern.sub(letter, sentence)
    if sentence.isascii():
        return sentence
    return "".join(map(_as_digits, sentence)).replace("\N{FRACTION SLASH}", "/")


@functools.lru_cache(maxsize=4096)
def _as_digits(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Cf":
        return ""
    return unicodedata.normalize("NFKC", c) if category in ("No", "Nl", "Nd") and c not in lexicon.GLYPHS else c


class Sentence:
    """The words of a sentence, by their positions."""

    def __init__(self, text: str) -> None:
        text = plain(text)
        small = text.translate(_SPACES).lower()
        self.text = text if len(small) == len(text) else small
        words = list(_WORD.finditer(small))
        self.lower = [found[0].replace("’", "'") for found in words]
        self.kinds = [found.lastgroup for found in words]
        self.spans = [found.span() for found in words]
        self.question = text.rstrip(' )"”*_').endswith("?")

    def at(self, i: int) -> str:
        """The word at a position, in lower case; empty outside of the sentence."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def kind(self, i: int) -> str | None:
        """The group of _WORD that it matches; None outside of the sentence."""
        return self.kinds[i] if 0 <= i < len(self.kinds) else None

    def glued(self, i: int) -> bool:
        """Whether nothing separates it from the word before."""
        return 0 < i < len(self.spans) and self.spans[i - 1][1] == self.spans[i][0]

    def words(self, i: int, end: int) -> str:
        """The words from one position up to another, as they are written."""
        return self.text[self.spans[i][0] : self.spans[min(end, len(self.spans)) - 1][1]]

    def quantity(self, kind: Kind, i: int, end: int, number: float | None = None) -> Reading:
        return Quantity(kind, self.words(i, end), number, self.bound(i) if number is not None else ""), end

    def bound(self, i: int) -> Bound:
        before = self.at(i - 1)
        return lexicon.BOUNDS.get(f"{self.at(i - 2)} {before}") or lexicon.BOUNDS.get(before, "")

    def clause(self, i: int) -> list[str]:
        """The words from the beginning of the clause up to a position."""
        start = i
        while start > 0 and i - start < _CLAUSE and self.at(start - 1) not in BREAKS:
            start -= 1
        return self.lower[start:i]

    def supposed(self, i: int) -> bool:
        """Whether the sentence only asks, advises, wishes or supposes what it says here."""
        before = self.clause(i)
        advises = bool(before) and before[0] in lexicon.ADVISES and before[1:2] not in (["that"], ["times"], ["time"])
        advises = advises or (before[:1] in (["when"], ["once"]) and self._next_clause(i) in lexicon.ADVISES)
        likes = before[:1] == ["i"] and not lexicon.CLASSES["likes"].isdisjoint(before[1:2])
        if advises or likes or self.asked(i) or any(self._supposes(before, n) for n in range(len(before))):
            return True
        # "May be smaller" and "to make it smaller" state no result, but "as you can see, it is smaller" does.
        stated = max((n for n, word in enumerate(before) if word in lexicon.FINITE), default=-1)
        after = [*before[stated + 1 :], self.at(i)]
        return not lexicon.MODAL.isdisjoint(after) or any(
            word == "to" and self.is_verb(verb) and first not in lexicon.BEFORE_TO
            for first, word, verb in zip([*before[stated : stated + 1], *after], after, after[1:], strict=False)
        )

    @staticmethod
    def _supposes(before: list[str], n: int) -> bool:
        if before[n : n + 2] == ["so", "that"]:
            return True
        return before[n] in lexicon.SUPPOSES and before[n + 1 : n + 2] != ["anything"]

    def _next_clause(self, i: int) -> str:
        """The first word of the next clause."""
        comma = next((n for n in range(i, min(i + _CLAUSE, len(self.lower))) if self.lower[n] == ","), -2)
        return self.at(comma + 1)

    def only_asked(self, i: int) -> bool:
        """Whether a number is asked for, or belongs to a condition. "Did you know that …" states it."""
        if self.states_nothing or self.instructs(i) or self._is_title(i):
            return True
        if self.question:
            return self.at(0) in lexicon.CLASSES["asks"] and lexicon.CLASSES["knows"].isdisjoint(self.lower[:_CLAUSE])
        if _is_condition(self.clause(i)) or self.lower[max(0, i - 2) : i] == ["such", "as"]:
            return True
        if len(before := self.lower[: min(i, _CLAUSE)]) == 0 or lexicon.CLASSES["knows"] & {*before}:
            return False
        starts = {before[0], *self.clause(i)[:1]}
        if before[0] in ("when", "once"):
            return self._next_clause(i) in lexicon.CLASSES["instructs"] | lexicon.ADVISES
        return not starts.isdisjoint(lexicon.CLASSES["conditions"] | lexicon.CLASSES["instructs"])

    @functools.cached_property
    def states_nothing(self) -> bool:
        """Whether all of it is a made-up case, a goal or a definition: "Imagine …", "A kibibyte is 1,024 bytes"."""
        if _STATES_NOTHING.match(" ".join(self.lower[:_CLAUSE])):
            return True
        start = int(self.at(0) in ("let", "let's")) + (self.lower[:2] == ["let", "us"])
        if self.at(start) in lexicon.CLASSES["imagines"]:
            return self.at(start + 1) not in BREAKS | {""}
        if self.at(0) in ("a", "an", "one") and self.at(1) in lexicon.BYTES | lexicon.TIMES:
            return self.at(2) in ("is", "has", "equals") and self.kind(3) == "number"
        return self.at(0) == "should" or self.lower[:4] == ["in", "the", "event", "that"]

    def asked(self, i: int) -> bool:
        """Whether the sentence only asks for it, or its clause is a condition."""
        clause = self.clause(i)
        return self.question or self.states_nothing or "whether" in clause or _is_condition(clause)

    def instructs(self, i: int) -> bool:
        """Whether the clause tells readers what to do: a verb in the imperative and its object, and no other verb."""
        clause = self.clause(i)
        start = i - len(clause) + (clause[:1] in (["let's"], ["we'll"], ["then"], ["now"]))
        verb, after = self.at(start), self.at(start + 1)
        others = (
            lexicon.FINITE | lexicon.CHANGE | lexicon.STRONG_CHANGE | lexicon.CLASSES["lasting"] | {"and"}
        )  # "use it, and save"
        has_object = after in lexicon.DETERMINERS | lexicon.OF_THE_TEXT or after.endswith("ing")
        has_object = has_object or after in ("user", "port") or self.kind(start + 1) == "place"
        imperative = start < i and verb in lexicon.ADVISES | lexicon.CLASSES["instructs"] and has_object
        return imperative and others.isdisjoint(clause[start - i :][1:])

    def _is_title(self, i: int) -> bool:
        """Whether it stands in quotation marks after a verb that names something."""
        quotes = [n for n in range(max(0, i - _CLAUSE), i) if self.lower[n] in '"“”']
        naming = lexicon.CLASSES["naming"]
        return len(quotes) % 2 == 1 and not naming.isdisjoint(self.lower[max(0, quotes[-1] - 4) : quotes[-1]])

    def is_title(self, i: int) -> bool:
        """Whether a word begins with a capital letter only, as names do."""
        return self.kind(i) == "word" and self.words(i, i + 1).istitle()

    @staticmethod
    def is_verb(word: str) -> bool:
        return word.isalpha() and word not in lexicon.STOP and word not in lexicon.DEFINITE and not is_plural(word)


Rule = Callable[[Sentence, int], Reading]


def _is_condition(clause: list[str]) -> bool:
    """Whether it begins with "if", "in case", "provided that" or "when fewer than"."""
    conjunction = clause[:1] in (["if"], ["unless"]) or clause[:2] in (["in", "case"], ["provided", "that"])
    return conjunction or (clause[:1] == ["when"] and (len(clause) == 1 or clause[1] in lexicon.COMPARATIVES))


def is_plural(word: str) -> bool:
    return word in lexicon.IRREGULAR or (
        len(word) > 3 and word.endswith("s") and word.isalpha() and not lexicon.SINGULAR_S.search(word)
    )


def is_definite(word: str) -> bool:
    """Whether what follows this word is known already: *the* two images, *Go's* two caches."""
    return word in lexicon.DEFINITE or word.endswith("'s")
