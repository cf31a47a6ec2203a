"""Output for people: progress during a run, every difference with a hint, and a table at the end.

On a terminal, a status line shows what is running. Elsewhere each stage prints one line when it ends. Text from
snippets is indented, so that a CI system does not take it for a command. Everything is printed through `Screen`, which
removes control characters and interprets neither markup nor emoji codes.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proof.captures.model import Capture
from proof.core import units
from proof.core.errors import ProofError, command
from proof.core.text import plain
from proof.facts.values import Fact
from proof.pages.sound import Status
from proof.reports.rows import Kind, rows
from proof.runs.result import Result, Verdict
from proof.snippets.model import Step

_log = logging.getLogger(__name__)
_STYLES: dict[Verdict, tuple[str, str]] = {
    "accurate": ("✓", "green"),
    "written": ("✎", "cyan"),
    "drift": ("✗", "bold red"),
    "unstable": ("≈", "bold red"),
    "failed": ("✗", "bold red"),
    "never captured": ("∅", "bold red"),
    "not measured": ("?", "yellow"),
    "another environment": ("≠", "yellow"),
}
_ROW_STYLES: dict[Kind, str] = {
    "because": "dim",
    "what": "bold",
    "old": "red",
    "new": "green",
    "more": "dim",
    "error": "yellow",
}
_NAME = 12  # characters: names that wrap at fewer are hard to read
_VALUE = 40  # characters of a fact's value; longer ones are texts, such as a command
_LINE = 120  # characters, where there is no terminal
_QUICK = 2.0  # seconds: a shorter stage prints no line, except on a terminal


Piece = str | tuple[str, str]  # a text, or a text and its style


class Screen:
    """The only way to print: all text goes through `plain`, and Rich does not interpret it as markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, stderr=stderr)

    @property
    def is_terminal(self) -> bool:
        return self._console.is_terminal

    @property
    def width(self) -> int:
        return self._console.width

    @property
    def file(self) -> IO[str]:
        """The stream itself, for text that is escaped by other rules, such as commands to GitHub."""
        return self._console.file

    def print(self, *pieces: Piece) -> None:
        """Print one line, made of pieces."""
        self._console.print(_text(*pieces))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Piece]]) -> None:
        """Print a table without lines. The first column may wrap; the middle ones are right-aligned."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        table.add_column(_text(head[0]), overflow="fold", min_width=_NAME)
        for name in head[1:-1]:
            table.add_column(_text(name), justify="right", no_wrap=True)
        table.add_column(_text(head[-1]), no_wrap=True)
        for row in rows:
            table.add_row(*map(_text, row))
        self._console.print(table)

    @contextlib.contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show an animated line during the block; yields a function that changes its text."""
        with self._console.status(_text(what)) as status:
            yield lambda text: status.update(_line(text))


def _text(*pieces: Piece) -> Text:
    parts = [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
    text = Text.assemble(*((plain(part), style) for part, style in parts))
    # Pieces that are harmless by themselves may form a command when joined.
    return text if plain(text.plain) == text.plain else Text(plain(text.plain))


def _line(text: str) -> Text:
    return Text(plain(text), overflow="ellipsis", no_wrap=True)


class Terminal:
    """What the commands print for a person."""

    def __init__(self, *, stderr: bool = False) -> None:
        self.screen = Screen(stderr=stderr)
        self._steps: dict[str, Step] = {}  # what runs now, by snippet
        self._lock = threading.Lock()  # of `_steps`: snippets run in threads

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        _log.debug(text.removeprefix(" · "))
        self.screen.print((text, style))

    def waiting(self, whom: str) -> None:
        """Say that this run waits for another one, which holds a lock."""
        self.say(f" · waiting for {whom}", "yellow")

    @contextlib.contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Around something that may take a while: show it while it runs, then print how long it took."""
        started = time.monotonic()
        with self.screen.status(what) if self.screen.is_terminal else contextlib.nullcontext():
            yield
        seconds = time.monotonic() - started
        if self.screen.is_terminal or seconds >= _QUICK:
            self.screen.print((" ✓ ", "green"), what, (f"  {seconds:.1f} s", "dim"))

    @contextlib.contextmanager
    def running(self) -> Iterator[Callable[[Step], None]]:
        """Show what runs until the end of the block. Yields a function to call with each step as it starts."""
        if not self.screen.is_terminal:
            yield lambda step: None
            return
        with self.screen.status("") as update:

            def on_step(step: Step) -> None:
                with self._lock:
                    self._steps[step.snippet] = step
                    now = list(self._steps.values())
                update(f"{step}  {step.text}" if len(now) == 1 else f"{len(now)} snippets: {', '.join(map(str, now))}")

            yield on_step

    def result(self, result: Result) -> None:
        """Print the result of one snippet."""
        with self._lock:
            self._steps.pop(result.snippet.name, None)
        _log.debug("%s: %s%s", result.snippet.name, result.verdict, f": {result.error}" if result.error else "")
        mark, style = _STYLES[result.verdict]
        self.screen.print(
            (f" {mark} ", style), (result.snippet.name, "bold"), f"  {result.verdict}{result.emulated}", *_time(result)
        )
        for kind, line in rows(result):
            self.screen.print((f"   {line}", _ROW_STYLES[kind]))

    def problems(self, found: Sequence[ProofError]) -> None:
        """Print each problem: where and what it is, evidence, and a hint."""
        for problem in found:
            for number, line in enumerate(str(problem).splitlines()):
                mark, style = (" ✗ ", "bold") if number == 0 else ("   ", "")
                self.screen.print((mark + line, style))

    def status(self, found: Status) -> None:
        """Print the summary of `proof status`."""
        for note in found.notes:
            self.say(f" · {note}", "yellow")
        self.problems(found.problems)
        count = {name: units.counted(number, name.removesuffix("s")) for name, number in found.counts.items()}
        self.say(
            f"{count['snippets']}, {count['steps']}, {count['facts']}; {count['pages']}, {count['claims']}, "
            f"{count['numbers']} bound"
        )
        self.say(
            units.counted(len(found.problems), "problem") if found.problems else "Nothing is stale, false or unbound."
        )

    def confirmed(self, claims: Sequence[ProofError], path: Path) -> None:
        """Print which claims were confirmed, each with its sentence, and where that is recorded."""
        for claim in claims:
            self.say(f" ✓ {claim.where or 'a page'}: confirmed, as {claim.what}", "green")
            for line in claim.evidence.splitlines():
                self.say(f"       | {line}", "dim")
        self.say(f"{path} is up to date.")

    def table(self, results: Sequence[Result]) -> None:
        """Print a table of the measured images. The share is relative to the largest one."""
        shown = [(r.snippet.name, c, r) for r in results if (c := r.new or r.old)]
        if not shown:
            return
        sizes = {name: float(c.facts["size"].value) for name, c, _ in shown if "size" in c.facts}
        largest = max(sizes.values(), default=0.0)
        lines: list[list[Piece]] = []
        for name, capture, result in shown:
            cells = ["–"] * 3
            if (size := sizes.get(name)) is not None:
                layers, below = (_written(capture, name) for name in ("layers", "base_layers"))
                cells = [units.size(size), f"{size / largest:.1%}" if largest else "–", f"{layers} ({below} base)"]
            mark, style = _STYLES[result.verdict]
            lines.append([name, *cells, str(len(capture.steps)), (f"{mark} {result.verdict}{result.emulated}", style)])
        self.screen.print()
        self.screen.table(("snippet", "size", "share", "layers", "steps", "verdict"), lines)

    def total(self, results: Sequence[Result], seconds: float) -> None:
        """Print how long the run took, and how much of that was spent in the commands."""
        steps = [step for result in results if result.new and not result.cached for step in result.new.steps]
        own, cached = sum(step.seconds for step in steps), sum(result.cached for result in results)
        some = f", {cached} of them cached" if cached else ""
        took = f"{units.counted(len(steps), 'command')}: {own:.0f} s in the commands, {seconds:.0f} s in all"
        self.say(f"{units.counted(len(results), 'snippet')}{some}, {took}")
        if any(result.emulated for result in results):
            self.say("Emulated: values were compared, times were not. They are the emulator's.", "yellow")
        if unseen := Counter(re.split("[./]", name, maxsplit=1)[1] for r in results for name in r.not_compared):
            listed = (f"{what} ({units.counted(count, 'snippet')})" for what, count in unseen.items())
            self.say(f"Not compared, as engines print it differently: {', '.join(listed)}", "yellow")
        if cached:
            self.say("Cached: nothing has changed since the last run. Use --rerun to run these too.", "dim")

    def advice(self, results: Sequence[Result]) -> None:
        """Print what to do next, one line for each kind of verdict that needs something done."""
        advice: dict[str, list[str]] = {}
        for result in results:
            key = str((result.cause if result.verdict == "drift" else None) or result.verdict)
            key = "step" if result.verdict == "drift" and result.new is None else key  # what ran is no new state
            advice.setdefault(key, []).append(result.snippet.name)
        registry = any(r.new and r.new.environment.bases == "registry" for r in results)
        kept = all(made.engine.wording is not None for r in results if (made := r.measured or r.new))
        for key, names in advice.items():
            if key in _ADVICE:
                update = command("proof", "update", *names, *(["--bases", "registry"] if registry else []))
                if registry and key == "base":
                    update += " (and --newest-bases, if you passed it)"
                if not kept:
                    update += " (with Docker: Podman can check captures, but not make them)"
                self.screen.print()
                self.say(_ADVICE[key].format(names=" ".join(names), update=update), "yellow")

    def facts(self, found: Mapping[str, Fact], *, whole: bool = False) -> None:
        """Print each fact with its source; unless `whole`, on one line of the terminal, or of a usual length."""
        lines = [
            (name, str(fact), f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else "", fact.source)
            for name, fact in found.items()
        ]
        # A long text has no column of its own: all the others would be far to the right.
        widths = [max((len(row[i]) for row in lines if len(row[i]) <= _VALUE), default=0) for i in range(3)]
        length = self.screen.width if self.screen.is_terminal else max(self.screen.width, _LINE)
        for name, value, exact, source in lines:
            line = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {exact:>{widths[2]}}  {source}".rstrip()
            cut = line if whole or len(line) <= length else f"{line[: length - 1]}…"
            left = len(line) - len(source)
            self.screen.print(cut[:left], (cut[left:], "dim"))


_ADVICE: dict[str, str] = {
    "snippet": "The snippet was edited after it was captured. If the new state is right: {update}",
    "base": "A base changed. If the new numbers are right: {update}, and reread the pages that state them",
    "engine": "The engine or its output format changed, not the snippet. If the new output is right: {update}; to "
    "leave a part of it out of the comparison, name that part under `ignore` in the snippet.toml of {names}",
    "capture": "A capture was edited by hand. To restore what really happens: {update}",
    "network": "What the network answered has changed, not the snippet. If the new output is right: {update}",
    "output": "The output changed, but none of the inputs did. Find out why before you accept it: {update}",
    "step": "A step of {names} did not do what its snippet.toml declares. Fix what it runs, or declare what it does",
    "failed": "{names}: nothing was captured. Fix the step above, or declare what it does, then run again.",
    "never captured": "Nothing was captured before. To keep what ran: {update}",
    "unstable": "The output changes from run to run: name what varies under `ignore` in the snippet.toml of {names}",
    "not measured": "{names}: not measured. Fix the error above, then run again.",
    "another environment": "Numbers from two environments cannot be compared. Measure {names} in the environment of "
    "the capture that pages show (see --engine and --bases), which is the registry's if there is one "
    "(`proof update --bases registry`).",
}


def _written(capture: Capture, name: str) -> str:
    return str(capture.facts[name].value) if name in capture.facts else "–"


def _time(result: Result) -> list[tuple[str, str]]:
    if result.cached:
        return [("  cached", "dim")]
    return [(f"  {result.seconds:.1f} s", "dim")] if result.seconds else []
