"""Finds what a sentence says about measurable things: quantities, and comparisons between them.

This is a small grammar of English. A sentence is split into words, and each rule below looks at a word and its
neighbours. A number is classified by what stands around it:

    270 MB, two thirds, 4%, three layers       a number before a unit or a plural: an amount
    port 8080, Go 1.27, exit code 2            a number after a name: a label, of a kind that pages have to prove
    step 2, RFC 3339, figure 4, June 2020      other labels, which say nothing about a measurement

A comparison states a result ("the second image is smaller than the first"), unless the sentence only asks, advises
or supposes ("if it is larger than you expect", "use a smaller base"). IDIOMS lists phrases that mean no quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

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
]
Bound = Literal["", "about", "above", "below", "at least", "at most"]  # exactly 2, about 2, more than 2, …
LABELS = ("version", "exit code", "id", "port")  # kinds of numbers that name something
FACT, CODE = "\ue000", "\ue001"  # stand in a sentence for a value that was computed, and for a piece of code

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_SMALL += "seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
NUMBERS = {word: number for number, word in enumerate(_SMALL)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000, "millionth": 10**6,
}  # fmt: skip
_GLYPHS = {
    "½": 1 / 2,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "¼": 1 / 4,
    "¾": 3 / 4,
    "⅕": 1 / 5,
    "⅖": 2 / 5,
    "⅗": 3 / 5,
    "⅘": 4 / 5,
    "⅛": 1 / 8,
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BYTES = _set(
    "b kb mb gb tb kib mib gib tib byte bytes kilobyte kilobytes megabyte megabytes gigabyte gigabytes terabyte terabytes "
    "kibibyte kibibytes mebibyte mebibytes gibibyte gibibytes bit bits kilobit kilobits megabit megabits gigabit gigabits "
    "kbit mbit gbit kbps mbps gbps hz khz mhz ghz"
)
_TIMES = _set(
    "ns µs us ms s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week weeks month months year "
    "years nanosecond nanoseconds microsecond microseconds millisecond milliseconds fortnight decade decades"
)
_WHOLE_TIMES = _set("second minute hour day week month year fortnight decade millisecond moment")
_PERCENT = _set("% ‰ percent")
_VAGUE = _set("few several couple many some")
# What a number after these names is: a kind that has to be proved, or None.
_NUMBERED: dict[str, Kind | None] = {
    **dict.fromkeys(_set("port ports"), "port"),
    **dict.fromkeys(_set("code codes status exit exits exited returns returned"), "exit code"),
    **dict.fromkeys(_set("user users uid uids gid gids group groups id ids"), "id"),
    **dict.fromkeys(_set("version versions release releases"), "version"),
    **dict.fromkeys(
        _set(
            "rfc iso iec ieee pep cve ghsa issue section sections chapter chapters step steps figure figures fig table tables "
            "line lines page pages part parts appendix note item point rule edition round row rows column columns question "
            "option article annex clause example exercise listing slide volume level signal error http case variant"
        )
    ),
}
_VERBS_OF_EXIT = _set("exits exited returns returned")
_BETWEEN = _set("with of number no . # : = , as is was and to the a * _ (")
_BEFORE_WORD = _set("of number * _ with")
_REACH = 5  # words between a name and its number
_PRODUCTS = _set(
    "go docker alpine debian ubuntu fedora podman buildkit buildx buildah containerd runc linux git kubernetes node python "
    "rust java engine compose musl glibc busybox openssl macos windows distroless"
)
_MONTHS = _set(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep "
    "sept oct nov dec spring summer autumn winter"
)
_JOINTS = frozenset("-/.+_:#")
_MOST_OF_A_RANGE = 2  # numbers: 10-15, but 2020-06-04 is a date
_BREAKS = frozenset(",;:—–()")
_BREAKS_SENTENCE = frozenset(".!?")
_CLAUSE = 40  # words: no clause of a page is longer, and the time for a sentence stays linear
_PHRASE = 5  # words of a noun phrase, with its adjectives
_PLURAL_ORDERS = _set("hundreds thousands millions billions dozens tens scores")
_ONLY = _set("only just exactly but precisely")
_STATES = _set("is are was were only exactly than about nearly almost roughly precisely just totals total")
_LASTS = _set("take takes took taken cost costs within last lasts lasted almost nearly about over under than for after")
_ALL = _set("all every everything everyone nothing none no")
_AS_POSSIBLE = _set("you possible we they one needed necessary usual can before it ever always")
_AFTER_PART = _set(
    "of as less more off smaller larger faster slower longer shorter fewer that its what the . , ; ) :"
) | {""}
_MULTIPLES: dict[str, float] = {
    "twice": 2, "thrice": 3, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "triple": 3, "triples": 3, "tripled": 3,
    "treble": 3, "trebled": 3, "quadruple": 4, "quadruples": 4, "quadrupled": 4,
}  # fmt: skip
_MATTER = _set("space disk memory data code bandwidth traffic work cpu storage ram")
_DETERMINERS = _set("a an the no any some this that these those its their our your")
_BOUNDS: dict[str, Bound] = {
    **dict.fromkeys(("about", "around", "roughly", "nearly", "almost", "some", "approximately", "close to"), "about"),
    **dict.fromkeys(("more than", "over", "above"), "above"),
    **dict.fromkeys(("less than", "fewer than", "under", "below"), "below"),
    **dict.fromkeys(("at least", "no less", "no fewer", "minimum of"), "at least"),
    **dict.fromkeys(("at most", "up to", "no more", "maximum of"), "at most"),
}
_SIZES = _set("size sizes weight length duration speed number amount")
_GROWS = _set("grows grew grown")

# A noun phrase ends before these.
_STOP = _set(
    "a an the of to in on at by for from with without and or but nor as than that which who whose when where while if is are "
    "was were be been being has have had do does did can could may might will would shall should must not no it its they their "
    "them this these those we you he she i our your his her so because since until after before into onto out off over under "
    "up down per each every all both then there here how why what whether only just even still also too very again once "
    "twice always never ever often this's says said makes made gives give takes take needs needed need uses use used contains "
    "contain consists consist comes come belongs belong weighs costs holds hold remains lies stays prints runs"
)
_SINGULAR_S = re.compile(r"(?:ss|us|is|'s|’s|ous|ics)$")
_IRREGULAR = _set("people children men women feet data media vertices indices criteria")
# Plurals that name parts of the text, not things that could be counted in an image.
_OF_THE_TEXT = _set(
    "ways reasons things questions kinds sorts types points cases options choices examples rules answers advantages "
    "disadvantages drawbacks sides ideas exceptions hands sections paragraphs sentences facts details properties conditions "
    "meanings senses purposes approaches remedies solutions birds words problems mistakes traps worlds respects pieces "
    "builds instructions commands lines places machines platforms readers thoughts minds views lessons promises goals aims columns rows pages tabs counts differences"
)
_DEFINITE = _set("the these those our your its their my his her other same first last next all both such these every")
_DIMENSIONS = _set(
    "size sizes length lengths weight time times speed number amount duration memory space height depth count counts width volume rate rates "
    "bandwidth throughput latency traffic bytes megabytes digest cost"
)
_COMPARATIVES = _set(
    "smaller larger bigger greater heavier lighter faster slower quicker sooner shorter longer fewer less more higher lower "
    "slimmer thinner leaner fatter tinier"
)
# Without "than", these often mean something else: "no longer", "a higher risk", "more secure".
_NEEDS_THAN = _set("more less longer higher lower greater sooner lighter deeper")
_SUPERLATIVES = _set(
    "smallest largest biggest heaviest lightest fastest slowest quickest shortest longest fewest highest lowest greatest "
    "tiniest leanest slimmest"
)
_EQUAL = _set(
    "large big small heavy light fast slow quick short long many much few little high low tall slowly quickly"
)
_STRONG_CHANGE = _set(
    "shrinks shrank shrunk shrinking halves halved halving dwarfs dwarfed outweighs outweighed exceeds exceeded outgrows outgrew "
    "enlarges enlarged bloats bloated"
)
_CHANGE = _set(
    "grows grew grown rises rose risen falls fell fallen drops dropped increases increased decreases decreased reduces reduced "
    "cuts lowers lowered raises raised shortens shortened lengthens lengthened saves saved trims trimmed shaves shaved slows slowed speeds sped "
    "climbs climbed doubles trebles varies varied differs differed"
)
_MODAL = _set("may might could should would shall can must cannot")
_SUPPOSES = _set(
    "if unless whether suppose supposing imagine assume assuming should wherever whenever whichever whoever until"
)
_ADVISES = _set(
    "use choose pick prefer keep make look compare check measure find want wants try avoid let consider ask see think expect run "
    "build give take set add remove put move copy start do don't note remember decide know"
)

# Phrases that mean no quantity, in the words in which they are written. A final * stands for any ending.
IDIOMS: Sequence[str] = (
    "one of", "no one", "one by one", "at once", "once", "the one", "this one", "that one", "which one", "a new one",
    "one another", "one or the other", "one thing", "one hand", "one side", "one day", "one-way", "one-off", "one at a time",
    "step by step", "first of all", "at first", "at last", "at least in principle", "at least in theory",
    "more or less", "more often than not", "more than enough", "nothing more than", "nothing less than", "no more than a name",
    "rather than", "other than", "sooner or later", "what is more", "once more", "less and less", "more and more",
    "all the more", "the more so", "more to", "any more", "no longer", "any longer", "no sooner", "much less", "the lesser",
    "half-open", "half-hearted", "half-*way", "half-baked", "better half", "in the first half",
    "double quote*", "double-quote*", "double-check*", "double-click*", "double negative*", "doubles as", "double as", "double dash*",
    "double colon*", "think twice", "once or twice", "third party", "third-party", "third parties", "second nature",
    "quarter of a mind", "fifth column", "zero-day", "zero-days", "from zero", "zero value", "ground zero", "zero trust",
    "two-stage", "one-stage", "three-stage", "multi-stage", "single-stage", "two stages", "one stage", "a single stage", "more than one", "no more than that", "two birds", "two sides of", "two minds",
    "as long as", "so long as", "as soon as", "as far as", "as well as", "as good as", "just as well", "as much as possible",
    "as little as possible", "as small as possible", "as many as needed", "as few as possible", "by far",
    "at the same time", "all the same", "just the same", "in the same way", "the first time", "the second time",
    "most likely", "most probably", "at most a", "at the most a", "most recent", "most recently", "most important*", "most common*",
    "most often", "most famous", "make the most of", "most people", "most readers", "most of the time", "at least one of",
    "eleventh hour", "last minute", "last-minute", "up to date", "up-to-date", "up to you", "24 hours a day", "nine to five",
    "a hundred and one reasons", "for the hundredth time", "a thousand words", "second-hand", "split second", "second thoughts",
    "the larger question", "the bigger picture", "greater good", "lower case", "upper case", "longer-term", "on the order of",
    "next to nothing to do", "to a lesser extent", "half the battle", "half the fun", "a matter of minutes",
)  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    """What a sentence says about something that can be measured."""

    kind: Kind
    text: str  # the words that say it
    number: float | None = None  # the number that they state, if they state one
    bound: Bound = ""  # what the words before it make of it


_WORD = re.compile(
    r"(?P<place>[\ue000-\uf8ff])|(?P<version>\b(?:v\d+(?:\.\d+)*|[a-z]+\d+(?:\.\d+)+)\b)|(?P<ordinal>\d+(?:st|nd|rd|th)\b)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)*)|(?P<word>[^\W\d_][^\W_]*(?:['’][^\W\d_]+)?)|(?P<other>\S)",
    re.IGNORECASE,
)
_SPACES = str.maketrans("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{NON-BREAKING HYPHEN}", "   -")


def find(sentence: str) -> list[Quantity]:
    """Everything that a sentence says about measurable things, in order. FACT and CODE stand for what is not prose."""
    return list(_Sentence(sentence.translate(_SPACES)).quantities())


@dataclass(frozen=True)
class _Word:
    text: str
    kind: str  # the group of _WORD
    start: int
    end: int
    glued: bool  # whether nothing separates it from the word before


@dataclass(frozen=True)
class _Number:
    value: float | None  # None for "a few" and "hundreds of"
    end: int  # the position after it
    spelled: bool


_Found = tuple[Quantity | None, int]  # what a rule has found, if it is to be reported, and the position after it


class _Sentence:
    """The words of a sentence, and the rules that read them from left to right.

    Each rule takes the position of a word. If the rule applies, it returns the position after what it has read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[_Word] = []
        for found in _WORD.finditer(text):
            start, end = found.span()
            glued = start > 0 and not text[start - 1].isspace()
            self.words.append(_Word(found[0], str(found.lastgroup), start, end, glued))
        self.lower = [word.text.lower().replace("’", "'") for word in self.words]
        self.question = text.rstrip(' )"”*_').endswith("?")
        self.idioms = self._idioms()

    def quantities(self) -> Iterator[Quantity]:
        """Each thing found, by the first rule that applies."""
        rules = (
            self._idiom, self._port, self._label, self._fraction, self._amount, self._article, self._multiple,
            self._superlative, self._equal, self._comparative, self._change,
        )  # fmt: skip
        i = 0
        while i < len(self.words):
            found, after = next(((f, end) for f, end in (rule(i) for rule in rules) if end > i), (None, i + 1))
            if found is not None:
                yield found
            i = after

    # What stands where.

    def at(self, i: int) -> str:
        """The word at a position, in lower case; empty outside of the sentence."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def kind(self, i: int) -> str:
        return self.words[i].kind if 0 <= i < len(self.words) else ""

    def glued(self, i: int) -> bool:
        return 0 <= i < len(self.words) and self.words[i].glued

    def found(self, kind: Kind, i: int, end: int, number: float | None = None) -> _Found:
        text = self.text[self.words[i].start : self.words[min(end, len(self.words)) - 1].end]
        return Quantity(kind, text, number, self._bound(i) if number is not None else ""), end

    def _bound(self, i: int) -> Bound:
        before = self.at(i - 1)
        return _BOUNDS.get(f"{self.at(i - 2)} {before}") or _BOUNDS.get(before, "")

    def _idioms(self) -> dict[int, int]:
        """Where an idiom starts, and the position after it."""
        found = {}
        for i, word in enumerate(self.lower):
            for phrase in _BY_FIRST.get(word, ()):
                here = self.lower[i : i + len(phrase)]
                if len(here) == len(phrase) and all(
                    there.startswith(part[:-1]) if part.endswith("*") else there == part
                    for there, part in zip(here, phrase, strict=True)
                ):
                    found[i] = max(found.get(i, 0), i + len(phrase))
        return found

    def clause(self, i: int) -> list[str]:
        """The words from the beginning of the clause up to a position."""
        start = i
        while start > 0 and i - start < _CLAUSE and self.at(start - 1) not in _BREAKS:
            start -= 1
        return self.lower[start:i]

    def supposed(self, i: int) -> bool:
        """Whether the sentence only asks, advises, wishes or supposes what it says here."""
        before = self.clause(i)
        return (
            self.question
            or (bool(before) and before[0] in _ADVISES)
            or self.at(0) in _ADVISES
            or not _SUPPOSES.isdisjoint(before)
            or not _MODAL.isdisjoint(before)
            or any(
                word == "to" and self._is_verb(after)
                for word, after in zip(before, [*before[1:], self.at(i)], strict=False)
            )
        )

    def asked(self, i: int) -> bool:
        """Whether the sentence only asks for it."""
        return self.question or "whether" in self.clause(i)

    @staticmethod
    def _is_verb(word: str) -> bool:
        return word.isalpha() and word not in _STOP and word not in _DEFINITE and not _is_plural(word)

    # The rules.

    def _idiom(self, i: int) -> _Found:
        return None, self.idioms.get(i, i)

    def _port(self, i: int) -> _Found:
        """:443"""
        if self.at(i) == ":" and not self.glued(i) and self.glued(i + 1) and self.at(i + 1).isdigit():
            return self.found("port", i, i + 2, float(self.at(i + 1)))
        return None, i

    def _label(self, i: int) -> _Found:
        """A number after a name. What it is a number of decides whether it has to be proved."""
        if self.kind(i) == "version":
            return self.found("version", i, i + 1)
        if self.kind(i) == "ordinal":
            return None, i + 1
        if (number := self._number(i)) is None:
            return None, i
        digits = self.kind(i) == "number"
        if digits and (self._in_name(i) or (self._is_date(i) and not _NUMBERED.get(self.at(i - 1)))):
            return None, self._name_end(i)
        if digits and self.at(i).count(".") > 1:
            return self.found("version", i, i + 1)
        name = self.at(i - 1)
        if digits and self._is_product(i - 1):
            return self.found("version", i - 1, i + 1)
        # Between the name and its number: exit code *of* 3, user *with* 10001, port*,* 5432
        back = i - 1
        between = _BETWEEN if digits else _BEFORE_WORD
        while i - back < _REACH and (self.at(back) in between or self.at(back) in _NUMBERED):
            if self.at(back) in _NUMBERED:
                break
            back -= 1
        named = self.at(back)
        if (
            named in _NUMBERED
            and (digits or _NUMBERED[named])
            and (name == named or self._amount(i)[0] is None or _bare(self._amount(i)[0]))
        ):
            if named in _VERBS_OF_EXIT and name == named and not _bare(self._amount(i)[0]):
                return None, i  # it returns 3 lines
            kind = _NUMBERED[named]
            if kind == "version" and not digits:
                return None, i
            return (None, number.end) if kind is None else self.found(kind, back, number.end, number.value)
        return None, i

    def _in_name(self, i: int) -> bool:
        """Whether a number is a part of a name: SHA-256, HTTP/2, X.509, CVE-2021-44228, 64-bit."""
        if self.glued(i + 1) and self.at(i + 1) == "-" and self.at(i + 2) == "bit":
            return True
        start, numbers = i, 1
        while (
            self.glued(start)
            and start > 0
            and (self.at(start - 1) in _JOINTS or self.kind(start - 1) in ("number", "word", "version"))
        ):
            start -= 1
            numbers += self.kind(start) == "number"
        return start < i and (self.kind(start) in ("word", "version") or numbers > _MOST_OF_A_RANGE)

    def _name_end(self, i: int) -> int:
        while self.glued(i + 1) and (self.at(i + 1) in _JOINTS or self.kind(i + 1) in ("number", "word")):
            i += 1
        return i + 1

    def _is_date(self, i: int) -> bool:
        """4 June 2020, 2020-06-04, in 2020, 14:00"""
        word = self.at(i)
        for colon, other in ((i + 1, i + 2), (i - 1, i - 2)):
            if (
                self.at(colon) == ":"
                and self.glued(max(i, other))
                and self.glued(colon)
                and self.kind(other) == "number"
            ):
                return True
        if (
            (self.at(i + 1) in _MONTHS
            and self.at(i + 1) != "may")
            or (word.isdigit() and self.at(i + 1) == "may" and self.kind(i + 2) == "number")
        ):
            return True
        if self.at(i - 1) in _MONTHS and word.isdigit():
            return True
        if not re.fullmatch(r"(?:19[7-9]|20\d)\d", word):
            return False
        unit = self.at(i + 1)
        return (
            unit not in _BYTES
            and unit not in _TIMES
            and unit not in _PERCENT
            and not (_is_plural(unit) and unit not in _STOP)
        )

    def _is_product(self, i: int) -> bool:
        """Whether the number after this word is the version of a program."""
        if self.kind(i) != "word":
            return False
        word, number = self.words[i].text, self.at(i + 1)
        dotted = re.fullmatch(r"\d+(?:\.\d+)+", number) is not None
        if self.at(i) in _PRODUCTS:
            return word[0].isupper() or dotted
        return (
            i > 0
            and word[0].isupper()
            and self.at(i) not in _NUMBERED
            and self.at(i) not in _MONTHS
            and self.at(i - 1) not in _BREAKS_SENTENCE
        )

    def _number(self, i: int) -> _Number | None:
        """A number in digits or words."""
        word = self.at(i)
        if self.kind(i) == "number":
            if "," in word or word.count(".") <= 1:
                return self._scaled(float(word.replace(",", "")), i + 1, spelled=False)
            return _Number(None, i + 1, spelled=False)
        if word in _GLYPHS:
            return _Number(_GLYPHS[word], i + 1, spelled=True)
        if word in NUMBERS:
            value, end = float(NUMBERS[word]), i + 1
            if word in _TENS:
                step = end + (self.at(end) == "-")
                if self.at(step) in _SMALL[1:10]:
                    value, end = value + NUMBERS[self.at(step)], step + 1
            return self._scaled(value, end, spelled=True)
        if word in ("a", "an", "the", "per") and self.at(i + 1) in _ORDERS:
            return self._scaled(1, i + 1, spelled=True)
        if word in _PLURAL_ORDERS:
            end = i + 1 + (self.at(i + 1) == "of")
            return _Number(None, self._scaled(1, end, spelled=True).end, spelled=True)
        if word in _VAGUE and self.at(i + 1 + (self.at(i + 1) == "of")) in _ORDERS:
            return _Number(None, self._scaled(1, i + 1 + (self.at(i + 1) == "of"), spelled=True).end, spelled=True)
        return None

    def _scaled(self, value: float, end: int, *, spelled: bool) -> _Number:
        while self.at(end) in _ORDERS:
            value, end = value * _ORDERS[self.at(end)], end + 1
            if self.at(end) == "and" and self.at(end + 1) in NUMBERS:
                more = self._number(end + 1)
                assert more is not None
                value, end = value + (more.value or 0), more.end
            elif self.at(end) in NUMBERS:
                more = self._number(end)
                assert more is not None
                value, end = value + (more.value or 0), more.end
        if self.at(end) == "and" and self.at(end + 1) in ("a", "one") and self.at(end + 2) == "half":
            value, end = value + 0.5, end + 3
        return _Number(value, end, spelled)

    def _fraction(self, i: int) -> _Found:
        """A third of, two fifths, half, 1/3"""
        word = self.at(i)
        if self.kind(i) == "number" and self.at(i + 1) == "/" and self.kind(i + 2) == "number" and self.glued(i + 2):
            top, bottom = (float(self.at(n).replace(",", "")) if self.at(n).count(".") < 2 else 0 for n in (i, i + 2))
            return self.found("fraction", i, i + 3, top / bottom if bottom else None)
        start, top, end = i, 1.0, i
        if word in ("a", "an", "one", "another") and self.at(i + 1 + (self.at(i + 1) == "-")) in _PARTS:
            end = i + 1 + (self.at(i + 1) == "-")
        elif (number := self._number(i)) is not None and number.value is not None:
            end = number.end + (self.at(number.end) == "-")
            if (
                not self.at(end).endswith("s")
                or (self.at(end).removesuffix("s") not in _PARTS
                and self.at(end) != "halves")
            ):
                return None, i
            top = number.value
        elif word not in _PARTS and word.removesuffix("s") not in _PARTS:
            return None, i
        part = self.at(end)
        bottom = _PARTS.get(part) or _PARTS.get(part.removesuffix("s"))
        if bottom is None:
            return None, i
        after = end + 1
        if part == "second" or self.asked(i):
            return None, i
        if part == "half" and self.at(after) == "-" and self.glued(after):
            return None, after + 2
        # Half a minute, a quarter of an hour
        unit = after + (self.at(after) == "of")
        unit += self.at(unit) in ("a", "an")
        if unit > after and self.at(unit) in _WHOLE_TIMES:
            return self.found("duration", start, unit + 1)
        if unit > after and self.at(unit) in _BYTES:
            return self.found("number", start, unit + 1)
        ordinal = part != "half" and top == 1 and (end == i or word == "the" or self.at(after) not in _AFTER_PART)
        if ordinal and not (end > i and word == "one"):
            by = self.at(i - 1) in ("by", "about", "nearly", "almost", "roughly")
            if not (by and self.at(after) in ("of", "")):
                return None, i
        return self.found("fraction", start, after, top / bottom)

    def _amount(self, i: int) -> _Found:
        """A number before a unit, or before what it counts."""
        word = self.at(i)
        if word in _VAGUE and self._number(i) is None:
            unit = i + 1 + (self.at(i + 1) == "of")
            kind = self._unit(unit, digits=False)
            whole = self.at(unit) in _WHOLE_TIMES  # many second stages
            if kind is not None and not whole and word != "some" and not (word == "many" and kind[0] == "multiple"):
                return self.found(kind[0], i, kind[1])
            return None, i
        if (number := self._number(i)) is None:
            return None, i
        end = number.end
        # A range: 10 to 15 percent
        through = end + (self.at(end) in ("to", "-", "–", "or", "and"))
        if (
            through > end
            and (second := self._number(through)) is not None
            and self._unit(second.end + (self.at(second.end) == "-"), digits=True)
        ):
            end = second.end
        if self.at(end) in ("a", "an") and self.at(end + 1) == "/":
            return None, i
        unit = end + (self.at(end) == "-" and self.glued(end + 1))
        if (kind := self._unit(unit, digits=not number.spelled)) is not None:
            return self.found(kind[0], i, kind[1], number.value)
        if number.spelled and number.value == 1:
            counted = self.at(i - 1) in _ONLY and self._is_verb(self.at(end)) and self.at(end) not in _OF_THE_TEXT
            return self.found("count", i, end + 1, 1) if counted else (None, end)
        if (noun := self._plural(unit)) is not None:
            if self.at(noun) in _OF_THE_TEXT or self.asked(i):
                return None, noun + 1
            if number.spelled and (number.value or 0) <= 12 and self.at(i - 1) in _DEFINITE:
                return None, end
            return self.found("count", i, noun + 1, number.value)
        if not number.spelled:
            return self.found("number", i, end, number.value)
        if self.at(i - 1) in _STATES and (number.value or 0) > 1:
            return self.found("count", i, end, number.value)
        return None, end

    def _unit(self, i: int, *, digits: bool) -> tuple[Kind, int] | None:
        """The kind of number that stands before this unit, and the position after it. None if it is no unit."""
        word = self.at(i)
        if word in _PERCENT:
            return "percent", i + 1
        if word == "per" and self.at(i + 1) == "cent":
            return "percent", i + 2
        if word in ("percentage", "basis") and self.at(i + 1) in ("point", "points"):
            return "percent", i + 2
        if word in ("times", "×", "fold") or (word == "x" and self.glued(i)):
            return "multiple", i + 1
        if word == "order" or (word == "orders" and self.at(i + 1) == "of"):
            return ("multiple", i + 3) if self.at(i + 2) == "magnitude" else None
        if len(word) == 1 and not (digits and (self.glued(i) or word in "sbh")):
            return None
        if word in ("m", "h", "s", "d"):
            return "duration", i + 1
        if word in _BYTES:
            return "number", i + 1
        if word in _TIMES:
            return "duration", i + 1
        return None

    def _plural(self, i: int) -> int | None:
        """The position of the noun that a number counts: the first plural of the noun phrase."""
        for step in range(_PHRASE):
            word, kind = self.at(i + step), self.kind(i + step)
            if kind == "place" or word in ("-", "*", "_", '"', "“", "”"):
                continue
            if kind != "word" or word in _STOP:
                return None
            if _is_plural(word):
                return i + step
        return None

    def _article(self, i: int) -> _Found:
        """Takes a minute"""
        lasting = self.at(i - 1) in _LASTS and self.at(i) in ("a", "an") and self.at(i + 1) in _WHOLE_TIMES
        after = self.at(i + 2)
        if lasting and (self.kind(i + 2) != "word" or after in _STOP) and after != "-":
            return self.found("duration", i, i + 2, 1)
        return None, i

    def _multiple(self, i: int) -> _Found:
        """Twice, doubled, tenfold, an order of magnitude"""
        word = self.at(i)
        if word in _MULTIPLES and not self.asked(i):
            return self.found("multiple", i, i + 1, _MULTIPLES[word])
        if (
            word.endswith("fold")
            and (stem := word.removesuffix("fold"))
            and (stem in NUMBERS or stem in _ORDERS or stem == "many")
        ):
            return self.found("multiple", i, i + 1, NUMBERS.get(stem) or _ORDERS.get(stem))
        if word in ("order", "orders") and self.at(i + 1) == "of" and self.at(i + 2) == "magnitude":
            return self.found("multiple", i, i + 3)
        return None, i

    def _superlative(self, i: int) -> _Found:
        """The smallest, most of it, nearly all"""
        word, after = self.at(i), self.at(i + 1)
        end = i
        if word in _SUPERLATIVES:
            end = i + 1
        elif word in ("most", "mostly"):
            share = word == "mostly" or after == "of" or (_is_plural(after) and after not in _STOP)
            end = i + 1 if share and self.at(i - 1) not in ("at", "the") else i
        elif (word in ("nearly", "almost", "virtually", "practically") and after in _ALL) or (word in ("hardly", "barely", "scarcely") and after in ("any", "anything")) or (word in ("all", "nothing") and after == "but"):
            end = i + 2
        elif word in ("bulk", "majority", "minority") and after == "of":
            end = i + 1
        if end > i and self.supposed(i):
            return None, end
        return self.found("superlative", i, end) if end > i else (None, i)

    def _equal(self, i: int) -> _Found:
        """The same size, as large as"""
        word, after = self.at(i), self.at(i + 1)
        end = i
        if word == "same" and after in _DIMENSIONS:
            end = i + 2
        elif word == "as" and after in _EQUAL:
            close = next((n for n in range(i + 2, i + 7) if self.at(n) == "as"), None)
            if close is None or self.at(close + 1) in _AS_POSSIBLE:
                return (None, i + 2) if close else (None, i)
            end = i + 2
        elif word in ("equally", "identical") and after in _EQUAL | {"in", "sized"}:
            end = i + 2
        elif word in ("equal", "equals") and (word == "equals" or after in ("to", "in")):
            end = i + 1
        if end > i and self.supposed(i):
            return None, end
        return self.found("comparison", i, end) if end > i else (None, i)

    def _comparative(self, i: int) -> _Found:
        """Smaller than, less time, starts faster"""
        word, after = self.at(i), self.at(i + 1)
        if word not in _COMPARATIVES or self.supposed(i):
            return None, i
        than = next((n for n in range(i + 1, i + 9) if self.at(n) == "than" or self.at(n) in _BREAKS), None)
        has_than = than is not None and self.at(than) == "than"
        amount = after in _DIMENSIONS or after in _MATTER or (_is_plural(after) and after not in _STOP)
        amount = amount or after in ("slowly", "quickly") or (after == "than" and self.kind(i + 2) != "")
        if word in ("more", "less"):
            return self.found("comparison", i, i + 1) if amount and (has_than or word == "less") else (None, i)
        if word == "fewer" or has_than:
            return self.found("comparison", i, i + 1)
        before = self.at(i - 1)
        predicate = self.kind(i + 1) != "word" or after in _STOP
        stated = (
            i > 0
            and predicate
            and word not in _NEEDS_THAN
            and before not in _DETERMINERS
            and self.at(i - 1) not in _BREAKS
        )
        return self.found("comparison", i, i + 1) if stated else (None, i)

    def _change(self, i: int) -> _Found:
        """The image shrinks, pull times fell"""
        word = self.at(i)
        near = {self.at(n) for n in range(i - 5, i + 5)}
        changes = (
            word in _STRONG_CHANGE
            or (word in _CHANGE and not near.isdisjoint(_DIMENSIONS | _MATTER))
            or (word in _GROWS and self.at(i - 1) not in _DETERMINERS)
            or (word in ("change", "changes", "changed") and not near.isdisjoint(_SIZES))
        )
        shown = any(self.at(n) in ("from", "by", "to") and self.at(n + 1) == FACT for n in range(i + 1, i + 5))
        if not changes or shown or self.supposed(i):
            return None, i
        return self.found("comparison", i, i + 1)


def _is_plural(word: str) -> bool:
    return word in _IRREGULAR or (
        len(word) > 3 and word.endswith("s") and word.isalpha() and not _SINGULAR_S.search(word)
    )


def _bare(quantity: Quantity | None) -> bool:
    """Whether it is a number without anything that it would be a number of."""
    return quantity is None or (quantity.kind == "number" and quantity.text[-1:].isdigit())


_BY_FIRST: dict[str, list[list[str]]] = {}
for _phrase in IDIOMS:
    _parts = re.findall(r"[\w'’]+\*?|\S", _phrase)
    _BY_FIRST.setdefault(_parts[0], []).append(_parts)
