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
from maintenance.bench.record import Record, Row
from proof.core.errors import ProofError
from proof.core.settings import cache_folder
from proof.pages.scan import scan
from proof.runs import scheduler
from proof.snippets import project as project_module
from proof.system import process

_PAGES = ["docs/index.md", "docs/layers.md"]  # whose snippets are timed repeatedly: a minute of commands, if not cached
_EDITED = ("multi", "main.go", "//", "/")  # a snippet, a file of it, how a comment begins, a page that shows it
_FIGURE = re.compile(r"\bbench\.(\w+)")
_MODEL = "joined"  # the snippet that generated projects have copies of
_COPIES = 50  # the memory of a check of this many copies is compared with that of one


def main() -> int:
    """Run the requested benchmarks and print the rows. If all were run, save them too."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"snippets to run (default: of {', '.join(_PAGES)})")
    parser.add_argument("--all", action="store_true", help="all snippets, status of 10,000, 1,000 pages too: an hour")
    parser.add_argument(
        "--part", choices=("snippets", "status", "site"), action="append", help="run only this part; saves nothing"
    )
    parser.add_argument("--times", type=int, default=3, metavar="N", help="number of rounds; the median counts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    root, started = project_module.find_root(Path.cwd()), time.monotonic()
    parts = options.part or ["snippets", "status", "site"]
    # So that no side is timed while Python compiles modules. It does that at the first import, unless told not to.
    compileall.compile_dir(Path(proof.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        project = _copy(root, work / "project")
        names = options.names or _used(project)
        method = ""
        rows: list[Row] = []
        if "snippets" in parts:
            sides = snippets.Sides(project, names, work / "engines", cache_folder())
            names = sides.names
            rows += _shown(sides.cold(options.times), options)
            rows += _shown(sides.again(options.times), options)
            rows += _shown(sides.memory(_MODEL, _COPIES), options)
            if _EDITED[0] in names:
                rows += _shown(sides.changed(*_EDITED[:3], times=3), options)
                rows += _shown(sides.edited(*_EDITED, times=2), options)
            method = snippets.METHOD.format(
                engine=sides.engine_seconds,
                times=options.times,
                jobs=scheduler.default_jobs(),
                edited="/".join(_EDITED[:2]),
            )
            project = _copy(root, work / "again")  # without the edits made above
            if options.all and not options.names:
                whole = snippets.Sides(project, [], work / "whole", cache_folder())
                rows += _shown(whole.everything(options.times), options)
                method += snippets.OF_ALL
        if "status" in parts:
            counts = [10, 100, 1000, *([10_000] if options.all else [])]
            rows += _shown(pages.status(project, _MODEL, work, counts, options.times), options)
        if "site" in parts:
            counts = [10, 100, *([1000] if options.all else [])]
            rows += _shown(pages.site(project, _MODEL, work, counts, options.times), options)
        if parts != ["snippets"]:
            method += pages.METHOD
    engine = process.run(["docker", "--version"], env=os.environ).text().strip()
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    found = Record(date, engine, names, record.paragraphs(method), rows, round(time.monotonic() - started))
    if options.json:
        print(record.as_json(found), end="")
    else:
        record.show(found)
    if not options.part and not options.names:
        print("Saved in " + " and ".join(str(path) for path in record.write(found, root)), file=sys.stderr)
    return 0


def _copy(root: Path, folder: Path) -> Path:
    """Copy the project without generated files: benchmarks edit files and write captures."""
    made = shutil.ignore_patterns(".git", ".venv", "build", "site", "tests", ".*_cache", "__pycache__")
    copy = Path(shutil.copytree(root, folder, ignore=made))
    # The page that states the figures of the benchmarks is built here too, so it needs some value for each.
    stated = {name for page in (copy / "docs").rglob("*.md") for name in _FIGURE.findall(page.read_text("utf-8"))}
    (copy / "snippets" / "bench.toml").write_text(record.unknown(sorted(stated)), "utf-8")
    return copy


def _used(root: Path) -> list[str]:
    scanned = [page for page in scan(root, expand=False) if str(page.path.relative_to(root)) in _PAGES]
    return sorted(set().union(*(page.page.snippets for page in scanned)))


def _shown(rows: Iterator[Row], options: argparse.Namespace) -> Iterator[Row]:
    """Pass on the rows, and print each as soon as it is known: the next one may take minutes."""
    for row in rows:
        if not options.json:
            print(f"{row.what}: {row.measured:.2f} {row.unit}", file=sys.stderr)
        yield row


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ProofError, NotComparableError) as problem:
        print(f"scripts/bench: {problem}", file=sys.stderr)
        sys.exit(3)
