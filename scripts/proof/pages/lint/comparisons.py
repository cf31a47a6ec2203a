"""Rules for what compares things: superlatives, comparatives, equality, and changes of a size."""

from __future__ import annotations

from proof.pages.lint import lexicon
from proof.pages.lint.lexicon import Kind
from proof.pages.lint.sentence import BREAKS, FACT, Reading, Rule, Sentence, is_plural


def _superlative(s: Sentence, i: int) -> Reading:
    """The smallest, most of it, nearly all."""
    word, after = s.at(i), s.at(i + 1)
    end = i
    if word in lexicon.SUPERLATIVES:
        if after in lexicon.ABSTRACT:
            return None, i + 2
        end = i + 1
    elif word in ("most", "mostly"):
        share = word == "mostly" or after == "of" or (is_plural(after) and after not in lexicon.STOP)
        end = i + 1 if share and s.at(i - 1) not in ("at", "the") else i
    elif (
        (word in ("nearly", "almost", "virtually", "practically") and after in lexicon.ALL)
        or (word in ("hardly", "barely", "scarcely") and after in ("any", "anything"))
        or (word in ("all", "nothing") and after == "but" and s.at(i + 2) != "the")
    ):
        end = i + 2
    elif word in ("bulk", "majority", "minority") and after == "of":
        end = i + 1
    return _unless_supposed(s, "superlative", i, end)


def _equal(s: Sentence, i: int) -> Reading:
    """The same size, as large as."""
    word, after = s.at(i), s.at(i + 1)
    end = i
    if word == "same" and after in lexicon.DIMENSIONS:
        end = i + 2
    elif word == "as" and after in lexicon.EQUAL:
        close = next((n for n in range(i + 2, i + 7) if s.at(n) == "as"), None)
        if close is None or s.at(close + 1) in lexicon.AS_POSSIBLE:
            return (None, i + 2) if close else (None, i)
        end = i + 2
    elif word in ("equally", "identical") and after in lexicon.EQUAL | {"in", "sized"}:
        end = i + 2
    elif word in ("equal", "equals") and (word == "equals" or after in ("to", "in")):
        end = i + 1
    return _unless_supposed(s, "comparison", i, end)


def _unless_supposed(s: Sentence, kind: Kind, i: int, end: int) -> Reading:
    """What is stated between two positions, if they differ, unless the sentence only supposes it."""
    if end == i or s.supposed(i):
        return None, end
    return s.quantity(kind, i, end)


def _comparative(s: Sentence, i: int) -> Reading:
    """Smaller than, less time, starts faster."""
    word, after = s.at(i), s.at(i + 1)
    if word not in lexicon.COMPARATIVES or s.supposed(i):
        return None, i
    than = next((n for n in range(i + 1, i + 9) if s.at(n) == "than" or s.at(n) in BREAKS), None)
    has_than = than is not None and s.at(than) == "than"
    amount = after in lexicon.DIMENSIONS or after in lexicon.MATTER or (is_plural(after) and after not in lexicon.STOP)
    amount = amount or after in ("slowly", "quickly") or (after == "than" and s.kind(i + 2) != "")
    if word in ("more", "less"):
        return s.quantity("comparison", i, i + 1) if amount and (has_than or word == "less") else (None, i)
    if word == "fewer" or has_than:
        return s.quantity("comparison", i, i + 1)
    before = s.at(i - 1)
    predicate = s.kind(i + 1) != "word" or after in lexicon.STOP
    stated = (
        i > 0
        and predicate
        and word not in lexicon.NEEDS_THAN
        and before not in lexicon.DETERMINERS
        and s.at(i - 1) not in BREAKS
    )
    return s.quantity("comparison", i, i + 1) if stated else (None, i)


def _change(s: Sentence, i: int) -> Reading:
    """The image shrinks, pull times fell."""
    word = s.at(i)
    near = {s.at(n) for n in range(i - 5, i + 5)}
    changes = (
        word in lexicon.STRONG_CHANGE
        or (word in lexicon.CHANGE and not near.isdisjoint(lexicon.DIMENSIONS | lexicon.MATTER))
        or (word in lexicon.GROWS and s.at(i - 1) not in lexicon.DETERMINERS)
        or (word in ("change", "changes", "changed") and not near.isdisjoint(lexicon.SIZES))
    )
    shown = any(s.at(n) in ("from", "by", "to") and s.at(n + 1) == FACT for n in range(i + 1, i + 5))
    if not changes or shown or s.supposed(i):
        return None, i
    return s.quantity("comparison", i, i + 1)


RULES: tuple[tuple[Rule, frozenset[str]], ...] = (
    (
        _superlative,
        lexicon.SUPERLATIVES
        | lexicon.words("most mostly nearly almost virtually practically hardly barely scarcely all"),
    ),
    (_superlative, lexicon.words("nothing bulk majority minority")),
    (_equal, lexicon.words("same as equally identical equal equals")),
    (_comparative, lexicon.COMPARATIVES),
    (_change, lexicon.STRONG_CHANGE | lexicon.CHANGE | lexicon.GROWS | lexicon.words("change changes changed")),
)
