"""What may differ between two honest runs: an ordered list of named rules, each with its reason.

Outputs are compared after these rules; captures keep the text as it was printed. `normalise` is idempotent.

A build log is compared step by step: the name of each step, what its command printed, and whatever else stands in the
log. Some things in it cannot be compared: BuildKit's numbers, times and the sizes that it transfers; digests, since
an image's times are in them; and what a step printed if BuildKit took that step from its cache in either run. In a
cold build, which is what CI does, nothing is taken from the cache.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from proof.manifest import Step

# Of these rules; part of what a capture depends on. Captures hold what was printed, not what these rules make of it,
# so a rule that becomes stricter needs no new version: a capture that is still right stays accurate.
VERSION = 1

_AGE = re.compile(
    r"\b(?:(?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?)(?: ago)?\b",
    re.IGNORECASE | re.ASCII,
)
_DIGEST = re.compile(r"\b(?:sha256:)?([0-9a-f]{64})\b", re.ASCII)
_SHORT_ID = re.compile(r"(?<![\w.-])([0-9a-f]{12})(?![\w.-])")
_REFERENCE = re.compile(r"\bref [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}::\w+", re.ASCII)
LABEL = re.compile(r"^(#\d+ | > )(\[(?:\S+ )? *\d+/\d+\]) ", re.MULTILINE)  # before a step: `[builder  2/12]`

# A build log in BuildKit's plain format.
_VERTEX = re.compile(r"#(\d+) ([^\n]*)", re.ASCII)
_TIME = r"(?:\d\.\d{3}|10\.000|\d\d\.\d\d|100\.00|\d{3,}\.\d)"  # seconds, as BuildKit prints them: five characters
_SECONDS = re.compile(rf"(?:{_TIME} )+(?!#\d)", re.ASCII)
_PRINTED = re.compile(rf"{_TIME} ?([^\n]*)", re.ASCII)  # by the command of a step
_IGNORED = "<ignored>"
_TOOK = rf"(?:\d+\.\ds|{_IGNORED})"
_ENDED = re.compile(rf"DONE {_TOOK}", re.ASCII)
_TRANSFERRED = re.compile(
    rf"transferring (?:context|dockerfile):(?: (\d+(?:\.\d+)?)([kMG]?)B)?(?: {_TOOK})?(?: done)?", re.ASCII
)
_STATUS = re.compile(
    r"((?:exporting layers|(?:writing image|exporting (?:manifest(?: list)?|config)) sha256:[0-9a-f]{64})"
    rf"|(?:naming|unpacking) to \S+?|resolve \S+?@sha256:[0-9a-f]{{64}})(?: {_TOOK})?(?: done)?",
    re.ASCII,
)
_WHOLE_LINES = re.compile(rf"^(?:{_IGNORED})+(?=#\d)", re.MULTILINE)  # that are ignored with their ends: not even there


class Line(NamedTuple):
    """A line in the form in which it is compared, and where it stands in the output as printed."""

    text: str
    number: int  # counted from 1


@dataclass(frozen=True)
class Rule:
    """One thing that is not compared."""

    name: str
    reason: str
    verbs: tuple[str, ...]  # of `Command.verb`; empty means every command
    apply: Callable[[str], str]  # adds and removes no line, but for the first rule


@dataclass
class _Vertex:
    """One step of a build."""

    title: Line
    printed: list[Line] = field(default_factory=list)  # by its command
    said: dict[str, int] = field(default_factory=dict)  # by BuildKit about it, and the line
    cut: bool = False  # taken from the cache, or cancelled

    @property
    def known(self) -> bool:
        """Whether the log says what its command prints: all that a step printed, or that it printed nothing."""
        return bool(self.printed) or not (self.cut and self.title.text.startswith("RUN "))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.printed)

    def lines(self) -> Iterator[Line]:
        yield Line(f"step {self.title.text}", self.title.number)
        yield from (Line(f"  {text}", number) for text, number in self.printed)
        for text, number in self.said.items():
            yield Line(text if text.startswith("ERROR") else f"  - {text}", number)


@dataclass
class _Log:
    """A build log, taken apart."""

    vertices: list[_Vertex]
    rest: list[Line]  # what is no line of a step

    @classmethod
    def of(cls, text: str) -> _Log:
        vertices: dict[str, _Vertex] = {}
        rest: list[Line] = []
        for number, line in enumerate(LABEL.sub(r"\1", _WHOLE_LINES.sub("", text)).split("\n"), start=1):
            if (found := _VERTEX.fullmatch(line)) is None:
                times = _SECONDS.match(line)  # before a failed step's output, which is printed again
                rest.append(Line(line[times.end() :] if times else line, number))
            elif found[1] == "0":  # which builder is used
                rest.append(Line(f"builder {found[2]}", number))
            elif found[1] not in vertices:
                vertices[found[1]] = _Vertex(Line(found[2], number))
            else:
                _read(vertices[found[1]], found[2], number)
        return cls(list(vertices.values()), rest)

    def beside(self, other: _Log) -> Iterator[Line]:
        """Its lines, steps in order of their names, without what a step printed where `other` does not know that."""
        theirs = other._by_title()
        found = []
        for title, mine in self._by_title().items():
            alike = theirs.get(title, [])
            left = Counter(v.texts for v in alike if v.known)
            unknown = sum(not v.known for v in alike)
            for vertex in mine:
                if vertex.known and left[vertex.texts]:
                    left[vertex.texts] -= 1
                elif vertex.known and unknown:
                    unknown -= 1
                    vertex = _Vertex(vertex.title, said=vertex.said)  # noqa: PLW2901 - the same, of which less is said
                found.append(vertex)
        yield from _in_order(found)
        # A log in this form has no `#N` lines left: it passes through unchanged.
        yield from (line for line in self.rest if line.text.strip(" \t") or not found)

    def _by_title(self) -> dict[str, list[_Vertex]]:
        found: dict[str, list[_Vertex]] = {}
        for vertex in self.vertices:
            found.setdefault(vertex.title.text, []).append(vertex)
        return found


def _read(vertex: _Vertex, message: str, number: int) -> None:
    """One more line about a step. What BuildKit does not print by itself is kept as it is."""
    if message in ("CACHED", "CANCELED"):
        vertex.cut = True
    elif printed := _PRINTED.fullmatch(message):
        vertex.printed.append(Line(printed[1], number))
    elif status := _STATUS.fullmatch(message):
        vertex.said.setdefault(status[1], number)
    elif not (message in ("...", vertex.title.text) or _ENDED.fullmatch(message) or _TRANSFERRED.fullmatch(message)):
        vertex.said.setdefault(message, number)


def _in_order(vertices: Iterable[_Vertex]) -> Iterator[Line]:
    for vertex in sorted(vertices, key=lambda v: (v.title.text, v.texts, tuple(v.said))):
        yield from vertex.lines()


def _build_log(text: str) -> str:
    log = _Log.of(text)
    return "\n".join(line.text for line in log.beside(log))


def _masked(pattern: re.Pattern[str], name: str) -> Callable[[str], str]:
    """Each id by the order in which it first appears: whether two of them are the same is compared."""

    def apply(text: str) -> str:
        seen: dict[str, str] = {}

        def mask(found: re.Match[str]) -> str:
            return seen.setdefault(found[1], f"<{name} {len(seen) + 1}>" if seen else f"<{name}>")

        return pattern.sub(mask, text)

    return apply


def _but_printed(apply: Callable[[str], str]) -> Callable[[str], str]:
    """Of a build log, all but the lines that a command printed."""

    def change(text: str) -> str:
        lines = text.split("\n")
        changed = iter(apply("\n".join(line for line in lines if not _is_printed(line))).split("\n"))
        return "\n".join(line if _is_printed(line) else next(changed) for line in lines)

    return change


def _is_printed(line: str) -> bool:
    return line.startswith("  ") and not line.startswith("  - ")


def _each(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(map(change, text.split("\n")))


RULES = (
    Rule(
        "build log",
        "BuildKit numbers its steps anew each time, prints times, says CACHED instead of a step's output, and calls a "
        "step that two builds share as the first of them calls it",
        ("build",),
        _build_log,
    ),
    Rule(
        "reference",
        "BuildKit names the context anew in each build, and says so where a file is missing from it",
        ("build",),
        lambda t: _REFERENCE.sub("ref <reference>", t),
    ),
    Rule(
        "digest",
        "an image's digest changes with every build, for times are in it; one that a program printed does not",
        ("ls", "inspect", "history", "version"),
        _masked(_DIGEST, "digest"),
    ),
    Rule("digest in a build log", "as above", ("build",), _but_printed(_masked(_DIGEST, "digest"))),
    Rule("short id", "the beginning of a digest, or of a container's random id", (), _masked(_SHORT_ID, "id")),
    Rule("age", "how long ago an image was made", ("ls", "history"), lambda t: _AGE.sub("<age>", t)),
    Rule(
        "columns",
        "a table is as wide as its ages and ids",
        ("ls", "history"),
        _each(lambda line: re.sub(r" {2,}", "  ", line)),
    ),
    Rule("end of line", "trailing blanks carry nothing", (), _each(lambda line: line.rstrip(" \t"))),
)


def transferred(log: str) -> Iterator[tuple[float, int]]:
    """How many bytes a build says that it took from the context, and the line.

    It is not compared: times of files and what the builder still has are counted in.
    """
    for number, line in enumerate(log.split("\n"), start=1):
        if (vertex := _VERTEX.fullmatch(line)) and (found := _TRANSFERRED.fullmatch(vertex[2])) and found[1]:
            yield float(found[1]) * 1000 ** " kMG".index(found[2] or " "), number


def normalise(output: str, step: Step) -> str:
    """The output of `step` without what may differ."""
    return "\n".join(line.text for line in comparable(output, output, step)[0])


def comparable(old: str, new: str, step: Step) -> tuple[list[Line], list[Line]]:
    """Two outputs of `step` in the form in which they are compared: without what may differ, and what one cannot tell.

    Where a build took a step from its cache it does not say what the step prints.
    """
    for pattern in step.ignore:
        old, new = (pattern.sub(_IGNORED, text) for text in (old, new))
    if step.command.verb == "build":
        before, after = _Log.of(old), _Log.of(new)
        return _ruled(list(before.beside(after)), step), _ruled(list(after.beside(before)), step)
    return _ruled(_numbered(old), step), _ruled(_numbered(new), step)


def _numbered(text: str) -> list[Line]:
    return [Line(line, number) for number, line in enumerate(text.split("\n"), start=1)]


def _ruled(lines: list[Line], step: Step) -> list[Line]:
    if not lines:
        return []
    text = "\n".join(line.text for line in lines)
    for rule in RULES[1:]:
        if not rule.verbs or step.command.verb in rule.verbs:
            text = rule.apply(text)
    found: list[Line] = []
    for changed, line in zip(text.split("\n"), lines, strict=True):
        # BuildKit shows steps that run side by side in turns: how many pieces an ignored text comes in carries nothing.
        again = found and found[-1].text == changed and changed.strip() == _IGNORED
        if not again and (changed or found):
            found.append(Line(changed, line.number))
    while found and not found[-1].text:
        found.pop()
    return found
