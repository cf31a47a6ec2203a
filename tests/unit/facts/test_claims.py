"""What prose states: which words count as a number or a conclusion, and which claims back them."""

from __future__ import annotations

import pytest

from proof.core.errors import PageError
from proof.facts import claims
from proof.facts.claims import Claim, Unbound
from proof.facts.values import Value

FACTS = {
    "multi.layers": Value(2, "count"),
    "multi.size": Value(10_653_826, "B"),
    "multi.du": Value(166_092.8, "KiB"),
    "multi.build": Value(7.25, "s"),
    "multi.user": Value("65532", "text"),
}
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
NBSP = "\N{NO-BREAK SPACE}"


def found(sentence: str, *predicates: str) -> list[str]:
    """The numbers and conclusions of a sentence that none of these claims backs."""
    return [loose.text for loose in claims.unbound(sentence, predicates)]


@pytest.mark.parametrize(
    "quantity",
    [
        # Sizes, in any case and with any separator.
        *("5 B", "5 kB", "5 MB", "5 GB", "5 TB", "5 KiB", "5 MiB", "5 GiB", "5 TiB", "5 mb", "5MB", f"5{NBSP}MB"),
        *("5-MB", "5 byte", "5 bytes", "5 kilobyte", "5 kilobytes", "5 megabytes", "5 gigabytes", "5 Gigabyte"),
        # Shares and factors.
        *("96 %", "96%", "96 percent", "96 per cent", "25 ×", "25×", "25 times", "ten times"),
        # Rates and durations.
        *("5 bit/s", "5 kbit/s", "5 Mbit/s", "5 Gbit/s", "5 ms", "5 µs", "5 ns", "5 s", "5s", "5 sec"),
        *("1 second", "5 seconds", "25-second", "1 minute", "5 minutes", "1 hour", "5 hours"),
        # Layers, with at most one word before them.
        *("1 layer", "3 layers", "3-layer", "3 stacked layers", "three stacked layers", "3 stacked layer"),
        # Numbers as they are written.
        *("1,234,567 bytes", "1.5 MB", "10.75 MB", "12 MB", "0.5 s"),
        *(f"{word} layers" for word in WORDS),
        *("Two layers", "TWELVE LAYERS"),
    ],
)
def test_a_quantity(quantity: str) -> None:
    """A number with a unit is a quantity, for each unit, each number word and each way to join them."""
    sentence = f"It has {quantity}, they say."
    assert list(claims.unbound(sentence, [])) == [
        Unbound(quantity, sentence, f"the number '{quantity}' is typed, not measured")
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("Go 1.27", "in June 2020", "port 8080", "3 files", "two stages", "5 new megabytes of it", "5  MB"),
        "3--layer",
        *("5 Bananas", "5 kBs", "5 timestamps", "5 percentiles", "5 secrets", "5 secondary ones", "5 minuted notes"),
        *("5 bytecodes", "3 layered ones", "5 hoursful", "5 kilobytecodes", "5 msec", "5 per centile"),
        # A word for a number is a whole word.
        *("tens of files", "someone times it", "a stone B", "of sixes"),
        *("3 very big layers", "3 big files"),
    ],
)
def test_no_quantity(text: str) -> None:
    """A version, a date or another count is not a measurement."""
    assert found(f"It is {text} here.") == []


@pytest.mark.parametrize(
    "words",
    [
        *("half", "twice", "thrice", "double", "doubled", "triple", "tripled", "quadruple", "quadrupled", "tenfold"),
        *("order of magnitude", "orders of magnitude", "smallest", "largest", "biggest", "slowest", "fastest"),
        *("most of it", "most of them", "most of the", "nearly all", "almost all", "nothing but"),
        *("a third of", "a quarter of", "a fifth of", "a tenth of", "Half", "A Third of"),
    ],
)
def test_a_conclusion(words: str) -> None:
    """A sentence that compares or sums up draws a conclusion, which any claim backs."""
    sentence = f"It is {words} image."
    assert list(claims.unbound(sentence, [])) == [
        Unbound(words, sentence, f"'{words}' draws a conclusion that nothing checks")
    ]
    assert found(sentence, "multi.layers == 2") == []


@pytest.mark.parametrize(
    "text",
    [
        *("halfway", "on behalf", "a doubler", "most often", "most of us", "a third party", "a sixth of", "oftenfold"),
        *("the order of layers", "the third of them", "nothing at all", "all of it"),
    ],
)
def test_no_conclusion(text: str) -> None:
    """A word that only looks similar does not draw a conclusion."""
    assert found(f"It is {text} here.") == []


@pytest.mark.parametrize(
    ("quantity", "predicate", "bound"),
    [
        *((f"{word} layers", f"multi.layers == {number}", True) for number, word in enumerate(WORDS)),
        ("Two layers", "multi.layers == 2", True),
        ("two layers", "multi.layers == 3", False),
        ("two layers", "multi.layers == multi.layers", False),
        # The number as it is written, with its decimals, and without its commas.
        ("1,234,567 bytes", "multi.size == 1234567", True),
        ("1.5 MB", "multi.size == MB(1.5)", True),
        ("1.50 MB", "multi.size == MB(1.5)", True),
        ("15 MB", "multi.size == MB(1.5)", False),
        ("1 MB", "multi.size == MB(1.5)", False),
        ("5 MB", "multi.size == MB(1.5)", False),
        ("5 s", "multi.build > .5", False),
        ("12 MB", "MB(10) < multi.size < MB(12)", True),
        ("11 MB", "MB(10) < multi.size < MB(12)", False),
        # A digit in a name is not a number.
        ("two layers", "a.go2 == 1", False),
        ("two layers", "a2.go == 1", False),
        ("two layers", "a.layer_2 == 1", False),
        # A share is a percentage, or the part of one; nothing else is divided.
        ("96 %", "multi.share > 0.96", True),
        ("96 %", "multi.share > 96", True),
        ("96 percent", "multi.share > 0.96", True),
        ("96 per cent", "multi.share > 0.96", True),
        ("0.7 %", "multi.share > 0.007", True),
        ("96 %", "multi.share > 9.6", False),
        ("200 layers", "multi.layers == 2", False),
        ("96 MB", "multi.share > 0.96", False),
        ("96 times", "multi.share > 0.96", False),
    ],
)
def test_a_claim_backs_its_own_number(quantity: str, predicate: str, bound: bool) -> None:  # noqa: FBT001 - an expected value
    """A quantity is bound if the same number is in a predicate of its sentence."""
    assert found(f"It has {quantity} now.", predicate) == ([] if bound else [quantity])


def test_each_number_needs_a_claim() -> None:
    """Any of the claims may back a number. A number that none of them backs stays unbound."""
    sentence = "It has two layers, 99 MB and three layers."
    assert found(sentence, "multi.layers == 2") == ["99 MB", "three layers"]
    assert found(sentence, "multi.layers == 2", "multi.layers < 3") == ["99 MB"]
    assert found(sentence, "MB(99) < multi.size", "2 < multi.layers < 3") == []
    # A conclusion is named once, after the numbers.
    assert found("Half of 99 MB is the smallest.") == ["99 MB", "Half"]


@pytest.mark.parametrize(
    ("predicate", "holds", "values"),
    [
        ("multi.layers == 2", True, "multi.layers = 2"),
        ("multi.layers == 3", False, "multi.layers = 2"),
        # Sizes are given exactly: a claim is about the number and not about what it is rounded to.
        ("multi.size < MB(11)", True, "multi.size = 10,653,826 B"),
        ("multi.du > multi.du / 2", True, "multi.du = 166,092.8 KiB"),
        ("multi.build < multi.build or multi.layers > 1", True, "multi.build = 7.25 s, multi.layers = 2"),
        ("multi.user == '65532'", True, "multi.user = 65532"),
        ("1 < 2", True, ""),
    ],
)
def test_check(predicate: str, holds: bool, values: str) -> None:  # noqa: FBT001 - an expected value
    """A claim has its result and the values of its facts."""
    claim = claims.check("A sentence.", predicate, FACTS)
    assert (claim.sentence, claim.predicate) == ("A sentence.", predicate)
    assert claim.holds is holds
    assert claim.values == values


def test_checked_is_a_claim() -> None:
    """A claim is one record with everything that the page shows."""
    claim = Claim("Two layers.", "multi.layers == 2", holds=True, values="multi.layers = 2")
    assert claims.check("Two layers.", "multi.layers == 2", FACTS) == claim


@pytest.mark.parametrize(
    ("predicate", "says"),
    [
        ("multi.layers", "`multi.layers` is 2, which is neither true nor false"),
        ("multi.size", "`multi.size` is 10.7MB, which is neither true nor false"),
        ("multi.nothing == 2", "unknown fact 'multi.nothing'"),
    ],
)
def test_no_claim(predicate: str, says: str) -> None:
    """A predicate that is a number, or empty, is an error, not a false claim."""
    with pytest.raises(PageError) as error:
        claims.check("A sentence.", predicate, FACTS)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("  One.   Two.  ", ["One.", "Two."]),
        ("", []),
        ("   ", []),
        # An abbreviation, a version and an ellipsis within a sentence end none.
        ("In e.g. the image, go 1.27 runs. 3 files", ["In e.g. the image, go 1.27 runs.", "3 files"]),
        ("One.Two", ["One.Two"]),
        ("A list; Of words, Yes: No", ["A list; Of words, Yes: No"]),
        # A fact or a piece of code may begin a sentence: see audit.
        ("One. \ue000 two. \uf8ff three.", ["One.", "\ue000 two.", "\uf8ff three."]),
        ("One. \ue001two", ["One.", "\ue001two"]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    """A paragraph is split into its sentences, none of which is empty."""
    assert list(claims.sentences(text)) == parts


@pytest.mark.parametrize(
    "text", ['He said "one." {}', "He said “one.” {}", "(One.) {}", "It is one!” {}", "(“One?”) {}"]
)
@pytest.mark.parametrize("second", ["Two.", '"Two."', "“Two.”", "(Two.)", "2 layers."])
def test_quoted_sentences(text: str, second: str) -> None:
    """Quotation marks and parentheses at both ends belong to the sentence."""
    first, *rest = claims.sentences(text.format(second))
    assert first.startswith(text[:4])
    assert rest == [second]
