"""Compares a committed capture with a new run, and reports every real difference at the line to open.

If the same engine made both, their words are compared too. If not, what the engine says in its own words is compared
by what it means (engine_output.py), and facts that are read from it are not compared.

Everything in a capture that a page, a report or `proof facts` can show is compared. The seal of a capture has no key:
anyone can edit a record and compute the seal again. So the seal finds accidents, and only a run finds a made-up
capture. Some values differ in each run: dates, versions, the commit, durations, digests of images, and values that the
manifest calls volatile. No run can confirm those, so only their form is checked (provenance.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import islice, zip_longest
from pathlib import Path

from proof.captures import buildah_log, contents, derived, empty_layers, engine_output, fingerprint, provenance, store
from proof.captures.buildkit_log import Line, durations, titles, transferred
from proof.captures.engine_output import DISPLAYS, Side
from proof.captures.model import Capture, CapturedFact, CapturedLayer, CapturedStep
from proof.captures.normalise import comparable
from proof.core import units
from proof.core.errors import Where
from proof.core.sequence_diff import blocks
from proof.snippets.model import Snippet, Step

_MOST = 100  # differences listed per snippet
_LINES = 12  # shown of each side of a difference
_CHARACTERS = 1_000  # shown of each of these lines
_REPORTED = 100  # lines of each side in a report: another machine may send any number
_ROUNDING = 1.0  # seconds, of what a builder and the tool say that a build took
_ENTRY = 1_000  # bytes of metadata sent per file: path, mode and times
_PIN = re.compile(r"(?<=\S)@(?:sha256:[0-9a-f]{64}|<digest(?: \d+)?>)")  # which containerd's store adds to a base
_OF_BUILD = re.compile(r"step (?:\[[^\]\n]*\] )?(?:FROM|RUN|COPY|ADD|WORKDIR)\b|  |ERROR")  # as in BuildStep.lines
_EXPANDED = re.compile(r"[$\\<'\"\[{]")  # in an instruction, a word that a log prints in another form


@dataclass(frozen=True)
class Difference:
    """One difference between a capture and a run."""

    where: Where
    what: str  # `single.size`, `single/run`
    old: str
    new: str

    @property
    def lines(self) -> list[str]:
        """What every report shows of it: the old lines, each behind `- `, then the new ones behind `+ `."""
        return [*_signed("-", self.old), *_signed("+", self.new)]


def _signed(sign: str, text: str) -> list[str]:
    lines = text.splitlines() or [""]
    more = [f"… and {units.counted(len(lines) - _REPORTED, 'more line')}"] if len(lines) > _REPORTED else []
    return [f"{sign} {line}" for line in [*lines[:_REPORTED], *more]]


class _Record:
    """The files of the old capture, and where to open them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def line(self, text: str) -> Where:
        """The first line of the record with this text, up to its end or the end of what it opens."""
        return Where(self.folder / store.RECORD, self._numbers.get(text))

    def entry(self, name: str) -> Where:
        """The step or the fact of this name."""
        return self.line(f'"{name}": {{')

    @cached_property
    def _numbers(self) -> dict[str, int]:
        lines = [line.strip().rstrip(",]}") for line in store.lines_of(self.folder)]
        return {line: number for number, line in reversed(list(enumerate(lines, start=1)))}


def _difference(where: Where, what: str, old: object, new: object) -> Difference:
    """A difference with what is shown of both sides."""
    return Difference(where, what, *(_excerpt(_in_words(side).split("\n")) for side in (old, new)))


def _in_words(side: object) -> str:
    """One side of a difference, without the notation of Python."""
    if isinstance(side, CapturedLayer):
        return f"{side.instruction} ({side.size:,} bytes, {side.files:,} files)"
    return ("no", "yes")[side] if isinstance(side, bool) else str(side)


def _excerpt(lines: Sequence[str]) -> str:
    """One side of a difference, with long lines cut."""
    shown = [
        line if len(line) <= _CHARACTERS else f"{line[:_CHARACTERS]}… and {len(line) - _CHARACTERS:,} more characters"
        for line in lines[:_LINES]
    ]
    more = [f"… and {len(lines) - _LINES:,} more lines"] if len(lines) > _LINES else []
    return "\n".join([*shown, *more]) if lines else "(nothing)"


def _lines_differ(where: Path, what: str, sides: tuple[list[Line], list[Line]], last: int) -> Iterator[Difference]:
    """The lines in which two outputs differ. What is missing at the end is missing after the `last` line."""
    old, new = ([line.text for line in side] for side in sides)
    for i, j, k, m in blocks(old, new):
        # A build log is compared in another order, so each line carries its number in the original text.
        number = sides[0][i].number if i < len(old) else last
        yield Difference(Where(where, number), what, _excerpt(old[i:j]), _excerpt(new[k:m]))


def compare(
    old: Capture | None, new: Capture, snippet: Snippet, folder: Path, *, words: bool = False
) -> Iterator[Difference]:
    """Every difference that is not noise, with the line to open. `old` is the capture in `folder`, or None.

    With `words`, the words of the engine are compared even if another engine made `old`.
    If there are very many, only the first ones are listed, and the rest are counted.
    """
    if old is None:
        yield Difference(snippet.where, snippet.name, "no capture", "measured for the first time")
        return
    new = empty_layers.completed(new, old, snippet)
    # A minor version may behave differently too, if the snippet says so.
    is_same_engine = old.engine == new.engine and snippet.on(old.engine) == snippet.on(new.engine)
    differences = _differences(old, new, snippet, _Record(folder), words=words or is_same_engine)
    yield from islice(differences, _MOST)
    if more := sum(1 for _ in differences):
        yield Difference(Where(folder), snippet.name, f"{more:,} more differences", "not listed here")


def outputs_in_other_words(old: Capture, new: Capture, snippet: Snippet) -> tuple[int, int]:
    """How many outputs have the same words in both captures, and how many have others."""
    alike = other = 0
    for step, before, after in _outputs(old, new, snippet):
        is_alike = is_in_same_words(before, after, step)
        alike, other = alike + is_alike, other + (not is_alike)
    return alike, other


def not_compared(old: Capture, new: Capture, snippet: Snippet) -> Iterator[str]:
    """What a run by another engine says nothing about: outputs in `old` that were compared with nothing, and facts.

    What both engines happen to print alike was compared.
    """
    if old.engine == new.engine and snippet.on(old.engine) == snippet.on(new.engine):
        return
    declared = {step.name: step for step in snippet.on(old.engine).steps}
    for step, before, after in _outputs(old, new, snippet):
        sides = Side(before.output, before.exit, old.engine), Side(after.output, after.exit, new.engine)
        is_read = _compared(declared[step.name], step, *sides, words=False) is not None
        if not is_read and not is_in_same_words(before, after, replace(step, output=replace(step.output, unshown=""))):
            yield str(step)
    for name in sorted(_incomparable(old, new, snippet, words=False) & old.facts.keys()):
        if not same(old.facts[name], new.facts.get(name)):
            yield f"{snippet.name}.{name}"


def other_words(old: Capture, new: Capture, snippet: Snippet, folder: Path) -> Iterator[Difference]:
    """What a reader of the pages sees in other words than those of `old`, the capture in `folder`."""
    for step, before, after in _outputs(old, new, snippet):
        if before.exit != after.exit:
            yield Difference(step.where, f"{step} exit", str(before.exit), str(after.exit))
        last = before.output.count("\n") + 1
        yield from _lines_differ(folder / f"{step.name}.txt", str(step), _seen(before, after, step), last)


def is_in_same_words(one: CapturedStep, other: CapturedStep, step: Step) -> bool:
    """Whether a reader of the pages sees the same in both outputs of `step`, but for what differs from run to run."""
    left, right = _seen(one, other, step)
    return one.exit == other.exit and [line.text for line in left] == [line.text for line in right]


def _outputs(old: Capture, new: Capture, snippet: Snippet) -> Iterator[tuple[Step, CapturedStep, CapturedStep]]:
    """The steps that both captures have, as the engine of `new` runs them."""
    for step in snippet.on(new.engine).steps:
        before, after = old.step(step.name), new.step(step.name)
        if before and after:
            yield step, before, after


def _seen(one: CapturedStep, other: CapturedStep, step: Step) -> tuple[list[Line], list[Line]]:
    """The lines of two outputs that pages show. Of a build log that is folded, no step of the builder's own."""
    if step.output.unshown:
        return [], []
    sides = comparable(one.output, other.output, step)
    left, right = ([line._replace(text=_PIN.sub("", line.text)) for line in side] for side in sides)
    if step.command.verb == "build" and step.output.show:
        left, right = ([line for line in side if _is_unfolded(line.text, step)] for side in (left, right))
    return left, right


def _is_unfolded(text: str, step: Step) -> bool:
    return _OF_BUILD.match(text) is not None or any(shown.search(text) for shown in step.output.show)


def engines_own_facts(snippet: Snippet) -> set[str]:
    """The facts that are read from what an engine says in its own words."""
    return {name for step in snippet.steps if step.command.verb in DISPLAYS for name in step.facts}


def same(old: CapturedFact | None, new: CapturedFact | None) -> bool:
    """Whether two facts are equal within the tolerance of `new`. If `new` is volatile, any value is equal."""
    if old is None or new is None or old.unit != new.unit:
        return old is new
    if new.volatile or old.value == new.value:
        return True
    if isinstance(old.value, str) or isinstance(new.value, str) or not new.tolerance:
        return False
    return abs(new.value - old.value) <= new.tolerance * abs(old.value)


def format_fact(fact: CapturedFact | None) -> str:
    """A fact as shown in a difference: sizes also in exact bytes."""
    if fact is None:
        return "(none)"
    text = units.format_value(fact.value, fact.unit)
    return f"{text} ({fact.value:,} B)" if fact.unit == "B" else text


def _differences(old: Capture, new: Capture, snippet: Snippet, record: _Record, *, words: bool) -> Iterator[Difference]:
    yield from _facts(old, new, snippet, record, words=words)
    yield from _misread(old, snippet, record)
    yield from _steps(old, new, snippet, record, words=words)
    yield from _layers(old, new, snippet, record, words=words or old.engine.kind == new.engine.kind)
    yield from _origin(old, new, snippet, record)
    for name in old.tampered:
        yield _difference(
            Where(record.folder / name), f"{snippet.name}: {name}", "what the tool wrote", "edited by hand"
        )


def _facts(old: Capture, new: Capture, snippet: Snippet, record: _Record, *, words: bool) -> Iterator[Difference]:
    own = derived.of_image(snippet, old.layers)
    incomparable = _incomparable(old, new, snippet, words=words)
    for name in dict.fromkeys([*old.facts, *new.facts]):
        before, after = old.facts.get(name), new.facts.get(name)
        if name in incomparable:
            continue
        what, place = f"{snippet.name}.{name}", record.entry(name)
        if not same(before, after):
            yield _difference(place, what, format_fact(before), format_fact(after))
        elif before and after:
            # The other fields must match, too. A size's tolerance depends on that size, so `own` uses the old layers.
            wanted = own.get(name, after)
            for part in ("source", "tolerance", "volatile"):
                was, now = getattr(before, part), getattr(wanted, part)
                if was != now:
                    yield _difference(place, f"{what}: {part}", was, now)
            if name in own and before.value != wanted.value:
                yield _difference(
                    place, f"{what}: computed from its own layers", format_fact(before), format_fact(wanted)
                )


def _incomparable(old: Capture, new: Capture, snippet: Snippet, *, words: bool) -> set[str]:
    """The facts that these engines may print in different words, or not at all."""
    differing = (step for step in snippet.steps if not step.prints_alike(old.engine, new.engine))
    displayed = frozenset() if old.engine.shows_both_sizes and new.engine.shows_both_sizes else derived.DISPLAYED
    read = {name for step in differing for name in step.facts}
    return read | displayed | (set() if words else engines_own_facts(snippet))


def _misread(old: Capture, raw: Snippet, record: _Record) -> Iterator[Difference]:
    """Values that contradict the capture's own outputs, or that its engine does not print.

    Of a volatile value, and of one that only another engine prints, no run could find that.
    """
    snippet = raw.on(old.engine)
    declared, rules = ({name for step in each.steps for name in step.facts} for each in (raw, snippet))
    for name in sorted(declared & old.facts.keys() - rules):
        what = f"{snippet.name}.{name}: read from its own transcript"
        yield _difference(record.entry(name), what, format_fact(old.facts[name]), "(none)")
    for step in snippet.steps:
        for rule in step.facts.values():
            fact, done = old.facts.get(rule.name), old.step(step.name)
            if fact is None or done is None:
                continue
            try:
                read = derived.of_output(step, rule, done.output)
            except ValueError:
                read = None
            what, place = f"{snippet.name}.{rule.name}: read from its own transcript", record.entry(rule.name)
            if read is None or read.value != fact.value:
                yield _difference(place, what, format_fact(fact), format_fact(read))
            elif read != fact:
                yield _difference(place, what, fact, read)


def _steps(old: Capture, new: Capture, snippet: Snippet, record: _Record, *, words: bool) -> Iterator[Difference]:
    for raw in snippet.steps:
        declared, step = raw.on(old.engine), raw.on(new.engine)
        before, after = old.step(step.name), new.step(step.name)
        if before is None or after is None:
            if before is not after:
                yield _difference(step.where, str(step), "no capture" if before is None else "captured", "run")
            continue
        expected = after if words else replace(after, exit=declared.exit)
        for part in ("exit", "command", "inside"):
            was, now = getattr(before, part), getattr(expected, part)
            if was != now:
                yield _difference(step.where, f"{step} {part}", was, now)
        path = record.folder / f"{step.name}.txt"
        sides = Side(before.output, before.exit, old.engine), Side(after.output, after.exit, new.engine)
        yield from _output(declared, step, *sides, path=path, words=words)
        if step.command.verb == "build":
            yield from _transferred(step, before, snippet, path)
            yield from _too_long(step, before, path)
            yield from _unknown_steps(step, before, snippet, path)
    was, now = ([step.name for step in capture.steps] for capture in (old, new))
    for name in was:
        if name not in now:
            yield _difference(record.entry(name), f"{snippet.name}/{name}", "captured", "no such step")
    if sorted(was) == sorted(now) and was != now:
        yield _difference(
            record.line('"steps": {'), f"{snippet.name}: the order of the steps", ", ".join(was), ", ".join(now)
        )


def _have_one_outcome(old: Step, new: Step, *, other_builder: bool) -> bool:
    """Whether a step has the same outcome on two engines. Another builder words the same failure differently."""
    is_worded_alike = old.expect == new.expect or (other_builder and new.command.verb == "build")
    return is_worded_alike and bool(old.exit) == bool(new.exit)


def _output(declared: Step, step: Step, old: Side, new: Side, *, path: Path, words: bool) -> Iterator[Difference]:
    """The differences of two outputs. `declared` is the step as the old engine runs it, `step` as the new one does."""
    if old.output == new.output:
        return
    if not words and declared.expect not in old.output:
        yield _difference(Where(path), str(step), old.output, f"a text with '{declared.expect}'")
        return
    sides = _compared(declared, step, old, new, words=words) or ([], [])
    yield from _lines_differ(path, str(step), sides, old.output.count("\n") + 1)


def _compared(declared: Step, step: Step, old: Side, new: Side, *, words: bool) -> tuple[list[Line], list[Line]] | None:
    """The lines of two outputs that are compared; None if none is."""
    if words:
        before, after = comparable(old.output, new.output, step)
        return before, engine_output.as_before(step, new.engine, before, after)
    if _have_one_outcome(declared, step, other_builder=old.engine.kind != new.engine.kind):
        return engine_output.comparable(old, new, step)
    return None


def _too_long(step: Step, old: CapturedStep, path: Path) -> Iterator[Difference]:
    """Durations in a build log that are longer than the whole build took. They are not compared."""
    for seconds, line in durations(old.output):
        if seconds > old.seconds + _ROUNDING:
            yield _difference(Where(path, line), f"{step}: seconds", f"{seconds:g}", f"at most {old.seconds:g}")


def _transferred(step: Step, old: CapturedStep, snippet: Snippet, path: Path) -> Iterator[Difference]:
    """Transfer sizes in a build log that are larger than the whole context."""
    entries = [Path(at, name) for at, folders, files in os.walk(snippet.context) for name in (*folders, *files)]
    most = sum(entry.lstat().st_size for entry in entries) + _ENTRY * (1 + len(entries))
    for size, line in transferred(old.output):
        if size > most:
            yield _difference(Where(path, line), f"{step}: transferred", f"{size:,.0f} B", f"at most {most:,} B")


def _unknown_steps(step: Step, old: CapturedStep, snippet: Snippet, path: Path) -> Iterator[Difference]:
    """Labels in the log that the Dockerfile does not have, or that it has at another instruction.

    They are not compared with a run's, since builds may share a step. Only those of a build for several platforms are,
    which have another form.
    """
    if any("," in value for value in step.command.values("--platform")):
        return
    known = {label: text for stage in snippet.dockerfiles[step.name].labelled for label, text in stage.items()}
    what = f"{step}: a step of the build"
    for label, printed in sorted(titles(old.output)):
        if label not in known:
            yield _difference(Where(path), what, label, "no such step in the Dockerfile")
        elif not _is_instruction(printed, known[label]):
            yield _difference(Where(path), what, f"{label} {printed}", f"{label} {known[label]}")


def _is_instruction(printed: str, written: str) -> bool:
    """Whether a log may print an instruction like this, up to where variables or quotes make a difference."""
    for word, other in zip(written.split(), printed.split(), strict=False):
        if _EXPANDED.search(word):
            return True
        if word != other and word.upper() != other:
            return False
    return True


def _layers(old: Capture, new: Capture, snippet: Snippet, record: _Record, *, words: bool) -> Iterator[Difference]:
    """The differences of the layers. Without `words`, not how the engine words their instructions."""
    for number, (before, after) in enumerate(zip_longest(old.layers, new.layers), start=1):
        what = f"{snippet.name}: layer {number}"
        if before is None or after is None:
            sides = (replace(layer, contents=()) if layer else "(none)" for layer in (before, after))
            yield _difference(record.line('"layers": ['), what, *sides)
            continue
        if before.contents and after.contents:
            noise = snippet.noise_bytes if derived.is_noisy(snippet, after) else 0
            for moved in contents.differences(before.contents, after.contents, noise):
                yield _difference(Where(record.folder / contents.FILE), f"{what}: {moved.path}", moved.old, moved.new)
        elif bool(before.contents) is not bool(after.contents):
            told = ("listed" if layer.contents else "not listed" for layer in (before, after))
            yield _difference(Where(record.folder / store.RECORD), f"{what}: its contents", *told)
        for field in fields(CapturedLayer):
            if field.name == "contents":
                continue
            was, now = getattr(before, field.name), getattr(after, field.name)
            if field.name == "instruction":
                if not (words or before.from_base):
                    continue
                was, now = buildah_log.without_hash(was), buildah_log.without_hash(now)
            if was != now and not _varies(field.name, before, after, snippet):
                place = record.line(f'"digest": "{before.digest}"')
                yield _difference(place, f"{what}: {field.name}", f"{_in_words(was)} ({before.instruction})", now)


def _varies(name: str, before: CapturedLayer, after: CapturedLayer, snippet: Snippet) -> bool:
    """Whether this field of a layer may differ between two honest runs."""
    if not snippet.noise or before.from_base or after.from_base:
        return False
    if name == "digest":
        return True
    if name in ("size", "files") and derived.is_noisy(snippet, after):
        most = snippet.noise_bytes if name == "size" else snippet.noise_bytes // contents.BLOCK
        return bool(abs(getattr(after, name) - getattr(before, name)) <= most)
    return False


def _origin(old: Capture, new: Capture, snippet: Snippet, record: _Record) -> Iterator[Difference]:
    if old.snippet != snippet.name:
        yield _difference(
            record.line(f'"snippet": "{old.snippet}"'),
            f"{snippet.name}: the snippet of the capture",
            old.snippet,
            snippet.name,
        )
    for name in dict.fromkeys([*old.provenance.bases, *new.provenance.bases]):
        base = f"{fingerprint.BASE}{name}"
        moved = old.inputs.get(base) != new.inputs.get(base)  # which fingerprint.changed reports
        was, now = (capture.provenance.bases.get(name, "(none)") for capture in (old, new))
        if was != now and not moved:
            yield _difference(record.line('"provenance": {'), f"{snippet.name}: {base}", was, now)
    for name, value in provenance.implausible(old, snippet):
        yield _difference(record.line('"provenance": {'), f"{snippet.name}: {name}", value, "a value that proof writes")
