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
from dataclasses import dataclass, replace

from proof.captures.buildkit_log import IGNORED, BuildLog, BuildStep, Line, mask_reference
from proof.snippets.model import Step

# Of these rules; part of what a capture depends on. Captures hold what was printed, not what these rules make of it,
# so a rule that becomes stricter needs no new version: a capture that is still right stays accurate.
VERSION = 1

_AGE = re.compile(
    r"\b(?:(?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?) ago\b",
    re.IGNORECASE | re.ASCII,
)
_FIRST_AGE = re.compile(  # in the first or the second column
    rf"^((?:(?!<age>)\S+ +)?){_AGE.pattern}", re.IGNORECASE | re.ASCII | re.MULTILINE
)
_DIGEST = re.compile(r"\bsha256:([0-9a-f]{64})\b", re.ASCII)
_SHORT_ID = re.compile(r"(?<![\w.-])([0-9a-f]{12})(?![\w.-])")
_FIRST_ID = re.compile(r"^([0-9a-f]{12})(?![\w.-])", re.MULTILINE)
_OF_BUILDKIT = re.compile(r" - |step FROM |sha256:[0-9a-f]{64}$")  # lines of a log that no program printed


@dataclass(frozen=True)
class Rule:
    """One thing that is not compared."""

    name: str
    reason: str
    verbs: tuple[str, ...]  # of `Command.verb`; empty means every command
    apply: Callable[[str], str]  # adds and removes no line, but for the first rule


def _completed(log: BuildLog, earlier: Iterable[BuildLog], claimed: BuildLog) -> BuildLog:
    """The log of a run, with the output of each step that an earlier build of that run put into the cache.

    The earlier step is the same one if it has the same name and the same steps before it in its stage. Where
    several are, it is the one that `claimed` has, or else the first.
    A step that was cancelled printed what its log says, and nothing where it says nothing.
    """
    wanted = {step.identity for step in log.steps if step.cached and not step.known}
    built: dict[tuple[str, ...], list[BuildStep]] = {}
    for other in earlier if wanted else ():
        for step in other.steps:
            if step.cacheable and step.identity in wanted:
                built.setdefault(step.identity, []).append(step)
    claims = {(step.title.text, step.texts) for step in claimed.steps if step.known}
    found = []
    for step in log.steps:
        if step.known or not (candidates := built.get(step.identity)):
            found.append(replace(step, cancelled=False))
            continue
        source = next((c for c in candidates if (c.title.text, c.texts) in claims), candidates[0])
        printed = [Line(line.text, step.title.number) for line in source.printed]
        found.append(BuildStep(step.title, printed=printed, messages=step.messages))
    return BuildLog(found, log.rest)


def _comparable(log: BuildLog, other: BuildLog) -> Iterator[Line]:
    """The lines of a log, steps in order of their names, without what a step printed where `other` does not know it."""
    theirs = _by_title(other)
    found = []
    for title, mine in _by_title(log).items():
        alike = theirs.get(title, [])
        left = Counter(step.texts for step in alike if step.known)
        unknown = sum(not step.known for step in alike)
        for step in mine:
            shown = step
            if step.known and left[step.texts]:
                left[step.texts] -= 1
            elif step.known and unknown:
                unknown -= 1
                shown = BuildStep(step.title, messages=step.messages)
            found.append(shown)
    for step in sorted(found, key=lambda step: (step.title.text, step.texts, tuple(step.messages))):
        yield from step.lines()
    # A log in this form has no `#N` lines left: it passes through unchanged.
    yield from (line for line in log.rest if line.text.strip(" \t") or not found)


def _by_title(log: BuildLog) -> dict[str, list[BuildStep]]:
    found: dict[str, list[BuildStep]] = {}
    for step in log.steps:
        found.setdefault(step.title.text, []).append(step)
    return found


def _build_log(text: str) -> str:
    log = BuildLog.parse(text)
    return "\n".join(line.text for line in _comparable(log, log))


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
        lambda t: mask_reference(t, "<reference>"),
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
        before = BuildLog.parse(old)
        builds = (BuildLog.parse(_without_ignored(text, step)) for text in earlier)
        after = _completed(BuildLog.parse(new), builds, before)
        return _ruled(list(_comparable(before, after)), step), _ruled(list(_comparable(after, before)), step)
    return _ruled(_numbered(old), step), _ruled(_numbered(new), step)


def _without_ignored(text: str, step: Step) -> str:
    for pattern in step.ignore:
        text = pattern.sub(IGNORED, text)
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
        again = found and found[-1].text == changed and changed.strip() == IGNORED
        if not again and (changed or found):
            found.append(Line(changed, line.number))
    while found and not found[-1].text:
        found.pop()
    return found
