"""Numbers in words: the rules for rounding, with their limits."""

from collections.abc import Callable, Sequence

import pytest

from proof.core.errors import PageError
from proof.facts import phrases


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.5, "half"),
        (0.4, "two fifths"),
        (1 / 3, "a third"),
        (0.75, "three quarters"),
        (0.7, "seven tenths"),
        # To half a percent it is exact, within three it is about that.
        (0.501, "half"),
        (0.41, "about two fifths"),
        # Farther off: almost below, more than above, up to a tenth.
        (0.96, "more than nine tenths"),
        (0.378, "almost two fifths"),
        (0.235, "almost a quarter"),
        (0.107, "more than a tenth"),
        # The simplest fraction that is close enough.
        (0.302, "about three tenths"),
    ],
)
def test_fraction(share: float, words: str) -> None:
    """A share is said as the simplest fraction that is near."""
    assert phrases.fraction(share) == words


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (39.2, "39 times"),
        (1234.5, "1,200 times"),
        (2, "twice"),
        (2.05, "about twice"),
        (1.95, "about twice"),
        (2.4, "2.4 times"),
        (3.0, "three times"),
        (8.1, "about eight times"),
        (12.99, "13 times"),
        (1.05, "1.1 times"),
    ],
)
def test_times(factor: float, words: str) -> None:
    """A factor has the digits that it is exact to."""
    assert phrases.times(factor) == words


@pytest.mark.parametrize(
    ("left", "right", "unit", "words"),
    [
        (1, 2, "B", "smaller than"),
        (2, 1, "B", "larger than"),
        (2, 2, "B", "as large as"),
        (1, 2, "s", "shorter than"),
        (2, 2, "s", "as long as"),
        (1, 2, "count", "fewer than"),
        (2, 2, "count", "as many as"),
        (0.1, 0.2, "", "less than"),
        (0.1, 0.2, "a unit without words of its own", "less than"),
    ],
)
def test_comparison(left: float, right: float, unit: str, words: str) -> None:
    """Each unit has words of its own."""
    assert phrases.comparison(left, right, unit) == words


@pytest.mark.parametrize(
    ("value", "others", "unit", "words"),
    [
        (1, [2, 3], "B", "smallest"),
        (3, [1, 2], "B", "largest"),
        (2, [1, 3, 4, 5], "B", "second smallest"),
        (4, [1, 2, 3, 5], "B", "second largest"),
        (3, [1, 2, 4, 5, 6], "count", "third smallest"),
        # In the middle, from below.
        (2, [1, 3], "B", "second smallest"),
        (10.5, list(range(20)), "B", "tenth largest"),
        (3, [1, 2], "a unit without words of its own", "largest"),
    ],
)
def test_rank(value: float, others: Sequence[float], unit: str, words: str) -> None:
    """A place is counted from the nearer end."""
    assert phrases.rank(value, others, unit) == words


PERCENT = "use percent(), which can say every share"
RANK = "rank(a.size, b.size, c.size)"


@pytest.mark.parametrize(
    ("say", "what", "hint"),
    [
        (lambda: phrases.fraction(0.02), "no simple fraction is near 0.02", PERCENT),
        (lambda: phrases.fraction(0.0), "no simple fraction is near 0", PERCENT),
        (lambda: phrases.fraction(float("inf")), "no simple fraction is near inf", PERCENT),
        (lambda: phrases.times(1.04), "1.04 is not a multiple", "use percent(a / b - 1), or fraction()"),
        (lambda: phrases.rank(1, [], "B"), "rank() has nothing to rank it with", RANK),
        (lambda: phrases.rank(1, [1, 2], "B"), "rank() has an equal value to rank it with", RANK),
        (
            lambda: phrases.rank(10.5, list(range(22)), "B"),
            *("rank() names the first ten places from either end", "say it in another way"),
        ),
    ],
)
def test_what_cannot_be_said(say: Callable[[], str], what: str, hint: str) -> None:
    """The message says what to use instead."""
    with pytest.raises(PageError) as error:
        say()
    assert (error.value.what, error.value.hint) == (what, hint)


@pytest.mark.parametrize(("value", "words"), [(0, "zero"), (12, "twelve"), (13, "13"), (1234, "1,234"), (-1, "-1")])
def test_number(value: int, words: str) -> None:
    """Words up to twelve, digits from there on."""
    assert phrases.number(value) == words
