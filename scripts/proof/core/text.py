"""Untrusted text: finds invisible characters, and makes text safe for terminals, logs and HTML."""

from __future__ import annotations

import json
import re
import unicodedata
from html import escape

# Unicode categories of invisible characters: controls, changes of the text direction, …; with blanks other than a space
_CONTROL = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNSEEN = _CONTROL | {"Zs"}
# Letters and marks without a glyph: a joiner, fillers, variation selectors, the empty braille pattern.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def first_invisible(text: str, allowed: str = " ") -> str:
    """The first invisible character of `text`, like `U+202E`, or an empty string.

    With such characters, a reviewer may see something else than what the tool reads.
    """
    if text.isascii() and text.isprintable():
        return ""  # the usual case
    for c in dict.fromkeys(text):
        if c not in allowed and (unicodedata.category(c) in _UNSEEN or _BLANK.match(c)):
            return f"U+{ord(c):04X}"
    return ""


_KNOWN = "µ™ßæœÆŒ"  # although they stand for other characters, or are no plain letters


def objection(text: str) -> str:
    """Why nobody may write this where readers see it, in an English text: it holds a character that misleads them."""
    if hidden := first_invisible(text, " \N{NO-BREAK SPACE}"):
        return f"the invisible character {hidden}"
    misleading = first_misleading(text)
    return f"{misleading}, which readers may take for another character" if misleading else ""


def first_misleading(text: str) -> str:
    """The first character of an English text that readers could take for another, like `U+0417`, or an empty string.

    It may look like a digit or a Latin letter and be none, or change the order of what stands around it.
    """
    return "" if text.isascii() else next((f"U+{ord(c):04X}" for c in dict.fromkeys(text) if _misleads(c)), "")


def _misleads(c: str) -> bool:
    if c.isascii() or c in _KNOWN:
        return False
    kind, stands_for = unicodedata.category(c), unicodedata.normalize("NFKC", c)
    if unicodedata.bidirectional(c) in ("R", "AL", "AN"):
        return True
    match kind[0]:
        case "L":
            return not unicodedata.normalize("NFD", c)[0].isascii()  # only é and the like: an ezh looks like 3
        case "N":  # the lint reads digits of any form
            return not all(digit in "0123456789\N{FRACTION SLASH}" for digit in stands_for)
        case "M":
            return True
        case _:
            return stands_for != c and any(sign.isalnum() or sign == "%" for sign in stands_for)


# Commands to a CI system: `::error::` at the beginning of a line, `##[group]` anywhere in it.
_COMMAND = re.compile(r"(?m)^([^\S\n]*:)(?=:)|(#)(?=#\w*\[)")


def plain(text: str) -> str:
    """Untrusted text for a terminal or a log: no control sequences or CI commands, invisible characters escaped."""
    seen = "".join(c if c in "\n\t" or c.isprintable() or unicodedata.category(c) == "Zs" else _code(c) for c in text)
    return _COMMAND.sub(lambda mark: f"{mark[0]} ", seen)


def _code(c: str) -> str:
    return c.encode("unicode_escape").decode()


# The signs of the tool itself, where an encoding lacks them.
_SIGNS = {
    "✓": "+",
    "✎": "*",
    "✗": "x",
    "≈": "~",
    "∅": "0",
    "≠": "!",
    "·": "-",
    "–": "-",
    "…": "...",
    "⋮": ":",
    "→": "->",
}


def spell_out(error: UnicodeError) -> tuple[str, int]:
    """A handler of encoding errors, for `codecs`: characters that a terminal lacks are escaped, as in JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_SIGNS.get(c) or json.dumps(c)[1:-1] for c in lacking), error.end


_NEAR = 100  # characters; longer names get no suggestion


def did_you_mean(name: str, known: list[str]) -> str:
    """A suggestion for a mistyped name, as ` - did you mean 'x'?`, or an empty string."""
    import difflib  # only needed for errors

    if len(name) > _NEAR:
        return ""  # the time for a comparison grows with the product of the lengths
    close = difflib.get_close_matches(name, [other for other in known if len(other) <= _NEAR], n=1)
    return f" - did you mean '{close[0]}'?" if close else ""


def as_html(raw: str) -> str:
    """Untrusted text as harmless HTML."""
    return escape(visible(raw))


def visible(text: str) -> str:
    """Text with control, bidirectional and unassigned characters replaced by visible symbols."""
    return text.translate(_SEEN)


class _Seen(dict[int, str]):
    """How each character is shown. Cached, because transcripts are long and use few different characters."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        if code < 0x20 and c not in "\n\t":
            self[code] = chr(0x2400 + code)  # the Unicode pictures of control characters: ESC is ␛
        else:
            hidden = c not in "\n\t" and unicodedata.category(c) in _CONTROL
            self[code] = f"⟨U+{code:04X}⟩" if hidden else c
        return self[code]


_SEEN = _Seen()
