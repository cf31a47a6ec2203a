"""What a fence asks for, read: TOML whose values are expressions over facts, every error at its line of the page."""

from __future__ import annotations

import re

from proof.core.errors import PageError, UsageError
from proof.core.text import did_you_mean, visible
from proof.core.toml_table import Table
from proof.facts import claims
from proof.facts.values import Fact, Value
from proof.pages import values as page_values
from proof.pages.charts.svg import COLOURS, Label
from proof.pages.page import Page
from proof.pages.values import Stated

_FACT = re.compile(r"\{\{\s*(.*?)\s*\}\}")


class Spec:
    """One table of a fence, and the page whose facts its expressions name."""

    def __init__(self, table: Table, page: Page) -> None:
        self.table, self.page = table, page

    def fail(self, key: str, what: str, hint: str) -> UsageError:
        """The error at the line of `key`."""
        return self.table.error(key, what, hint)

    def allow(self, *keys: str) -> None:
        """Refuse every other key."""
        self.table.allow(*keys)

    def has(self, key: str) -> bool:
        return key in self.table.data

    def choice(self, key: str, known: list[str], called: str = "") -> str:
        """One of these words, each of which is `called` so."""
        word = self.table.text(key, required=True)
        if word not in known:
            raise self.fail(
                key, f"there is no {called or key} '{word}'{did_you_mean(word, known)}", f"one of: {', '.join(known)}"
            )
        return word

    def rows(self, key: str, least: int = 1) -> list[Spec]:
        """The tables of key = [{ … }, { … }]."""
        found = [Spec(table, self.page) for table in self.table.tables(key)]
        if len(found) < least:
            raise self.fail(key, f"`{key}` has too few tables: {least} at least", f"{key} = [{{ … }}, {{ … }}]")
        return found

    def label(self, key: str, text: str | None = None) -> Label:
        """A text for readers, with no number in it that somebody typed."""
        text = self.table.text(key, required=True) if text is None else text
        for loose in claims.unbound(_FACT.sub("", text), ()):
            raise self.fail(key, loose.what, "{{ a.fact }} in its place, or other words")
        return self.shown(key, text)

    def shown(self, key: str, text: str) -> Label:
        """A text with its {{ facts }} filled in, in pieces of words and `code`."""
        pieces = []
        for i, piece in enumerate(text.split("`")):
            if is_code := bool(i % 2):
                self.page.codes.add(piece)
            if filled := _FACT.sub(lambda found: str(self._stated(key, found[1])), piece):
                pieces.append((visible(filled), is_code))
        return Label(tuple(pieces))

    def labels(self, key: str) -> list[Label]:
        """Several texts."""
        return [self.label(key, text) for text in self.table.texts(key)]

    def value(self, key: str, of: str = "") -> Stated:
        """The value of the expression in `key`, with `of` in the place of its `{}`."""
        self.page.bound += 1
        return self._stated(key, self.table.text(key, required=True).replace("{}", of))

    def holds(self, key: str, of: str = "") -> bool:
        """Whether the predicate in `key` holds."""
        found = self.value(key, of)
        if found.value.unit != "truth":
            raise self.fail(key, f"`{key}` is {found}, which is neither true nor false", f'{key} = "a.size < b.size"')
        return bool(found.value.value)

    def amount(self, key: str, of: str = "") -> Stated:
        """A value that can be drawn to scale: a number, and not below zero."""
        return self._amount(key, self.value(key, of))

    def amounts(self, key: str, count: int) -> list[Stated]:
        """As many expressions in a list as asked for."""
        texts = self.table.texts(key)
        if len(texts) != count:
            raise self.fail(key, f"`{key}` has {len(texts)} values for {count} parts", "one for each of `parts`")
        self.page.bound += count
        return [self._amount(key, self._stated(key, text)) for text in texts]

    def parts(self) -> list[Label]:
        """The names of the colours, in their order."""
        if len(parts := self.labels("parts")) > COLOURS:
            raise self.fail("parts", f"there are {COLOURS} colours and {len(parts)} parts", "join the small ones")
        return parts

    def same_unit(self, values: list[Stated], key: str) -> None:
        """Refuse to draw values of different units to one scale."""
        if units := sorted({v.value.unit for v in values} - {values[0].value.unit}):
            unit = values[0].value.unit or "none"
            raise self.fail(key, f"values of different units on one scale: {unit} and {units[0] or 'none'}", "one unit")

    def _amount(self, key: str, found: Stated) -> Stated:
        if isinstance(found.value.value, str) or found.value.unit == "truth":
            raise self.fail(key, f"'{found}' has no length: it is no number", "a fact with a unit, like single.size")
        if found.number < 0:
            raise self.fail(key, f"{found} is below zero, and has no length", "the difference the other way round")
        return found

    def _stated(self, key: str, text: str) -> Stated:
        try:
            found = page_values.evaluate(text, self.page)
        except PageError as error:
            raise PageError(error.what, where=self.table.where(key), evidence=text, hint=error.hint) from error
        if not found.facts:
            raise self.fail(key, f"`{text}` is typed, not measured: it names no fact", "like single.size")
        return found


def total(values: list[Stated]) -> Stated:
    """The sum of values of one unit."""
    value = sum(v.value.value for v in values if not isinstance(v.value.value, str))
    return Stated(Value(value, values[0].value.unit), _facts(*values))


def ratio(part: Stated, whole: float) -> float:
    """Which part of the whole a value is; none of nothing."""
    return part.number / whole if whole else 0.0


def percentage(part: Stated, whole: Stated) -> Stated:
    """Which share of the whole a value is, as a page writes it: small ones with a decimal."""
    share = ratio(part, whole.number)
    written = f"{share:.0%}" if share >= 0.095 or not share else f"{share:.1%}" if share >= 0.0005 else "<0.1%"
    return Stated(Value(written, "text", exact=share), _facts(part, whole))


def _facts(*values: Stated) -> tuple[Fact, ...]:
    return tuple({fact.name: fact for value in values for fact in value.facts}.values())
