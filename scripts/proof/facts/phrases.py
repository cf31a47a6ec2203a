"""Says a number in words, so that a page need not type what follows from its facts.

The rules for rounding, which are the same everywhere:

- "about": within 3 % of the exact number;
- "almost" and "more than": up to 10 % below and above it;
- no such word: the number is exact, to half a percent, or its digits say how exact it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from proof.core.errors import PageError
from proof.core.units import format_value

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_EXACT, _ABOUT, _NEAR = 0.005, 0.03, 0.1  # relative distances from the number that is said
_LEAST = 1.05  # of a multiple that is said with one decimal
_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth"}
# The simplest first: if several are close enough, the simplest is said.
_FRACTIONS = [(top, bottom) for bottom in _PARTS for top in range(1, bottom) if math.gcd(top, bottom) == 1]
_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ", "ninth ", "tenth ")
# Of each unit, what less, more and equal are called, and the least and the most.
_COMPARED = {
    "B": ("smaller than", "larger than", "as large as", "smallest", "largest"),
    "KiB": ("smaller than", "larger than", "as large as", "smallest", "largest"),
    "s": ("shorter than", "longer than", "as long as", "shortest", "longest"),
    "count": ("fewer than", "more than", "as many as", "smallest", "largest"),
    "": ("less than", "more than", "the same as", "smallest", "largest"),
}


def number(value: int) -> str:
    """A number in words up to twelve, and in digits from there on."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else format_value(value, "count")


def fraction(share: float) -> str:
    """A share as a simple fraction: `about two fifths`. Raises PageError if none is near."""
    for limit in (_ABOUT, _NEAR):
        for top, bottom in _FRACTIONS:
            if abs(share * bottom / top - 1) <= limit:
                return _near(share, top / bottom, _in_parts(top, bottom))
    raise PageError(f"no simple fraction is near {share:.3g}", hint="use percent(), which can say every share")


def times(factor: float) -> str:
    """A factor: `39 times`, `about twice`, `2.4 times`. Raises PageError if it is none: for one, and below."""
    if factor < _LEAST:
        raise PageError(f"{factor:.3g} is not a multiple", hint="use percent(a / b - 1), or fraction()")
    whole = round(factor)
    if whole >= len(NUMBERS):
        return f"{float(f'{factor:.2g}'):,.0f} times"
    if whole > 1 and abs(factor / whole - 1) <= _ABOUT:
        return _near(factor, whole, "twice" if whole == 2 else f"{NUMBERS[whole]} times")
    return f"{factor:.1f} times"


def comparison(left: float, right: float, unit: str) -> str:
    """How two values of the same unit compare: `smaller than`."""
    less, more, equal, *_ = _COMPARED.get(unit, _COMPARED[""])
    return less if left < right else more if left > right else equal


def rank(value: float, others: Sequence[float], unit: str) -> str:
    """Which of several it is: `smallest`, `second largest`. Raises PageError if there is no such place."""
    if not others or value in others:
        what = "rank() has nothing to rank it with" if not others else "rank() has an equal value to rank it with"
        raise PageError(what, hint="rank(a.size, b.size, c.size)")
    least, most = _COMPARED.get(unit, _COMPARED[""])[3:]
    below = sum(other < value for other in others)
    above = len(others) - below
    place, name = (below, least) if below <= above else (above, most)
    if place >= len(_ORDINALS):
        raise PageError("rank() names the first ten places from either end", hint="say it in another way")
    return f"{_ORDINALS[place]}{name}"


def _near(exact: float, said: float, text: str) -> str:
    distance = exact / said - 1
    if abs(distance) <= _EXACT:
        return text
    if abs(distance) <= _ABOUT:
        return f"about {text}"
    return f"{'more than' if distance > 0 else 'almost'} {text}"


def _in_parts(top: int, bottom: int) -> str:
    if bottom == 2:
        return "half"
    return f"a {_PARTS[bottom]}" if top == 1 else f"{NUMBERS[top]} {_PARTS[bottom]}s"
