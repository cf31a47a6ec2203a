"""Normalises outputs before they are compared: an ordered list of rules, each with its reason.

Captures keep the original text. `normalise` is idempotent.

A build log is compared step by step: the title of each step, the output of its command, and the rest of the log. Some
of it cannot be compared: BuildKit's step numbers, times and transfer sizes; digests, which depend on the times in an
image; and what a RUN printed that the capture took from the cache.

A capture may hide what a RUN printed, as a cached step prints nothing. But every line that it does show has to be one
that the run has seen. So for a capture that shows any, a run takes no RUN from the cache of an earlier one: see
`states_output`.

Of two builds that failed, the steps that only one log has are compared only in the stages that failed, or if the
capture says what they printed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from proof.captures import buildah_log
from proof.captures.buildkit_log import IGNORED, BuildLog, BuildStep, Line, mask_reference
from proof.snippets.model import Step

# The version of these rules, an input of each capture (fingerprint.py). Captures hold the original output, so a
# stricter rule needs no new version: captures that are still correct stay valid.
VERSION = 1

_AGE = re.compile(
    r"\b(?:(?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?) ago\b",
    re.IGNORECASE | re.ASCII,
)
_UP = re.compile(r"\bUp (?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?\b", re.ASCII)
_CONTAINER_ID = re.compile(r"^([0-9a-f]{64})(?![\w.-])", re.MULTILINE)
_FIRST_AGE = re.compile(  # in the first or second column
    rf"^((?:(?!<age>)\S+ +)??){_AGE.pattern}", re.IGNORECASE | re.ASCII | re.MULTILINE
)
_DIGEST = re.compile(r"\bsha256:([0-9a-f]{64})\b", re.ASCII)
_SHORT_ID = re.compile(r"(?<![\w.-])([0-9a-f]{12})(?![\w.-])")
_FIRST_ID = re.compile(r"^([0-9a-f]{12})(?![\w.-])", re.MULTILINE)
_OF_BUILDKIT = re.compile(r" - |step FROM |sha256:[0-9a-f]{64}$")  # lines printed by BuildKit itself


def states_output(output: str, step: Step) -> bool:
    """Whether the log of a build says what a RUN printed that a later run could take from the cache."""
    if step.command.verb != "build" or any(flag == "--no-cache" for flag, _ in step.command.flags):
        return False
    return any(each.printed and not each.failed for each in _parsed(without_ignored(output, step)).steps)


def shown_steps(log: BuildLog, claimed: BuildLog | None = None) -> list[BuildStep]:
    """The steps of a log, sorted by title. If a run made it, without output that `claimed`, a capture's log, hides."""
    hiding = _by_title(claimed) if claimed else {}
    found = []
    for title, mine in _by_title(log).items():
        alike = hiding.get(title, [])
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
    return sorted(found, key=lambda step: (step.title.text, step.texts, tuple(step.messages)))


def _comparable(log: BuildLog, claimed: BuildLog | None = None) -> Iterator[Line]:
    """The lines of a log, sorted by step title. `claimed` is as in `shown_steps`."""
    for step in (found := shown_steps(log, claimed)):
        yield from step.lines()
    # A log in this form has no `#N` lines, so normalising it again changes nothing.
    yield from (line for line in log.rest if line.text.strip(" \t") or not found)


def _by_title(log: BuildLog) -> dict[str, list[BuildStep]]:
    found: dict[str, list[BuildStep]] = {}
    for step in log.steps:
        found.setdefault(step.title.text, []).append(step)
    return found


def _masked(pattern: re.Pattern[str], name: str, text: str) -> str:
    """Replace each ID by a number in order of first appearance, so that equal IDs stay equal."""
    seen: dict[str, str] = {}

    def mask(found: re.Match[str]) -> str:
        return seen.setdefault(found[1], f"<{name} {len(seen) + 1}>" if seen else f"<{name}>")

    return pattern.sub(mask, text)


def _digests_of_buildkit(text: str) -> str:
    """Mask the digests in lines that BuildKit prints, and none that a program prints."""
    lines = text.split("\n")
    changed = iter(_masked(_DIGEST, "digest", "\n".join(filter(_OF_BUILDKIT.match, lines))).split("\n"))
    return "\n".join(next(changed) if _OF_BUILDKIT.match(line) else line for line in lines)


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))  # a pattern would take quadratic time


# What is not compared, besides what a build log is parsed for: the verbs of the commands (none: of all), and what
# changes their output. It keeps the number of lines.
_RULES: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    # BuildKit gives the context a new name in each build, and prints it if a file is missing.
    (("build",), partial(mask_reference, mask="<reference>")),
    # An image's digest depends on times, so it changes with every build. One that a program prints does not.
    (("ls", "inspect", "history", "version", "rmi"), partial(_masked, _DIGEST, "digest")),
    (("build",), _digests_of_buildkit),
    # The ID of a container is random.
    (("detach", "ps"), partial(_masked, _CONTAINER_ID, "id")),
    # The start of a digest, in a table of images, or of a random ID, in one of containers; in a history, only that
    # before the instruction.
    (("ls", "ps"), partial(_masked, _SHORT_ID, "id")),
    (("history",), partial(_masked, _FIRST_ID, "id")),
    # How long ago an image or a container was made, and for how long a container has been running.
    (("ls", "ps"), partial(_AGE.sub, "<age>")),
    (("ps",), partial(_UP.sub, "Up <age>")),
    (("history",), partial(_FIRST_AGE.sub, r"\1<age>")),
    # The width of a column depends on the ages and IDs in it.
    (("ls", "history", "ps"), partial(re.compile(" {2,}").sub, "  ")),
    # Whitespace at the end of a line has no meaning.
    ((), _without_trailing_space),
)


def normalise(output: str, step: Step) -> str:
    """The output of `step` without what may differ between two honest runs."""
    return "\n".join(line.text for line in comparable(output, output, step)[0])


def comparable(old: str, new: str, step: Step) -> tuple[list[Line], list[Line]]:
    """Two outputs of `step`, of a capture and of a run, as lines to compare, without what may differ."""
    if step.command.verb == "build":
        before, after = build_logs(old, new, step)
        return apply_rules(list(_comparable(before)), step), apply_rules(list(_comparable(after, before)), step)
    old, new = without_ignored(old, step), without_ignored(new, step)
    return apply_rules(_numbered(old), step), apply_rules(_numbered(new), step)


def build_logs(old: str, new: str, step: Step) -> tuple[BuildLog, BuildLog]:
    """Two outputs of a build, of a capture and of a run, parsed.

    If both failed, without the steps that only one log has and that are in none of the failed stages: BuildKit builds
    stages at the same time, and how far the others get before one fails is different from run to run. But what a
    capture says that such a step printed, this run has not seen.
    """
    before, after = _parsed(without_ignored(old, step)), _parsed(without_ignored(new, step))
    failed = [{each.stage for each in log.steps if each.failed} for log in (before, after)]
    if not all(failed):
        return before, after
    compared = {"", *failed[0], *failed[1]}
    titles, others = ({each.title.text for each in log.steps} for log in (before, after))
    shown = [s for s in before.steps if s.stage in compared or s.title.text in others or s.printed or s.messages]
    seen = [s for s in after.steps if s.stage in compared or s.title.text in titles]
    return BuildLog(shown, before.rest), BuildLog(seen, after.rest)


def _parsed(text: str) -> BuildLog:
    return buildah_log.parse(text) if buildah_log.begins(text) else BuildLog.parse(text)


def without_ignored(text: str, step: Step) -> str:
    """An output without the text that its step declares to vary."""
    for pattern in step.output.ignore:
        text = pattern.sub(IGNORED, text)
    return text


def _numbered(text: str) -> list[Line]:
    return [Line(line, number) for number, line in enumerate(text.split("\n"), start=1)]


def apply_rules(lines: list[Line], step: Step) -> list[Line]:
    """Lines to compare, changed by every rule, and without repetitions of ignored text."""
    if not lines:
        return []
    text = "\n".join(line.text for line in lines)
    for verbs, change in _RULES:
        if not verbs or step.command.verb in verbs:
            text = change(text)
    found: list[Line] = []
    for changed, line in zip(text.split("\n"), lines, strict=True):
        # BuildKit interleaves parallel steps, so the number of pieces of an ignored text has no meaning.
        again = found and found[-1].text == changed and changed.strip() == IGNORED
        if not again and (changed or found):
            found.append(Line(changed, line.number))
    while found and not found[-1].text:
        found.pop()
    return found
