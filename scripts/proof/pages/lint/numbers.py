"""Numbers in digits and words: 1,234, three hundred and five, a dozen, hundreds of, a couple of thousand."""

from __future__ import annotations

from dataclasses import dataclass

from proof.pages.lint import lexicon
from proof.pages.lint.sentence import Sentence

_LONGEST = 12  # words of a number


@dataclass(frozen=True)
class Number:
    value: float | None  # None for "a few" and "hundreds of"
    end: int  # the position after it
    spelled: bool


def read_number(s: Sentence, i: int) -> Number | None:
    """A number in digits or words: 1,234, three hundred and five, a dozen, hundreds of, a couple of thousand."""
    word, value = s.at(i), None
    spelled = s.kind(i) != "number"
    end = i + 1
    if not spelled:
        if word.count(".") > 1:
            return Number(None, end, spelled=False)
        value = float(word.replace(",", ""))
    elif word in lexicon.GLYPHS:
        return Number(lexicon.GLYPHS[word], end, spelled=True)
    elif word in lexicon.NUMBERS:
        value = float(lexicon.NUMBERS[word])
    elif word in ("a", "an", "the") and s.at(end) in lexicon.ORDERS:
        value = 1.0
    elif word in lexicon.VAGUE or word in lexicon.PLURAL_ORDERS:
        end += s.at(end) == "of"
        if word in lexicon.VAGUE and s.at(end) not in lexicon.ORDERS:
            return None
        return Number(None, end + (s.at(end) in lexicon.ORDERS), spelled=True)
    else:
        return None
    # The part below the last thousand or million is added up before it is multiplied.
    total = 0.0
    for _ in range(_LONGEST):
        word = s.at(end)
        joined = word == "and" or (word == "-" and s.glued(end) and s.glued(end + 1))
        step = end + joined
        if (order := s.at(step if word == "-" else end)) in lexicon.ORDERS:
            value, end = value * lexicon.ORDERS[order], (step if word == "-" else end) + 1
            if lexicon.ORDERS[order] >= 1000:
                total, value = total + value, 0.0
        elif spelled and (more := lexicon.NUMBERS.get(s.at(step))) and _follows(value, more, begun=total > 0):
            value, end = value + more, step + 1
        else:
            break
    if s.lower[end : end + 3] in (["and", "a", "half"], ["and", "one", "half"]):
        value, end = value + 0.5, end + 3
    return Number(total + value, end, spelled)


def _follows(value: float, word: int, *, begun: bool) -> bool:
    """Whether a number word adds to the value before it: thirty-*five*, three hundred *five*, two thousand *ten*."""
    if 20 <= value % 100 < 100 and value % 10 == 0:
        return 0 < word < 10
    return word < 100 and (value % 100 == 0 if value else begun)
