"""Evaluates an expression for a page, and renders the value with its exact number and its sources."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from markdown.util import AtomicString

from proof.core.errors import PageError
from proof.core.text import visible
from proof.core.units import Scalar
from proof.facts import expression
from proof.facts.values import Fact, Source, Sum, Value
from proof.pages.page import Page


@dataclass(frozen=True)
class Stated:
    """The value of an expression, and the facts that it is computed from."""

    value: Value
    facts: tuple[Fact, ...]

    def __str__(self) -> str:
        return visible(str(self.value))

    @property
    def exact(self) -> Scalar:
        """The number, or the text, as precisely as it is known."""
        return self.value.value if self.value.exact is None else self.value.exact

    @property
    def number(self) -> float:
        """The exact number in the value's unit. NaN for a text without a number."""
        return float("nan") if isinstance(self.exact, str) else float(self.exact)

    @property
    def sources(self) -> list[str]:
        """The titles of the publications that it is computed from. Empty if everything was measured."""
        return [fact.origin.title for fact in self.facts if isinstance(fact.origin, Source)]

    def element(self) -> ET.Element:
        """A `<data>` element."""
        element = ET.Element(
            "data",
            {
                "class": "fact fact--cited" if self.sources else "fact",
                "value": visible(str(self.exact)),
                "title": visible("; ".join(_origin(fact) for fact in self.facts)),
            },
        )
        element.text = AtomicString(str(self))
        return element


def evaluate(text: str, page: Page) -> Stated:
    """Evaluate an expression over the page's facts, and record that the page uses them.

    Raises PageError unless its value depends on them.
    """
    names = expression.names(text)
    page.use(names)
    value = expression.evaluate(text, page.book)
    if not expression.depends(text, page.book):
        why = "hardly depends on its facts" if names else "names no fact"
        hint = "use a fact, like single.size; in a sentence, a typed number can have a {{ waiver: why }}"
        raise PageError(f"`{text}` {why}, so nothing measured it", hint=hint)
    return Stated(value, tuple(page.book[name] for name in names))


def _origin(fact: Fact) -> str:
    exact = f"{fact.value:,} {fact.unit}" if fact.unit == "B" else str(fact)
    if isinstance(fact.origin, Sum):
        return f"{fact.name}: {exact}, {fact.source} {fact.origin.url}".rstrip()
    if isinstance(fact.origin, Source):
        # "cited" comes first, as a title may say that it was measured here
        return f"cited: {fact.name}: {fact}, {fact.origin.title}, {fact.origin.date} {fact.origin.url}".rstrip()
    return f"{fact.name}: {exact}, measured {fact.origin.provenance.date[:10]}"
