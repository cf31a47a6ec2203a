"""The grammar of quantities: what it finds in a sentence, and how often it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintenance import error_rate
from proof.facts import book as facts
from proof.pages.lint import lexicon, quantities
from proof.pages.lint.quantities import CODE, FACT, Quantity
from proof.pages.lint.sentence import Sentence
from tests.support.helpers import REPOSITORY

SENTENCES = REPOSITORY / "tests" / "data" / "sentences"
GOLDEN = REPOSITORY / "tests" / "data" / "golden"


@pytest.mark.parametrize("idiom", [part.strip() for group in lexicon.IDIOMS.values() for part in group.split(",")])
def test_idioms(idiom: str) -> None:
    """Each idiom is found in a sentence, and means no quantity."""
    assert quantities.find(f"It was {idiom.replace('*', '')} here.") == []


@pytest.mark.parametrize(
    ("harmless", "measures"),
    [
        ("Try lowering `X` to 2 and running it again.", "Lowering `X` to 2 took 4 seconds."),
        (f"Type {quantities.CODE} twice.", "Type `exit`, and the prompt is twice as long."),
        ("Expose port 8080.", "It listens on port 8080."),
        ("If a build took an hour, you'd wait.", "The build took an hour."),
        ("When fewer than two nodes answer, stop.", "When nodes answer, fewer than two jobs failed."),
        ("Had we run twice as many, it would hold.", "We had run twice as many."),
        ("A quorum is any majority of the members.", "The majority of the members agree."),
        (
            "An even number is called so if dividing it by two leaves no remainder.",
            "The image is called so, and has two layers.",
        ),
        ("Our goal is an image under 20 MB.", "Our goal was met, and the image has 20 MB."),
        ("This post assumes that you have Go 1.22.", "This image has Go 1.22."),
        (
            'Skip to the section titled "Ten Minutes to a Better Dockerfile".',
            'The "better" Dockerfile takes ten minutes.',
        ),
        ("In case it fails three times, it is replaced.", "It fails three times."),
        (
            "Provided that your runner has 16 GB of memory, raise it.",
            "It is clear that your runner has 16 GB of memory.",
        ),
        ("A tag such as 3.19 can be moved.", "The tag is 3.19."),
        ("Here is a hypothetical setup: one builder and three services.", "Here is our setup: it has three services."),
        ("Make sure you have Docker 24.", "We have Docker 24."),
        ("I gave this talk in March 2023.", "The image is from March 2023."),
        ("I like this syntax less than that one.", "It uses less memory than that one."),
        ("Take a fictitious team with fifty developers.", "The team has fifty developers."),
    ],
)
def test_what_states_nothing(harmless: str, measures: str) -> None:
    """An instruction, a condition, a definition, a goal and a made-up case measure nothing; a sentence like it does."""
    assert quantities.find(harmless) == []
    assert quantities.find(measures)


def test_the_published_error_rate_is_current() -> None:
    """The page on proof states what was measured when each set was new, and lint.toml what is today."""
    book = facts.load(REPOSITORY / "snippets")
    rates = {folder: error_rate.of_sentences(folder) for folder in error_rate.sets(REPOSITORY)}
    for name, value in error_rate.of_sets(rates).items():
        assert book[f"lint.{name}"].value == value, "run scripts/error-rate"


def test_nothing_is_forgotten() -> None:
    """A set is not found less well today than when it was new."""
    for folder in error_rate.sets(REPOSITORY):
        about = tomllib.loads((folder / "about.toml").read_text("utf-8"))
        rates = error_rate.of_sentences(folder)
        assert rates.recall >= about["first_recall"] - 0.01
        assert rates.precision >= about["first_precision"] - 0.01


@pytest.mark.parametrize(
    "again",
    [
        "1-",
        "hundred and ",
        "a ",
        "same ",
        "1 ",
        "three ",
        "-",
        "as large ",
        "1.",
        "smaller ",
        ": 1",
        "half of a ",
        "more than ",
    ],
)
def test_linear_time(again: str) -> None:
    """Ten times the text takes about ten times as long, whatever is repeated."""
    small, large = (_steps(again * (length // len(again))) for length in (2_000, 20_000))
    assert large < small * 15


def _steps(text: str) -> int:
    """How many times the grammar looks at a word of the text."""
    sentence = Sentence(text)
    count, at = 0, sentence.at

    def counted(i: int) -> str:
        nonlocal count
        count += 1
        return at(i)

    sentence.at = counted  # type: ignore[method-assign]
    list(quantities.read(sentence))
    return count + len(sentence.lower)


@given(
    st.text(max_size=200),
    st.lists(st.sampled_from([*sorted(lexicon.NUMBERS), "MB", "times", "-", "half", "of"]), max_size=20),
)
def test_any_text(text: str, words: Sequence[str]) -> None:
    """Any text is read without an error, and what is found is in it."""
    sentence = f"{text} {' '.join(words)}"
    for quantity in quantities.find(sentence):
        assert isinstance(quantity, Quantity)
        assert quantity.text


def test_what_is_read_in_each_sentence(request: pytest.FixtureRequest) -> None:
    """Every quantity of the planted sentences, and of those in sentences.txt, with its kind, words, number and place.

    The latter have each word of the grammar that no planted sentence has, each way to say a number, what is only asked,
    advised or supposed, and forms that were once overlooked. --update accepts a change.
    """
    read = []
    for path in sorted((SENTENCES / "2026-11-development").glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            kind, colon, sentence = line.partition(": ")
            if colon and not kind.startswith("#"):
                read += [f"{kind}: {sentence}", *(f"    {quantity}" for quantity in quantities.find(sentence))]
    for line in (GOLDEN / "sentences.txt").read_text("utf-8").splitlines():
        found = quantities.find(line.replace("$", FACT).replace("¢", CODE))
        read += [line, *(f"    {quantity}".replace(FACT, "$").replace(CODE, "¢") for quantity in found)]
    golden = GOLDEN / "quantities.txt"
    if request.config.getoption("--update"):
        golden.write_text("\n".join(read) + "\n", "utf-8")
    assert golden.read_text("utf-8").splitlines() == read
