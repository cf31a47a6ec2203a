"""A capture against what just happened: every difference that is not noise, at the line that a reader would open."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proof import capture as captures
from proof import facts
from proof.capture import Capture, CapturedFact
from proof.errors import Where
from proof.manifest import Snippet, Step
from proof.normalise import normalise


@dataclass(frozen=True)
class Difference:
    """One thing that is not as captured."""

    where: Where
    what: str  # `single.size`, `single/run`
    old: str
    new: str


def compare(old: Capture | None, new: Capture, snippet: Snippet, folder: Path) -> Iterator[Difference]:
    """Every difference that is not noise, each at the line that a reader would open."""
    if old is None:
        yield Difference(snippet.where, snippet.name, "no capture", "measured for the first time")
        return
    for name in dict.fromkeys([*old.facts, *new.facts]):
        before, after = old.facts.get(name), new.facts.get(name)
        if not same(before, after):
            yield Difference(
                captures.line_of(folder, f'"{name}": {{'), f"{snippet.name}.{name}", written(before), written(after)
            )
    for step in snippet.steps:
        before_step, after_step = old.step(step.name), new.step(step.name)
        if after_step is None or before_step is None:
            if after_step is not before_step:
                yield Difference(step.where, str(step), "no capture" if before_step is None else "captured", "run")
            continue
        if before_step.exit != after_step.exit:
            yield Difference(step.where, f"{step} exit", str(before_step.exit), str(after_step.exit))
        yield from _compare_output(step, before_step.output, after_step.output, folder / f"{step.name}.txt")
    for name in old.tampered:
        yield Difference(Where(folder / name), f"{snippet.name}: {name}", "what the tool wrote", "edited by hand")


def same(old: CapturedFact | None, new: CapturedFact | None) -> bool:
    """Whether two values are equal, as far as theirs can be."""
    if old is None or new is None or old.unit != new.unit:
        return old is new
    if new.volatile:
        return True
    if isinstance(old.value, str) or isinstance(new.value, str):
        return old.value == new.value
    return abs(new.value - old.value) <= new.tolerance * abs(old.value)


def _compare_output(step: Step, old: str, new: str, path: Path) -> Iterator[Difference]:
    before, after = normalise(old, step).splitlines(), normalise(new, step).splitlines()
    for tag, i, j, k, m in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if tag != "equal":
            removed, added = "\n".join(before[i:j]), "\n".join(after[k:m])
            # Lines are named in the text as printed where they can be found in it: normalising reorders a build log.
            printed = [line for line in old.splitlines() if normalise(line, step) == (before[i] if i < j else "")]
            line = old.splitlines().index(printed[0]) + 1 if i < j and printed else i + 1
            yield Difference(Where(path, line), str(step), removed or "(nothing)", added or "(nothing)")


def written(fact: CapturedFact | None) -> str:
    """A fact as differences state it: a size to the byte too."""
    if fact is None:
        return "(none)"
    text = facts.written(fact.value, fact.unit)
    return f"{text} ({fact.value:,} B)" if fact.unit == "B" else text
