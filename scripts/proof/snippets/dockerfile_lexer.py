"""Splits a Dockerfile into instructions, as BuildKit and Podman do.

An instruction that a builder sees and this module does not would go unchecked. So everything that the builders may read
differently is refused.
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

# ASCII only, as in Go. Python's \d, \w, \s and split() match more characters, which could hide instructions.
_BLANK = " \t"
# A first line that names the frontend which BuildKit has built in, of any release.
_BUILT_IN = re.compile(r"#[ ]?syntax[ ]?=[ ]?(?P<frontend>docker/dockerfile:1(?:\.[0-9]{1,2}){0,2})")
_FRONTEND = re.compile(r"#[ \t]*syntax[ \t]*=[ \t]*(?P<image>\S*)", re.IGNORECASE)
# The checks of `docker build --check`, which only BuildKit since 0.15 makes. They change nothing else.
_CHECKS = re.compile(
    r"#[ \t]*check[ \t]*=[ \t]*(?:(?:skip=[A-Za-z]+(?:,[A-Za-z]+)*|error=(?:true|false))(?:;|[ \t]*$))+"
)
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z]+)[ \t]*=")
_CONTINUED = re.compile(r"\\[ \t]*$")
_ESCAPED = re.compile(r"\\\\[ \t]*$")
_HEREDOC = re.compile(
    r"(?<![^ \t])[0-9]*<<(?P<chomp>-?)(?P<quote>[\"']?)(?P<marker>[A-Za-z][A-Za-z0-9_]*)(?P=quote)(?![^ \t])"
)
_QUOTING = re.compile(r"[\"'\\$`]")
# Instructions whose words may contain any character. In the others, each word may be a name or a number.
_WORDED = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ENV", "LABEL", "COPY"})
_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
Refuse = Callable[[str, str], RefusedError]  # (what, hint)


@dataclass(frozen=True)
class Instruction:
    """An instruction, with its continuation lines joined."""

    name: str
    flags: tuple[str, ...]  # `--from=builder`, as written
    rest: str
    where: Where
    last: int  # the number of its last line, not counting heredocs
    text: str  # the whole instruction as written, with its heredocs
    indented: tuple[int, ...] = ()  # the numbers of lines with an indented comment


def refused(instruction: Instruction, what: str, hint: str) -> RefusedError:
    """The error for this instruction, with its place and how it reads."""
    shown = " ".join([instruction.name, *instruction.flags, f"{instruction.rest:.1000}"])
    return RefusedError(what, where=instruction.where, evidence=shown, hint=hint)


def instructions(path: Path, text: str) -> Iterator[Instruction]:
    """The instructions of a file, in order. Raises RefusedError, with the line, for anything ambiguous."""
    lines = _lines(path, text)
    number = 0
    head = True  # whether parser directives are still possible
    while number < len(lines):
        start, line = number + 1, lines[number].lstrip(_BLANK)
        number += 1

        def refuse(what: str, hint: str, *, line: str = line, start: int = start) -> RefusedError:
            return RefusedError(what, where=Where(path, start), evidence=line, hint=hint)

        if not line or line.startswith("#"):
            if head and not (start == 1 and frontend(text)):
                _check_directive(line, refuse)
            head = head and bool(line)
            continue
        head = False
        pieces, number, indented = _joined(line, lines, number, refuse)
        name, flags, rest = _taken_apart(pieces, refuse)
        if name == "FROM" and number > start:
            raise refuse("FROM must be on one line", "write FROM image [AS name]")
        last = number
        for heredoc in _heredocs(name, rest, "".join(pieces), refuse):
            number = _end_of(heredoc, lines, number)
            if number > len(lines):
                raise refuse(f"the heredoc {heredoc['marker']} has no end", f"end it with {heredoc['marker']}")
        yield Instruction(name, flags, rest, Where(path, start), last, "\n".join(lines[start - 1 : number]), indented)


def _check_directive(line: str, refuse: Refuse) -> None:
    directive = _DIRECTIVE.match(line)
    name = directive[1].lower() if directive else ""
    if name == "check" and _CHECKS.fullmatch(line):
        return
    if name in ("syntax", "escape", "check", "platform"):
        raise refuse(
            f"the directive `# {name}=` is refused: it can change how the file is parsed",
            _instead_of_directive(name, line),
        )


def _instead_of_directive(name: str, line: str) -> str:
    if name == "check":
        return "write # check=skip=NAME,NAME or # check=error=true, or remove the line"
    if name != "syntax":
        return "remove the line"
    image = found["image"] if (found := _FRONTEND.match(line)) else ""
    built_in = "let the first line be `# syntax=docker/dockerfile:1`, which every engine has built in"
    if re.search(r"docker/dockerfile(?:-upstream)?:.*labs", image):
        return f"{built_in}: it has the flags that left labs, such as COPY --parents and --exclude"
    if "docker/dockerfile" in image:
        return f"remove the line, or {built_in}"
    return f"write a Dockerfile that does the same: another frontend is a program from a registry; {built_in}"


def _joined(line: str, lines: Sequence[str], number: int, refuse: Refuse) -> tuple[list[str], int, tuple[int, ...]]:
    """The lines of the instruction that begins with `line`, without comments, and the number of its last line.

    The third value has the numbers of its indented comments.
    """
    pieces, indented = [line], []
    while _CONTINUED.search(pieces[-1]):
        if _ESCAPED.search(pieces[-1]):
            raise refuse("a line ends in two backslashes, which Podman reads as a continuation", "change its end")
        pieces[-1] = _CONTINUED.sub("", pieces[-1])
        while number < len(lines) and lines[number].lstrip(_BLANK)[:1] in ("", "#"):
            if lines[number].startswith(tuple(_BLANK)) and lines[number].strip(_BLANK):
                indented.append(number + 1)
            number += 1
        if number == len(lines):
            raise refuse("nothing follows the backslash at the end of the line", "remove it")
        pieces.append(lines[number])
        number += 1
    return pieces, number, tuple(indented)


def frontend(text: str) -> str:
    """The frontend that the first line of a Dockerfile asks for, if it is the built-in one; otherwise empty."""
    found = _BUILT_IN.fullmatch(text.partition("\n")[0].removesuffix("\r"))
    return found["frontend"] if found else ""


def without_frontend(text: str, local: Callable[[str], str]) -> str:
    """The same with that line as a comment: BuildKit would fetch the frontend from a registry.

    `local` gives the name of an image in this engine, which output has without its prefix. So an error message that
    quotes the line shows it as it was written.
    """
    line, end, rest = text.partition("\n")
    if not frontend(line):
        return text
    mark, setting = line[: line.index("syntax")], line[line.index("syntax") :]
    changed = f"{mark}{local(setting)}"
    if _DIRECTIVE.match(changed):
        raise ValueError(f"without a prefix, `{line}` would still be a directive")
    return f"{changed}{end}{rest}"


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[ \t]+", text) if word]


def _taken_apart(pieces: Sequence[str], refuse: Refuse) -> tuple[str, tuple[str, ...], str]:
    """Split an instruction into its name, its flags and the rest."""
    line = "".join(pieces)
    written, *words = _words(line)
    count = 1 + next((number for number, word in enumerate(words) if not word.startswith("--")), len(words))
    flags = words[: count - 1]
    for flag in flags:
        if _QUOTING.search(flag.replace("$", "")):
            raise refuse(f"the flag {flag} is refused: it is quoted", "write it without quotes and backslashes")
    alone = [word for piece in pieces for word in _words(piece)]
    for word, whole in zip([written, *flags], alone, strict=False):
        if word != whole:
            what = f"the flag {word}" if word.startswith("--") else f"the instruction {word.upper()}"
            raise refuse(f"{what} is refused: it is split over two lines", "write it on one line")
    if not _words(pieces[0]):
        raise refuse("the line starts with a backslash instead of an instruction", "remove the backslash")
    name = written.upper()
    # BuildKit searches the end of a flag bytewise, and takes the byte 0xA0 of `à` for a blank that ends it.
    free = words[count - 1 :] if name in _WORDED and not ("<<" in line and name in _HEREDOCS) else []
    if not "".join([written, *words[: len(words) - len(free)]]).isascii():
        raise refuse(
            "non-ASCII characters are refused here: builders read them differently",
            f"use ASCII; others may only occur in comments, heredocs and the words of {', '.join(sorted(_WORDED))}",
        )
    return name, tuple(flags), " ".join(words[count - 1 :])


def _heredocs(name: str, rest: str, line: str, refuse: Refuse) -> list[re.Match[str]]:
    if name not in _HEREDOCS or "<<" not in line:
        return []
    plain = _HEREDOC.sub("", line)
    # BuildKit reads no heredoc in JSON, and takes `[]` for JSON whatever follows it.
    if any("<<" in part.partition("$((")[2] for part in plain.split(")")):
        raise refuse(
            "`<<` in `$((…))` is refused: a builder could read it as a heredoc",
            "write the number, or put the calculation into a script in context/",
        )
    if "<<" in plain or _QUOTING.search(plain) or rest.startswith("["):
        raise refuse(
            "this `<<` is ambiguous: a line with a heredoc must not contain quotes, variables or JSON",
            "write RUN <<EOF, or put the text into a file in context/",
        )
    return list(_HEREDOC.finditer(line))


def _lines(path: Path, text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if "\r" in line or line.startswith("\ufeff"):
            raise RefusedError(
                "a byte order mark or a lone carriage return is refused: tools read them differently",
                where=Where(path, number),
                hint="save the file as UTF-8 without a byte order mark",
            )
        # A form feed, say, is a blank in Python but not in Go: a comment to one may be an instruction to the other.
        if hidden := first_invisible(line, " \t"):
            raise RefusedError(
                f"invisible character {hidden}: tools read it differently",
                where=Where(path, number),
                evidence=line.encode("unicode_escape").decode(),
                hint="remove it",
            )
    return lines


def _end_of(heredoc: re.Match[str], lines: list[str], number: int) -> int:
    """The number of the last line of `heredoc`; greater than the number of lines if it has no end."""
    while number < len(lines):
        line = lines[number].lstrip("\t") if heredoc["chomp"] else lines[number]
        number += 1
        if line == heredoc["marker"]:
            return number
    return number + 1
