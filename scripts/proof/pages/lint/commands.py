"""Recognises commands and instructions in code spans, which readers copy, and looks for them in files and commands."""

from __future__ import annotations

import functools
import re

from proof.pages.lint.lexicon import CLASSES

_CONTINUED = re.compile(r"\\\n")
_QUOTES = "\"'();…"


def is_command(code: str) -> bool:
    """Whether a piece of code is an instruction of a Dockerfile, or a command, with something that it works on.

    `docker run` and `docker run --init` only name a command and its option.
    """
    first, *rest = _words(code) or [""]
    if first in CLASSES["programs_with_subcommands"]:
        rest = rest[2 if rest and rest[0] in CLASSES["command_groups"] else 1 :]
    elif first not in CLASSES["instructions"] | CLASSES["programs"]:
        return False
    return any(not word.startswith("-") for word in rest)


def contains(code: str, text: str) -> bool:
    """Whether a line of the text has all words of the command, in their order. It may have more of them."""
    wanted = _words(code)
    return any(_has_in_order(line, wanted) for line in _lines(text))


def _has_in_order(line: list[str], wanted: list[str]) -> bool:
    rest = iter(line)
    return all(word in rest for word in wanted)


def _words(code: str) -> list[str]:
    return [word for part in code.split() if (word := part.strip(_QUOTES))]


@functools.lru_cache(maxsize=256)
def _lines(text: str) -> list[list[str]]:
    """The words of each line; a continued line is one."""
    return [_words(line) for line in _CONTINUED.sub(" ", text).split("\n")]
