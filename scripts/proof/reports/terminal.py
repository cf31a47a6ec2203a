"""What a person sees: progress while it runs, a table at the end, and every difference with its cure.

On a terminal a line shows what is running and for how long; elsewhere each stage is a plain line when it ends.
Text from snippets is printed behind a margin, so that nothing in it can pass for a command to a CI system. All of it
leaves through `Screen`, which takes text alone: no markup, no emoji, and no character that acts.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proof.captures.diff import Difference
from proof.captures.model import Capture
from proof.core import units
from proof.core.errors import ProofError
from proof.core.text import plain
from proof.facts.book import FactBook
from proof.pages.status import Status
from proof.runs.result import Result, Verdict
from proof.snippets.model import Step

_STYLES: dict[Verdict, tuple[str, str]] = {
    "accurate": ("✓", "green"),
    "written": ("✎", "cyan"),
    "drift": ("✗", "bold red"),
    "unstable": ("≈", "bold red"),
    "not measured": ("?", "yellow"),
    "another environment": ("≠", "yellow"),
}
_COLUMNS = 66  # characters that the columns behind a snippet's name take, at their widest
_QUICK = 2.0  # seconds: what takes less needs no line of its own outside a terminal


Piece = str | tuple[str, str]  # a text, or a text and its style


class Screen:
    """The one way out: whatever is printed has been through `plain`, and Rich reads none of it as its markup."""

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
        """Where it goes, for what is escaped by other rules: commands to GitHub."""
        return self._console.file

    def print(self, *pieces: Piece) -> None:
        """One text, in pieces."""
        self._console.print(_text(*pieces))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Piece]]) -> None:
        """A table without lines: its first column is folded where it has to be, the last one is a word."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for number, name in enumerate(head):
            middle = 0 < number < len(head) - 1
            table.add_column(_text(name), justify="right" if middle else "left", overflow="fold", no_wrap=number > 0)
        for row in rows:
            table.add_row(*map(_text, row))
        self._console.print(table)

    @contextlib.contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """A line that moves while something runs; yields what changes its text."""
        with self._console.status(_text(what)) as status:
            yield lambda text: status.update(_line(text))


def _text(*pieces: Piece) -> Text:
    parts = [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
    text = Text.assemble(*((plain(part), style) for part, style in parts))
    # What is harmless in each piece may still be a command once they are one line.
    return text if plain(text.plain) == text.plain else Text(plain(text.plain))


def _line(text: str) -> Text:
    return Text(plain(text), overflow="ellipsis", no_wrap=True)


class Terminal:
    """Standard output, written for a person."""

    def __init__(self, *, stderr: bool = False) -> None:
        self.screen = Screen(stderr=stderr)
        self._steps: dict[str, Step] = {}  # what runs now, by snippet
        self._lock = threading.Lock()  # of `_steps`: snippets run in threads

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        self.screen.print((text, style))

    def waiting(self, whom: str) -> None:
        """Another run writes here."""
        self.say(f" · waiting for {whom}", "yellow")

    @contextlib.contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Something that may take a while: shown while it runs, and how long it took."""
        started = time.monotonic()
        with self.screen.status(what) if self.screen.is_terminal else contextlib.nullcontext():
            yield
        seconds = time.monotonic() - started
        if self.screen.is_terminal or seconds >= _QUICK:
            self.screen.print((" ✓ ", "green"), what, (f"  {seconds:.1f} s", "dim"))

    @contextlib.contextmanager
    def running(self) -> Iterator[Callable[[Step], None]]:
        """While snippets run; yields what to call at each step of theirs."""
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
        """One snippet, as soon as it is known."""
        with self._lock:
            self._steps.pop(result.snippet.name, None)
        mark, style = _STYLES[result.verdict]
        self.screen.print((f" {mark} ", style), (result.snippet.name, "bold"), f"  {result.verdict}", *_time(result))
        for change in result.changes:
            self.screen.print((f"   because {change}", "dim"))
        for difference in result.differences:
            self._difference(difference)
        if result.error:
            self.screen.print(("   " + str(result.error).replace("\n", "\n   "), "yellow"))

    def _difference(self, difference: Difference) -> None:
        self.screen.print("   ", (str(difference.where), "bold"), f": {difference.what}")
        for sign, text, style in (("-", difference.old, "red"), ("+", difference.new, "green")):
            for line in text.splitlines() or [""]:
                self.screen.print((f"     {sign} {line}", style))

    def problems(self, found: Sequence[ProofError]) -> None:
        """What is wrong: where, what, evidence, cure of each."""
        for problem in found:
            for number, line in enumerate(str(problem).splitlines()):
                mark, style = (" ✗ ", "bold") if number == 0 else ("   ", "")
                self.screen.print((mark + line, style))

    def status(self, found: Status) -> None:
        """What can be said without an engine."""
        self.problems(found.problems)
        claims = sum(len(page.page.claims) for page in found.pages)
        bound = sum(page.page.bound for page in found.pages)
        self.say(
            f"{found.snippets} snippets, {found.steps} steps, {found.facts} facts; {len(found.pages)} pages, "
            f"{claims} claims, {bound} numbers bound"
        )
        self.say(f"{len(found.problems)} problems" if found.problems else "Nothing is stale, false or unbound.")

    def table(self, results: Sequence[Result]) -> None:
        """The measured images side by side; the share is of the largest one."""
        shown = [(r.snippet.name, c, r.verdict) for r in results if (c := r.new or r.old)]
        if not shown:
            return
        sizes = {name: float(c.facts["size"].value) for name, c, _ in shown if "size" in c.facts}
        largest = max(sizes.values(), default=0.0)
        # Exact bytes are what a narrow terminal can do without: `proof facts` has them, and a broken name reads badly.
        wide = self.screen.width >= _COLUMNS + max(len(name) for name, _, _ in shown)
        rows: list[list[Piece]] = []
        for name, capture, verdict in shown:
            cells = ["–"] * (4 if wide else 3)
            if (size := sizes.get(name)) is not None:
                layers, below = (_written(capture, name) for name in ("layers", "base_layers"))
                share = f"{size / largest:.1%}" if largest else "–"
                cells = [units.size(size), *((f"{size:,.0f}",) if wide else ()), share, f"{layers} ({below} base)"]
            mark, style = _STYLES[verdict]
            rows.append([name, *cells, str(len(capture.steps)), (f"{mark} {verdict}", style)])
        self.screen.print()
        exact = ("bytes",) if wide else ()
        self.screen.table(("snippet", "size", *exact, "share", "layers", "steps", "verdict"), rows)

    def total(self, results: Sequence[Result], seconds: float) -> None:
        """How long it took, and how much of that was the engine's own."""
        steps = [step for result in results if result.new and not result.cached for step in result.new.steps]
        own, cached = sum(step.seconds for step in steps), sum(result.cached for result in results)
        some = f", {cached} of them cached" if cached else ""
        took = f"{len(steps)} commands: {own:.0f} s in the commands, {seconds:.0f} s in all"
        self.say(f"{len(results)} snippets{some}, {took}")
        if cached:
            self.say("Cached: nothing that it depends on has changed since it was run. --rerun runs it too.", "dim")

    def advice(self, results: Sequence[Result]) -> None:
        """What to do about it, one line for each kind of verdict that calls for something."""
        advice: dict[str, list[str]] = {}
        for result in results:
            key = str((result.cause if result.verdict == "drift" else None) or result.verdict)
            advice.setdefault(key, []).append(result.snippet.name)
        registry = any(r.new and r.new.environment.bases == "registry" for r in results)
        for key, names in advice.items():
            if key in _ADVICE:
                update = f"proof update {' '.join(names)}{' --bases registry' if registry else ''}"
                self.screen.print()
                self.say(_ADVICE[key].format(names=" ".join(names), update=update), "yellow")

    def facts(self, book: FactBook) -> None:
        """Every fact, by snippet, and how it is known."""
        rows = [
            (name, str(fact), f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else "", fact.source)
            for name, fact in book.items()
        ]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        for name, value, exact, source in rows:
            left = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {exact:>{widths[2]}}  "
            room = max(self.screen.width - len(left), 0) if self.screen.is_terminal else len(source)
            self.screen.print(left, (source[:room], "dim"))


_ADVICE: dict[str, str] = {
    "snippet": "Edited since it was captured. If the new state is right: {update}",
    "base": "A base moved. If the new numbers are right: {update}, and read the pages that state them",
    "engine": "The engine or its format changed, the snippet did not. See whether the numbers moved, or only "
    "their form; then {update}, or a rule in normalise.py",
    "capture": "A capture was edited by hand. To have what really happens again: {update}",
    "output": "Nothing that goes in has changed, and what comes out has. Find out why before you accept it: {update}",
    "unstable": "Not the same twice: name what varies under `ignore` in the snippet.toml of {names}",
    "not measured": "Nothing is known about {names}: mend the cause above and run again.",
    "another environment": "Numbers of two environments are not compared. Measure {names} in the environment of the "
    "capture that pages show (--engine, --bases): the registry's if there is one (`proof update --bases registry`).",
}


def _written(capture: Capture, name: str) -> str:
    return str(capture.facts[name].value) if name in capture.facts else "–"


def _time(result: Result) -> list[tuple[str, str]]:
    if result.cached:
        return [("  cached", "dim")]
    return [(f"  {result.seconds:.1f} s", "dim")] if result.seconds else []
