"""A regular expression from a manifest, which can neither run forever nor fill the memory.

A manifest is written by a stranger. The standard `re` cannot be stopped: `(a+)+$` over forty characters takes years, in
a site build as in a check. The package `regex` has a timeout, but it also has a larger language, in which `(?R)` calls
the whole expression again until the memory is full. So an expression is accepted only if it keeps to a small subset
that both read in the same way; then `regex` runs it, within limits.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

import regex

from proof.core.errors import ManifestError, Where

_LONGEST = 1000  # characters of an expression; the longest honest one has about a hundred
_TEXT = 200_000  # characters that are searched; the longest honest output has about 6,000
_TIMEOUT = 1.0  # seconds for one search; an honest one takes milliseconds
_TOGETHER = 10.0  # seconds for all searches of one manifest; the honest ones take milliseconds
_REFILL = 0.01  # of the time that passes is given back: a preview runs for days
_GROUPS = 30  # of one expression: regex keeps all that each has captured
_DEPTH = 3  # repetitions inside each other
_COUNT = 256  # of a{COUNT}, or their product where they are nested: compiling it has no timeout

# The subset. What is not here is refused: it means different things to `re` and `regex`, or to different versions of
# them, or it makes a search expensive in a way that its author does not see.
_SIMPLE = r"[nrtdDsSwW]|[!-/:-@\[-`{-~ ]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}"  # behind a backslash
_MEMBER = rf"(?:\\(?:{_SIMPLE})|(?!--|&&|\|\||~~)[^\\\[\]])"  # of a set; two of these signs would be an operator
_TOKEN = re.compile(
    rf"""
      (?P<open> \( (?!\?) | \(\?(?::|=|!|<=|<!) )
    | (?P<close> \) )
    | (?P<repeat> (?: [*+?] | \{{ (?P<least>[0-9]+) (?P<comma>,)? (?P<most>[0-9]+)? \}} ) \?? (?![*+?{{]) )
    | (?P<atom> \\(?:{_SIMPLE}) | \[ \^? {_MEMBER}+ \] | [^\\()\[\]{{}}*+?^$|] )
    | (?P<between> \\[AbZ] | [\^$|] )
    """,
    re.VERBOSE,
)
_FLAGS = re.compile(r"\(\?[ims]\)")  # at the beginning: all that is accepted of them

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Pattern:
    """A regular expression, matched line by line, and where it is written."""

    pattern: str
    where: Where
    _compiled: regex.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, text: str, where: Where) -> Pattern:
        """Raises ValueError with the reason where the text is no regular expression, or one that is not accepted."""
        if len(text) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST} characters")
        _check(text)
        try:
            re.compile(text, re.MULTILINE | re.ASCII)
            # In ASCII: what counts as a digit or a letter elsewhere depends on the version of Unicode.
            return cls(text, where, regex.compile(text, regex.MULTILINE | regex.ASCII | regex.VERSION0))
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        return int(self._compiled.groups)

    def search(self, text: str) -> regex.Match[str] | None:
        """The first match, or None; ManifestError where it takes too long to tell."""
        return self._limited(text, lambda seconds: self._compiled.search(text, timeout=seconds))

    def sub(self, replacement: str, text: str) -> str:
        """The text with every match replaced by a plain text; ManifestError where that takes too long."""
        return self._limited(
            text, lambda seconds: str(self._compiled.sub(lambda _: replacement, text, timeout=seconds))
        )

    def _limited(self, text: str, act: Callable[[float], _Found]) -> _Found:
        """What `act` finds in the seconds that it is given; ManifestError where that is too much work."""
        if len(text) > _TEXT:
            raise self._error(f"searches {len(text):,} characters, more than {_TEXT:,}", "make the command print less")
        budget = _budget(self.where.path)
        if (seconds := min(_TIMEOUT, budget.left())) <= 0:
            raise self._error(f"has no time left: those of this file took {_TOGETHER:g} s together")
        began = time.thread_time()
        try:
            return act(seconds)
        except TimeoutError as error:
            raise self._error(f"was still at work on {len(text):,} characters after {seconds:.2g} s") from error
        except MemoryError as error:
            raise self._error(f"takes too much memory on {len(text):,} characters") from error
        finally:
            budget.spend(time.thread_time() - began)

    def _error(
        self, what: str, hint: str = "no repetition inside a repetition: (a+)+ matches no more than a+"
    ) -> ManifestError:
        return ManifestError(f"this regular expression {what}", where=self.where, evidence=self.pattern, hint=hint)


class _Budget:
    """Seconds of processor time that the patterns of one manifest may still take, however often a page shows them."""

    def __init__(self) -> None:
        self._left, self._at = _TOGETHER, time.monotonic()

    def left(self) -> float:
        now = time.monotonic()
        self._left = min(_TOGETHER, self._left + (now - self._at) * _REFILL)
        self._at = now
        return self._left

    def spend(self, seconds: float) -> None:
        self._left -= seconds


@functools.cache
def _budget(manifest: Path) -> _Budget:
    del manifest  # each has its own
    return _Budget()


class _Weight(NamedTuple):
    """What repeating one part of an expression costs: repetitions inside each other, and how often they must repeat."""

    depth: int = 0
    times: int = 1


def _check(text: str) -> None:
    """Raise ValueError where the text is outside of the subset, with the piece that is."""
    groups = 0
    unclosed: list[tuple[str, _Weight]] = []  # how each group begins, and the heaviest part before it in its parent
    heaviest: _Weight = _Weight()  # part of the group that is being read
    last: _Weight | None = None  # what a repetition would repeat
    at = found.end() if (found := _FLAGS.match(text)) else 0
    while at < len(text):
        if (token := _TOKEN.match(text, at)) is None:
            raise ValueError(f"`{text[at : at + 4]}` is not supported here")
        at = token.end()
        match token.lastgroup:
            case "open":
                unclosed.append((token[0], heaviest))
                heaviest, last, groups = _Weight(), None, groups + 1
                if groups > _GROUPS:
                    raise ValueError(f"it has more than {_GROUPS} groups")
            case "close":
                if not unclosed:
                    raise ValueError("a `)` has no `(`")
                opening, outer = unclosed.pop()
                last = heaviest if opening in ("(", "(?:") else None  # nothing repeats a look-around
                heaviest = _heavier(outer, heaviest)
            case "atom":
                last = _Weight()
            case "between":
                last = None
            case _:
                if last is None:
                    raise ValueError(f"`{token[0]}` has nothing to repeat")
                heaviest, last = _heavier(heaviest, _repeated(token, last)), None
    if unclosed:
        raise ValueError("a `(` has no `)`")


def _repeated(repeat: re.Match[str], part: _Weight) -> _Weight:
    """The weight of a part with `* + ? {n} {n,} {n,m}` behind it."""
    least, most = repeat["least"] or "1", repeat["most"] or "1"
    if max(len(least), len(most)) > 9 or (times := part.times * max(int(least), int(most), 1)) > _COUNT:
        raise ValueError(f"`{repeat[0]}` makes something repeat more than {_COUNT} times")
    once = repeat[0].startswith("?") or repeat[0].rstrip("?") in ("{0}", "{1}", "{0,1}", "{1,1}")
    if (depth := part.depth + (not once)) > _DEPTH:
        raise ValueError(f"more than {_DEPTH} repetitions are inside each other")
    return _Weight(depth, times)


def _heavier(one: _Weight, other: _Weight) -> _Weight:
    return _Weight(max(one.depth, other.depth), max(one.times, other.times))
