"""What may differ between two honest runs: an ordered list of named rules, each with its reason.

Outputs are compared after these rules; captures keep the text as it was printed. `normalise` is idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from proof.manifest import Step

VERSION = 1  # of these rules; part of what a capture depends on

_AGE = re.compile(
    r"\b(?:(?:\d+|About an?|Less than a|an?) (?:second|minute|hour|day|week|month|year)s?)(?: ago)?\b",
    re.IGNORECASE,
)
_DIGEST = re.compile(r"\b(?:sha256:)?[0-9a-f]{64}\b")
_SHORT_ID = re.compile(r"(?<![\w.-])[0-9a-f]{12}(?![\w.-])")
_REFERENCE = re.compile(r"\bref [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}::\w+")
_VERTEX = re.compile(r"^#(\d+) (.*)$")
LABEL = re.compile(r"^(#\d+ | > )(\[(?:\S+ )? *\d+/\d+\]) ", re.MULTILINE)  # before a step: `[builder  2/12]`
_SECONDS = re.compile(r"^(?:(?:\d\.\d{3}|\d\d\.\d\d|\d{3,}\.\d) )+(?!#\d)")  # five characters, as BuildKit prints them
_IGNORED_AGAIN = re.compile(r"^<ignored>(?:\n<ignored>)+$", re.MULTILINE)
_RUN_OUTPUT = re.compile(r"^\d+\.\d+ ?(.*)$")


@dataclass(frozen=True)
class Rule:
    """One thing that is not compared."""

    name: str
    reason: str
    verbs: tuple[str, ...]  # of `Command.verb`; empty means every command
    apply: Callable[[str], str]


def _build_log(text: str) -> str:
    """BuildKit's plain log as a sorted list of its steps; of a failed step, what it printed too."""
    steps: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    rest: list[str] = []
    for line in LABEL.sub(r"\1", text).splitlines():
        if (found := _VERTEX.match(line)) is None:
            rest.append(_SECONDS.sub("", line))  # a failed step's output again, with its seconds
            continue
        number, message = found[1], found[2]
        if number == "0":
            continue  # which builder is used
        if number not in titles:
            titles[number] = message
            steps[number] = []
        elif failure := re.match(r"(?:ERROR|CANCELED).*", message):
            steps[number].append(failure[0])
        elif printed := _RUN_OUTPUT.match(message):
            steps[number].append("  " + printed[1])
    lines = []
    for number, title in titles.items():
        failed = any(entry.startswith("ERROR") for entry in steps[number])
        lines.append((f"step {title}", steps[number] if failed else []))
    # A log in canonical form has no `#N` lines left: it passes through unchanged.
    ordered = [line for title, entries in sorted(lines) for line in (title, *entries)]
    return "\n".join([*ordered, *(line for line in rest if line.strip() or not ordered)])


def _table(text: str) -> str:
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.splitlines())


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
        "an image's digest changes with every build, for times are in it",
        (),
        lambda t: _DIGEST.sub("<digest>", t),
    ),
    Rule(
        "short id",
        "the beginning of a digest, or of a container's random id",
        (),
        lambda t: _SHORT_ID.sub("<id>", t),
    ),
    Rule("age", "how long ago an image was made", ("ls", "history"), lambda t: _AGE.sub("<age>", t)),
    Rule("columns", "a table is as wide as its ages and ids", ("ls", "history"), _table),
    Rule(
        "end of line",
        "trailing blanks carry nothing",
        (),
        lambda t: "\n".join(line.rstrip() for line in t.splitlines()),
    ),
)


def normalise(output: str, step: Step) -> str:
    """The output of `step` without what may differ: the form in which two runs are compared."""
    for pattern in step.ignore:
        output = pattern.sub("<ignored>", output)
    for rule in RULES:
        if not rule.verbs or step.command.verb in rule.verbs:
            output = rule.apply(output)
    # BuildKit shows steps that run side by side in turns: how many pieces an ignored text comes in carries nothing.
    return _IGNORED_AGAIN.sub("<ignored>", output).strip("\n")
