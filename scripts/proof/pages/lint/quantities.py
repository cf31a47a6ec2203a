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
from collections.abc import Iterator

from proof.pages.lint import amounts, comparisons, labels, lexicon, patterns
from proof.pages.lint.sentence import CODE, FACT, Quantity, Rule, Sentence

__all__ = ["CODE", "FACT", "Quantity", "find"]

_IDIOMS: dict[str, list[list[str]]] = {}  # by the first word
for _phrase in ", ".join(lexicon.IDIOMS.values()).split(", "):
    _parts = re.findall(r"[\w'’]+\*?|\S", _phrase)
    _IDIOMS.setdefault(_parts[0], []).append(_parts)

# The rules in their order: the first that applies counts.
_RULES = (*labels.RULES, *amounts.RULES, *comparisons.RULES)
_AT_NUMBER: tuple[Rule, ...] = (labels.label, amounts.fraction, amounts.amount)
_NUMERIC = ("number", "version", "ordinal")  # kinds of words


def find(text: str) -> list[Quantity]:
    """Everything that a sentence says about measurable things, in order. FACT and CODE stand for what is not prose."""
    return list(read(Sentence(text)))


def read(s: Sentence) -> Iterator[Quantity]:
    """Each thing that a sentence states, by the first rule that applies."""
    i = 0
    while i < len(s.lower):
        quantity, end = patterns.phrase(s, i)
        after = _after_idiom(s, i)
        if quantity is not None and end > after:
            yield quantity
            after = end
        elif after == i:
            for rule in _AT_NUMBER if s.kinds[i] in _NUMERIC else _rules(s.lower[i]):
                quantity, after = rule(s, i)
                if after > i:
                    if quantity is not None:
                        yield quantity
                    break
        i = max(after, i + 1)


def _after_idiom(s: Sentence, i: int) -> int:
    """The position after the longest idiom that starts here; the same position if none does."""
    after = i
    for phrase in _IDIOMS.get(s.lower[i], ()):
        here = s.lower[i : i + len(phrase)]
        if len(here) == len(phrase) and all(
            there.startswith(part[:-1]) if part.endswith("*") else there == part
            for there, part in zip(here, phrase, strict=True)
        ):
            after = max(after, i + len(phrase)) if phrase[-1] == "than" or s.at(i + len(phrase)) != "than" else after
    return after


@functools.lru_cache(maxsize=4096)
def _rules(word: str) -> tuple[Rule, ...]:
    """The rules that can apply at a word."""
    rules = [rule for rule, words in _RULES if word in words]
    return (*rules, amounts.multiple) if word.endswith("fold") else tuple(rules)
