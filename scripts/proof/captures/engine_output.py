"""Compares what two different engines print: by what it means, not by its words.

What a program prints does not depend on the engine, and is compared as it is. What an engine says in its own words (a
build log, a table of images, the history of an image, its own error messages) is read into values, and those are
compared. There is one reader for each form:

    docker build      the instructions that were run, what their commands printed, and which of them failed
                      (if one builder is Docker's and the other Podman's, only of RUN: the rest prints nothing)
    docker run        what the program printed, without the lines of the engine
    docker image ls   the names of the images, and their sizes if both engines count alike
    docker history    the instructions, and their sizes if both engines count alike
    docker inspect    the fields that the template asks for, unless they depend on the image store

Of the same kind of engine, an output without a form that could be read is compared line by line: one that went through
a filter, a history with another template, a table of containers. If another version prints something else, the step
has to say so (`differs`). What remains is not compared at all, and the run says so.

Nothing here measures how similar two texts are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from proof.captures import buildah_log, normalise
from proof.captures.buildkit_log import IGNORED, BuildLog, BuildStep, Line
from proof.core import units
from proof.snippets.engine_version import EngineVersion
from proof.snippets.model import Step

# Verbs whose output is worded by the engine. Facts read from it depend on the engine too.
DISPLAYS = frozenset({"build", "ls", "history", "inspect", "version", "ps", "rmi"})

_INSTRUCTION = re.compile(r"(?:\[[^\]\n]*\] )?(?:RUN|COPY|ADD|WORKDIR)\b")
_RUN = re.compile(r"(?:\[[^\]\n]*\] )?(RUN\b.*)")
_ONLY_IGNORED = re.compile(rf"(?:{IGNORED})+")
_NOT_STARTED = r"exec [^ ]+: (?:exec format error|no such file or directory|permission denied)"
_OF_CLIENT = re.compile(  # lines of `docker run` that are not the program's
    rf"docker: .*|(?:See|Run) 'docker run --help'.*|Error: .*|{_NOT_STARTED}|time=\".*"
)
_SEE_HELP = re.compile(r"(?:See|Run) 'docker run --help'")
_REPORTER = re.compile(r"failed to build: |error during container init: |(?:: unknown)?\.$")
_OF_RUNTIME = re.compile(_NOT_STARTED)  # below 125 too: until Docker 27, a broken program exits with 1
_RESERVED = 125  # from this exit code on, the engine itself may have printed something
_GAP = re.compile(r" {2,}|\t")
_SIZE = re.compile(r"\d+(?:\.\d+)? ?[kMGT]?i?B")
_COLUMNS = frozenset(  # of a table of images
    ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA", "DIGEST")
)
# What may be in a column that is not compared. Anything else in a table is, so that nobody can add a text to it.
_UNCOMPARED = re.compile(
    rf"(?:sha256:)?[0-9a-f]{{12,64}}|<[a-z]+(?: [0-9]+)?>|{_SIZE.pattern}|[0-9]+|N/A|[A-Z]?|buildkit\.dockerfile\.v0"
    r"|(?:Less than |About )?\w{1,9} \w{1,9} ago|[0-9T:.Z+-]{10,35}"
)
_TABLE = re.compile(r"table +")
_FIELD = re.compile(r"\{\{ *\.(\w+) *\}\}")
_HISTORY = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")  # the columns without a template
_NO_HISTORY = frozenset({"ID", "CreatedSince", "CreatedAt", "Comment"})  # fields that are never compared
# Parts of a template for `inspect` whose values depend on the image store or on the engine.
_OF_STORE = re.compile(
    r"\.(?:Size|VirtualSize|Id|RepoDigests|Descriptor|GraphDriver|Metadata|DockerVersion|Manifests|Identity)\b"
)
_LAYERS = re.compile(r"\.RootFS\b")  # Podman makes none for WORKDIR
_WHOLE = re.compile(r"\{\{ *(?:json +|println +)?\. *\}\}")


class Side(NamedTuple):
    """What one engine printed for a step, and the exit code."""

    output: str
    exit: int
    engine: EngineVersion


def comparable(old: Side, new: Side, step: Step) -> tuple[list[Line], list[Line]] | None:
    """The values in two outputs of a step, of a capture and of a run, as lines to compare. None if there are none."""
    if not step.prints_alike(old.engine, new.engine):
        return None
    same_kind = old.engine.kind == new.engine.kind
    alike = old.engine.counts_like(new.engine)
    match step.command.verb:
        case "build":
            return _builds(old, new, step)
        case "run":
            return normalise.comparable(_of_program(old), _of_program(new), step)
        case "ls" if not step.command.filters:
            before, after = (_images(side, step, sizes=alike) for side in (old, new))
            return before, as_before(step, new.engine, before, after)
        case "history" if same_kind and (fields := _fields(step)):
            return _history(old, step, fields, sizes=alike), _history(new, step, fields, sizes=alike)
        case "inspect" if not _is_independent(step, same_kind=same_kind):
            return None
        case "ls" | "history" | "ps" if not same_kind:
            return None
        case "version" | "rmi":
            return None
        case _:
            return normalise.comparable(old.output, new.output, step)


def mean_the_same(old: Side, new: Side, step: Step) -> bool:
    """Whether two engines say the same of a build or of a container, if in other words.

    Of a table of images or a history the sizes count too, so these mean the same only in the same words.
    """
    if old.exit != new.exit or step.command.verb not in ("build", "run"):
        return False
    sides = comparable(old, new, step)
    if sides is None or [line.text for line in sides[0]] != [line.text for line in sides[1]]:
        return False
    return not old.exit or _errors(old, step) == _errors(new, step)


def _errors(side: Side, step: Step) -> set[str]:
    """The messages of a failed build or container, without what only says which part of the engine reports them."""
    texts = (line.text for line in normalise.comparable(side.output, side.output, step)[0])
    is_build = step.command.verb == "build"
    errors = (text for text in texts if ("ERROR" in text if is_build else text and not _SEE_HELP.match(text)))
    return {_REPORTER.sub("", text) for text in errors}


def _builds(old: Side, new: Side, step: Step) -> tuple[list[Line], list[Line]] | None:
    for side in old, new:
        if (
            buildah_log.begins(side.output) and side.engine.kind != "podman"
        ):  # Docker prints no such log, so compare every word
            return normalise.comparable(old.output, new.output, step)
    same_kind = old.engine.kind == new.engine.kind
    if not same_kind and any("," in value for value in step.command.values("--platform")):
        return None  # Podman builds for all platforms at the same time, and its log doesn't say which a line is of
    logs = normalise.build_logs(old.output, new.output, step)
    before, after = (_own(log) for log in logs)
    if not same_kind:
        before, after = _alike([*_commands(before)], [*_commands(after)])
        if old.exit and new.exit:
            # Docker's builder builds stages at the same time, and Podman's one after the other. So a build that fails
            # has not run the same instructions.
            titles = [{each.title.text for each in steps} for steps in (before, after)]
            before = [each for each in before if each.title.text in titles[1]]
            after = [each for each in after if each.title.text in titles[0]]
    one, two = BuildLog(before, []), BuildLog(after, [])
    return normalise.apply_rules([*_instructions(one)], step), normalise.apply_rules([*_instructions(two, one)], step)


def _instructions(log: BuildLog, claimed: BuildLog | None = None) -> Iterator[Line]:
    """The instructions of a log with what they printed. `claimed` is as in `normalise.shown_steps`."""
    for each in normalise.shown_steps(log, claimed):
        yield each.title
        yield from (Line(f"  {line.text}", line.number) for line in each.printed)
        if failed := next((n for text, n in each.messages.items() if text.startswith("ERROR")), None):
            yield Line(" - failed", failed)


def _own(log: BuildLog) -> list[BuildStep]:
    """The steps that run an instruction of the Dockerfile; the others are the builder's."""
    return [each for each in log.steps if _INSTRUCTION.match(each.title.text)]


def _commands(steps: Iterable[BuildStep]) -> Iterator[BuildStep]:
    """The steps that run a command, without the stage in the title. The others print nothing of their own.

    Ignored lines are left out: in Docker's log they may have lost the prefix that says which step they belong to.
    """
    for each in steps:
        if found := _RUN.match(each.title.text):
            printed = [line for line in each.printed if not _ONLY_IGNORED.fullmatch(line.text)]
            yield replace(each, title=each.title._replace(text=found[1]), printed=printed)


def _alike(before: list[BuildStep], after: list[BuildStep]) -> tuple[list[BuildStep], list[BuildStep]]:
    """The steps of two builders, with the same titles for the same instructions.

    Docker shows the values of build arguments in the title, and Podman shows their names. So a step of Podman's with a
    name in its title is matched in order, among the steps that have no step with the same title on the other side.
    """
    common = Counter(each.title.text for each in before) & Counter(each.title.text for each in after)
    pairs = zip(_without(common, before), _without(common, after), strict=False)
    renamed = {id(theirs): mine.title.text for mine, theirs in pairs if "$" in theirs.title.text}
    return before, [
        replace(each, title=each.title._replace(text=renamed.get(id(each), each.title.text))) for each in after
    ]


def _without(common: Counter[str], steps: Iterable[BuildStep]) -> Iterator[BuildStep]:
    """The steps that are not among the common ones."""
    left = Counter(common)
    for each in steps:
        if left[each.title.text] > 0:
            left[each.title.text] -= 1
        else:
            yield each


def _of_program(side: Side) -> str:
    """The output of `docker run` with empty lines in place of the engine's."""
    if side.exit == 0:
        return side.output
    engines = _OF_CLIENT if side.exit >= _RESERVED else _OF_RUNTIME
    lines = [line for line in side.output.split("\n") if not engines.fullmatch(line)]
    if len(lines) < side.output.count("\n") + 1:  # the client sets its message apart by empty lines
        lines = [line for line in lines if line.strip()]
    return "\n".join(lines)


def _images(side: Side, step: Step, *, sizes: bool) -> list[Line]:
    """The rows of a table of images, by name: engines sort them differently."""
    if step.command.values("--format") or any(flag in ("-q", "--quiet") for flag, _ in step.command.flags):
        lines = normalise.comparable(side.output, side.output, step)[0]
        return sorted(line if sizes else line._replace(text=_SIZE.sub("<size>", line.text)) for line in lines)
    rows = [(number, _GAP.split(line.strip())) for number, line in enumerate(side.output.split("\n"), start=1)]
    (_, header), *rows = [row for row in rows if row[1] != [""]] or [(0, [""])]
    asked = [name.partition(":")[0] for name in step.command.positionals]
    found = []
    for number, cells in rows:
        row = dict(zip(header, cells, strict=False))
        if side.engine.kind == "podman" and asked and row.get("REPOSITORY") not in (*asked, None):
            continue  # Podman lists all names of the image that has the one asked for
        name = f"{row['REPOSITORY']}:{row.get('TAG', '')}" if "REPOSITORY" in row else row.get("IMAGE", "?")
        size = row.get("SIZE") or row.get("DISK USAGE") or "?"
        spare = [
            *(cell for cell in header if cell not in _COLUMNS),
            *cells[len(header) :],
            *_unusual(row.values(), name, row.get("TAG")),
        ]
        found.append(Line("  ".join([name, *([size] if sizes else []), *spare]), number))
    return sorted(found)


def as_before(step: Step, engine: EngineVersion, before: list[Line], after: list[Line]) -> list[Line]:
    """The lines `after`; of a table of images, as they were if its compressed sizes differ as compressors do."""
    if step.command.verb != "ls" or engine.store != "containerd":
        return after
    pairs = zip(before, after, strict=False)
    told = [new._replace(text=old.text) if _is_about(old.text, new.text) else new for old, new in pairs]
    return told + after[len(before) :]


def _is_about(old: str, new: str) -> bool:
    """Whether only sizes differ, by the share that compressed sizes may."""
    sizes = zip(_SIZE.findall(old), _SIZE.findall(new), strict=False)
    return _SIZE.sub("", old) == _SIZE.sub("", new) and all(units.is_about(one, other) for one, other in sizes)


def _unusual(cells: Iterable[str], *known: str | None) -> Iterator[str]:
    """The cells that are neither `known` nor of a column that is not compared."""
    parts = {*known, *(part for each in known if each for part in each.split(":"))}
    yield from (cell for cell in cells if cell not in parts and not _UNCOMPARED.fullmatch(cell))


def _fields(step: Step) -> tuple[str, ...]:
    """The columns of a history. Empty if its rows cannot be read."""
    template = (step.command.values("--format") or [""])[0]
    if step.command.filters or _FIELD.sub("", _TABLE.sub("", template)).replace("\\t", "").strip():
        return ()
    return tuple(_FIELD.findall(template)) if template else _HISTORY


def _history(side: Side, step: Step, fields: tuple[str, ...], *, sizes: bool) -> list[Line]:
    """The rows of a history, without what depends on the time, and sizes only if both engines count alike."""
    template = (step.command.values("--format") or [""])[0]
    hidden = _NO_HISTORY if sizes else _NO_HISTORY | {"Size"}
    lines = normalise.comparable(side.output, side.output, step)[0]
    found = []
    for line in lines if template and not _TABLE.match(template) else lines[1:]:
        cells = _GAP.split(line.text.strip(), maxsplit=len(fields) - 1)
        cells = cells[: len(fields)] + [""] * (len(fields) - len(cells))
        pairs = list(zip(fields, cells, strict=True))
        shown = [cell for name, cell in pairs if name not in hidden]
        shown += _unusual(cell for name, cell in pairs if name in hidden)
        found.append(line._replace(text="  ".join(shown)))
    return found


def _is_independent(step: Step, *, same_kind: bool) -> bool:
    """Whether what `inspect` prints is the same on any engine. Without a template, it prints everything."""
    template = (step.command.values("--format", "-f") or [""])[0]
    if _LAYERS.search(template) and not same_kind:
        return False
    return bool(template) and not (_OF_STORE.search(template) or (_WHOLE.search(template) and "range" not in template))
