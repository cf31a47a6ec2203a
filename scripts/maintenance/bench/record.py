"""The result of the benchmarks: rows with goals, written as a table, as JSON, and as figures for a page."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

SCHEMA = 1
Unit = Literal["s", "KiB"]


@dataclass(frozen=True)
class Row:
    """One or two measurements from one run, and a goal: the most that their ratio, or the only one, should be.

    A row without a goal says what can be reached at all.
    """

    name: str  # a page refers to it as bench.NAME
    what: str
    unit: Unit
    measured: float  # with the tool
    against: float | None  # without the tool, or for a smaller input; None if there is nothing to compare with
    beside: str  # what `against` measures
    goal: float | None  # for the ratio, or for `measured` if there is no ratio

    @property
    def ratio(self) -> float | None:
        """`measured` divided by `against`; None if there is nothing to compare with."""
        return self.measured / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None for a row without a goal."""
        return None if self.goal is None else (self.measured if self.ratio is None else self.ratio) <= self.goal


@dataclass(frozen=True)
class Record:
    """One run of the benchmarks."""

    date: str  # YYYY-MM-DD
    engine: str
    snippets: list[str]  # that were run
    method: list[str]  # what was done, as paragraphs, so that a reader can judge the figures
    rows: list[Row]
    seconds: float  # that the whole run took


def machine() -> str:
    """The machine, Python and kernel that the figures depend on."""
    # Only the kernel's series: what a distribution or a provider adds to the version has nothing to do with speed.
    series = ".".join(platform.release().split(".")[:2])
    return f"{os.cpu_count()} processors, Linux {series}, Python {platform.python_version()}"


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each in one line."""
    return [" ".join(part.split()) for part in text.split("\n\n")]


def as_json(record: Record) -> str:
    """The record as JSON. A row without a comparison has a null `ratio`; one without a goal has a null `met`."""
    rows = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in record.rows]
    data: dict[str, Any] = {"schema": SCHEMA, **asdict(record), "machine": machine(), "rows": rows}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_figures(data: dict[str, Any]) -> str:
    """The figures for pages, in the format of cited.toml: pages show them as results of one run, not as captured."""
    lines = [
        "# Written by scripts/bench. Figures of one run: shown as such, compared by nothing.",
        "",
        "[[source]]",
        'name = "bench"',
        f'title = "one run of scripts/bench, {data["machine"]}, {data["engine"]}"',
        f'date = "{data["date"]}"',
        f'figures.snippets = {{ value = {len(data["snippets"])}, unit = "count" }}',
    ]
    for row in data["rows"]:
        unit, factor = ("s", 1) if row["unit"] == "s" else ("MiB", 1024)
        absolute = row["ratio"] is None
        figures = {"": (row["measured"] / factor, unit)}
        if not absolute:
            figures |= {"_against": (row["against"] / factor, unit), "_ratio": (row["ratio"], "ratio")}
        if row["goal"] is not None:
            figures["_goal"] = (row["goal"] / factor, unit) if absolute else (row["goal"], "ratio")
        for end, (value, kept) in figures.items():
            lines.append(f'figures.{row["name"]}{end} = {{ value = {value:.4g}, unit = "{kept}" }}')
    return "\n".join(lines) + "\n"


def unknown(names: Sequence[str]) -> str:
    """Placeholder figures with these names, for a site that is built only to time it."""
    source = '[[source]]\nname = "bench"\ntitle = "not known yet"\ndate = "1970-01-01"\n'
    return source + "".join(f'figures.{name} = {{ value = 1, unit = "count" }}\n' for name in names)


def show(record: Record) -> None:
    """Print the rows as a table, then how they were measured."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for column, right in (
        ("", False),
        ("measured", True),
        ("against", True),
        ("ratio", True),
        ("goal", True),
        ("", False),
    ):
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in record.rows:
        table.add_row(
            f"{row.what}, against {row.beside}" if row.against else row.what,
            _written(row.measured, row.unit),
            "" if row.against is None else _written(row.against, row.unit),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.goal is None else f"≤ {row.goal:g}" + ("" if row.against else f" {row.unit}"),
            "" if row.met is None else "✓ met" if row.met else "✗ not met",
        )
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table)
    for line in record.method:
        console.print(f"· {line}", style="dim")


def write(record: Record, root: Path) -> Sequence[Path]:
    """Save the run in bench/DATE.json, and its figures for pages in snippets/bench.toml."""
    path = root / "bench" / f"{record.date}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(as_json(record), "utf-8")
    figures = root / "snippets" / "bench.toml"
    figures.write_text(as_figures(json.loads(path.read_text("utf-8"))), "utf-8")
    return path, figures


def _written(value: float, unit: Unit) -> str:
    return f"{value:.3g} s" if unit == "s" else f"{value / 1024:.0f} MiB"
