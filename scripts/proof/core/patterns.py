"""Regular expressions from untrusted manifests, with limits on time and memory.

The standard `re` has no timeout: `(a+)+$` on forty characters takes years. The package `regex` has one, but its
language is larger: `(?R)` repeats the whole expression until memory runs out. So only a small subset is accepted, which
both packages read in the same way. Then `regex` runs the expression, within limits.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import regex

from proof.core.errors import ManifestError, Where
from proof.core.toml_table import Table

_LONGEST = 1000  # characters of an expression; real ones have up to about a hundred
_TEXT = 200_000  # characters to search; real output has up to about 6,000
_TIMEOUT = 1.0  # seconds for one search; real ones take milliseconds
_BUDGET = 10.0  # seconds for all searches of one manifest; real ones take milliseconds
_REFILL = 0.01  # the share of elapsed time that is added to the budget again, since a preview may run for days
_GROUPS = 30  # per expression, because regex keeps all captures of each group
_DEPTH = 2  # groups in each other, as in real ones
_COUNT = 10_000  # the product of all counts, as in a{COUNT}; compiling has no timeout

# The subset. Everything else is refused: `re` and `regex`, or versions of them, read it differently, or it makes a
# search expensive in a way that is hard to see.
_SIMPLE = r"[nrtdDsSwW]|[!-/:-@\[-`{-~ ]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}"  # after a backslash
_MEMBER = rf"(?:\\(?:{_SIMPLE})|(?!--|&&|\|\||~~)[^\\\[\]])"  # of a set; a double sign would be an operator of `regex`
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
_FLAGS = re.compile(r"\(\?[ims]\)")  # accepted only at the beginning

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Pattern:
    """A regular expression in which ^ and $ match at each line, and its place in a file."""

    pattern: str
    where: Where
    _compiled: regex.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, text: str, where: Where) -> Pattern:
        """Compile `text`. Raises ValueError, with the reason, if it is invalid or not in the subset."""
        if len(text) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST} characters")
        _check(text)
        try:
            re.compile(text, re.MULTILINE | re.ASCII)
            # ASCII, because other digits and letters depend on the version of Unicode.
            return cls(text, where, regex.compile(text, regex.MULTILINE | regex.ASCII | regex.VERSION0))
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error

    @classmethod
    def from_toml(cls, table: Table, name: str, text: str) -> Pattern:
        """The pattern in a file. Raises ManifestError."""
        try:
            return cls.compile(text, table.where(name))
        except ValueError as error:
            what = f"unsupported regular expression '{text:.100}': {error}"
            hint = "use the common parts of docs.python.org/3/library/re, as in '^#\\d+ (?:DONE|CACHED)'"
            raise table.error(name, what, hint) from error

    @property
    def groups(self) -> int:
        """The number of capturing groups."""
        return int(self._compiled.groups)

    def search(self, text: str) -> regex.Match[str] | None:
        """The first match, or None. Raises ManifestError if the search takes too long."""
        return self._limited(text, lambda seconds: self._compiled.search(text, timeout=seconds))

    def sub(self, replacement: str, text: str) -> str:
        """`text` with every match replaced by the literal `replacement`. Raises ManifestError if it takes too long."""
        return self._limited(
            text, lambda seconds: str(self._compiled.sub(lambda _: replacement, text, timeout=seconds))
        )

    def _limited(self, text: str, act: Callable[[float], _Found]) -> _Found:
        """The result of `act`, called with its timeout in seconds. Raises ManifestError if a limit is exceeded."""
        if len(text) > _TEXT:
            raise self._error(f"searches {len(text):,} characters, more than {_TEXT:,}", "make the command print less")
        budget = _budget(self.where.path)
        if (seconds := min(_TIMEOUT, budget.left())) <= 0:
            raise self._error(f"has no time left: the searches of this file took {_BUDGET:g} s in total")
        began = time.thread_time()
        try:
            return act(seconds)
        except TimeoutError as error:
            raise self._error(f"timed out on {len(text):,} characters after {seconds:.2g} s") from error
        except MemoryError as error:
            raise self._error(f"needs too much memory for {len(text):,} characters") from error
        finally:
            budget.spend(time.thread_time() - began)

    def _error(
        self, what: str, hint: str = "avoid nested repetition: (a+)+ matches the same text as a+"
    ) -> ManifestError:
        return ManifestError(f"this regular expression {what}", where=self.where, evidence=self.pattern, hint=hint)


class _Budget:
    """The processor time, in seconds, that is left for the patterns of one manifest."""

    def __init__(self) -> None:
        self._left, self._at = _BUDGET, time.monotonic()

    def left(self) -> float:
        now = time.monotonic()
        self._left = min(_BUDGET, self._left + (now - self._at) * _REFILL)
        self._at = now
        return self._left

    def spend(self, seconds: float) -> None:
        self._left -= seconds


@functools.cache
def _budget(manifest: Path) -> _Budget:
    del manifest  # only the key of the cache
    return _Budget()


def _check(text: str) -> None:
    """Raise ValueError, with the offending piece, if the text is not in the subset. `re` finds errors of syntax."""
    groups = depth = 0
    times = 1
    at = found.end() if (found := _FLAGS.match(text)) else 0
    while at < len(text):
        if (token := _TOKEN.match(text, at)) is None:
            raise ValueError(f"`{text[at : at + 4]}` is not supported here")
        at = token.end()
        groups += token["open"] is not None
        depth += (token["open"] is not None) - (token["close"] is not None)
        most = token["most"] or token["least"] or "1"
        times *= max(int(most), 1) if len(most) < 9 else _COUNT + 1
        if groups > _GROUPS or depth > _DEPTH or times > _COUNT:
            most_of = f"{_GROUPS} groups, {_DEPTH} in each other, {_COUNT:,} times"
            raise ValueError(f"`{token[0]}` is one too many: at most {most_of}")
