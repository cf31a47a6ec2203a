"""The words of English that the grammar of quantities knows: `proof.pages.lint.quantities`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib import resources
from typing import Literal

from proof.facts import phrases

Kind = Literal[
    "number",
    "count",
    "fraction",
    "multiple",
    "percent",
    "comparison",
    "superlative",
    "version",
    "exit code",
    "id",
    "port",
    "duration",
    "date",
]
Bound = Literal["", "about", "above", "below", "at least", "at most"]  # exactly 2, about 2, more than 2, …


def words(text: str) -> frozenset[str]:
    """The words of a text, which are separated by blanks."""
    return frozenset(text.split())


_DATA = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
CLASSES = {name: words(text) for name, text in _DATA["words"].items()}
PATTERNS: dict[Kind, str] = _DATA["patterns"]

LABELS = ("version", "exit code", "id", "port", "date")  # kinds of numbers that name something

SMALL = [*phrases.NUMBERS, *"thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()]
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
ORDERS |= {"lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7}
NUMBERS = {word: number for number, word in enumerate(SMALL)} | {word: 20 + 10 * n for n, word in enumerate(TENS)}
PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000, "millionth": 10**6,
}  # fmt: skip
GLYPHS = {glyph: unicodedata.numeric(glyph) for glyph in "½⅓⅔¼¾⅕⅖⅗⅘⅛"}

BYTES = CLASSES["bytes"]
TIMES = CLASSES["times"]
WHOLE_TIMES = CLASSES["whole_times"]
PERCENT = CLASSES["percent"]
VAGUE = CLASSES["vague"]
# What a number after these names is: a kind that has to be proved, or None.
NUMBERED: dict[str, Kind | None] = {
    **dict.fromkeys(words("port ports"), "port"),
    **dict.fromkeys(words("code codes status exit exits exited returns returned"), "exit code"),
    **dict.fromkeys(words("user users uid uids gid gids group groups id ids"), "id"),
    **dict.fromkeys(words("version versions release releases"), "version"),
    **dict.fromkeys(CLASSES["numbered"]),
}
VERBS_OF_EXIT = CLASSES["verbs_of_exit"]
BETWEEN = CLASSES["between"]
BEFORE_WORD = CLASSES["before_word"]
PRODUCTS = CLASSES["products"]
PROTOCOLS = CLASSES["protocols"]
MONTHS = CLASSES["months"]
PLURAL_ORDERS = CLASSES["plural_orders"]
ONLY = CLASSES["only"]
STATES = CLASSES["states"]
COUNTED = CLASSES["counted"]
LASTS = CLASSES["lasts"]
ALL = CLASSES["all"]
AS_POSSIBLE = CLASSES["as_possible"]
AFTER_PART = CLASSES["after_part"] | {""}
MULTIPLES = {
    **dict.fromkeys(words("twice double doubles doubled doubling"), 2),
    **dict.fromkeys(words("thrice triple triples tripled treble trebles trebled"), 3),
    **dict.fromkeys(words("quadruple quadruples quadrupled"), 4),
}
MATTER = CLASSES["matter"]
DETERMINERS = CLASSES["determiners"]
BOUNDS: dict[str, Bound] = {
    **dict.fromkeys(("about", "around", "roughly", "nearly", "almost", "some", "approximately", "close to"), "about"),
    **dict.fromkeys(("more than", "over", "above"), "above"),
    **dict.fromkeys(("less than", "fewer than", "under", "below"), "below"),
    **dict.fromkeys(("at least", "no less", "no fewer", "minimum of"), "at least"),
    **dict.fromkeys(("at most", "up to", "no more", "maximum of"), "at most"),
}
SIZES = CLASSES["sizes"]
GROWS = CLASSES["grows"]

# A noun phrase ends before these.
STOP = CLASSES["stop"]
SINGULAR_S = re.compile(r"(?:ss|us|is|'s|’s|ous|ics)$")
IRREGULAR = CLASSES["irregular"]
# Plurals that name parts of the text, not things that could be counted in an image.
OF_THE_TEXT = CLASSES["of_the_text"]
DEFINITE = CLASSES["definite"]
DIMENSIONS = CLASSES["dimensions"]
COMPARATIVES = CLASSES["comparatives"]
# Without "than", these often mean something else: "no longer", "a higher risk", "more secure".
NEEDS_THAN = CLASSES["needs_than"]
SUPERLATIVES = CLASSES["superlatives"]
ABSTRACT = CLASSES["abstract"]
EQUAL = CLASSES["equal"]
STRONG_CHANGE = CLASSES["strong_change"]
CHANGE = CLASSES["change"]
MODAL = CLASSES["modal"]
FINITE = CLASSES["finite"]
BEFORE_TO = CLASSES["before_to"]
SUPPOSES = CLASSES["supposes"]
ADVISES = CLASSES["advises"]

# Phrases that mean no quantity, by what they are about. A final * stands for any ending.
IDIOMS: dict[str, str] = {about: " ".join(text.split()) for about, text in _DATA["idioms"].items()}
