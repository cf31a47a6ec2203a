"""The rows of a run, with their goals: printed, and kept as JSON and as figures for a page."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """One or two measurements, and a goal: the most that their ratio should be, or the only one.

    A row without a goal says what can be reached at all.
    """

    name: str  # a page refers to it as bench.NAME
    what: str
    unit: Literal["s", "KiB"]
    measured: float  # with the tool
    against: float | None  # without the tool, or for a smaller input; None if there is nothing to compare with
    beside: str  # what `against` measures
    goal: float | None

    @property
    def ratio(self) -> float | None:
        """`measured` divided by `against`; None if there is nothing to compare with."""
        return self.measured / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None for a row without a goal."""
        return None if self.goal is None else (self.ratio or self.measured) <= self.goal

    def __str__(self) -> str:
        compared = "" if self.against is None else f", against {self.against:.3g} for {self.beside}: {self.ratio:.2f}"
        verdict = "" if self.goal is None else f" ({'at most' if self.met else 'MISSED'} {self.goal:g})"
        return f"{self.what}: {self.measured:.3g} {self.unit}{compared}{verdict}"


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
        figures = {"": (row["measured"] / factor, unit)}
        if row["ratio"] is not None:
            figures |= {"_against": (row["against"] / factor, unit), "_ratio": (row["ratio"], "ratio")}
        if row["goal"] is not None:
            figures["_goal"] = (row["goal"] / factor, unit) if row["ratio"] is None else (row["goal"], "ratio")
        for suffix, (value, kept) in figures.items():
            lines.append(f'figures.{row["name"]}{suffix} = {{ value = {value:.4g}, unit = "{kept}" }}')
    return "\n".join(lines) + "\n"


def placeholders(names: Sequence[str]) -> str:
    """Figures with these names, for a site that is built only to time it."""
    source = '[[source]]\nname = "bench"\ntitle = "not known yet"\ndate = "1970-01-01"\n'
    return source + "".join(f'figures.{name} = {{ value = 1, unit = "count" }}\n' for name in names)


def write(record: Record, root: Path) -> Sequence[Path]:
    """Save the run in bench/DATE.json, and its figures for pages in snippets/bench.toml."""
    rows = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in record.rows]
    data = {"schema": SCHEMA, **asdict(record), "machine": machine(), "rows": rows}
    path, figures = root / "bench" / f"{record.date}.json", root / "snippets" / "bench.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    figures.write_text(as_figures(data), "utf-8")
    return path, figures
