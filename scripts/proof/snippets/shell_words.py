r"""Splits a command into the words that a reader's shell would pass to the program.

The tool runs no shell, so it accepts only commands that mean the same with and without one:

- All of the command is visible and on one line. Words are separated by spaces.
- Outside quotes, a word has ASCII letters and digits, `% + , - . / : @ _`, and any characters beyond ASCII. A `=` may
  follow these, but not begin a word: zsh would look up a program.
- In single quotes, every character stands for itself.
- In double quotes too, but `$`, "`" and `!` are refused, and a backslash quotes a `$`, "`", `"` or `\` after it.
- The first word is a program: it neither sets a variable nor belongs to the shell.

POSIX shells, bash and zsh read these alike, in a script and at a prompt. Everything else is refused until it is quoted.
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re

from proof.core.errors import RefusedError, Where
from proof.core.text import first_invisible

_PLAIN = r"A-Za-z0-9%+,./:@_\-\x80-\U0010ffff"
_IN_DOUBLE_QUOTES = r'(?:[^"$`!\\]|\\[^!])*'
_PIECE = re.compile(  # of a word, or the blank between two
    rf"""
    (?P<blank>\ +)
    | (?P<plain>[{_PLAIN}][{_PLAIN}=]*)
    | '(?P<quoted>[^']*)'
    | "(?P<double_quoted>{_IN_DOUBLE_QUOTES})"
    """,
    re.VERBOSE,
)
_REFUSED_IN_DOUBLE_QUOTES = re.compile(rf'"{_IN_DOUBLE_QUOTES}(\\?!|[$`])')
_ESCAPED = re.compile(r'\\([$`"\\])')
_MEANINGS = {
    "|": "a pipe",
    **dict.fromkeys("&;", "the end of a command"),
    **dict.fromkeys("<>", "a redirection"),
    **dict.fromkeys("()", "a group of commands"),
    "$": "a variable",
    "`": "another command",
    **dict.fromkeys("*?[]", "a pattern for names of files"),
    **dict.fromkeys("{}", "a list of alternatives"),
    "~": "a home directory",
    "#": "a comment",
    **dict.fromkeys("!^", "an earlier command"),
    "=": "sometimes the path of a program",
}
_RUN_A_SHELL = "run a shell in the container, as in docker run IMAGE sh -c 'echo hello | wc -c'"
_OF_THE_SHELL = frozenset(  # words that are no programs when they come first
    # reserved in POSIX
    "! { } case do done elif else esac fi for if in then until while".split()
    # reserved in bash or zsh, which time a command themselves
    + "- [[ ]] coproc end float foreach function integer nocorrect noglob repeat select time".split()
    # built into every shell
    + ". : alias bg break cd command continue eval exec exit export fc fg getopts hash jobs read readonly".split()
    + "return set shift times trap type ulimit umask unalias unset wait".split()
    # built into bash
    + "bind builtin caller compgen complete compopt declare dirs disown enable help history let local logout".split()
    + "mapfile popd pushd readarray shopt source suspend typeset".split()
)


def split(text: str, *, where: Where) -> tuple[str, ...]:
    """The words of a command. Raises RefusedError, with the character and how to quote it, for anything else."""

    def refuse(what: str, hint: str) -> RefusedError:
        return RefusedError(what, where=where, evidence=text, hint=hint)

    if "\n" in text or "\0" in text:
        raise refuse("a command must be on one line", "write one step for each command")
    if hidden := first_invisible(text):
        raise refuse(f"invisible character {hidden} in the command", "remove it")
    words: list[str] = []
    at, continues = 0, False  # whether the next piece continues the last word
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise refuse(*_why(text[at:]))
        at = piece.end()
        if piece["blank"]:
            continues = False
            continue
        word = piece["plain"] or piece["quoted"] or _ESCAPED.sub(r"\1", piece["double_quoted"] or "")
        if continues:
            words[-1] += word
        else:
            words.append(word)
        continues = True
    if not words:
        raise refuse("the command is empty", "write a command")
    if "=" in words[0]:
        raise refuse(
            f"`{words[0]}` is refused: for a shell, it sets a variable",
            "use docker run -e NAME=VALUE, or env NAME=VALUE PROGRAM",
        )
    if words[0] in _OF_THE_SHELL:
        raise refuse(f"`{words[0]}` is refused: it is a word of the shell, not a program", _RUN_A_SHELL)
    return tuple(words)


def _why(rest: str) -> tuple[str, str]:
    """Why the rest of a command is refused where it begins, and what to do about it."""
    if found := _REFUSED_IN_DOUBLE_QUOTES.match(rest):
        c = found[1][-1]
        hint = "use single quotes" if c == "!" else f"use single quotes, or write \\{c}"
        return f"`{c}` is {_MEANINGS[c]} for a shell, in double quotes too, but no shell runs this command", hint
    match rest[0]:
        case "'" | '"' as quote:
            return f"the command cannot be split into words: {quote} is not closed", "close the quote"
        case "\\":
            return "`\\` is refused outside quotes", "put the character after it in quotes instead"
        case c:
            hint = f"quote it: '{c}', or {_RUN_A_SHELL}"
            return f"`{c}` is {_MEANINGS[c]} for a shell, but no shell runs this command", hint
