"""Checks prose against facts: evaluates claims, and finds numbers and conclusions that nothing backs.

A claim is a sentence followed by a predicate:

    The second image has only two layers. {{ claim: multi.layers == 2 }}

A number in prose is bound if it is a fact, if it also appears in the predicate of its sentence's claim, or if a waiver
says why it needs neither:

    Pulling takes 1 s at most. {{ waiver: a promise of the example, not a measurement }}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from proof.core.errors import PageError
from proof.facts import expression
from proof.facts.values import Value

WORDS = {word: number for number, word in enumerate(expression.WORDS)}
_AMOUNT = rf"(?P<number>\d[\d,.]*\d|\d|\b(?:{'|'.join(WORDS)})\b)"
_UNIT = (
    r"(?P<unit>[kMGT]i?B\b|B\b|bytes?\b|(?:kilo|mega|giga)bytes?\b|%|percent\b|per cent\b|×|times\b|[kMG]?bit/s|"
    r"(?:[mµn]s|s|sec|seconds?|minutes?|hours?)\b|layers?\b)"
)
_QUANTITY = re.compile(rf"{_AMOUNT}[\s\N{{NO-BREAK SPACE}}-]?(?:\w+\s(?=layers?\b))?{_UNIT}", re.IGNORECASE)
# Words that compare or sum up. A sentence with one of them draws a conclusion, which needs a claim.
_CONCLUSION = re.compile(
    r"\b(half|twice|thrice|doubled?|tripled?|quadrupled?|tenfold|orders? of magnitude|smallest|largest|biggest|"
    r"slowest|fastest|most of (?:it|them|the)|nearly all|almost all|nothing but|a (?:third|quarter|fifth|tenth) of)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9\ue000-\uf8ff])")  # private use area: see audit.py


@dataclass(frozen=True)
class Claim:
    """A sentence, its predicate, and whether that holds."""

    sentence: str  # as shown to readers
    predicate: str
    holds: bool
    values: str  # the facts in the predicate, like `multi.layers = 2`


@dataclass(frozen=True)
class Unbound:
    """A number or a conclusion in a sentence that nothing backs."""

    text: str  # the number, or the words that draw the conclusion
    sentence: str
    what: str  # the error message


def check(sentence: str, predicate: str, facts: Mapping[str, Value]) -> Claim:
    """Evaluate a claim. Raises PageError if the predicate is not valid, or not true or false."""
    value = expression.evaluate(predicate, facts)
    if value.unit != "truth":
        raise PageError(
            f"`{predicate}` is {value}, which is neither true nor false",
            hint="write a comparison, like {{ claim: multi.layers < single.layers }}",
        )
    values = ", ".join(f"{name} = {_exact(facts[name])}" for name in expression.names(predicate))
    return Claim(sentence, predicate, bool(value.value), values)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph."""
    yield from (part.strip() for part in _SENTENCE.split(text) if part.strip())


def unbound(sentence: str, predicates: Iterable[str]) -> Iterator[Unbound]:
    """The numbers and conclusions in a sentence that none of its claims' predicates backs."""
    stated = list(predicates)
    for found in _QUANTITY.finditer(sentence):
        if not any(_in(found["number"], found["unit"], predicate) for predicate in stated):
            yield Unbound(found[0], sentence, f"the number '{found[0]}' is typed, not measured")
    if not stated and (concluding := _CONCLUSION.search(sentence)):
        yield Unbound(concluding[0], sentence, f"'{concluding[0]}' draws a conclusion that nothing checks")


def _in(number: str, unit: str, predicate: str) -> bool:
    """Whether a predicate contains a number from the prose. 96 % may be 96 or 0.96 there."""
    value = WORDS[number.lower()] if number.lower() in WORDS else float(number.replace(",", ""))
    numbers = [float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", predicate)]
    same = [value, value / 100] if unit in ("%", "percent", "per cent") else [value]
    return any(abs(n - s) < 1e-9 for n in numbers for s in same)


def _exact(fact: Value) -> str:
    return f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else str(fact)
