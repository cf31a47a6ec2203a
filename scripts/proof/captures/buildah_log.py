"""Parses the build log of Podman, which is Buildah's. This is the only module that knows the format.

    [1/2] STEP 3/4: RUN go build .      the stage if there are several, the position in it, the instruction
    hello                               a line that its command printed
    --> Using cache 3a125b5452ce…       it was not run; the whole ID
    --> 3a125b5452ce                    the image after it
    [2/2] COMMIT example                what follows is the end of the log

A program's lines have no prefix, so a program can print lines like these. Its own snippet is then compared less
strictly, or reported as different although it is not. It cannot put a false text on a page: captures made by Podman are
not kept, and logs of other engines are not parsed here.
"""

from __future__ import annotations

import re

from proof.captures.buildkit_log import BuildLog, BuildStep, Line

_RUN = "RUN "
_STEP = re.compile(r"(?:\[\d{1,4}/\d{1,4}\] )?STEP (\d{1,6})/\d{1,6}: (.*)", re.ASCII)
_STAGE = re.compile(r"\AFROM [0-9a-f]{64}(?= |$)")  # an earlier stage
_CACHED = re.compile(r"--> Using cache [0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{64}")  # in a path of the image store
_COPIED = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}\b")  # as in `#(nop) COPY file:0123… in /app`
# If the last line of a command's output has no end, these follow on the same line.
_IMAGE = re.compile(r"--> [0-9a-f]{12}$")
_WARNING = re.compile(r'time="[^" ]{1,40}" (level=warning msg=".*")')
_ERROR = re.compile(r'Error: (?:building at STEP ".*?": )?(.*)')
_END = re.compile(
    r"(?:\[\d{1,4}/\d{1,4}\] )?COMMIT(?: \S+)?\n--> [0-9a-f]{12}\n(?:Successfully tagged \S+\n)*[0-9a-f]{64}\n?\Z",
    re.ASCII,
)


def begins(text: str) -> bool:
    """Whether a text begins as a build log of Buildah's does."""
    return _STEP.match(text) is not None


def without_hash(instruction: str) -> str:
    """The instruction of a layer without the hash of what was copied, which depends on the files' times."""
    return _COPIED.sub(r"\1:<hash>", instruction)


def parse(text: str) -> BuildLog:
    """Parse a log into the same values as BuildKit's. Any other text yields no steps."""
    steps: list[BuildStep] = []
    rest: list[Line] = []
    step: BuildStep | None = None  # whose lines are being read
    for number, line in enumerate(_END.sub("", text, count=1).removesuffix("\n").split("\n"), start=1):
        if found := _STEP.fullmatch(line):
            title = _STAGE.sub("FROM <stage>", found[2])
            step = BuildStep(Line(title, number))
            steps.append(step)
        elif step is None:
            if not _IMAGE.match(line):
                rest.append(Line(line, number))
        elif not _read(step, line, number):
            step = None
    return BuildLog(steps, rest)


def _read(step: BuildStep, line: str, number: int) -> bool:
    """Add one line to the step that it belongs to, and return whether more may follow."""
    if _CACHED.fullmatch(line) and not step.printed:
        step.cached = True
        return True
    # A program may print a line that begins like an error of Podman's, but not one with its own instruction.
    error = f'Error: building at STEP "{_RUN}' if step.title.text.startswith(_RUN) else "Error: "
    if found := _IMAGE.search(line):
        line, more = line[: found.start()], False
    elif found := _at(error, _ERROR, line):
        step.messages.setdefault(f"ERROR: {_ID.sub('<id>', found[1])}", number)
        line, more = line[: found.start()], False
    elif found := _at('time="', _WARNING, line):
        step.messages.setdefault(found[1], number)
        line, more = line[: found.start()], True
    else:
        step.printed.append(Line(line, number))
        return True
    if line:
        step.printed.append(Line(line, number))
    return more


def _at(beginning: str, pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    """A match from the first `beginning` to the end of the line. One attempt, so that the time is linear."""
    at = line.find(beginning)
    return pattern.fullmatch(line, at) if at >= 0 else None
