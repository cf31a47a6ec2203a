r"""Splits a command into the words that a reader's shell would pass to the program.

The tool runs no shell, so it accepts only commands that mean the same with and without one:

- All of the command is visible and on one line. Words are separated by spaces.
- Outside quotes, a word has ASCII letters and digits, `% + , - . / : @ _`, and any characters beyond ASCII. A `=` may
  follow these, but not begin a word: zsh would look up a program.
- In single quotes, every character stands for itself.
- In double quotes too, but `$`, "`" and `!` are refused, and a backslash quotes a `$`, "`", `"` or `\` after it.
- The first word is a program that does not belong to the shell. Before it, words such as `NAME=value` set variables.
- A `|` between two commands is a pipe.

POSIX shells, bash and zsh read these alike, in a script and at a prompt. Everything else is refused until it is quoted.
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proof.core.errors import RefusedError, Where
from proof.core.text import first_invisible

_PLAIN = r"[A-Za-z0-9%+,./:@_\-]|[^\0-\x7f]"  # a set of all other characters would take milliseconds to compile
_IN_DOUBLE_QUOTES = r'(?:[^"$`!\\]|\\[^!])*'
_PIECE = re.compile(  # of a word, or the blank between two
    rf"""
    (?P<blank>\ +)
    | (?P<plain>(?:{_PLAIN})(?:{_PLAIN}|=)*)
    | '(?P<quoted>[^']*)'
    | "(?P<double_quoted>{_IN_DOUBLE_QUOTES})"
    | (?P<pipe>\|)
    """,
    re.VERBOSE,
)
_REFUSED_IN_DOUBLE_QUOTES = re.compile(rf'"{_IN_DOUBLE_QUOTES}(\\?!|[$`])')
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")  # all of it outside quotes: to a shell, `"A=b" c` is a program
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


@dataclass(frozen=True)
class Line:
    """What a shell reads in a command line."""

    variables: tuple[tuple[str, str], ...]  # that are set for the first command alone
    commands: tuple[tuple[str, ...], ...]  # the words of each; the output of one is the input of the next


def split(text: str, *, where: Where) -> tuple[str, ...]:
    """The words of a single command. Raises RefusedError for anything else."""
    line = parse(text, where=where)
    if line.commands[1:]:
        what, hint = _why("|")
        raise RefusedError(what, where=where, evidence=text, hint=hint)
    check_no_variables(line, text, where=where)
    return line.commands[0]


def check_no_variables(line: Line, text: str, *, where: Where) -> None:
    """Raises RefusedError if the line sets a variable."""
    for name, value in line.variables:
        raise _sets_a_variable(f"{name}={value}", text, where)


def _sets_a_variable(word: str, text: str, where: Where) -> RefusedError:
    return RefusedError(
        f"`{word}` is refused: for a shell, it sets a variable",
        where=where,
        evidence=text,
        hint="use docker run -e NAME=VALUE, or env NAME=VALUE PROGRAM",
    )


def parse(text: str, *, where: Where) -> Line:
    """The words of a command line. Raises RefusedError, with the character and how to quote it, for anything else."""

    def refuse(what: str, hint: str) -> RefusedError:
        return RefusedError(what, where=where, evidence=text, hint=hint)

    if "\n" in text or "\0" in text:
        raise refuse("a command must be on one line", "write one step for each command")
    if hidden := first_invisible(text):
        raise refuse(f"invisible character {hidden} in the command", "remove it")
    commands: list[list[str]] = [[]]
    starts: list[str] = []  # of each word of the first command, what comes before any quote
    at, continues = 0, False  # whether the next piece continues the last word
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise refuse(*_why(text[at:]))
        at = piece.end()
        if piece["blank"] or piece["pipe"]:
            commands += [[]] if piece["pipe"] else []
            continues = False
            continue
        words = commands[-1]
        word = piece["plain"] or piece["quoted"] or _ESCAPED.sub(r"\1", piece["double_quoted"] or "")
        if continues:
            words[-1] += word
        else:
            words.append(word)
            starts += [piece["plain"] or ""] if words is commands[0] else []
        continues = True
    if not any(commands):
        raise refuse("the command is empty", "write a command")
    if not all(commands):
        raise refuse("`|` is a pipe for a shell, with a command on both sides", "write both, or remove it")
    first = commands[0]
    variables: list[tuple[str, str]] = []
    while first[1:] and (found := _VARIABLE.match(starts[len(variables)])):
        variables.append((found[1], first.pop(0)[found.end() :]))
    for program in (command[0] for command in commands):
        if "=" in program:
            raise _sets_a_variable(program, text, where)
        if program in _OF_THE_SHELL:
            raise refuse(f"`{program}` is refused: it is a word of the shell, not a program", _RUN_A_SHELL)
    return Line(tuple(variables), tuple(map(tuple, commands)))


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
            if rest.startswith(("&&", ";")):
                hint = f"write a step for each command, or {_RUN_A_SHELL}"
            return f"`{c}` is {_MEANINGS[c]} for a shell, but no shell runs this command", hint
