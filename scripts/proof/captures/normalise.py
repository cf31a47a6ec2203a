"""What may differ between two honest runs: an ordered list of named rules, each with its reason.

Outputs are compared after these rules; captures keep the text as it was printed. `normalise` is idempotent.

A build log is compared step by step: the name of each step, what its command printed, and whatever else stands in the
log. Some things in it cannot be compared: BuildKit's numbers, times and the sizes that it transfers; digests, since
an image's times are in them; and what a step printed where BuildKit took that step from its cache and no earlier
build of the same snippet shows its output.

The cache is not empty in a cold run either. The second build of a step says CACHED, and so does the first one if
another snippet built that step before. In the first case the output of the earlier build is what is compared. In the
second case it is unknown: whatever the capture claims that such a step printed is believed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from proof.snippets.model import Step

# Of these rules; part of what a capture depends on. Captures hold what was printed, not what these rules make of it,
# so a rule that becomes stricter needs no new version: a capture that is still right stays accurate.
VERSION = 1

_AGE = re.compile(
    r"\b(?:(?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?) ago\b",
    re.IGNORECASE | re.ASCII,
)
_FIRST_AGE = re.compile(  # in the first or the second column
    rf"^((?:(?!<age>)\S+ +)??){_AGE.pattern}", re.IGNORECASE | re.ASCII | re.MULTILINE
)
_DIGEST = re.compile(r"\bsha256:([0-9a-f]{64})\b", re.ASCII)
_SHORT_ID = re.compile(r"(?<![\w.-])([0-9a-f]{12})(?![\w.-])")
_FIRST_ID = re.compile(r"^([0-9a-f]{12})(?![\w.-])", re.MULTILINE)
_OF_BUILDKIT = re.compile(r" - |step FROM |sha256:[0-9a-f]{64}$")  # lines of a log that no program printed
_REFERENCE = re.compile(r"\bref [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}::\w+", re.ASCII)
LABEL = re.compile(r"^(#\d+ | > )(\[(?:\S+ )? *\d+/\d+\]) ", re.MULTILINE)  # before a step: `[builder  2/12]`

# A build log in BuildKit's plain format.
_VERTEX = re.compile(r"#(\d+) ([^\n]*)", re.ASCII)
_TIME = r"(?:\d\.\d{3}|10\.000|\d\d\.\d\d|100\.00|\d{3,}\.\d)"  # seconds, as BuildKit prints them: five characters
_SECONDS = re.compile(rf"{_TIME}(?= |$)", re.ASCII)
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
    parents: tuple[str, ...] = ()  # the titles of the steps before it in its stage
    printed: list[Line] = field(default_factory=list)  # by its command
    said: dict[str, int] = field(default_factory=dict)  # by BuildKit about it, and the line
    cached: bool = False
    cancelled: bool = False

    @property
    def known(self) -> bool:
        """Whether the log says what its command prints: all that a step printed, or that it printed nothing."""
        cut = (self.cached or self.cancelled) and self.title.text.startswith("RUN ")
        return bool(self.printed) or not cut

    @property
    def cacheable(self) -> bool:
        """Whether it ran to its end, so that a later build may take it from the cache."""
        return not (self.cached or self.cancelled or any(text.startswith("ERROR") for text in self.said))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.printed)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from another step with the same instruction: the steps before it."""
        return (*self.parents, self.title.text)

    def lines(self) -> Iterator[Line]:
        yield Line(f"step {self.title.text}", self.title.number)
        # One blank here and two there: no program can print what looks like a line of BuildKit's.
        yield from (Line(f"  {text}", number) for text, number in self.printed)
        for text, number in self.said.items():
            yield Line(text if text.startswith("ERROR") else f" - {text}", number)


@dataclass
class _Log:
    """A build log, taken apart."""

    vertices: list[_Vertex]
    rest: list[Line]  # what is no line of a step

    @classmethod
    def of(cls, text: str) -> _Log:
        vertices: dict[str, _Vertex] = {}
        rest: list[Line] = []
        places = _places(text)
        for number, line in enumerate(LABEL.sub(r"\1", _WHOLE_LINES.sub("", text)).split("\n"), start=1):
            if (found := _VERTEX.fullmatch(line)) is None:
                # A failed step's output is printed again, each line after its time.
                rest.append(Line(_SECONDS.sub("<time>", line, count=1) if _SECONDS.match(line) else line, number))
            elif found[1] == "0":  # which builder is used
                rest.append(Line(f"builder {found[2]}", number))
            elif found[1] not in vertices:
                vertices[found[1]] = _Vertex(Line(found[2], number))
            else:
                _read(vertices[found[1]], found[2], number)
        for name, vertex in vertices.items():
            if (own := places.get(name)) is not None:
                before = sorted((places[n], v.title.text) for n, v in vertices.items() if n in places)
                vertex.parents = tuple(title for place, title in before if place[0] == own[0] and place < own)
        return cls(list(vertices.values()), rest)

    def completed(self, earlier: Iterable[_Log], claimed: _Log) -> _Log:
        """This log of a run, with the output of each step that an earlier build of that run put into the cache.

        The earlier step is the same one if it has the same name and the same steps before it in its stage. Where
        several are, it is the one that `claimed` has, or else the first.
        A step that was cancelled printed what its log says, and nothing where it says nothing.
        """
        wanted = {v.identity for v in self.vertices if v.cached and not v.known}
        built: dict[tuple[str, ...], list[_Vertex]] = {}
        for log in earlier if wanted else ():
            for vertex in log.vertices:
                if vertex.cacheable and vertex.identity in wanted:
                    built.setdefault(vertex.identity, []).append(vertex)
        claims = {(v.title.text, v.texts) for v in claimed.vertices if v.known}
        found = []
        for vertex in self.vertices:
            if vertex.known or not (candidates := built.get(vertex.identity)):
                found.append(replace(vertex, cancelled=False))
                continue
            source = next((v for v in candidates if (v.title.text, v.texts) in claims), candidates[0])
            printed = [Line(line.text, vertex.title.number) for line in source.printed]
            found.append(_Vertex(vertex.title, printed=printed, said=vertex.said))
        return _Log(found, self.rest)

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


def _places(log: str) -> dict[str, tuple[str, int]]:
    """By the number of a step in the log: its stage, and which of the stage's steps it is."""
    found = {}
    for label in LABEL.finditer(log):
        stage, _, position = label[2].strip("[]").rpartition(" ")
        if label[1].startswith("#"):
            found[label[1][1:-1]] = stage.strip(), int(position.partition("/")[0])
    return found


def _read(vertex: _Vertex, message: str, number: int) -> None:
    """One more line about a step. What BuildKit does not print by itself is kept as it is."""
    if message == "CACHED":
        vertex.cached = True
    elif message == "CANCELED":
        vertex.cancelled = True
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


def _on_lines(pattern: re.Pattern[str], apply: Callable[[str], str]) -> Callable[[str], str]:
    """Only on the lines that begin with `pattern`."""

    def change(text: str) -> str:
        lines = text.split("\n")
        changed = iter(apply("\n".join(line for line in lines if pattern.match(line))).split("\n"))
        return "\n".join(next(changed) if pattern.match(line) else line for line in lines)

    return change


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
    Rule("digest in a build log", "as above", ("build",), _on_lines(_OF_BUILDKIT, _masked(_DIGEST, "digest"))),
    Rule("short id", "the beginning of a digest, in a table of images", ("ls",), _masked(_SHORT_ID, "id")),
    Rule("short id of a layer", "as above, before the instruction", ("history",), _masked(_FIRST_ID, "id")),
    Rule("age", "how long ago an image was made", ("ls",), lambda t: _AGE.sub("<age>", t)),
    Rule("age of a layer", "as above, before the instruction", ("history",), lambda t: _FIRST_AGE.sub(r"\1<age>", t)),
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


def comparable(old: str, new: str, step: Step, earlier: Sequence[str] = ()) -> tuple[list[Line], list[Line]]:
    """Two outputs of `step` in the form in which they are compared: without what may differ, and what one cannot tell.

    `earlier` are the outputs of the builds before it in the run that printed `new`, with the same variables. Where a
    build took a step from its cache they say what the step prints. If none of them does, nobody knows.
    """
    old, new = _without_ignored(old, step), _without_ignored(new, step)
    if step.command.verb == "build":
        before = _Log.of(old)
        after = _Log.of(new).completed((_Log.of(_without_ignored(text, step)) for text in earlier), before)
        return _ruled(list(before.beside(after)), step), _ruled(list(after.beside(before)), step)
    return _ruled(_numbered(old), step), _ruled(_numbered(new), step)


def _without_ignored(text: str, step: Step) -> str:
    for pattern in step.ignore:
        text = pattern.sub(_IGNORED, text)
    return text


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
