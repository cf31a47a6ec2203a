"""Finds the fences of a page, and those of charts among them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proof.core.errors import PageError

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<mark>`{3,}|~{3,})\s*(?P<info>.*?)\s*$")
# A language and options, or attributes in braces. Others are text for some readers of Markdown.
_INFO = re.compile(r'[\w#.+-]*(?:\s+[a-z_]+="[^"`]*")*|[\w#.+-]*\s*\{[^{}`]*\}')


def divided(lines: list[str]) -> Iterator[tuple[re.Match[str] | None, list[str]]]:
    """The fences of a text, each with the match of its first line, and the lines between them one by one."""
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        end = _end(lines, at, opening["mark"]) if opening else at
        yield opening, lines[at : end + 1]
        at = end + 1


def _end(lines: list[str], at: int, mark: str) -> int:
    """The index of the line that closes the fence opened at `at`, or of the last line if none does."""
    for number in range(at + 1, len(lines)):
        line = lines[number].strip()
        if line.startswith(mark) and not line.strip(mark[0]):
            return number
    return len(lines) - 1


def is_plain(opening: re.Match[str], block: list[str]) -> bool:
    """Whether each reader of Markdown takes this for a fence, from the first line to the last."""
    closed = len(block) > 1 and block[-1].strip() == opening["mark"]
    return closed and _INFO.fullmatch(opening["info"]) is not None


def is_of_chart(opening: re.Match[str]) -> bool:
    """Whether the first line of a fence opens a chart."""
    return opening["info"].split(" ")[0] == "chart"


def body(opening: re.Match[str], block: list[str]) -> str:
    """The text in the fence of a chart. Raises PageError unless it is written as one."""
    if opening["info"] != "chart":
        raise PageError("a chart fence takes no options", evidence=block[0], hint="write ``` chart")
    if not block[1:] or not block[-1].strip().startswith(opening["mark"]):
        raise PageError("this fence is never closed", evidence=block[0], hint=f"add {opening['mark']}")
    return "\n".join(block[1:-1]) + "\n"
