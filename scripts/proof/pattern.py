"""A regular expression out of a manifest, which is ended where it would run for ever.

The standard `re` cannot be stopped: `(a+)+$` over forty characters takes years, in a site build as in a check.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import regex

from proof.errors import ManifestError, Where

_LONGEST = 1000  # characters; the longest honest one has about a hundred
_TIMEOUT = 2.0  # seconds for one search; an honest one takes milliseconds


@dataclass(frozen=True)
class Pattern:
    """A regular expression, matched line by line, and where it is written."""

    pattern: str
    where: Where
    _compiled: regex.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, text: str, where: Where) -> Pattern:
        """Raises ValueError with the reason where the text is no regular expression."""
        if len(text) > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST} characters")
        try:
            return cls(text, where, regex.compile(text, regex.MULTILINE))
        except (regex.error, RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        return int(self._compiled.groups)

    def search(self, text: str) -> regex.Match[str] | None:
        """The first match, or None; ManifestError where it takes too long to tell."""
        try:
            return self._compiled.search(text, timeout=_TIMEOUT)
        except TimeoutError as error:
            raise self._endless(text) from error

    def sub(self, replacement: str, text: str) -> str:
        """The text with every match replaced by a plain text; ManifestError where that takes too long."""
        try:
            return str(self._compiled.sub(lambda _: replacement, text, timeout=_TIMEOUT))
        except TimeoutError as error:
            raise self._endless(text) from error

    def _endless(self, text: str) -> ManifestError:
        return ManifestError(
            f"this regular expression was still at work on {len(text):,} characters after {_TIMEOUT:g} s",
            where=self.where,
            evidence=self.pattern,
            cure="no repetition inside a repetition: (a+)+ says no more than a+",
        )
