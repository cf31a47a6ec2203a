"""The grammar of quantities: what it finds in a sentence, and how often it is wrong."""

from __future__ import annotations

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

NBSP = "\N{NO-BREAK SPACE}"
SENTENCES = REPOSITORY / "tests" / "data" / "sentences"


def found(sentence: str) -> list[tuple[str, str]]:
    """The kind and the words of each thing found."""
    return [(quantity.kind, quantity.text) for quantity in quantities.find(sentence)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[
            ("number", f"5{join}{unit}")
            for unit in ("B", "kB", "MB", "GiB", "mb", "bytes")
            for join in ("", " ", NBSP, "-")
        ],
        *[
            ("number", text)
            for text in ("1,234,567 bytes", "1.5 million bytes", "a dozen bytes", "three hundred megabytes")
        ],
        *[("number", text) for text in ("hundreds of megabytes", "half a megabyte", "5 Mbit", "ninety-nine bytes")],
        *[
            ("percent", text)
            for text in ("96 %", "96%", "ninety percent", "four per cent", "few per cent", "10 to 15 percent")
        ],
        *[
            ("duration", f"5 {unit}")
            for unit in ("ns", "ms", "s", "seconds", "min", "minutes", "hours", "days", "weeks")
        ],
        *[
            ("duration", text)
            for text in ("1h", "half a minute", "a quarter of an hour", "few milliseconds", "90-second")
        ],
        *[
            ("multiple", text)
            for text in ("25×", "25x", "ten times", "tenfold", "twice", "doubled", "order of magnitude")
        ],
        *[
            ("fraction", text)
            for text in ("A third", "two thirds", "two-fifths", "one-eighth", "Half", "1/3", "three quarters")
        ],
        *[("count", text) for text in ("3 layers", "three layers", "twenty-three tests", "19 settings", "2 people")],
        *[
            ("count", text)
            for text in ("couple of thousand packages", "one hundred and five files", "nine cached steps")
        ],
        *[
            ("version", text)
            for text in ("Go 1.27", "Docker 29", "version 2.4", "v0.8", "go1.27", "3.22.6", "Debian 12")
        ],
        *[("exit code", text) for text in ("exits with 137", "code two", "status 1", "status of 3", "returned 127")],
        *[("id", text) for text in ("user 65532", "uid 0", "group 1000", "id 1001", "user 2000", "user with 10001")],
        *[("port", text) for text in ("port 8080", "port, 5432", ":443", "ports 80")],
        *[("comparison", text) for text in ("same size", "as large", "equal", "shrinks", "smaller", "fewer", "grew")],
        *[
            ("superlative", text)
            for text in ("smallest", "Most", "nearly all", "all but", "hardly any", "almost nothing")
        ],
    ],
)
def test_what_is_found(kind: str, text: str) -> None:
    """Each way to say a number, and each kind of thing that numbers and words say."""
    rest = {
        "fraction": " of it is there.",
        "comparison": {"as large": " as the other.", "equal": " in size.", "smaller": " than the other."}.get(
            text, " here."
        ),
        "superlative": {"Most": " of it is there.", "all but": " one are there."}.get(text, " of it is there."),
    }.get(kind, " here.")
    if kind == "comparison" and text == "fewer":
        rest = " files than before."
    assert (kind, text) in found(f"It has {text}{rest}")


@pytest.mark.parametrize(
    "sentence",
    [
        # Names and references.
        *(
            "It runs on amd64, arm64 and x86-64.",
            "A SHA-256 digest in UTF-8.",
            "HTTP/2, IPv6 and X.509.",
            "See RFC 3339.",
        ),
        *(
            "Step 3 copies it.",
            "CVE-2021-44228 is old.",
            "A 64-bit kernel.",
            "In June 2020, on 4 June 2020, in 2020.",
            "At 14:00.",
        ),
        *("Reported in docker/cli#1559.", "It is from 2020-06-04.", "Section 3.1 says so.", "The 2nd stage."),
        # Idioms, pronouns and ordinals.
        *("One of them is there.", "First of all, the second image.", "This one and that one.", "It works at once."),
        *("A third party has it.", "It is a two-stage build.", "More often than not it works.", "As long as it runs."),
        *("Rather than that, think twice.", "The half-hearted fix.", "Use double quotes.", "The two images are there."),
        # What is only asked, advised, wished or supposed.
        *(
            "Which of them is smaller?",
            "If it is larger than that, look.",
            "Use a smaller base.",
            "To make it smaller, strip it.",
        ),
        *(
            "You may want a faster build.",
            "Check whether it is faster.",
            "Is half of it there?",
            "Keep it as small as you can.",
        ),
        # What was computed.
        *(
            f"It weighs {FACT}.",
            f"It has {FACT} layers.",
            f"It shrinks from {FACT} to {FACT}.",
            f"It is {FACT} than {CODE}.",
        ),
        # Counts of the text itself.
        *("There are two ways to do it.", "For three reasons, it works.", "It is better and simpler."),
    ],
)
def test_what_is_no_quantity(sentence: str) -> None:
    """Nothing that a good editor would want to see proved."""
    assert found(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # What only seems to be supposed, asked or advised.
        *[
            (f"{start} the image is smaller than before.", ["smaller"])
            for start in ("Note that", "Remember that", "If anything,")
        ],
        *[
            (f"{start} the image is smaller than before.", ["smaller"])
            for start in ("Compared to Debian", "As you can see")
        ],
        *[
            (f"{start} the image is smaller than before.", ["smaller"])
            for start in ("Thanks to gzip", "Don't worry,", "Until today")
        ],
        ("Use scratch, which is smaller than Alpine.", ["smaller"]),
        ("We moved to scratch and the image is smaller than before.", ["smaller"]),
        # A label is no amount.
        ("In this case 270 MB are saved.", ["270 MB"]),
        ("On this page 30 seconds pass.", ["30 seconds"]),
        ("Line 7 switches.", []),
        # Both numbers of a range.
        ("It takes 5 to 900 seconds.", ["5 to 900 seconds", "900 seconds"]),
        # Characters that look like digits, and those that nobody sees.
        ("It has ²⁷⁰ MB.", ["270 MB"]),
        ("It has ③ layers.", ["3 layers"]),
        ("It is sma\u00adller than that.", ["smaller"]),
        ("It is small\u200ber than that.", ["smaller"]),
        # Not even these are an error.
        ("See :② now.", [":2"]),
        ("It waits on :².", [":2"]),
    ],
)
def test_what_is_stated_all_the_same(sentence: str, expected: list[str]) -> None:
    """Statements in forms that were once overlooked."""
    assert [text for _, text in found(sentence)] == expected


@pytest.mark.parametrize(
    ("words", "number"),
    [
        *[
            (word, n)
            for n, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
        ],
        *[
            ("nineteen", 19),
            ("twenty", 20),
            ("twenty-one", 21),
            ("forty two", 42),
            ("ninety-nine", 99),
            ("a hundred", 100),
        ],
        *[("three hundred", 300), ("three hundred and five", 305), ("two hundred thousand", 200_000), ("a dozen", 12)],
        *[
            ("two thousand and ten", 2010),
            ("1.5 million", 1_500_000),
            ("1,234", 1234),
            ("0.5", 0.5),
            ("two and a half", 2.5),
        ],
        *[("six million two hundred thousand", 6_200_000), ("½", 0.5)],
    ],
)
def test_numbers(words: str, number: float) -> None:
    """Numbers in digits and words have their value."""
    (quantity,) = quantities.find(f"It takes {words} bytes.")
    assert (quantity.text, quantity.number) == (f"{words} bytes", number)


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        *[(word, "about") for word in ("about", "roughly", "almost", "nearly", "close to", "some")],
        *[("more than", "above"), ("over", "above"), ("less than", "below"), ("under", "below")],
        *[("at least", "at least"), ("at most", "at most"), ("up to", "at most"), ("exactly", ""), ("only", "")],
    ],
)
def test_bounds(words: str, bound: str) -> None:
    """What stands before a number says how close it is."""
    assert [q.bound for q in quantities.find(f"It takes {words} 5 MB.") if q.kind == "number"] == [bound]


@pytest.mark.parametrize("idiom", [part.strip() for group in lexicon.IDIOMS.values() for part in group.split(",")])
def test_idioms(idiom: str) -> None:
    """Each idiom is found in a sentence, and means no quantity."""
    assert found(f"It was {idiom.replace('*', '')} here.") == []


@pytest.mark.parametrize("half", ["development", "held_back"])
def test_error_rate(half: str) -> None:
    """At least 95 % of what needs proof is found, and at least 98 % of what is found needs it."""
    rates = error_rate.of_sentences(SENTENCES / half)
    assert rates.total >= 300
    assert rates.recall >= 0.95
    assert rates.precision >= 0.98


def test_the_published_error_rate_is_current() -> None:
    """The page on proof states what the lint of today makes of the sentences that it was not developed with."""
    rates = error_rate.of_sentences(SENTENCES / "held_back")
    book = facts.load(REPOSITORY / "snippets")
    for name, value in (("held_back", rates.total), ("recall", rates.recall), ("precision", rates.precision)):
        assert book[f"lint.{name}"].value == round(value, 4), "run scripts/error-rate"


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


# Each word of the grammar that no planted sentence has.
MORE = """It is threefold, a hundredfold, a thousandfold and manyfold; a blindfold, a scaffold and a manifold are not.
Two orders of magnitude, an order of magnitude, orders of 12 boxes, the order of things.
The cost is mostly Alpine, and the rest is mostly empty. Mostly, it is quiet.
Most files are empty. Most of it is Alpine. At most nine files. The most files. The most stubborn file. Most stubborn.
Nearly all files, almost every file, virtually all of them, practically everything, nearly a file, all files.
Hardly any files, barely anything, scarcely any, hardly a file, any files, barely enough.
The bulk of it, the majority of files, a minority of files, the majority rules, in bulk.
The image changes in size. The size changed. It changes its name. A change of size. The size of a change, changes.
It grew from $ to $. It shrank by $. It fell to $. It rose again. A fall of rain. The grew. It climbs by then $.
The file's size drops. Its growth is steady. It loses weight. It gains nothing. The layer's shrinking is over.
It weighs 3 or 4 MB, between 3 and 4 MB, 3 to 4 MB, 3-4 MB, some 3,000 MB, under 3 MB, up to 3 MB, over 3 MB.
At least three layers, no more than three layers, fewer than three layers, exactly three layers, about three layers.
The second largest, the very largest, one of the largest files, the largest possible, largest-first.
Longer than before, much longer, no longer, a longer name, the longer of the two, twice as long, as long as that.
Port 8080, ports 8080 and 8081, :8080, user 65532, uid 0, UID 65532:65532, exit code 125, exits with 1, status 2.
Go 1.27, Go 1.27.3, go1.27, v1.27, version 2, Docker 29, Docker 28 and 29, Alpine 3.22, BuildKit v0.30, RFC 5280.
3 June 2020, June 2020, in 2026, 2026-11-26, at 12:30, step 3, chapter 4, page 12, the 3rd file, amd64, x86-64, UTF-8.
Half, half of it, one and a half MB, two and a half times, a third of it, two thirds, three quarters, 1/3, 2/3 of it.
A dozen files, dozens of files, hundreds of files, a few files, several files, a couple of files, many files, a lot.
Five per cent, 5 percent, 5%, a few per cent, a percentage point, 100 %, zero per cent, five percent more.
If anything, it is smaller than before. If anything is smaller than that, cut. If it is smaller than that, cut.
May 12, 12 May, 12 may files be larger, 12 May 2020, 14:00, 7: 30, 1969 files, 1975 files, in 2020 files grew.
2020 MB, 2020 it was, June 31, 12 June, 2026 files, 2026 the files, December 2019 files, 31 days, 1:2 ratio.
alpine 3.22, alpine 22, docker 29, a Docker 29, a docker 29.1, TLS 1.3, HTTP 2, a Foo 12, a Foo 1.2, a foo 1.2, Foo 12.
The largest problem, worst case 3 MB, the simplest way 4 MB, all but the last, all but 3 MB, nothing but the 3 MB.
Nothing but air, at the most 3 files, mostly files, of most files, most of files, most is, a majority is, bulk.
Equally large, equally sized, equally in need, equally odd, identical in size, identical large files, identical files.
Equal to it, equal in size, equal rights, it equals that, as large as possible, as large as you want, as large as that.
As large in every way that one could possibly think of as that, as large, as many as that, as soon as that, as fast.
Same size, the same length, the same file, is the same size whether or not, may be the same size, equal to what if.
It runs more slowly, it runs less quickly, more than, more than that, more of it, less of it, less time, more time.
More time than before, fewer files, more files than that, less files, less than $, a faster build, it builds faster.
It builds faster in CI, it runs longer, it runs longer than that, smaller, it is smaller, and smaller, the smaller one.
Any smaller one, it gets smaller, smaller files, it has a lower, it weighs more, it is more: than, a smaller, than that.
The size changed from $ to $. It changes by $ in size. To $ it changed in size. Its size, as ever, changed for good.
1.2.3 files, 1,234 files, ½ of it, ¾ MB, a hundred files, the thousand files, a few hundred files, dozens of files.
Hundreds of thousands of files, a couple of thousand files, two hundred and five files, two thousand and ten files.
Thirty-five files, thirty five files, thirty - five files, twenty-ten files, a million and a half files, zero files.
Three and one half MB, two million three thousand files, one hundred twenty files, nineteen hundred files, six hundred.
At :443, x:80, : 80, :80x, localhost:8080, (:80), :1.5, port :8080, the :80 files, ":53".
User 1000 files a report, user 1000 owns it, exits with 3 files, it returns 3 lines, it returned 3, step two, port two.
Version two, exit code three, exit code of 3, port, 5432, user with 10001, uid = 0, UID: 10, uid no. 5, code 3 MB.
From 1.20 on, since 1.20 it is, before 1.5 MB, until 1.5, after 2.5 seconds, ports 80-90, user 5 MB, version 3 files.
1 / 3, 1/0, 1.5/3, 1.2.3/4, 1,000/3,000, another third of it, one third of it, one-third, a third party, the third file.
A fifth element, a quarter of an hour, half an hour, half a minute, half a megabyte, half of a megabyte, half-hearted.
A second of it, two seconds, three halves, three quarters full, by a third, by a third of it, nearly a third, thirds.
Whether it is a third of it. Hundredths of it, one hundredth, the half of it, cut in half, a fifth smaller, a half-size.
Many times, many second stages, several times, a few seconds, some seconds, a couple of minutes, some MB, few files.
10 to 15 percent, 10-15%, 10–15 MB, ten or twelve files, ten or twelve MB, 3 and 4 MB, 5 a/b, 3-or-4 MB, 3 or x MB.
One file, only one remains, only one file, just one works, exactly one counts, only one line counts, only one the.
The three files, its 3 files, Go's two caches, two of the files, two of our files, two of files, are three.
The three remain, two come from there, 12 lines, three sentences, 13 the, thirteen of the files, x is two, x has two.
Are there three files? Whether three files remain. Thirteen files, the thirteen files, those twelve files, 12 the files.
3 percentage points, 3 basis points, 3 basis files, 3 ×, 3x, 3 x, 3 fold, 2 orders of food, 1 order of magnitude.
3s, 3 s, 3m, 3 m, 3h, 3 h, 3d, 3 d, 3b, 3 b, 3 B, three b, three MB, 3-second, 3 k, 3G, 3 per file, 3 cent, three-MB.
3 very large files, 3 very large and new files, 3 * files, 3 "big" files, 3 _new_ files, 3 of files, 3 $ files, 3 gas.
3 new large old odd even files, 3 new large old odd even green files, 3 boxes, 3 data, 3 people, 3 Linux, 3 statics.
Takes a minute, takes a minute-long nap, took an hour, in a minute, takes the minute, takes a second stage.
Lasts a day of work, takes a minute each, within a second, takes a file, takes a second, after a minute, for an hour.
Whether it is twice that. It triples, it is halved, twentyfold, fold, sevenfold and more, is it doubled? Thrice.
You may see that it is smaller than that. To make it smaller than that, cut. As you can see, it is smaller than that.
Use a smaller base than that. Note that it is smaller than that. See whether it is smaller than that. Is it smaller?
It is said to be smaller than that. It has to be smaller than that. In order to get smaller than that, it is larger.
It was made to be smaller than that: it is larger than that. Make sure that it is smaller than that. Ensure smaller.
Almost 2 MB, less than 2 MB, at most 2 MB, roughly 2 MB, below 2 MB, above 2 MB, nearly 2 MB, around 2 MB, not 2 MB.
"""


def test_what_is_read_in_each_sentence(request: pytest.FixtureRequest) -> None:
    """Every quantity of the planted sentences, with its kind, words, number and place. --update accepts a change."""
    read = []
    for path in sorted((SENTENCES / "development").glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            kind, colon, sentence = line.partition(": ")
            if colon and not kind.startswith("#"):
                read += [f"{kind}: {sentence}", *(f"    {quantity}" for quantity in quantities.find(sentence))]
    for line in MORE.replace("$", FACT).splitlines():
        read += [line, *(f"    {quantity}" for quantity in quantities.find(line))]
    read = [line.replace(FACT, "$") for line in read]
    golden = REPOSITORY / "tests/data/golden/quantities.txt"
    if request.config.getoption("--update"):
        golden.write_text("\n".join(read) + "\n", "utf-8")
    assert golden.read_text("utf-8").splitlines() == read
