"""Rules for labels: a number after a name, such as a port, a version, an exit code or a step."""

from __future__ import annotations

import re

from proof.pages.lint import lexicon
from proof.pages.lint.amounts import amount, unit_at
from proof.pages.lint.numbers import read_number
from proof.pages.lint.sentence import Quantity, Reading, Rule, Sentence, is_plural

_ENDS_SENTENCE = frozenset(".!?")
_JOINTS = frozenset("-/.+_:#")
_MEASURES = lexicon.BYTES | lexicon.TIMES | lexicon.PERCENT
_MOST_OF_A_RANGE = 2  # numbers: 10-15, but 2020-06-04 is a date
_SINCE = frozenset({"before", "since", "until", "from", "after"})  # words that a version follows
_REACH = 5  # words between a name and its number


def _port(s: Sentence, i: int) -> Reading:
    """:443."""
    if s.at(i) == ":" and not s.glued(i) and s.glued(i + 1) and s.kind(i + 1) == "number" and s.at(i + 1).isdigit():
        return s.quantity("port", i, i + 2, float(s.at(i + 1)))
    return None, i


def label(s: Sentence, i: int) -> Reading:
    """A number after a name. What it is a number of decides whether it has to be proved."""
    if s.lower[max(0, i - 2) : i] == ["such", "as"] or (s.states_nothing and s.at(0) != "should"):
        return None, i + 1
    if s.kind(i) == "version":
        return s.quantity("version", i, i + 1)
    if s.kind(i) == "ordinal":
        return None, i + 1
    if (number := read_number(s, i)) is None:
        return None, i
    digits = s.kind(i) == "number"
    joined = s.glued(i) and s.at(i - 1) in "-/."  # CVE-2021-44228
    if digits and not joined and _is_date(s, i) and s.at(i - 1) not in lexicon.NUMBERED:
        end = i + 3 if s.at(i + 1) == ":" else i + 1
        day = len(s.at(i)) <= len("31") and any(len(s.at(n)) == len("2026") for n in (i + 2, i + 3))
        return (
            (None, end) if day or s.supposed(i) or not {"i", "my"}.isdisjoint(s.lower) else s.quantity("date", i, end)
        )
    if digits and _in_name(s, i):
        return None, _name_end(s, i)
    dotted = digits and "." in s.at(i) and "," not in s.at(i)
    if (dotted and s.at(i).count(".") > 1) or (dotted and s.at(i - 1) in _SINCE and _bare(amount(s, i)[0])):
        return s.quantity("version", i, i + 1)
    if digits and _is_product(s, i - 1):
        return s.quantity("version", i - 1, i + 1)
    if (name := _name_before(s, i, lexicon.BETWEEN if digits else lexicon.BEFORE_WORD)) is None:
        return None, i
    kind = lexicon.NUMBERED[s.at(name)]
    # "User 1000 files a report" is about a user, but "it returns 3 lines" is about lines.
    adjacent = name == i - 1 and s.at(name) not in lexicon.VERBS_OF_EXIT
    measured = kind is None and unit_at(s, number.end + (s.at(number.end) == "-"), digits=digits) is not None
    counts_something = not adjacent and not _bare(amount(s, i)[0])
    spelled_name = not digits and kind in (None, "version")  # "step two" and "version two" are not labels
    chosen = kind in ("port", "id") and s.instructs(i)  # by the reader
    if chosen:
        return None, number.end
    if measured or counts_something or spelled_name:
        return None, i
    return s.quantity(kind, name, number.end, number.value) if kind else (None, number.end)


def _name_before(s: Sentence, i: int, between: frozenset[str]) -> int | None:
    """Where the name of a number stands: exit code *of* 3, user *with* 10001, port*,* 5432."""
    for name in range(i - 1, i - 1 - _REACH, -1):
        if s.at(name) in lexicon.NUMBERED:
            return name
        if s.at(name) not in between:
            break
    return None


def _in_name(s: Sentence, i: int) -> bool:
    """Whether a number is a part of a name: SHA-256, HTTP/2, X.509, CVE-2021-44228, 64-bit."""
    if s.glued(i + 1) and s.at(i + 1) == "-" and s.at(i + 2) == "bit":
        return True
    if s.at(i - 1) == "(" and s.glued(i - 1) and s.at(i + 1) == ")":  # execve(2)
        return True
    if s.at(i - 1) in (":", ".", "/", "+", "-") and s.at(i + 1) in _MEASURES:  # size:30MB, approx.270 MB, about-30 MB
        return False
    start, numbers = i, 1
    while (
        s.glued(start)
        and start > 0
        and (s.at(start - 1) in _JOINTS or s.kind(start - 1) in ("number", "word", "version"))
    ):
        start -= 1
        numbers += s.kind(start) == "number"
    if start < i and s.at(start) in lexicon.BYTES:  # MB-270
        return False
    password = s.glued(i + 1) and s.kind(i + 1) == "word" and s.text[slice(*s.spans[i + 1])].istitle()  # 1Password
    password = password and len(s.at(i + 1)) > len("iB")
    return password or (
        start < i and (not {"word", "version"}.isdisjoint(s.kinds[start:i]) or numbers > _MOST_OF_A_RANGE)
    )


def _name_end(s: Sentence, i: int) -> int:
    while s.glued(i + 1) and (s.at(i + 1) in _JOINTS or s.kind(i + 1) in ("number", "word")):
        i += 1
    return i + 1


def _is_date(s: Sentence, i: int) -> bool:
    """4 June 2020, 2020-06-04, in 2020, 14:00."""
    word = s.at(i)
    for colon, other in ((i + 1, i + 2), (i - 1, i - 2)):
        joined = s.at(colon) == ":" and s.glued(max(i, other)) and s.glued(colon) and s.kind(other) == "number"
        if joined and len(s.at(max(i, other))) == len("00"):  # 20:1 is a ratio
            return True
    before, after = s.at(i - 1), s.at(i + 1)
    if before in lexicon.MONTHS or (after in lexicon.MONTHS and (after != "may" or s.kind(i + 2) == "number")):
        return re.fullmatch(r"[12]?\d|3[01]|(?:19|20)\d\d", word) is not None
    if not re.fullmatch(r"(?:19[7-9]|20\d)\d", word):
        return False
    return after in lexicon.STOP or not (unit_at(s, i + 1, digits=True) or is_plural(after))


def _is_product(s: Sentence, i: int) -> bool:
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
        and s.at(i - 1) not in _ENDS_SENTENCE
    )


def _bare(quantity: Quantity | None) -> bool:
    """Whether it is a number without anything that it would be a number of."""
    return quantity is None or (quantity.kind == "number" and quantity.text[-1:].isdigit())


RULES: tuple[tuple[Rule, frozenset[str]], ...] = (
    (_port, lexicon.words(":")),
    (label, frozenset(lexicon.NUMBERS)),
)
