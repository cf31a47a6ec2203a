"""Phrases that measure without a digit, as sequences of classes of words: words.toml has both."""

from __future__ import annotations

from proof.pages.lint import lexicon
from proof.pages.lint.sentence import Quantity, Reading, Sentence

_ANY = frozenset(lexicon.NUMBERS.keys() | lexicon.ORDERS.keys())  # in digits, too


def _words(part: str) -> frozenset[str]:
    """The words that a part of a pattern stands for: `a|an`, or `@unit` for a class, and `#` for a number."""
    if part == "#":
        return _ANY
    return frozenset().union(*(lexicon.CLASSES[word[1:]] if word[0] == "@" else {word} for word in part.split("|")))


_PATTERNS: dict[str, list[tuple[lexicon.Kind, list[frozenset[str]]]]] = {}  # by the first word
for _kind, _lines in lexicon.PATTERNS.items():
    for _line in _lines.strip().splitlines():
        _parts = [_words(part) for part in _line.split()]
        for _word in _parts[0]:
            _PATTERNS.setdefault(_word, []).append((_kind, _parts))


def phrase(s: Sentence, i: int) -> Reading:
    """The longest phrase that starts here: a fraction of a second, none of the, a tiny part, sub-second."""
    longest, kind = 0, None
    for of, parts in _PATTERNS.get(s.at(i), ()):
        if len(parts) > longest and all(
            s.at(i + n) in part or (part is _ANY and s.kind(i + n) == "number") for n, part in enumerate(parts)
        ):
            longest, kind = len(parts), of
    if kind is None or s.supposed(i) or s.states_nothing:
        return None, i
    return Quantity(kind, s.words(i, i + longest)), i + longest
