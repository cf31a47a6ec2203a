"""What prose asserts × facts: claims, and numbers that nobody may type.

A claim is a sentence with its predicate beside it:

    The second image has only two layers. {{ claim: multi.layers == 2 }}

A number in prose is bound when it is a fact, when the predicate of its sentence's claim holds that very number, or
when a waiver says why it needs neither:

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
# Words that compare or sum up: a sentence with one of them draws a conclusion.
_CONCLUSION = re.compile(
    r"\b(half|twice|thrice|doubled?|tripled?|quadrupled?|tenfold|orders? of magnitude|smallest|largest|biggest|"
    r"slowest|fastest|most of (?:it|them|the)|nearly all|almost all|nothing but|a (?:third|quarter|fifth|tenth) of)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9\ue000-\uf8ff])")  # the last range: see audit


@dataclass(frozen=True)
class Claim:
    """A sentence and what must hold for it to be true."""

    sentence: str  # as a reader sees it
    predicate: str
    holds: bool
    values: str  # `multi.layers = 2`: what the predicate was evaluated over


@dataclass(frozen=True)
class Unbound:
    """Something that a sentence states and nothing backs."""

    text: str  # the number, or the words that conclude
    sentence: str
    what: str  # for the message


def check(sentence: str, predicate: str, facts: Mapping[str, Value]) -> Claim:
    """Evaluate a claim; PageError where the predicate is none."""
    value = expression.evaluate(predicate, facts)
    if value.unit != "truth":
        raise PageError(
            f"`{predicate}` is {value}, and neither true nor false", hint="{{ claim: multi.layers < single.layers }}"
        )
    values = ", ".join(f"{name} = {_exact(facts[name])}" for name in expression.names(predicate))
    return Claim(sentence, predicate, bool(value.value), values)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph."""
    yield from (part.strip() for part in _SENTENCE.split(text) if part.strip())


def unbound(sentence: str, predicates: Iterable[str]) -> Iterator[Unbound]:
    """What a sentence states that none of its claims' predicates backs."""
    stated = list(predicates)
    for found in _QUANTITY.finditer(sentence):
        if not any(_in(found["number"], found["unit"], predicate) for predicate in stated):
            yield Unbound(found[0], sentence, f"the number '{found[0]}' is typed, not measured")
    if not stated and (concluding := _CONCLUSION.search(sentence)):
        yield Unbound(concluding[0], sentence, f"'{concluding[0]}' draws a conclusion that nothing checks")


def _in(number: str, unit: str, predicate: str) -> bool:
    """Whether a number as written stands in a predicate: 96 % as 96 or 0.96."""
    value = WORDS[number.lower()] if number.lower() in WORDS else float(number.replace(",", ""))
    numbers = [float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", predicate)]
    same = [value, value / 100] if unit in ("%", "percent", "per cent") else [value]
    return any(abs(n - s) < 1e-9 for n in numbers for s in same)


def _exact(fact: Value) -> str:
    return f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else str(fact)
