"""Finds what a sentence says about measurable things: quantities, and comparisons between them.

This is a small grammar of English. A sentence is split into words, and each rule below looks at a word and its
neighbours. A number is classified by what stands around it:

    270 MB, two thirds, 4%, three layers       a number before a unit or a plural: an amount
    port 8080, Go 1.27, exit code 2            a number after a name: a label, of a kind that pages have to prove
    step 2, RFC 3339, figure 4, June 2020      other labels, which say nothing about a measurement

A comparison states a result ("the second image is smaller than the first"), unless the sentence only asks, advises
or supposes ("if it is larger than you expect", "use a smaller base"). `lexicon` has the words, and
the idioms that do not state a quantity.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proof.pages.lint import lexicon
from proof.pages.lint.lexicon import Bound, Kind

FACT, CODE = "\ue000", "\ue001"  # stand in a sentence for a value that was computed, and for a piece of code

_BREAKS = frozenset(",;:—–()")
_BREAKS_SENTENCE = frozenset(".!?")
_CLAUSE = 40  # words: no clause of a page is longer, and the time for a sentence stays linear
_JOINTS = frozenset("-/.+_:#")
_LONGEST = 12  # words of a number
_MOST_OF_A_RANGE = 2  # numbers: 10-15, but 2020-06-04 is a date
_PHRASE = 5  # words of a noun phrase, with its adjectives
_SINCE = frozenset({"before", "since", "until", "from", "after"})  # words that a version follows
_REACH = 5  # words between a name and its number


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


def find(sentence: str) -> list[Quantity]:
    """Everything that a sentence says about measurable things, in order. FACT and CODE stand for what is not prose."""
    return list(_Sentence(_plain(sentence)).quantities())


def _plain(sentence: str) -> str:
    """The sentence without characters that nobody sees, and with plain digits for those that look like them."""
    if sentence.isascii():
        return sentence
    return "".join(map(_as_digits, sentence)).replace("\N{FRACTION SLASH}", "/")


@functools.lru_cache(maxsize=4096)
def _as_digits(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Cf":
        return ""
    return unicodedata.normalize("NFKC", c) if category in ("No", "Nl", "Nd") and c not in lexicon.GLYPHS else c


@dataclass(frozen=True)
class _Number:
    value: float | None  # None for "a few" and "hundreds of"
    end: int  # the position after it
    spelled: bool


_Found = tuple[Quantity | None, int]  # what a rule has found, if it is to be reported, and the position after it


class _Sentence:
    """The words of a sentence, and the rules that read them from left to right.

    Each rule takes the position of a word. If the rule applies, it returns the position after what it has read.
    """

    def __init__(self, text: str) -> None:
        small = text.translate(_SPACES).lower()
        self.text = text if len(small) == len(text) else small
        words = list(_WORD.finditer(small))
        self.lower = [found[0].replace("’", "'") for found in words]
        self.kinds = [found.lastgroup for found in words]
        self.spans = [found.span() for found in words]
        self.question = text.rstrip(' )"”*_').endswith("?")

    def quantities(self) -> Iterator[Quantity]:
        """Each thing found, by the first rule that applies."""
        i = 0
        while i < len(self.lower):
            number = self.kinds[i] in _NUMERIC
            if not number and self.lower[i] not in _STARTS and not self.lower[i].endswith("fold"):
                i += 1
                continue
            if (after := self._after_idiom(i)) == i:
                for rule in _AT_NUMBER if number else _rules(self.lower[i]):
                    found, after = rule(self, i)
                    if after > i:
                        if found is not None:
                            yield found
                        break
            i = max(after, i + 1)

    # What stands where.

    def at(self, i: int) -> str:
        """The word at a position, in lower case; empty outside of the sentence."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def kind(self, i: int) -> str | None:
        """The group of _WORD that it matches; None outside of the sentence."""
        return self.kinds[i] if 0 <= i < len(self.kinds) else None

    def glued(self, i: int) -> bool:
        """Whether nothing separates it from the word before."""
        return 0 < i < len(self.spans) and self.spans[i - 1][1] == self.spans[i][0]

    def said(self, i: int, end: int) -> str:
        """The words from one position up to another, as they are written."""
        return self.text[self.spans[i][0] : self.spans[min(end, len(self.spans)) - 1][1]]

    def found(self, kind: Kind, i: int, end: int, number: float | None = None) -> _Found:
        return Quantity(kind, self.said(i, end), number, self.bound(i) if number is not None else ""), end

    def bound(self, i: int) -> Bound:
        before = self.at(i - 1)
        return lexicon.BOUNDS.get(f"{self.at(i - 2)} {before}") or lexicon.BOUNDS.get(before, "")

    def _after_idiom(self, i: int) -> int:
        """The position after the longest idiom that starts here; the same position if none does."""
        after = i
        for phrase in _IDIOMS.get(self.lower[i], ()):
            here = self.lower[i : i + len(phrase)]
            if len(here) == len(phrase) and all(
                there.startswith(part[:-1]) if part.endswith("*") else there == part
                for there, part in zip(here, phrase, strict=True)
            ):
                after = max(after, i + len(phrase))
        return after

    def clause(self, i: int) -> list[str]:
        """The words from the beginning of the clause up to a position."""
        start = i
        while start > 0 and i - start < _CLAUSE and self.at(start - 1) not in _BREAKS:
            start -= 1
        return self.lower[start:i]

    def supposed(self, i: int) -> bool:
        """Whether the sentence only asks, advises, wishes or supposes what it says here."""
        before = self.clause(i)
        advises = bool(before) and before[0] in lexicon.ADVISES and before[1:2] != ["that"]
        if self.question or advises or any(self._supposes(before, n) for n in range(len(before))):
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
        return before[n] in lexicon.SUPPOSES and before[n + 1 : n + 2] != ["anything"]

    def asked(self, i: int) -> bool:
        """Whether the sentence only asks for it."""
        return self.question or "whether" in self.clause(i)

    @staticmethod
    def is_verb(word: str) -> bool:
        return word.isalpha() and word not in lexicon.STOP and word not in lexicon.DEFINITE and not _is_plural(word)

    def number(self, i: int) -> _Number | None:
        """A number in digits or words: 1,234, three hundred and five, a dozen, hundreds of, a couple of thousand."""
        word, value = self.at(i), None
        spelled = self.kind(i) != "number"
        end = i + 1
        if not spelled:
            if word.count(".") > 1:
                return _Number(None, end, spelled=False)
            value = float(word.replace(",", ""))
        elif word in lexicon.GLYPHS:
            return _Number(lexicon.GLYPHS[word], end, spelled=True)
        elif word in lexicon.NUMBERS:
            value = float(lexicon.NUMBERS[word])
        elif word in ("a", "an", "the") and self.at(end) in lexicon.ORDERS:
            value = 1.0
        elif word in lexicon.VAGUE or word in lexicon.PLURAL_ORDERS:
            end += self.at(end) == "of"
            if word in lexicon.VAGUE and self.at(end) not in lexicon.ORDERS:
                return None
            return _Number(None, end + (self.at(end) in lexicon.ORDERS), spelled=True)
        else:
            return None
        # The part below the last thousand or million is added up before it is multiplied.
        total = 0.0
        for _ in range(_LONGEST):
            word = self.at(end)
            joined = word == "and" or (word == "-" and self.glued(end) and self.glued(end + 1))
            step = end + joined
            if word in lexicon.ORDERS:
                value, end = value * lexicon.ORDERS[word], end + 1
                if lexicon.ORDERS[word] >= 1000:
                    total, value = total + value, 0.0
            elif spelled and (more := lexicon.NUMBERS.get(self.at(step))) and _follows(value, more, begun=total > 0):
                value, end = value + more, step + 1
            else:
                break
        if self.lower[end : end + 3] in (["and", "a", "half"], ["and", "one", "half"]):
            value, end = value + 0.5, end + 3
        return _Number(total + value, end, spelled)


# The rules.


def _port(s: _Sentence, i: int) -> _Found:
    """:443."""
    if s.at(i) == ":" and not s.glued(i) and s.glued(i + 1) and s.kind(i + 1) == "number" and s.at(i + 1).isdigit():
        return s.found("port", i, i + 2, float(s.at(i + 1)))
    return None, i


def _label(s: _Sentence, i: int) -> _Found:
    """A number after a name. What it is a number of decides whether it has to be proved."""
    if s.kind(i) == "version":
        return s.found("version", i, i + 1)
    if s.kind(i) == "ordinal":
        return None, i + 1
    if (number := s.number(i)) is None:
        return None, i
    digits = s.kind(i) == "number"
    if digits and (_in_name(s, i) or (_is_date(s, i) and not lexicon.NUMBERED.get(s.at(i - 1)))):
        return None, _name_end(s, i)
    dotted = digits and "." in s.at(i) and "," not in s.at(i)
    if (dotted and s.at(i).count(".") > 1) or (dotted and s.at(i - 1) in _SINCE and _bare(_amount(s, i)[0])):
        return s.found("version", i, i + 1)
    if digits and _is_product(s, i - 1):
        return s.found("version", i - 1, i + 1)
    if (name := _name_before(s, i, lexicon.BETWEEN if digits else lexicon.BEFORE_WORD)) is None:
        return None, i
    kind = lexicon.NUMBERED[s.at(name)]
    # "User 1000 files a report" is about a user, but "it returns 3 lines" is about lines.
    adjacent = name == i - 1 and s.at(name) not in lexicon.VERBS_OF_EXIT
    measured = kind is None and _unit(s, number.end + (s.at(number.end) == "-"), digits=digits) is not None
    counts_something = not adjacent and not _bare(_amount(s, i)[0])
    spelled_name = not digits and kind in (None, "version")  # "step two" and "version two" are not labels
    if measured or counts_something or spelled_name:
        return None, i
    return s.found(kind, name, number.end, number.value) if kind else (None, number.end)


def _name_before(s: _Sentence, i: int, between: frozenset[str]) -> int | None:
    """Where the name of a number stands: exit code *of* 3, user *with* 10001, port*,* 5432."""
    for name in range(i - 1, i - 1 - _REACH, -1):
        if s.at(name) in lexicon.NUMBERED:
            return name
        if s.at(name) not in between:
            break
    return None


def _in_name(s: _Sentence, i: int) -> bool:
    """Whether a number is a part of a name: SHA-256, HTTP/2, X.509, CVE-2021-44228, 64-bit."""
    if s.glued(i + 1) and s.at(i + 1) == "-" and s.at(i + 2) == "bit":
        return True
    if s.at(i - 1) == "(" and s.glued(i - 1) and s.at(i + 1) == ")":  # execve(2)
        return True
    start, numbers = i, 1
    while (
        s.glued(start)
        and start > 0
        and (s.at(start - 1) in _JOINTS or s.kind(start - 1) in ("number", "word", "version"))
    ):
        start -= 1
        numbers += s.kind(start) == "number"
    return start < i and (s.kind(start) in ("word", "version") or numbers > _MOST_OF_A_RANGE)


def _name_end(s: _Sentence, i: int) -> int:
    while s.glued(i + 1) and (s.at(i + 1) in _JOINTS or s.kind(i + 1) in ("number", "word")):
        i += 1
    return i + 1


def _is_date(s: _Sentence, i: int) -> bool:
    """4 June 2020, 2020-06-04, in 2020, 14:00."""
    word = s.at(i)
    for colon, other in ((i + 1, i + 2), (i - 1, i - 2)):
        if s.at(colon) == ":" and s.glued(max(i, other)) and s.glued(colon) and s.kind(other) == "number":
            return True
    before, after = s.at(i - 1), s.at(i + 1)
    if before in lexicon.MONTHS or (after in lexicon.MONTHS and (after != "may" or s.kind(i + 2) == "number")):
        return word.isdigit()
    if not re.fullmatch(r"(?:19[7-9]|20\d)\d", word):
        return False
    return after in lexicon.STOP or not (_unit(s, i + 1, digits=True) or _is_plural(after))


def _is_product(s: _Sentence, i: int) -> bool:
    """Whether the number after this word is the version of a program."""
    if s.kind(i) != "word":
        return False
    word, number = s.text[slice(*s.spans[i])], s.at(i + 1)
    dotted = re.fullmatch(r"\d+(?:\.\d+)+", number) is not None
    if s.at(i) in lexicon.PROTOCOLS:
        return False
    if s.at(i) in lexicon.PRODUCTS:
        return word[0].isupper() or dotted
    return (
        i > 0
        and word[0].isupper()
        and s.at(i) not in lexicon.NUMBERED
        and s.at(i) not in lexicon.MONTHS
        and s.at(i - 1) not in _BREAKS_SENTENCE
    )


def _fraction(s: _Sentence, i: int) -> _Found:
    """A third of, two fifths, half, 1/3."""
    word = s.at(i)
    if s.kind(i) == "number" and s.at(i + 1) == "/" and s.kind(i + 2) == "number" and s.glued(i + 2):
        above, below = (float(s.at(n).replace(",", "")) if s.at(n).count(".") <= 1 else 0 for n in (i, i + 2))
        return s.found("fraction", i, i + 3, above / below if below else None)
    start, top, end = i, 1.0, i
    if word in ("a", "an", "one", "another") and s.at(i + 1 + (s.at(i + 1) == "-")) in lexicon.PARTS:
        end = i + 1 + (s.at(i + 1) == "-")
    elif (number := s.number(i)) is not None and number.value is not None:
        end = number.end + (s.at(number.end) == "-")
        if not s.at(end).endswith("s") or (s.at(end).removesuffix("s") not in lexicon.PARTS and s.at(end) != "halves"):
            return None, i
        top = number.value
    elif word not in lexicon.PARTS and word.removesuffix("s") not in lexicon.PARTS:
        return None, i
    part = s.at(end)
    bottom = lexicon.PARTS.get(part) or lexicon.PARTS.get(part.removesuffix("s"))
    if bottom is None:
        return None, i
    after = end + 1
    if part == "second" or s.asked(i):
        return None, i
    if part == "half" and s.at(after) == "-" and s.glued(after):
        return None, after + 2
    # Half a minute, a quarter of an hour
    unit = after + (s.at(after) == "of")
    unit += s.at(unit) in ("a", "an")
    if unit > after and s.at(unit) in lexicon.WHOLE_TIMES:
        return s.found("duration", start, unit + 1)
    if unit > after and s.at(unit) in lexicon.BYTES:
        return s.found("number", start, unit + 1)
    ordinal = part != "half" and top == 1 and (end == i or word == "the" or s.at(after) not in lexicon.AFTER_PART)
    if ordinal and not (end > i and word == "one"):
        by = s.at(i - 1) in ("by", "about", "nearly", "almost", "roughly")
        if not (by and s.at(after) in ("of", "")):
            return None, i
    return s.found("fraction", start, after, top / bottom)


def _amount(s: _Sentence, i: int) -> _Found:
    """A number before a unit, or before what it counts."""
    word = s.at(i)
    if word in lexicon.VAGUE and s.number(i) is None:
        unit = i + 1 + (s.at(i + 1) == "of")
        kind = _unit(s, unit, digits=False)
        whole = s.at(unit) in lexicon.WHOLE_TIMES  # many second stages
        if kind is not None and not whole and word != "some" and not (word == "many" and kind[0] == "multiple"):
            return s.found(kind[0], i, kind[1])
        return None, i
    if (number := s.number(i)) is None:
        return None, i
    end = number.end
    # A range: of 10 to 15 percent each number is read, with the unit of both.
    through = end + (s.at(end) in ("to", "-", "–", "or", "and"))
    if (
        through > end
        and (second := s.number(through)) is not None
        and (kind := _unit(s, second.end + (s.at(second.end) == "-"), digits=True)) is not None
    ):
        return Quantity(kind[0], s.said(i, kind[1]), number.value, s.bound(i)), through
    if s.at(end) in ("a", "an") and s.at(end + 1) == "/":
        return None, i
    unit = end + (s.at(end) == "-" and s.glued(end + 1))
    if (kind := _unit(s, unit, digits=not number.spelled)) is not None:
        return s.found(kind[0], i, kind[1], number.value)
    if number.spelled and number.value == 1:
        counted = s.at(i - 1) in lexicon.ONLY and s.is_verb(s.at(end)) and s.at(end) not in lexicon.OF_THE_TEXT
        return s.found("count", i, end + 1, 1) if counted else (None, end)
    if (noun := _plural(s, unit)) is not None:
        if s.at(noun) in lexicon.OF_THE_TEXT or s.asked(i):
            return None, noun + 1
        if number.spelled and number.value is not None and number.value <= 12 and _is_definite(s.at(i - 1)):
            return None, end
        return s.found("count", i, noun + 1, number.value)
    if not number.spelled:
        return s.found("number", i, end, number.value)
    more = number.value is not None and number.value > 1
    counted = s.at(end) in lexicon.COUNTED or (s.at(end) == "of" and s.at(end + 1) in ("the", "our"))
    if more and ((s.at(i - 1) in lexicon.STATES and s.at(end) != "of") or (counted and not _is_definite(s.at(i - 1)))):
        return s.found("count", i, end, number.value)
    return None, end


def _unit(s: _Sentence, i: int, *, digits: bool) -> tuple[Kind, int] | None:
    """Which kind of number this unit belongs to, and the position after the unit. None if the word is not a unit."""
    word = s.at(i)
    if word in lexicon.PERCENT:
        return "percent", i + 1
    if word == "per" and s.at(i + 1) == "cent":
        return "percent", i + 2
    if word in ("percentage", "basis") and s.at(i + 1) in ("point", "points"):
        return "percent", i + 2
    if word in ("times", "×", "fold") or (word == "x" and s.glued(i)):
        return "multiple", i + 1
    if word == "order" or (word == "orders" and s.at(i + 1) == "of"):
        return ("multiple", i + 3) if s.at(i + 2) == "magnitude" else None
    if len(word) == 1 and not (digits and (s.glued(i) or word in "sbh")):
        return None
    if word in ("m", "h", "s", "d"):
        return "duration", i + 1
    if word in lexicon.BYTES:
        return "number", i + 1
    if word in lexicon.TIMES:
        return "duration", i + 1
    return None


def _plural(s: _Sentence, i: int) -> int | None:
    """The position of the noun that a number counts: the first plural of the noun phrase."""
    for step in range(_PHRASE):
        word, kind = s.at(i + step), s.kind(i + step)
        if kind == "place" or word in ("-", "*", "_", '"', "“", "”"):
            continue
        if kind != "word" or word in lexicon.STOP:
            return None
        if _is_plural(word):
            return i + step
    return None


def _article(s: _Sentence, i: int) -> _Found:
    """Takes a minute."""
    lasting = s.at(i - 1) in lexicon.LASTS and s.at(i) in ("a", "an") and s.at(i + 1) in lexicon.WHOLE_TIMES
    after = s.at(i + 2)
    if lasting and (s.kind(i + 2) != "word" or after in lexicon.STOP) and after != "-":
        return s.found("duration", i, i + 2, 1)
    return None, i


def _multiple(s: _Sentence, i: int) -> _Found:
    """Twice, doubled, tenfold, an order of magnitude."""
    word = s.at(i)
    if word in lexicon.MULTIPLES and not s.asked(i):
        return s.found("multiple", i, i + 1, lexicon.MULTIPLES[word])
    if (
        word.endswith("fold")
        and (stem := word.removesuffix("fold"))
        and (stem in lexicon.NUMBERS or stem in lexicon.ORDERS or stem == "many")
    ):
        return s.found("multiple", i, i + 1, lexicon.NUMBERS.get(stem) or lexicon.ORDERS.get(stem))
    if word in ("order", "orders") and s.at(i + 1) == "of" and s.at(i + 2) == "magnitude":
        return s.found("multiple", i, i + 3)
    return None, i


def _superlative(s: _Sentence, i: int) -> _Found:
    """The smallest, most of it, nearly all."""
    word, after = s.at(i), s.at(i + 1)
    end = i
    if word in lexicon.SUPERLATIVES:
        if after in lexicon.ABSTRACT:
            return None, i + 2
        end = i + 1
    elif word in ("most", "mostly"):
        share = word == "mostly" or after == "of" or (_is_plural(after) and after not in lexicon.STOP)
        end = i + 1 if share and s.at(i - 1) not in ("at", "the") else i
    elif (
        (word in ("nearly", "almost", "virtually", "practically") and after in lexicon.ALL)
        or (word in ("hardly", "barely", "scarcely") and after in ("any", "anything"))
        or (word in ("all", "nothing") and after == "but" and s.at(i + 2) != "the")
    ):
        end = i + 2
    elif word in ("bulk", "majority", "minority") and after == "of":
        end = i + 1
    return _unless_supposed(s, "superlative", i, end)


def _equal(s: _Sentence, i: int) -> _Found:
    """The same size, as large as."""
    word, after = s.at(i), s.at(i + 1)
    end = i
    if word == "same" and after in lexicon.DIMENSIONS:
        end = i + 2
    elif word == "as" and after in lexicon.EQUAL:
        close = next((n for n in range(i + 2, i + 7) if s.at(n) == "as"), None)
        if close is None or s.at(close + 1) in lexicon.AS_POSSIBLE:
            return (None, i + 2) if close else (None, i)
        end = i + 2
    elif word in ("equally", "identical") and after in lexicon.EQUAL | {"in", "sized"}:
        end = i + 2
    elif word in ("equal", "equals") and (word == "equals" or after in ("to", "in")):
        end = i + 1
    return _unless_supposed(s, "comparison", i, end)


def _unless_supposed(s: _Sentence, kind: Kind, i: int, end: int) -> _Found:
    """What is stated between two positions, if they differ, unless the sentence only supposes it."""
    if end == i or s.supposed(i):
        return None, end
    return s.found(kind, i, end)


def _comparative(s: _Sentence, i: int) -> _Found:
    """Smaller than, less time, starts faster."""
    word, after = s.at(i), s.at(i + 1)
    if word not in lexicon.COMPARATIVES or s.supposed(i):
        return None, i
    than = next((n for n in range(i + 1, i + 9) if s.at(n) == "than" or s.at(n) in _BREAKS), None)
    has_than = than is not None and s.at(than) == "than"
    amount = after in lexicon.DIMENSIONS or after in lexicon.MATTER or (_is_plural(after) and after not in lexicon.STOP)
    amount = amount or after in ("slowly", "quickly") or (after == "than" and s.kind(i + 2) != "")
    if word in ("more", "less"):
        return s.found("comparison", i, i + 1) if amount and (has_than or word == "less") else (None, i)
    if word == "fewer" or has_than:
        return s.found("comparison", i, i + 1)
    before = s.at(i - 1)
    predicate = s.kind(i + 1) != "word" or after in lexicon.STOP
    stated = (
        i > 0
        and predicate
        and word not in lexicon.NEEDS_THAN
        and before not in lexicon.DETERMINERS
        and s.at(i - 1) not in _BREAKS
    )
    return s.found("comparison", i, i + 1) if stated else (None, i)


def _change(s: _Sentence, i: int) -> _Found:
    """The image shrinks, pull times fell."""
    word = s.at(i)
    near = {s.at(n) for n in range(i - 5, i + 5)}
    changes = (
        word in lexicon.STRONG_CHANGE
        or (word in lexicon.CHANGE and not near.isdisjoint(lexicon.DIMENSIONS | lexicon.MATTER))
        or (word in lexicon.GROWS and s.at(i - 1) not in lexicon.DETERMINERS)
        or (word in ("change", "changes", "changed") and not near.isdisjoint(lexicon.SIZES))
    )
    shown = any(s.at(n) in ("from", "by", "to") and s.at(n + 1) == FACT for n in range(i + 1, i + 5))
    if not changes or shown or s.supposed(i):
        return None, i
    return s.found("comparison", i, i + 1)


def _is_plural(word: str) -> bool:
    return word in lexicon.IRREGULAR or (
        len(word) > 3 and word.endswith("s") and word.isalpha() and not lexicon.SINGULAR_S.search(word)
    )


def _follows(value: float, word: int, *, begun: bool) -> bool:
    """Whether a number word adds to the value before it: thirty-*five*, three hundred *five*, two thousand *ten*."""
    if 20 <= value % 100 < 100 and value % 10 == 0:
        return 0 < word < 10
    return word < 100 and (value % 100 == 0 if value else begun)


def _is_definite(word: str) -> bool:
    """Whether what follows this word is known already: *the* two images, *Go's* two caches."""
    return word in lexicon.DEFINITE or word.endswith("'s")


def _bare(quantity: Quantity | None) -> bool:
    """Whether it is a number without anything that it would be a number of."""
    return quantity is None or (quantity.kind == "number" and quantity.text[-1:].isdigit())


_IDIOMS: dict[str, list[list[str]]] = {}  # by the first word
for _phrase in ", ".join(lexicon.IDIOMS.values()).split(", "):
    _parts = re.findall(r"[\w'’]+\*?|\S", _phrase)
    _IDIOMS.setdefault(_parts[0], []).append(_parts)

_Rule = Callable[[_Sentence, int], _Found]
_AT_NUMBER: tuple[_Rule, ...] = (_label, _fraction, _amount)
# The rules in their order, with the words at which each can apply: most words of a page are not looked at twice.
_SPELLED = (
    lexicon.words("a an the") | lexicon.NUMBERS.keys() | lexicon.PLURAL_ORDERS | lexicon.VAGUE | lexicon.GLYPHS.keys()
)
_RULES: tuple[tuple[_Rule, frozenset[str]], ...] = (
    (_port, lexicon.words(":")),
    (_label, frozenset(lexicon.NUMBERS)),
    (
        _fraction,
        lexicon.words("a an one another") | lexicon.PARTS.keys() | {f"{part}s" for part in lexicon.PARTS} | _SPELLED,
    ),
    (_amount, _SPELLED),
    (_article, lexicon.words("a an")),
    (_multiple, frozenset(lexicon.MULTIPLES) | lexicon.words("order orders")),
    (
        _superlative,
        lexicon.SUPERLATIVES
        | lexicon.words("most mostly nearly almost virtually practically hardly barely scarcely all"),
    ),
    (_superlative, lexicon.words("nothing bulk majority minority")),
    (_equal, lexicon.words("same as equally identical equal equals")),
    (_comparative, lexicon.COMPARATIVES),
    (_change, lexicon.STRONG_CHANGE | lexicon.CHANGE | lexicon.GROWS | lexicon.words("change changes changed")),
)
# Most words of a page start neither an idiom nor anything that a rule reads.
_STARTS = frozenset(_IDIOMS).union(*(words for _, words in _RULES))
_NUMERIC = lexicon.words("number version ordinal")  # groups of _WORD


@functools.lru_cache(maxsize=4096)
def _rules(word: str) -> tuple[_Rule, ...]:
    """The rules that can apply at a word."""
    found = [rule for rule, words in _RULES if word in words]
    return (*found, _multiple) if word.endswith("fold") else tuple(found)
