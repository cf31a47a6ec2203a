"""What a person sees: progress while it runs, a table at the end, and every difference with its cure.

On a terminal a line shows what is running and for how long; elsewhere each stage is a plain line when it ends.
Text from snippets is printed behind a margin, so that nothing in it can pass for a command to a CI system.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from proof import facts
from proof.facts import FactBook
from proof.manifest import Step
from proof.verify import Difference, Result, Verdict

_STYLES: dict[Verdict, tuple[str, str]] = {
    "accurate": ("✓", "green"),
    "written": ("✎", "cyan"),
    "drift": ("✗", "bold red"),
    "unstable": ("≈", "bold red"),
    "not measured": ("?", "yellow"),
    "another basis": ("≠", "yellow"),
}
_QUICK = 2.0  # seconds: what takes less needs no line of its own outside a terminal


class Terminal:
    """Standard output, written for a person."""

    def __init__(self, *, stderr: bool = False) -> None:
        self.console = Console(highlight=False, soft_wrap=True, stderr=stderr)

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        self.console.print(Text(text, style=style))

    @contextlib.contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Something that may take a while: shown while it runs, and how long it took."""
        started = time.monotonic()
        with self.console.status(Text(what)) if self.console.is_terminal else contextlib.nullcontext():
            yield
        seconds = time.monotonic() - started
        if self.console.is_terminal or seconds >= _QUICK:
            self.console.print(Text.assemble((" ✓ ", "green"), what, (f"  {seconds:.1f} s", "dim")))

    @contextlib.contextmanager
    def running(self, name: str) -> Iterator[Callable[[Step], None]]:
        """A snippet that is being run; yields what to call at each of its steps."""
        if not self.console.is_terminal:
            yield lambda step: None
            return
        with self.console.status(Text(name)) as status:
            yield lambda step: status.update(Text(f"{step}  {step.text}", overflow="ellipsis", no_wrap=True))

    def result(self, result: Result) -> None:
        """One snippet, as soon as it is known."""
        mark, style = _STYLES[result.verdict]
        self.console.print(
            Text.assemble((f" {mark} ", style), (result.snippet.name, "bold"), f"  {result.verdict}", *_time(result))
        )
        for cause in result.causes:
            self.console.print(Text(f"     because {cause}", style="dim"))
        for difference in result.differences:
            self._difference(difference)
        if result.error:
            self.console.print(Text("   " + str(result.error).replace("\n", "\n   "), style="yellow"))

    def _difference(self, difference: Difference) -> None:
        self.console.print(Text.assemble("   ", (str(difference.where), "bold"), f": {difference.what}"))
        for sign, text, style in (("-", difference.old, "red"), ("+", difference.new, "green")):
            for line in text.splitlines() or [""]:
                self.console.print(Text(f"     {sign} {_visible(line)}", style=style))

    def table(self, results: Sequence[Result]) -> None:
        """The measured images side by side; the share is of the largest one."""
        shown = [(r.snippet.name, c, r.verdict) for r in results if (c := r.new or r.old)]
        sizes = {name: c.facts["size"].value for name, c, _ in shown if "size" in c.facts}
        largest = max((float(size) for size in sizes.values()), default=0.0)
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("snippet", overflow="fold")
        for column in ("size", "bytes", "share", "layers", "steps"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for name, capture, verdict in shown:
            cells = ["–"] * 4
            if name in sizes:
                size, value = float(sizes[name]), {k: f.value for k, f in capture.facts.items()}
                cells = [
                    facts.size(size),
                    f"{size:,.0f}",
                    f"{size / largest:.1%}" if largest else "–",
                    f"{value['layers']} ({value['base_layers']} base)",
                ]
            mark, style = _STYLES[verdict]
            table.add_row(name, *cells, str(len(capture.steps)), Text(f"{mark} {verdict}", style=style))
        self.console.print()
        self.console.print(table)

    def advice(self, results: Sequence[Result]) -> None:
        """What to do about it, one line for each kind of verdict that calls for something."""
        by_verdict: dict[Verdict, list[str]] = {}
        for result in results:
            by_verdict.setdefault(result.verdict, []).append(result.snippet.name)
        for verdict, names in by_verdict.items():
            if verdict in _ADVICE:
                self.console.print()
                self.say(_ADVICE[verdict].format(names=" ".join(names)), _STYLES[verdict][1])

    def facts(self, book: FactBook) -> None:
        """Every fact, by snippet, and how it is known."""
        rows = [
            (name, str(fact), f"{fact.value:,} {fact.unit}" if fact.unit in ("B", "KiB") else "", fact.source)
            for name, fact in book.items()
        ]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        for name, value, exact, source in rows:
            left = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {exact:>{widths[2]}}  "
            room = max(self.console.width - len(left), 0) if self.console.is_terminal else len(source)
            self.console.print(Text.assemble(left, (source[:room], "dim")))


_ADVICE: dict[Verdict, str] = {
    "drift": "The pages no longer say what the engine does. If the new state is right: proof update {names}",
    "unstable": "Not the same twice: name what varies under `ignore` in the snippet.toml of {names}",
    "not measured": "Nothing is known about {names}: mend the cause above and run again.",
    "another basis": "Numbers of two bases are not compared: measure {names} on the capture's (see --engine, --bases).",
}


def _time(result: Result) -> list[tuple[str, str]]:
    return [(f"  {result.seconds:.1f} s", "dim")] if result.seconds else []


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in line)
