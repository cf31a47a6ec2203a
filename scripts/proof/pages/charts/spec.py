"""Reads the TOML in a chart fence, whose values are expressions over facts. Errors have the line in the page."""

from __future__ import annotations

import re

from proof.core import units
from proof.core.errors import PageError
from proof.core.text import did_you_mean, objection, visible
from proof.core.toml_table import Table
from proof.facts.values import Fact, Value
from proof.pages import values as page_values
from proof.pages.charts.svg import COLOURS, Label
from proof.pages.lint import alterations, claims, quantities
from proof.pages.lint.quantities import Quantity
from proof.pages.page import Page, Use
from proof.pages.values import Stated

_FACT = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_CODE = re.compile(r"`[^`]*`")
_MOST = 200  # tables, or texts, in a list: more than any picture can show


class Spec:
    """One table of a fence, and the page whose facts it uses."""

    def __init__(self, table: Table, page: Page) -> None:
        self.table, self.page = table, page

    def has(self, key: str) -> bool:
        return key in self.table.data

    def choice(self, key: str, choices: list[str], called: str = "") -> str:
        """The value of `key`, which must be one of the choices. Errors call it `called`, by default like the key."""
        word = self.table.text(key, required=True)
        if word not in choices:
            what = f"unknown {called or key} '{word}'{did_you_mean(word, choices)}"
            raise self.table.error(key, what, f"use one of: {', '.join(choices)}")
        return word

    def rows(self, key: str, least: int = 1) -> list[Spec]:
        """The tables in `key = [{ … }, { … }]`, at least `least`."""
        rows = [Spec(table, self.page) for table in self.table.tables(key)]
        if not least <= len(rows) <= _MOST:
            what = f"`{key}` has {units.counted(len(rows), 'table')}"
            raise self.table.error(key, what, f"use {least} to {_MOST}: {key} = [{{ … }}, {{ … }}]")
        return rows

    def texts(self, key: str) -> list[str]:
        """The texts in a list."""
        texts = self.table.texts(key)
        if len(texts) > _MOST:
            raise self.table.error(key, f"`{key}` has {units.counted(len(texts), 'text')}", f"use at most {_MOST}")
        return texts

    def label(self, key: str, text: str | None = None) -> Label:
        """A text for readers, in which every number must be a fact."""
        text = self.table.text(key, required=True) if text is None else text
        prose = _CODE.sub(quantities.CODE, _FACT.sub(quantities.FACT, text))

        def is_known(label: Quantity) -> bool:
            self.page.rendering.labels.append(label)  # the audit looks for it when it knows the snippets of the page
            return True

        for loose in claims.unbound(prose, (), is_known=is_known):
            raise self.table.error(key, loose.what, "use {{ a.fact }}, or reword it")
        for what, hint in alterations.altered(_FACT.sub(quantities.FACT, text.replace("`", "")), lambda _: "…"):
            raise self.table.error(key, what, hint)
        return self.shown(key, text)

    def shown(self, key: str, text: str) -> Label:
        """A text with its {{ facts }} filled in, split into words and `code`."""
        if why := objection(text):  # TOML can spell any character
            raise self.table.error(key, f"`{key}` has {why}", "use Latin letters and digits")
        pieces = []
        for i, piece in enumerate(text.split("`")):
            if is_code := bool(i % 2):
                self.page.rendering.codes.add(piece)
            if filled := _FACT.sub(lambda value: self._words(key, value[1]), piece):
                pieces.append((visible(filled), is_code))
        return Label(tuple(pieces))

    def labels(self, key: str) -> list[Label]:
        """A list of texts."""
        return [self.label(key, text) for text in self.texts(key)]

    def parts(self) -> list[Label]:
        """The names of the colours, in order."""
        parts = self.labels("parts")
        if len(parts) > COLOURS:
            what = f"{len(parts)} parts, but only {COLOURS} colours"
            raise self.table.error("parts", what, "merge the small ones")
        return parts

    def value(self, key: str, of: str = "") -> Stated:
        """The value of the expression in `key`, with `{}` replaced by `of`."""
        self.page.bound += 1
        return self._stated(key, self.table.text(key, required=True).replace("{}", of))

    def holds(self, key: str, of: str = "") -> bool:
        """Whether the predicate in `key` holds."""
        stated = self.value(key, of)
        if stated.value.unit != "truth":
            what = f"`{key}` is {stated}, which is neither true nor false"
            raise self.table.error(key, what, f'{key} = "a.size < b.size"')
        if stated.sources:
            hint = "show the figure: `value` marks it as cited"
            raise self.table.error(key, "no run checks this: a figure in it is cited", hint)
        return bool(stated.value.value)

    def amount(self, key: str, of: str = "") -> Stated:
        """A value that can be drawn to scale: a number that is not negative."""
        return self._amount(key, self.value(key, of))

    def amounts(self, key: str, count: int) -> list[Stated]:
        """The values of a list of exactly `count` expressions, to be drawn to scale."""
        texts = self.texts(key)
        if len(texts) != count:
            what = f"expected {count} values, found {len(texts)}"
            raise self.table.error(key, what, "write one value for each of `parts`")
        self.page.bound += count
        return [self._amount(key, self._stated(key, text)) for text in texts]

    def same_unit(self, values: list[Stated], key: str) -> None:
        """Raise an error if the values have different units, so that one scale does not fit all."""
        units_of_values = list(dict.fromkeys(stated.value.unit or "none" for stated in values))
        if len(units_of_values) > 1:
            what = f"different units on one scale: {' and '.join(units_of_values)}"
            raise self.table.error(key, what, "use one unit")

    def _amount(self, key: str, stated: Stated) -> Stated:
        if isinstance(stated.value.value, str) or stated.value.unit == "truth":
            raise self.table.error(key, f"'{stated}' is not a number", "use a fact with a unit, like single.size")
        if stated.number < 0:
            raise self.table.error(key, f"{stated} is negative", "swap the sides of the difference")
        return stated

    def _words(self, key: str, text: str) -> str:
        """The value of an expression for a text, which has no other mark of a cited figure."""
        stated = self._stated(key, text)
        return f"{stated} (cited)" if stated.sources else str(stated)

    def _stated(self, key: str, text: str) -> Stated:
        where = self.table.where(key)
        try:
            stated = page_values.evaluate(text, self.page)
        except PageError as error:
            raise type(error)(error.what, where=where, evidence=text, hint=error.hint) from error
        self.page.uses += [Use(where, "chart", fact.name, (fact.name,)) for fact in stated.facts]
        return stated


def total(values: list[Stated]) -> Stated:
    """The sum of values with the same unit."""
    value = sum(v.value.value for v in values if not isinstance(v.value.value, str))
    return Stated(Value(value, values[0].value.unit), _facts(*values))


def ratio(part: Stated, whole: float) -> float:
    """The value as a share of the whole, from 0 to 1. It is 0 if the whole is 0."""
    return part.number / whole if whole else 0.0


def percentage(part: Stated, whole: Stated) -> Stated:
    """The value as a percentage of the whole, as text: a small one has a decimal."""
    share = ratio(part, whole.number)
    written = f"{share:.0%}" if share >= 0.095 or not share else f"{share:.1%}" if share >= 0.0005 else "<0.1%"
    return Stated(Value(written, "text", exact=share), _facts(part, whole))


def _facts(*values: Stated) -> tuple[Fact, ...]:
    return tuple({fact.name: fact for value in values for fact in value.facts}.values())
