"""What prose states: which words count as a number or a conclusion, and which claims back them."""

from __future__ import annotations

import pytest

from proof.core.errors import PageError
from proof.facts import phrases
from proof.facts.values import Value
from proof.pages.lint import claims
from proof.pages.lint.claims import Claim, Unbound

FACTS = {
    "multi.layers": Value(2, "count"),
    "multi.size": Value(10_653_826, "B"),
    "multi.du": Value(166_092.8, "KiB"),
    "multi.build": Value(7.25, "s"),
    "multi.user": Value("65532", "text"),
    "multi.half": Value(0.5, ""),
    "multi.ratio": Value(7.25, ""),
    "multi.one": Value(1, "count"),
}


def found(sentence: str, *predicates: str) -> list[str]:
    """What these claims do not back in a sentence."""
    return [loose.text for loose in claims.unbound(sentence, predicates, FACTS)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("3 layers", "the number '3 layers' is typed, not measured"),
        ("two thirds", "the number 'two thirds' is typed, not measured"),
        ("twice", "the number 'twice' is typed, not measured"),
        ("hundreds of files", "'hundreds of files' draws a conclusion that nothing checks"),
        ("same size", "'same size' draws a conclusion that nothing checks"),
        ("smallest", "'smallest' draws a conclusion that nothing checks"),
        ("Go 1.27", "the version 'Go 1.27' is in no snippet of this page"),
        ("port 8080", "the port 'port 8080' is in no snippet of this page"),
    ],
)
def test_nothing_backs_it(text: str, what: str) -> None:
    """What a sentence without a claim states is reported, with the words that state it."""
    sentence = f"It has the {text} here."
    assert list(claims.unbound(sentence, [])) == [Unbound(text, sentence, what)]


@pytest.mark.parametrize("text", ["Go 1.27", "port 8080", "user 65532", "exit code 3"])
def test_a_label_that_is_known(text: str) -> None:
    """Of a version, a port, an ID or an exit code the page's snippets are asked."""
    assert list(claims.unbound(f"It is {text}.", [], is_known=lambda label: label.text in text)) == []
    assert [loose.text for loose in claims.unbound(f"It is {text}, with 3 layers.", [], is_known=lambda _: True)] == [
        "3 layers"
    ]


@pytest.mark.parametrize(
    ("quantity", "predicate", "bound"),
    [
        *((f"{word} layers", f"multi.layers == {number}", True) for number, word in enumerate(phrases.NUMBERS)),
        ("Two layers", "multi.layers == 2", True),
        ("two layers", "multi.layers == 3", False),
        ("two layers", "multi.layers == multi.layers", False),
        # The number as it is written, with its decimals, and without its commas.
        ("10,653,826 bytes", "multi.size == 10653826", True),
        ("7.250 s", "multi.build == 7.25", True),
        ("15 MB", "multi.size == MB(1.5)", False),
        ("5 s", "multi.build > .5", False),
        # A digit in a name is not a number.
        ("two layers", "a.go2 == 1", False),
        ("two layers", "a2.go == 1", False),
        ("two layers", "a.layer_2 == 1", False),
        # A share is a percentage, or the part of one; nothing else is divided.
        ("50 %", "multi.half == 0.5", True),
        ("50 percent", "multi.half == 0.5", True),
        ("50 per cent", "multi.half * 100 == 50", True),
        ("200 layers", "multi.layers == 2", False),
        ("50 MB", "multi.half == 0.5", False),
        ("50 times", "multi.half == 0.5", False),
        # Numbers in words, fractions and multiples.
        ("half of it", "multi.half == 1 / 2", False),
        ("half of it", "multi.half == 0.5", True),
        ("twice that", "multi.layers == 2 * multi.one", True),
    ],
)
def test_a_claim_backs_its_own_number(quantity: str, predicate: str, bound: bool) -> None:  # noqa: FBT001 - an expected value
    """A quantity is bound if the same number is in a predicate of its sentence."""
    assert (found(f"It has {quantity} now.", predicate) == []) is bound


@pytest.mark.parametrize(
    ("quantity", "predicate", "fits"),
    [
        # An exact number needs a claim that no other number would fit.
        ("two layers", "multi.layers == 2", True),
        ("two layers", "multi.layers >= 2", False),
        ("two layers", "multi.layers <= 2", False),
        ("two layers", "1 < multi.layers < 3 or multi.layers == 2", False),
        ("only two layers", "multi.layers <= 2", False),
        ("half of it", "multi.half > 0.5 * 0.9", False),
        ("half of it", "abs(multi.half - 0.5) < 0.01", True),
        ("half of it", "abs(multi.half - 0.5) < 0.2", False),
        ("about half of it", "abs(multi.half - 0.5) < 0.01", True),
        ("about half of it", "abs(multi.half - 0.5) < 0.2", False),
        # A limit needs no more than itself, but the other kind of limit does not fit.
        ("at least two layers", "multi.layers >= 2", True),
        ("at most two layers", "multi.layers <= 2", True),
        ("up to 9 layers", "multi.layers <= 9", True),
        ("at least 9 layers", "multi.layers <= 9", False),
        ("at most 1 layers", "multi.layers >= 1", False),
        # More than six is not said of nine.
        ("more than seven times", "multi.ratio > 7", True),
        ("more than five times", "multi.ratio > 5", False),
        ("over 7 s", "multi.ratio > 7", True),
        ("less than 8 s", "multi.ratio < 8", True),
        ("under 20 s", "multi.ratio < 20", False),
    ],
)
def test_a_claim_fits_its_sentence(quantity: str, predicate: str, fits: bool) -> None:  # noqa: FBT001 - an expected value
    """A claim that would hold for other words as well checks nothing of these."""
    said = [loose.what for loose in claims.unbound(f"It has {quantity}.", [predicate], FACTS)]
    assert (said == []) is fits
    assert all("as well, so it does not check" in what for what in said)


def test_each_number_needs_a_claim() -> None:
    """Any of the claims may back a number. A number that none of them backs stays unbound."""
    sentence = "It has two layers, 99 MB and three stages."
    assert found(sentence, "multi.layers == 2") == ["99 MB", "three stages"]
    assert found(sentence, "multi.layers == 2", "multi.one + 2 == 3") == ["99 MB"]
    assert found("Half of 99 MB is the smallest.") == ["Half", "99 MB", "smallest"]


@pytest.mark.parametrize(
    ("sentence", "predicate", "fits"),
    [
        ("It is the smallest of the three.", "multi.size < multi.a and multi.size < multi.b", True),
        ("It is the smallest of the three.", "multi.size < multi.a", False),
        ("It is the smallest of all 4 images.", "multi.size < multi.a < multi.b", False),
        ("It is the smallest of them.", "multi.size < MB(20)", True),
        ("Of the three it is the smallest.", "multi.size < MB(20)", True),
        ("It is the smallest of zero.", "multi.size < MB(20)", True),
        ("It is the smallest of \N{LATIN SMALL LETTER LONG S}ix.", "multi.size < MB(20)", False),
    ],
)
def test_a_superlative_names_all(sentence: str, predicate: str, fits: bool) -> None:  # noqa: FBT001 - an expected value
    """A claim about two of three does not prove the smallest of the three. Any number is read."""
    assert (found(sentence, predicate) == []) is fits


def test_a_comparison_needs_any_claim() -> None:
    """What a comparison means is for its reader to compare: see pages/lint/confirmed.py."""
    assert found("It is smaller than the other.", "multi.size < MB(20)") == []
    assert found("It is the smallest of the layers.", "multi.size < MB(20)") == []


@pytest.mark.parametrize(
    ("predicate", "holds", "values"),
    [
        ("multi.layers == 2", True, "multi.layers = 2"),
        ("multi.layers == 3", False, "multi.layers = 2"),
        # Sizes are given exactly: a claim is about the number and not about what it is rounded to.
        ("multi.size < MB(11)", True, "multi.size = 10,653,826 B"),
        ("multi.du > multi.du / 2", True, "multi.du = 166,092.8 KiB"),
        ("multi.build < 0 or multi.layers > 1", True, "multi.build = 7.25 s, multi.layers = 2"),
        ("multi.user == '65532'", True, "multi.user = 65532"),
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
        # What would hold whatever was measured.
        ("1 < 2", "`1 < 2` compares no fact with anything"),
        ("270 == 540 / 2", "`270 == 540 / 2` compares no fact with anything"),
        ("multi.size == multi.size", "`multi.size == multi.size` compares no fact with anything"),
        ("multi.layers == 2 and 1 == 1", "`1 == 1` compares no fact with anything"),
        ("multi.layers * 0 + 5 == 2 + 3", "`multi.layers * 0 + 5 == 2 + 3` compares no fact with anything"),
        ("not multi.layers == 2 or 3 == 2 + 1", "`3 == 2 + 1` compares no fact with anything"),
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
