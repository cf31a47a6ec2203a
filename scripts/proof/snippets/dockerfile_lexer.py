"""A Dockerfile as instructions, told apart as BuildKit and Podman do.

An instruction that a builder sees and this does not would go unchecked. So this accepts only what all of them read
alike, and refuses the rest.
https://github.com/moby/buildkit/blob/v0.13.1/frontend/dockerfile/parser/parser.go
https://github.com/openshift/imagebuilder/blob/master/dockerfile/parser/parser.go
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import RefusedError, Where
from proof.core.text import first_invisible

# ASCII alone, as in Go's expressions: Python's \d, \w, \s and split() take more, and what more they take hides lines.
_BLANK = " \t"
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z]+)[ \t]*=")
_CONTINUED = re.compile(r"\\[ \t]*$")
_ESCAPED = re.compile(r"\\\\[ \t]*$")
_HEREDOC = re.compile(
    r"(?<![^ \t])[0-9]*<<(?P<chomp>-?)(?P<quote>[\"']?)(?P<marker>[A-Za-z][A-Za-z0-9_]*)(?P=quote)(?![^ \t])"
)
_QUOTING = re.compile(r"[\"'\\$`]")
# Whose words may hold any letter. Of the others each word is a name, or a number, to some reader.
_WORDED = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ENV", "LABEL", "COPY"})
_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
Refuse = Callable[[str, str], RefusedError]  # (what, hint)


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    name: str
    flags: tuple[str, ...]  # `--from=builder`, as written
    rest: str
    where: Where
    last: int  # its last line, without its heredocs
    text: str  # all of it, as written, with them


def instructions(path: Path, text: str) -> Iterator[Instruction]:
    """Every instruction of a file in order; RefusedError, with the line, for what could be read in two ways."""
    lines = _lines(path, text)
    number = 0
    head = True  # parser directives stand only above everything else
    while number < len(lines):
        start, line = number + 1, lines[number].lstrip(_BLANK)
        number += 1

        def refuse(what: str, hint: str, *, line: str = line, start: int = start) -> RefusedError:
            return RefusedError(what, where=Where(path, start), evidence=line, hint=hint)

        if not line or line.startswith("#"):
            directive = _DIRECTIVE.match(line)
            if head and directive and directive[1].lower() in ("syntax", "escape", "check", "platform"):
                raise refuse(
                    f"the directive `# {directive[1]}=` is refused: it can bring in a frontend of its own",
                    "take the line out",
                )
            head = head and bool(line)
            continue
        head = False
        pieces = [line]  # its lines, without the comments between them
        while _CONTINUED.search(pieces[-1]):
            if _ESCAPED.search(pieces[-1]):
                raise refuse("a line ends in two backslashes: Podman goes on reading there", "end it otherwise")
            pieces[-1] = _CONTINUED.sub("", pieces[-1])
            while number < len(lines) and (not lines[number].strip(_BLANK) or lines[number].startswith("#")):
                number += 1
            if number == len(lines):
                raise refuse("a line goes on, and nothing follows it", "take the last backslash out")
            if lines[number].lstrip(_BLANK).startswith("#"):
                raise refuse(
                    "a comment between the lines of an instruction is indented: Podman takes it for a part of it",
                    "begin the comment at the first column",
                )
            pieces.append(lines[number])
            number += 1
        name, flags, rest = _taken_apart(pieces, refuse)
        if name == "FROM" and number > start:
            raise refuse("FROM stands on one line", "FROM image [AS name]")
        last = number
        for heredoc in _heredocs(name, rest, "".join(pieces), refuse):
            number = _end_of(heredoc, lines, number)
            if number > len(lines):
                raise refuse(f"the heredoc {heredoc['marker']} has no end", f"end it with {heredoc['marker']}")
        text = "\n".join(lines[start - 1 : number])
        yield Instruction(name, flags, rest, Where(path, start), last, text)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[ \t]+", text) if word]


def _taken_apart(pieces: Sequence[str], refuse: Refuse) -> tuple[str, tuple[str, ...], str]:
    """The name of an instruction, its flags and its words."""
    line = "".join(pieces)
    written, *words = _words(line)
    count = 1 + next((number for number, word in enumerate(words) if not word.startswith("--")), len(words))
    flags = words[: count - 1]
    for flag in flags:
        if _QUOTING.search(flag.replace("$", "")):
            raise refuse(f"the flag {flag} is refused: it is quoted", "write it plainly")
    alone = [word for piece in pieces for word in _words(piece)]
    for word, whole in zip([written, *flags], alone, strict=False):
        if word != whole:
            what = f"the flag {word}" if word.startswith("--") else f"the instruction {word.upper()}"
            raise refuse(f"{what} is refused: it is split over two lines", "write it on one")
    if not _words(pieces[0]):
        raise refuse("an instruction begins with its name, and this line with a backslash", "take the backslash out")
    name = written.upper()
    # BuildKit looks for the end of a flag byte by byte, and takes the 0xA0 in `à` for a blank: other flags follow it.
    free = words[count - 1 :] if name in _WORDED and not ("<<" in line and name in _HEREDOCS) else []
    if not "".join([written, *words[: len(words) - len(free)]]).isascii():
        raise refuse(
            "a letter, digit or sign that is not ASCII is refused here: builders read it in their own ways",
            f"plain ASCII: others may stand in comments, heredocs and the words of {', '.join(sorted(_WORDED))}",
        )
    return name, tuple(flags), " ".join(words[count - 1 :])


def _heredocs(name: str, rest: str, line: str, refuse: Refuse) -> list[re.Match[str]]:
    if name not in _HEREDOCS or "<<" not in line:
        return []
    plain = _HEREDOC.sub("", line)
    # What BuildKit takes for JSON has no heredoc, and `[]` is JSON whatever follows it.
    if "<<" in plain or _QUOTING.search(plain) or rest.startswith("["):
        raise refuse(
            "this `<<` cannot be told from text: a heredoc's line has no quotes, no variables and no JSON",
            "RUN <<EOF, or put it in a file of context/",
        )
    return list(_HEREDOC.finditer(line))


def _lines(path: Path, text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if "\r" in line or line.startswith("\ufeff"):
            raise RefusedError(
                "a byte order mark or a lone carriage return is refused: tools read either in their own way",
                where=Where(path, number),
                hint="save it as plain UTF-8",
            )
        # A form feed, say, is a blank to Python and a letter to Go: what one takes for a comment, the other runs.
        if hidden := first_invisible(line, " \t"):
            raise RefusedError(
                f"the character {hidden} is refused: it cannot be seen, and tools read it in their own way",
                where=Where(path, number),
                evidence=line.encode("unicode_escape").decode(),
                hint="take it out",
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
