"""A Dockerfile as instructions, told apart exactly as BuildKit does.

What it took for an instruction, and this for text, would go unseen: so what could be read in two ways is refused.
https://github.com/moby/buildkit/blob/v0.13.1/frontend/dockerfile/parser/parser.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proof.errors import RefusedError, Where, unseen
from proof.files import read_text

_CONTINUED = re.compile(r"(?<!\\)\\[ \t]*$")
_HEREDOC = re.compile(r"(?<!\S)\d*<<(?P<chomp>-?)(?P<quote>[\"']?)(?P<marker>[A-Za-z]\w*)(?P=quote)(?!\S)")
_QUOTING = re.compile(r"[\"'\\$`]")
_LARGEST = 100_000  # bytes; nobody reads, or types, a longer Dockerfile


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    name: str
    flags: tuple[str, ...]  # `--from=builder`, as written
    rest: str
    where: Where
    last: int  # its last line, without its heredocs
    text: str  # all of it, as written, with them


def instructions(path: Path, *, below: Path) -> Iterator[Instruction]:
    """Every instruction in order; RefusedError, with the line, for what could be read in two ways."""
    lines = _lines(path, below)
    number = 0
    head = True  # parser directives stand only above everything else
    while number < len(lines):
        start, line = number + 1, lines[number].lstrip()
        number += 1

        def refuse(what: str, cure: str, *, line: str = line, start: int = start) -> RefusedError:
            return RefusedError(what, where=Where(path, start), evidence=line, cure=cure)

        if directive := re.match(r"#\s*(\w+)\s*=\s*(.+)", line):
            if head and directive[1].lower() in ("syntax", "escape", "check"):
                raise refuse(
                    f"the directive `# {directive[1]}=` is refused: it can bring in a frontend of its own",
                    "take the line out",
                )
            continue
        if not line or line.startswith("#"):
            head = head and bool(line)
            continue
        head = False
        while (end := _CONTINUED.search(line)) and number < len(lines):
            following = lines[number]
            number += 1
            if following.strip() and not following.lstrip().startswith("#"):
                line = line[: end.start()] + following
        name, *rest = line.split(None, 1)
        name = name.upper()
        words = rest[0].split() if rest else []
        flags = []
        while words and words[0].startswith("--"):
            flags.append(words.pop(0))
            if _QUOTING.search(flags[-1].replace("$", "")):
                raise refuse(f"the flag {flags[-1]} is refused: it is quoted", "write it plainly")
            if not any(flags[-1] in piece.split() for piece in lines[start - 1 : number]):
                raise refuse(f"the flag {flags[-1]} is refused: it is split over two lines", "write it on one")
        if name == "FROM" and number > start:
            raise refuse("FROM stands on one line", "FROM image [AS name]")
        last = number
        if name in ("RUN", "COPY", "ADD") and "<<" in line:
            plain = _HEREDOC.sub("", line)
            if "<<" in plain or _QUOTING.search(plain):
                raise refuse(
                    "this `<<` cannot be told from text: a heredoc's line has no quotes and no variables",
                    "RUN <<EOF, or put it in a file of context/",
                )
            for heredoc in _HEREDOC.finditer(line):
                number = _end_of(heredoc, lines, number)
                if number > len(lines):
                    raise refuse(f"the heredoc {heredoc['marker']} has no end", f"end it with {heredoc['marker']}")
        text = "\n".join(lines[start - 1 : number])
        yield Instruction(name, tuple(flags), " ".join(words), Where(path, start), last, text)


def _lines(path: Path, below: Path) -> list[str]:
    text = read_text(path, below=below, limit=_LARGEST)
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if "\r" in line or line.startswith("\ufeff"):
            raise RefusedError(
                "a byte order mark or a lone carriage return is refused: tools read either in their own way",
                where=Where(path, number),
                cure="save it as plain UTF-8",
            )
        # A form feed, say, is a blank to Python and a letter to Go: what one takes for a comment, the other runs.
        if hidden := unseen(line, " \t"):
            raise RefusedError(
                f"the character {hidden} is refused: it cannot be seen, and tools read it in their own way",
                where=Where(path, number),
                evidence=line.encode("unicode_escape").decode(),
                cure="take it out",
            )
    return lines


def _end_of(heredoc: re.Match[str], lines: list[str], number: int) -> int:
    """The number of lines up to the end of `heredoc`; more than there are where it has none."""
    while number < len(lines):
        line = lines[number].lstrip("\t") if heredoc["chomp"] else lines[number]
        number += 1
        if line == heredoc["marker"]:
            return number
    return number + 1
