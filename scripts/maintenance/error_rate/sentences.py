"""Planted sentences: what the lint finds in them, and what it should find. See tests/data/sentences/README.md."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proof.pages.lint import quantities

HALVES = ("development", "held_back")
_NOTHING = "none"  # the kind of the sentences that need no proof


@dataclass(frozen=True)
class Planted:
    """A sentence, and what in it needs a proof."""

    kind: str  # a kind of quantity, or _NOTHING
    sentence: str  # as it is written, in Markdown

    @functools.cached_property
    def found(self) -> bool:
        """Whether the lint finds anything in it."""
        return bool(quantities.find(prose(self.sentence)))


@dataclass(frozen=True)
class Rates:
    """What the lint makes of a half of the sentences."""

    caught: list[Planted]
    missed: list[Planted]
    wrong: list[Planted]  # found, although they need no proof
    left: int  # found nothing in, rightly

    @property
    def recall(self) -> float:
        """The share of what needs a proof that is found."""
        return len(self.caught) / (len(self.caught) + len(self.missed))

    @property
    def precision(self) -> float:
        """The share of what is found that needs a proof."""
        return len(self.caught) / (len(self.caught) + len(self.wrong))

    @property
    def total(self) -> int:
        """How many sentences there are."""
        return len(self.caught) + len(self.missed) + len(self.wrong) + self.left


def read(folder: Path) -> Iterator[Planted]:
    """The sentences in the files of a directory."""
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                kind, _, sentence = line.partition(": ")
                yield Planted(kind, sentence)


def measure(folder: Path) -> Rates:
    """Let the lint read the sentences in a directory."""
    planted = list(read(folder))
    needs = [each for each in planted if each.kind != _NOTHING]
    others = [each for each in planted if each.kind == _NOTHING]
    wrong = [each for each in others if each.found]
    caught = [each for each in needs if each.found]
    return Rates(caught, [each for each in needs if not each.found], wrong, len(others) - len(wrong))


def prose(markdown: str) -> str:
    """The sentence as the audit hands it to the grammar."""
    text = re.sub(r"\{\{.*?\}\}", quantities.FACT, markdown)
    text = re.sub(r"`[^`]*`", quantities.CODE, text)
    return html.unescape(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).replace("*", "")
