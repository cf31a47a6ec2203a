"""Parses BuildKit's plain build log into steps. This is the only module that knows the format.

    #7 [builder 2/4] RUN go build .     a step: its number in this log, its stage and position, its instruction
    #7 0.412 hello                      a line that its command printed, after the seconds since it started
    #7 CACHED                           it was not run
    #7 DONE 1.2s

BuildKit calls a step a vertex. The lines of steps that run in parallel are interleaved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

IGNORED = "<ignored>"  # replaces text that matches an `ignore` pattern of the manifest

_STEP = r"\[(?:\S+ )? *\d+/\d+\]"  # at its start, like `[builder  2/12]`
_LABEL = re.compile(rf"^(#\d+ | > )({_STEP}) ", re.MULTILINE)
_TITLE = re.compile(rf"^#\d+ ({_STEP}) ([^\n]*)", re.MULTILINE)
_STAGE = re.compile(r"^#\d+ \[(?:\S+/\S+ )?([\w.-]+) +\d+/\d+\]", re.MULTILINE)  # `#8 [linux/amd64 builder 1/1] RUN …`
_VERTEX = re.compile(r"#(\d+) ([^\n]*)", re.ASCII)
_TIME = r"(?:\d\.\d{3}|10\.000|\d\d\.\d\d|100\.00|\d{3,}\.\d)"  # seconds, which BuildKit prints in five characters
_SECONDS = re.compile(rf"{_TIME}(?= |$)", re.ASCII)
_PRINTED = re.compile(rf"{_TIME}(?: |$)([^\n]*)", re.ASCII)  # a line of output
_TOOK = rf"(?:\d+\.\ds|{IGNORED})"
_ENDED = re.compile(rf"DONE {_TOOK}", re.ASCII)
_TRANSFERRED = re.compile(
    rf"transferring (?:context|dockerfile):(?: (\d+(?:\.\d+)?)([kMG]?)B)?(?: {_TOOK})?(?: done)?", re.ASCII
)
_STATUS = re.compile(
    r"((?:exporting layers|(?:writing image|exporting (?:manifest(?: list)?|config)) sha256:[0-9a-f]{64})"
    rf"|(?:naming|unpacking) to \S+?|resolve \S+?@sha256:[0-9a-f]{{64}})(?: {_TOOK})?(?: done)?",
    re.ASCII,
)
_IMAGE = re.compile(  # containerd's store calls an image by its manifest, or by the list of its manifests
    r"^#\d+ (?:writing image|exporting manifest(?: list)?) (sha256:[0-9a-f]{64})\b", re.ASCII | re.MULTILINE
)
_NAME = re.compile(r"^#\d+ naming to \S+/(\S+)", re.ASCII | re.MULTILINE)
_REFERENCE = re.compile(  # a UUID, or 25 letters and digits from Docker 29 on
    r"\bref (?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{25})::\w+", re.ASCII
)
_WHOLE_LINES = re.compile(rf"^(?:{IGNORED})+(?=#\d)", re.MULTILINE)  # ignored with their line ends
# The excerpt of the Dockerfile at the end of a failed build. What a command printed has a prefix on each line.
_EXCERPT = re.compile(r"^------\n[^\n]{1,300}:(\d{1,6})\n-{20}$", re.ASCII | re.MULTILINE)
_COUNTERS = re.compile(r"#\d+ (?:\d+\.\d+ )?")  # the prefix of a line: step number and seconds


class Line(NamedTuple):
    """A line in the form that is compared, and its line number in the original output."""

    text: str
    number: int  # from 1


@dataclass
class BuildStep:
    """One step of a build."""

    title: Line
    stage: str = ""  # the name of its stage, if there are several
    printed: list[Line] = field(default_factory=list)  # the output of its command
    messages: dict[str, int] = field(default_factory=dict)  # what BuildKit says about it → line number
    cached: bool = False
    cancelled: bool = False

    @property
    def known(self) -> bool:
        """Whether the log shows the output of its command. It does not if the step was cached or cancelled."""
        cut = (self.cached or self.cancelled) and self.title.text.startswith("RUN ")
        return bool(self.printed) or not cut

    @property
    def failed(self) -> bool:
        """Whether it made the build fail."""
        return any(text.startswith("ERROR") for text in self.messages)

    @property
    def texts(self) -> tuple[str, ...]:
        """The output of its command."""
        return tuple(line.text for line in self.printed)

    def lines(self) -> Iterator[Line]:
        """The step in the form that is compared."""
        yield Line(f"step {self.title.text}", self.title.number)
        # A program's lines are indented by two spaces, BuildKit's by one, so no program can fake a line of BuildKit's.
        yield from (Line(f"  {text}", number) for text, number in self.printed)
        for text, number in self.messages.items():
            yield Line(text if text.startswith("ERROR") else f" - {text}", number)

    def read(self, message: str, number: int) -> None:
        """Add one line about the step. A BuildKit line in an unknown form is kept unchanged."""
        if message == "CACHED":
            self.cached = True
        elif message == "CANCELED":
            self.cancelled = True
        elif printed := _PRINTED.fullmatch(message):
            self.printed.append(Line(printed[1], number))
        elif status := _STATUS.fullmatch(message):
            self.messages.setdefault(status[1], number)
        elif not (message in ("...", self.title.text) or _ENDED.fullmatch(message) or _TRANSFERRED.fullmatch(message)):
            self.messages.setdefault(message, number)


@dataclass
class BuildLog:
    """The steps of one build, in order of first appearance."""

    steps: list[BuildStep]
    rest: list[Line]  # lines that belong to no step

    @classmethod
    def parse(cls, text: str) -> BuildLog:
        """Parse a log. Any other text yields no steps."""
        steps: dict[str, BuildStep] = {}
        rest: list[Line] = []
        for number, line in enumerate(_LABEL.sub(r"\1", _WHOLE_LINES.sub("", text)).split("\n"), start=1):
            if (found := _VERTEX.fullmatch(line)) is None:
                # BuildKit repeats the output of a failed step, each line prefixed with its time.
                rest.append(Line(_SECONDS.sub("<time>", line, count=1) if _SECONDS.match(line) else line, number))
            elif found[1] == "0":  # which builder is used
                rest.append(Line(f"builder {found[2]}", number))
            elif found[1] not in steps:
                steps[found[1]] = BuildStep(Line(found[2], number))
            else:
                steps[found[1]].read(found[2], number)
        _set_stages(steps, text)
        _drop_early_warnings(steps.values(), rest)
        return cls(list(steps.values()), rest)


@dataclass(frozen=True)
class Failure:
    """The instruction that made a build fail."""

    title: str  # as the log prints it
    printed: tuple[str, ...]  # the output of its command
    error: str  # BuildKit's message
    line: int | None  # its first line in the Dockerfile, if the log says so


def labels(log: str) -> dict[str, str]:
    """Step number → the label that the log prints before the instruction, like `[builder 2/4]`."""
    return {label[1][1:-1]: label[2] for label in _LABEL.finditer(log) if label[1].startswith("#")}


def titles(log: str) -> set[tuple[str, str]]:
    """The label and the instruction of each step, as the log prints them."""
    return {(title[1], title[2]) for title in _TITLE.finditer(log)}


def failure(log: str) -> Failure | None:
    """Why a build failed, as far as an instruction is the reason."""
    for step in BuildLog.parse(log).steps:
        if error := next((text for text in step.messages if text.startswith("ERROR")), ""):
            excerpt = _EXCERPT.search(log)
            return Failure(step.title.text, step.texts, error, int(excerpt[1]) if excerpt else None)
    return None


def stages(log: str) -> set[str]:
    """The stages with steps that the build ran or reused, in lower case. Unnamed stages are called like `stage-1`."""
    return {name.lower() for name in _STAGE.findall(log)}


def written_image(log: str) -> str | None:
    """The ID of the built image, if the log has it."""
    return found[-1] if (found := _IMAGE.findall(log)) else None  # a list comes after its manifests


def image_names(log: str) -> list[str]:
    """The names given to the built image, with tags and without the registry."""
    return _NAME.findall(log)


def transferred(log: str) -> Iterator[tuple[float, int]]:
    """Each number of bytes of context sent to the builder, with its line number.

    This is not compared: it depends on file times and on what the builder still has.
    """
    for number, line in enumerate(log.split("\n"), start=1):
        if (vertex := _VERTEX.fullmatch(line)) and (found := _TRANSFERRED.fullmatch(vertex[2])) and found[1]:
            yield float(found[1]) * 1000 ** " kMG".index(found[2] or " "), number


def durations(log: str) -> Iterator[tuple[float, int]]:
    """Each number of seconds that BuildKit prints, with its line number. This is not compared."""
    for number, line in enumerate(log.split("\n"), start=1):
        text = vertex[2] if (vertex := _VERTEX.fullmatch(line)) else line
        if found := _SECONDS.match(text):  # of a line that a command printed
            yield float(found[0]), number
        elif vertex and any(form.fullmatch(text) for form in (_ENDED, _TRANSFERRED, _STATUS)):
            yield from ((float(found[1]), number) for found in re.finditer(r"(?<!\d)(\d{1,9}\.\d)s(?= done$|$)", text))


def split_counters(line: str) -> tuple[str, str]:
    """Split a log line into its prefix (step number and seconds) and its text. Other lines get an empty prefix."""
    found = _COUNTERS.match(line)
    return (found[0], line[found.end() :]) if found else ("", line)


def mask_reference(text: str, mask: str) -> str:
    """Replace the random context reference that BuildKit prints if a file is missing."""
    return _REFERENCE.sub(f"ref {mask}", text)


def _drop_early_warnings(steps: Iterable[BuildStep], rest: Iterable[Line]) -> None:
    """Drop a warning in a step if the end of the log repeats it: it is in the step only if it arrives early."""
    repeated = {f"WARN: {line.text.partition(' - ')[2]}" for line in rest if " - " in line.text}
    for step in steps:
        step.messages = {text: number for text, number in step.messages.items() if text not in repeated}


def _set_stages(steps: dict[str, BuildStep], log: str) -> None:
    """Give each labelled step the name of its stage; `steps` are by their number."""
    for number, label in labels(log).items():
        if number in steps:
            steps[number].stage = label.strip("[]").rpartition(" ")[0].strip()
