"""How long the tool takes compared with what it runs and builds: ratios within one run, on this machine."""

from __future__ import annotations

import argparse
import compileall
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import proof
from maintenance.bench import pages, record, snippets
from maintenance.bench.clock import NotComparableError
from maintenance.bench.generated import MODEL
from maintenance.bench.record import Record, Row
from proof.core.errors import ProofError
from proof.core.settings import cache_folder
from proof.pages.scan import scan
from proof.runs import scheduler
from proof.snippets import project as project_module
from proof.system import process

_PAGES = ["docs/index.md", "docs/layers.md"]  # whose snippets are timed repeatedly: a minute of commands, if not cached
_FIGURE = re.compile(r"\bbench\.(\w+)")
_METHOD = Path(__file__).with_name("method.txt")
_PARTS = ("snippets", "status", "site")


def main() -> int:
    """Run the requested benchmarks and print the rows. If all were run, save them too."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"snippets to run (default: of {', '.join(_PAGES)})")
    parser.add_argument("--part", choices=_PARTS, action="append", help="run only this part; saves nothing")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="number of rounds; the median counts")
    options = parser.parse_args()
    root, started = project_module.find_root(Path.cwd()), time.monotonic()
    parts = options.part or _PARTS
    # So that no side is timed while Python compiles modules. It does that at the first import, unless told not to.
    compileall.compile_dir(Path(proof.__file__).parent, quiet=1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        project = _copy(root, work / "project")
        names = options.names or _used(project)
        if "snippets" in parts:
            sides = snippets.Sides(_copy(root, work / "edited"), names, work / "engines", cache_folder())
            rows += _printed(sides.rows(options.times))
        if "status" in parts:
            rows += _printed(pages.status(project, MODEL, work, [10, 100, 1000], options.times))
        if "site" in parts:
            rows += _printed(pages.site(project, MODEL, work, [10, 100], options.times))
    if not options.part and not options.names:
        engine = process.run(["docker", "--version"], env=os.environ).text().strip()
        seconds = round(time.monotonic() - started)
        method = _METHOD.read_text("utf-8").format(jobs=scheduler.default_jobs(), times=options.times).split("\n\n")
        saved = Record(f"{datetime.now(UTC):%Y-%m-%d}", engine, names, method, rows, seconds)
        print("Saved in " + " and ".join(map(str, record.write(saved, root))))
    return 0


def _copy(root: Path, folder: Path) -> Path:
    """Copy the project without generated files: benchmarks edit files and write captures."""
    made = shutil.ignore_patterns(".git", ".venv", "build", "site", "tests", ".*_cache", "__pycache__")
    copy = Path(shutil.copytree(root, folder, ignore=made))
    # The page that states the figures of the benchmarks is built here too, so it needs some value for each.
    stated = {name for page in (copy / "docs").rglob("*.md") for name in _FIGURE.findall(page.read_text("utf-8"))}
    (copy / "snippets" / "bench.toml").write_text(record.placeholders(sorted(stated)), "utf-8")
    return copy


def _used(root: Path) -> list[str]:
    scanned = [page for page in scan(root, expand=False) if str(page.path.relative_to(root)) in _PAGES]
    return sorted(set().union(*(page.page.snippets for page in scanned)))


def _printed(rows: Iterator[Row]) -> Iterator[Row]:
    """Print each row as soon as it is known: the next one may take minutes."""
    for row in rows:
        print(row, flush=True)
        yield row


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ProofError, NotComparableError) as problem:
        print(f"scripts/bench: {problem}", file=sys.stderr)
        sys.exit(3)
