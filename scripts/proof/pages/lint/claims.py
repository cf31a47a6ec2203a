"""Checks prose against facts: evaluates claims, and finds numbers and conclusions that nothing backs.

A claim is a sentence followed by a predicate:

    The second image has only two layers. {{ claim: multi.layers == 2 }}

A number in prose is bound if it is a fact, if it also appears in the predicate of its sentence's claim, or if a waiver
says why it needs neither:

    Pulling takes 1 s at most. {{ waiver: a promise of the example, not a measurement }}
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proof.core.errors import PageError
from proof.facts import expression
from proof.facts.values import Value
from proof.pages.lint import lexicon, quantities
from proof.pages.lint.quantities import Quantity

_TOO_WIDE = 0.06  # relative: twice what "about" allows
_MOST_CLAIMS = 20  # that are looked at in a sentence
_FAR = 0.25  # relative: more than four is not said of six
_OF = re.compile(
    rf"\bof (?:(?:the|all|these|those|our) )*({'|'.join(lexicon.NUMBERS)}|[1-9][0-9]{{0,2}})\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9\ue000-\uf8ff])")  # private use area: see audit.py


@dataclass(frozen=True)
class Claim:
    """A sentence, its predicate, and whether that holds."""

    sentence: str  # as shown to readers
    predicate: str
    holds: bool
    values: str  # the facts in the predicate, like `multi.layers = 2`
    written: str = ""  # the sentence with expressions in place of their values
    at: int | None = None  # its position in the text of its page


@dataclass(frozen=True)
class Unbound:
    """A quantity or a comparison in a sentence that nothing backs."""

    text: str  # the words that state it
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
    if idle := expression.idle(predicate, facts):
        raise PageError(
            f"`{idle}` compares no fact with anything", hint="compare a fact: {{ claim: multi.layers == 2 }}"
        )
    values = ", ".join(f"{name} = {_exact(facts[name])}" for name in expression.names(predicate))
    return Claim(sentence, predicate, bool(value.value), values)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph."""
    yield from (part.strip() for part in _SENTENCE.split(text) if part.strip())


def unbound(
    sentence: str,
    predicates: Iterable[str],
    facts: Mapping[str, Value] = MappingProxyType({}),
    *,
    is_known: Callable[[Quantity], bool] = lambda label: label.kind == "date",
) -> Iterator[Unbound]:
    """The quantities and comparisons in a sentence that none of its claims' predicates backs.

    In the sentence, `quantities.FACT` and `quantities.CODE` stand for values and code. `is_known` says of a label,
    such as a version, whether the page's snippets have it.
    """
    stated = list(dict.fromkeys(predicates))[:_MOST_CLAIMS]
    for quantity in quantities.find(sentence):
        what = _objection(quantity, sentence, stated, facts, is_known)
        if what:
            yield Unbound(quantity.text, sentence, what)


def _objection(
    quantity: Quantity,
    sentence: str,
    predicates: list[str],
    facts: Mapping[str, Value],
    is_known: Callable[[Quantity], bool],
) -> str:
    """Why nothing backs what a sentence states. Empty if something does."""
    text = quantity.text
    if quantity.kind in lexicon.LABELS:
        is_claimed = quantity.number is not None and any(_numbers(predicate, quantity) for predicate in predicates)
        return "" if is_known(quantity) or is_claimed else f"the {quantity.kind} '{text}' is in no snippet of this page"
    if quantity.number is None or quantity.kind in ("comparison", "superlative"):
        if not predicates:
            return f"'{text}' draws a conclusion that nothing checks"
        compared = _compared(sentence, text) if quantity.kind == "superlative" else 0
        if max(len(expression.names(predicate)) for predicate in predicates) < compared:
            return f"no claim names all {compared} of which '{text}' is said"
        return ""
    backing = [predicate for predicate in predicates if _numbers(predicate, quantity)]
    if not backing:
        return f"the number '{text}' is typed, not measured"
    others = (_other(predicate, quantity, facts) for predicate in backing)
    other = next((other for other in others if other), None)
    return "" if other is None else f"the claim would hold for {other:g} as well, so it does not check '{text}'"


@functools.lru_cache(maxsize=16)  # a sentence may say the same a thousand times
def _compared(sentence: str, superlative: str) -> int:
    """Of how many things a superlative is said: the largest *of the three*. Zero if that is not stated."""
    number = _OF.search(sentence, sentence.find(superlative))
    if number is None:
        return 0
    word = number[1].casefold()
    return lexicon.NUMBERS[word] if word in lexicon.NUMBERS else int(word)


def _numbers(predicate: str, found: Quantity) -> list[float]:
    """The numbers in a predicate that are the one from the prose. 96 % may be 96 or 0.96 there."""
    assert found.number is not None
    wanted = [found.number, found.number / 100] if found.kind == "percent" else [found.number]
    return [n for n in expression.constants(predicate) if any(abs(n - w) < 1e-9 * max(1, w) for w in wanted)]


def _other(predicate: str, found: Quantity, facts: Mapping[str, Value]) -> float | None:
    """Another number for which the claim would hold too, although the words do not allow it. None if there is none."""
    with contextlib.suppress(PageError):  # it is reported where the claim itself is evaluated, as is a false one
        if expression.evaluate(predicate, facts).value:
            for number in _numbers(predicate, found):
                for other in _others(number, found):
                    if expression.evaluate(expression.replaced(predicate, number, other), facts).value:
                        return other
    return None


def _others(number: float, found: Quantity) -> list[float]:
    """Numbers that the words do not allow in place of `number`."""
    if found.bound in ("at least", "at most"):  # a limit of the other kind would hold for any number far off
        return [number * 1000 + 1000 if found.bound == "at least" else number / 1000 - 1]
    if found.bound in ("above", "below"):
        step = max(1.0 if found.kind == "count" else 0.0, number * _FAR)
        return [number + step if found.bound == "above" else number - step]
    step = 1.0 if found.kind == "count" else number * _TOO_WIDE
    return [number + step, number - step]


def _exact(fact: Value) -> str:
    return f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else str(fact)
