"""TODO."""

from __future__ import annotations

import re
import unicodedata
from html import escape

# Characters that no one sees: controls, what turns the direction of text, blanks that are no space, and the like.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# Letters and marks to Unicode, and nothing to the eye: a joiner, fillers, variation selectors, an empty braille.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def first_invisible(text: str, allowed: str = " ") -> str:
    """The first character that a reader cannot see, like `U+202E`, or nothing: what is read must be what is run."""
    if text.isascii() and text.isprintable():
        return ""  # as nearly every text is
    for c in dict.fromkeys(text):
        if c not in allowed and (unicodedata.category(c) in _UNSEEN or _BLANK.match(c)):
            return f"U+{ord(c):04X}"
    return ""


# What a CI system takes for a command to itself: `::error::` at the beginning of a line, `##[group]` anywhere in it.
_COMMAND = re.compile(r"(?m)^([^\S\n]*:)(?=:)|(#)(?=#\w*\[)")


def plain(text: str) -> str:
    """Text from outside, fit for a terminal and a log: nothing in it acts, and what is unseen is shown by its code."""
    seen = "".join(c if c in "\n\t" or c.isprintable() or unicodedata.category(c) == "Zs" else _code(c) for c in text)
    return _COMMAND.sub(lambda mark: f"{mark[0]} ", seen)


def _code(c: str) -> str:
    return c.encode("unicode_escape").decode()


_NEAR = 100  # characters of a name that somebody mistyped


def did_you_mean(name: str, known: list[str]) -> str:
    """A near miss worth offering, as ` - did you mean 'x'?`, or nothing."""
    import difflib  # only on the way to an error

    if len(name) > _NEAR:
        return ""  # the time to compare two names grows with the product of their lengths
    close = difflib.get_close_matches(name, [other for other in known if len(other) <= _NEAR], n=1)
    return f" - did you mean '{close[0]}'?" if close else ""


_CONTROL = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"}


def as_html(raw: str) -> str:
    """Text from outside as HTML in which it can do nothing."""
    return escape(visible(raw))


def visible(text: str) -> str:
    """Text whose control, bidirectional and unassigned characters can be seen and do nothing."""
    return text.translate(_SEEN)


class _Seen(dict[int, str]):
    """Each character as it is shown, found once: transcripts are long and made of few."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        if code < 0x20 and c not in "\n\t":
            self[code] = chr(0x2400 + code)  # the Unicode pictures of control characters: ESC is ␛
        else:
            hidden = c not in "\n\t" and unicodedata.category(c) in _CONTROL
            self[code] = f"⟨U+{code:04X}⟩" if hidden else c
        return self[code]


_SEEN = _Seen()
