"""Rules for amounts: a number before a unit or a plural, a fraction, a multiple."""

from __future__ import annotations

from proof.pages.lint import lexicon
from proof.pages.lint.lexicon import Kind
from proof.pages.lint.numbers import read_number
from proof.pages.lint.sentence import Quantity, Reading, Rule, Sentence, is_definite, is_plural

_PHRASE = 5  # words of a noun phrase, with its adjectives


def fraction(s: Sentence, i: int) -> Reading:
    """A third of, two fifths, half, 1/3."""
    word = s.at(i)
    if s.kind(i) == "number" and s.at(i + 1) == "/" and s.kind(i + 2) == "number" and s.glued(i + 2):
        above, below = (float(s.at(n).replace(",", "")) if s.at(n).count(".") <= 1 else 0 for n in (i, i + 2))
        return s.quantity("fraction", i, i + 3, above / below if below else None)
    start, top, end = i, 1.0, i
    if word in ("a", "an", "one", "another") and s.at(i + 1 + (s.at(i + 1) == "-")) in lexicon.PARTS:
        end = i + 1 + (s.at(i + 1) == "-")
    elif (number := read_number(s, i)) is not None and number.value is not None:
        end = number.end + (s.at(number.end) == "-")
        if not s.at(end).endswith("s") or (s.at(end).removesuffix("s") not in lexicon.PARTS and s.at(end) != "halves"):
            return None, i
        top = number.value
    elif word not in lexicon.PARTS and word.removesuffix("s") not in lexicon.PARTS:
        return None, i
    part = s.at(end)
    bottom = lexicon.PARTS.get(part) or lexicon.PARTS.get(part.removesuffix("s"))
    if bottom is None:
        return None, i
    after = end + 1
    if part == "second" or s.asked(i):
        return None, i
    if part == "half" and s.at(after) == "-" and s.glued(after):
        return None, after + 2
    # Half a minute, a quarter of an hour
    unit = after + (s.at(after) == "of")
    unit += s.at(unit) in ("a", "an")
    if unit > after and s.at(unit) in lexicon.WHOLE_TIMES:
        return s.quantity("duration", start, unit + 1)
    if unit > after and s.at(unit) in lexicon.BYTES:
        return s.quantity("number", start, unit + 1)
    ordinal = part != "half" and top == 1 and (end == i or word == "the" or s.at(after) not in lexicon.AFTER_PART)
    if ordinal and not (end > i and word == "one"):
        by = s.at(i - 1) in ("by", "about", "nearly", "almost", "roughly")
        if not (by and s.at(after) in ("of", "")):
            return None, i
    return s.quantity("fraction", start, after, top / bottom)


def amount(s: Sentence, i: int) -> Reading:
    """A number before a unit, or before what it counts."""
    word = s.at(i)
    if word in lexicon.VAGUE and read_number(s, i) is None:
        unit = i + 1 + (s.at(i + 1) == "of")
        kind = unit_at(s, unit, digits=False)
        whole = s.at(unit) in lexicon.WHOLE_TIMES  # many second stages
        if kind is not None and not whole and word != "some" and not (word == "many" and kind[0] == "multiple"):
            return s.quantity(kind[0], i, kind[1])
        return None, i
    if (number := read_number(s, i)) is None:
        return None, i
    end = number.end
    if s.only_asked(i):
        return None, end
    if word in lexicon.GLYPHS and end == i + 1 and unit_at(s, end, digits=False) is None:
        return s.quantity("fraction", i, end, number.value)
    if s.at(end) == "-" and s.at(end + 1) in lexicon.CLASSES["approximately"]:
        return s.quantity("count", i, end + 2, number.value)
    # A range: of 10 to 15 percent each number is read, with the unit of both.
    through = end + (s.at(end) in ("to", "-", "–", "or", "and"))
    if (
        through > end
        and (second := read_number(s, through)) is not None
        and (kind := unit_at(s, second.end + (s.at(second.end) == "-"), digits=True)) is not None
    ):
        return Quantity(kind[0], s.words(i, kind[1]), number.value, s.bound(i)), through
    if s.at(end) in ("a", "an") and s.at(end + 1) == "/":
        return None, i
    unit = end + (s.at(end) == "-" and s.glued(end + 1))
    if (kind := unit_at(s, unit, digits=not number.spelled)) is not None:
        return s.quantity(kind[0], i, kind[1], number.value)
    if unit > end and s.glued(unit) and s.kind(unit) == "word":  # a four-stage build, but two-factor and three-way
        if s.at(unit) in lexicon.CLASSES["joined_units"] or number.value == 1 or s.at(unit) in lexicon.PARTS:
            return None, unit + 1
        return s.quantity("count", i, unit + 1, number.value)
    if number.spelled and number.value == 1:
        counted = s.at(i - 1) in lexicon.ONLY and s.is_verb(s.at(end)) and s.at(end) not in lexicon.OF_THE_TEXT
        return s.quantity("count", i, end + 1, 1) if counted else (None, end)
    if (noun := _plural(s, unit)) is not None:
        if not number.spelled and s.kind(i - 1) == "word" and all(map(s.is_title, (noun, noun + 1))):
            return None, noun + 2  # 100 Feet Road
        extends = s.at(noun + 1) in lexicon.CLASSES["extends"]  # three lines long
        if (s.at(noun) in lexicon.OF_THE_TEXT and not extends) or s.asked(i):
            return None, noun + 1
        if number.spelled and number.value is not None and number.value <= 12 and is_definite(s.at(i - 1)):
            return None, end
        return s.quantity("count", i, noun + 1, number.value)
    if not number.spelled:
        return s.quantity("number", i, end, number.value)
    more = number.value is not None and number.value > 1
    counted = s.at(end) in lexicon.COUNTED or (s.at(end) == "of" and s.at(end + 1) in ("the", "our"))
    if more and not is_definite(s.at(i - 1)) and (s.kind(end) == "place" or s.at(i - 1) in lexicon.CLASSES["towards"]):
        return s.quantity("count", i, end, number.value)
    if more and ((s.at(i - 1) in lexicon.STATES and s.at(end) != "of") or (counted and not is_definite(s.at(i - 1)))):
        return s.quantity("count", i, end, number.value)
    return None, end


def unit_at(s: Sentence, i: int, *, digits: bool) -> tuple[Kind, int] | None:
    """Which kind of number this unit belongs to, and the position after the unit. None if the word is not a unit."""
    word = s.at(i)
    if word in lexicon.PERCENT:
        return "percent", i + 1
    if word == "per" and s.at(i + 1) == "cent":
        return "percent", i + 2
    if word in ("percentage", "basis") and s.at(i + 1) in ("point", "points"):
        return "percent", i + 2
    if word in ("times", "×", "fold") or (word == "x" and s.glued(i)):
        return "multiple", i + 1
    if word == "order" or (word == "orders" and s.at(i + 1) == "of"):
        return ("multiple", i + 3) if s.at(i + 2) == "magnitude" else None
    if len(word) == 1 and not (digits and (s.glued(i) or word in "sbh")):
        return None
    if word in ("m", "h", "s", "d"):
        return "duration", i + 1
    if word in lexicon.BYTES:
        return "number", i + 1
    if word in lexicon.TIMES:
        return "duration", i + 1
    return None


def _plural(s: Sentence, i: int) -> int | None:
    """The position of the noun that a number counts: the first plural of the noun phrase."""
    for step in range(_PHRASE):
        word, kind = s.at(i + step), s.kind(i + step)
        if kind == "place" or word in ("-", "*", "_", '"', "“", "”"):
            continue
        if kind != "word" or word in lexicon.STOP:
            return None
        if is_plural(word):
            return i + step
    return None


def _article(s: Sentence, i: int) -> Reading:
    """Takes a minute."""
    lasting = s.at(i - 1) in lexicon.LASTS and s.at(i) in ("a", "an") and s.at(i + 1) in lexicon.WHOLE_TIMES
    after = s.at(i + 2)
    if lasting and not s.asked(i) and (s.kind(i + 2) != "word" or after in lexicon.STOP) and after != "-":
        return s.quantity("duration", i, i + 2, 1)
    return None, i


def multiple(s: Sentence, i: int) -> Reading:
    """Twice, doubled, tenfold, an order of magnitude."""
    word = s.at(i)
    if s.asked(i) or s.instructs(i) or s.clause(i)[:1] == ["measure"]:
        return None, i
    if word in lexicon.MULTIPLES:
        return s.quantity("multiple", i, i + 1, lexicon.MULTIPLES[word])
    if (
        word.endswith("fold")
        and (stem := word.removesuffix("fold"))
        and (stem in lexicon.NUMBERS or stem in lexicon.ORDERS or stem == "many")
    ):
        return s.quantity("multiple", i, i + 1, lexicon.NUMBERS.get(stem) or lexicon.ORDERS.get(stem))
    if word in ("order", "orders") and s.at(i + 1) == "of" and s.at(i + 2) == "magnitude":
        return s.quantity("multiple", i, i + 3)
    return None, i


_SPELLED = (
    lexicon.words("a an the") | lexicon.NUMBERS.keys() | lexicon.PLURAL_ORDERS | lexicon.VAGUE | lexicon.GLYPHS.keys()
)
# With the words at which each can apply. "Tenfold" is known by its ending.
RULES: tuple[tuple[Rule, frozenset[str]], ...] = (
    (
        fraction,
        lexicon.words("a an one another") | lexicon.PARTS.keys() | {f"{part}s" for part in lexicon.PARTS} | _SPELLED,
    ),
    (amount, _SPELLED),
    (_article, lexicon.words("a an")),
    (multiple, frozenset(lexicon.MULTIPLES) | lexicon.words("order orders")),
)
