"""How long the tool takes compared with what it runs and builds: ratios within one run, on this machine.

A private engine for each side. The sides are the tool, with the jobs that it takes here by itself, and the bare
commands: those of as many snippets at a time, the slowest first. They take turns; the median of the rounds counts. Each
clock holds the start and the stop of an engine. The tool runs snippets that measure time alone, after the others; the
bare commands do not.

Cold: an engine with the bases alone, whose loading counts on no side. The commands need some processor time, whoever
runs them. It is that of all processes of the bare side, with its engine; the kernel's own is not in it. Memory is that
of the tool alone, not of clients and daemon, for copies of one snippet.

Changed: a line is added to a file of one snippet, then all is updated, against that snippet's commands with their
engine. Edited: the same while scripts/serve runs; from the save until a browser is told of the new page, against that
snippet's commands on an engine that runs. Both take turns.

Generated: copies of one snippet with its capture: with a single page for `proof status`, and with a page each for the
site. Status is timed where it has looked at the project before, and once where it has not.

By hand: the same pages, transcripts, figures and boxes pasted in as HTML, without the extension; the sides take turns.

Save to page: from saving a page while scripts/serve runs until a browser is told of the new one.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import proof
from maintenance import bench_projects
from proof.captures import durations
from proof.core.errors import ProofError
from proof.core.settings import cache_folder
from proof.engines import private_docker
from proof.engines.interface import Engine
from proof.pages.scan import scan
from proof.provision import loader
from proof.runs import execute, scheduler
from proof.snippets import base_images
from proof.snippets import project as project_module
from proof.snippets.engine_version import PLATFORM
from proof.snippets.model import Snippet
from proof.system import process

MODEL = "joined"  # the snippet that generated projects have copies of
_PAGES = ["docs/index.md", "docs/layers.md"]  # whose snippets are timed: a minute of commands, if not cached
_EDITED = ("multi", "main.go")  # a snippet, and the file of it that a line is added to
_COPIES = 50  # the memory of a check of this many copies is compared with that of one
_START, _REST = 120.0, 8.0  # seconds until the preview shows a page, and for what it does after a save
# What the tool adds to a command, too.
_ALONE = {"run": ["--rm", "--network=none"], "build": ["--network=none"]}
# Runs a module as `python -m` does, then writes its peak resident memory to a file. getrusage would not do: it also
# counts the memory of this process at the fork, and the docker clients that the module waits for.
_CHILD = """
import atexit, pathlib, runpy, sys
out, module, *sys.argv[1:] = sys.argv[1:]
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(out).write_text(status.split("VmHWM:")[1].split()[0])
atexit.register(peak)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


class NotComparableError(Exception):
    """One side failed, or did not do what was to be timed."""


@dataclass(frozen=True)
class Taken:
    """The time and memory that one call took."""

    seconds: float  # wall clock
    kib: int = 0  # peak resident memory of the process itself
    processor: float = 0.0  # seconds that all processes used, on all processors together


@dataclass(frozen=True)
class Row:
    """One or two measurements, in seconds or KiB, and a goal: the most that their ratio should be, or the only one.

    A row without a goal says what can be reached at all.
    """

    name: str  # a page refers to it as bench.NAME
    measured: float  # with the tool
    goal: float | None
    against: float | None = None  # without the tool, or for a smaller input; None if there is nothing to compare with

    @property
    def unit(self) -> str:
        """The unit of both measurements."""
        return "KiB" if self.name.endswith("memory") else "s"

    @property
    def ratio(self) -> float | None:
        """`measured` divided by `against`; None if there is nothing to compare with."""
        return self.measured / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None for a row without a goal."""
        return None if self.goal is None else (self.ratio or self.measured) <= self.goal

    def __str__(self) -> str:
        compared = "" if self.against is None else f", against {self.against:.3g}: {self.ratio:.2f}"
        verdict = "" if self.goal is None else f" ({'at most' if self.met else 'MISSED'} {self.goal:g})"
        return f"{self.name}: {self.measured:.3g} {self.unit}{compared}{verdict}"


def run_command(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], code: int = 0) -> None:
    """Run a command. `env` is added to the environment. Raises NotComparableError if it ends with another exit code."""
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if done.returncode != code:
        printed = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise NotComparableError(f"{' '.join(argv[-4:])} failed with {done.returncode}:\n{printed}")


def time_module(name: str, *arguments: str, cwd: Path, cache: Path | None = None) -> Taken:
    """Time `python -m name …` from start to end. Raises NotComparableError if it fails."""
    env = {"NO_MKDOCS_2_WARNING": "1", "CI": "", **({"PROOF_CACHE": str(cache)} if cache else {})}
    with tempfile.NamedTemporaryFile() as peak:
        started = time.monotonic()
        run_command([sys.executable, "-c", _CHILD, peak.name, name, *arguments], cwd=cwd, env=env)
        return Taken(time.monotonic() - started, int(peak.read()))


time_proof = partial(time_module, "proof.cli.main")


def alternate(times: int, *sides: Callable[[], Taken]) -> list[Taken]:
    """Run all sides `times` times, in alternating order. Returns the median times and the peak memory of each side."""
    runs: list[list[Taken]] = [[] for _ in sides]
    for turn in range(times):
        for number in sorted(range(len(sides)), reverse=turn % 2 == 1):
            runs[number].append(sides[number]())
    return [
        Taken(
            statistics.median(taken.seconds for taken in side),
            max(taken.kib for taken in side),
            statistics.median(taken.processor for taken in side),
        )
        for side in runs
    ]


class Sides:
    """A project and its snippets, which the tool and the bare commands run, each with a cache directory of its own."""

    def __init__(self, root: Path, names: list[str], work: Path, *, edited: tuple[str, str] = _EDITED) -> None:
        self.root, self._work, self._edited = root, work, edited
        self.snippets = project_module.load_all(root, names)
        self._tool, self._bare = work / "tool", work / "bare"

    def rows(self, times: int, *, model: str = MODEL, copies: int = _COPIES) -> Iterator[Row]:
        """Time everything: with empty build caches, a second time, and after an edit of one snippet."""
        bare, tool = alternate(times, self._cold_bare, self._cold_tool)
        yield Row("cold", tool.seconds, 1.03, bare.seconds)
        # The seconds that these commands take at least, if they keep every processor busy all the time.
        least = bare.processor / (os.cpu_count() or 1)
        yield Row("cold_bound", tool.seconds, None, least)
        tool, bare = alternate(times, partial(self._by_tool, "check", "--rerun"), self._by_hand)
        yield Row("rerun", tool.seconds, 1.1, bare.seconds)
        few, many = (
            time_proof(
                *("check", "--rerun"),
                cwd=bench_projects.generate(self.root, model, self._work / f"copies-{count}", count, pages=False),
                cache=self._tool,
            ).kib
            for count in (1, copies)
        )
        yield Row("check_memory", many, 1.1, few)
        for snippet in self.snippets:
            if snippet.name == self._edited[0]:
                yield from self._edits(snippet, times)

    def _edits(self, snippet: Snippet, times: int) -> Iterator[Row]:
        file, capture = snippet.context / self._edited[1], snippet.folder / "captured/rebuilt/capture.json"

        def update() -> Taken:
            edit(file)
            time.sleep(0.1)  # a file that changed too recently would not be cached
            return self._by_tool("update")

        def save() -> Taken:
            before = capture.stat().st_mtime_ns
            taken = until_shown(lambda: edit(file))
            if capture.stat().st_mtime_ns == before:
                raise NotComparableError(f"a save of {snippet} did not run it")
            return taken

        def commands() -> Taken:
            edit(file)
            started = time.monotonic()
            run_bare(snippet, engine)
            return Taken(time.monotonic() - started)

        def commands_with_engine() -> Taken:
            edit(file)
            return self._by_hand([snippet])

        tool, bare = alternate(times, update, commands_with_engine)
        yield Row("changed", tool.seconds, 1.05, bare.seconds)
        with private_docker.start(self._bare, PLATFORM) as engine, serving(self.root, cache=self._tool):
            save()  # not counted: the first time loads the bases and builds the page for the first time
            tool, bare = alternate(times, save, commands)
        yield Row("edited", tool.seconds, 1.05, bare.seconds)

    def _cold_tool(self) -> Taken:
        self._renew(self._tool)
        return self._by_tool("check")

    def _cold_bare(self) -> Taken:
        self._renew(self._bare)
        return self._by_hand()

    def _renew(self, side: Path) -> None:
        """Make a cache directory anew, in whose engine there are only the bases."""
        if side.exists():
            shutil.rmtree(side)
        side.mkdir(parents=True)
        for shared in ("packages", "bases"):  # so that no download is measured
            (cache_folder() / shared).mkdir(parents=True, exist_ok=True)
            (side / shared).symlink_to(cache_folder() / shared)
        bases = base_images.load(self.root)
        with private_docker.start(side, PLATFORM) as engine:
            for name in base_images.wanted(self.snippets):
                loader.ensure(bases, name, engine, origin="rebuilt", cache=side)

    def _by_tool(self, *words: str) -> Taken:
        return time_proof(*words, *(snippet.name for snippet in self.snippets), cwd=self.root, cache=self._tool)

    def _by_hand(self, snippets: Sequence[Snippet] = ()) -> Taken:
        snippets = snippets or self.snippets
        seconds = durations.durations(snippets)
        used, started = _processor_seconds(), time.monotonic()
        with (
            private_docker.start(self._bare, PLATFORM) as engine,
            ThreadPoolExecutor(scheduler.default_jobs()) as pool,
        ):
            slowest_first = sorted(snippets, key=lambda snippet: -seconds[snippet.name])
            list(pool.map(lambda snippet: run_bare(snippet, engine), slowest_first))
        return Taken(time.monotonic() - started, processor=_processor_seconds() - used)


def run_bare(snippet: Snippet, engine: Engine) -> None:
    """Run the commands of a snippet, and nothing more. Raises NotComparableError if one doesn't exit as declared."""
    own = engine.for_snippet(snippet.bases)
    with execute.inputs(snippet, own) as given:
        for step in snippet.steps:
            if step.inside or step.command.verb == "detach":
                raise NotComparableError(f"{step} needs more than one docker command, so it cannot be timed")
            renamed = given.dockerfiles.get(step.name)
            argv = execute.command_line(step.command, own, _ALONE.get(step.command.verb, []), dockerfile=renamed)
            env = own.client.env | {"PATH": os.environ["PATH"]}
            run_command(argv, cwd=given.context, env=env, code=step.exit)


def edit(file: Path, line: str = "// edited") -> None:
    """Add a line, with something else in it every time."""
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"{line} {time.monotonic_ns()}\n")


def _processor_seconds() -> float:
    """The processor time of all processes that this one has started and that have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


_PREVIEW = f"127.0.0.1:{8000 + os.getpid() % 1000}"


@contextlib.contextmanager
def serving(root: Path, *options: str, cache: Path | None = None) -> Iterator[None]:
    """Run the preview of a project. The block begins when it has built its pages and is idle."""
    argv = [sys.executable, "-m", "proof.cli.main", "serve", *options, "--port", _PREVIEW.rpartition(":")[2]]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **({"PROOF_CACHE": str(cache)} if cache else {})}
    until = time.monotonic() + _START
    with subprocess.Popen(argv, cwd=root, env=env, stdout=subprocess.DEVNULL) as preview:
        try:
            while time.monotonic() < until and preview.poll() is None:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{_PREVIEW}/", timeout=10):
                    break
                time.sleep(0.5)
            else:
                raise NotComparableError("the preview did not show a page in time")
            time.sleep(_REST)
            yield
        finally:
            preview.terminate()


def until_shown(save: Callable[[], None]) -> Taken:
    """The time from saving a file until a browser that shows the first page is told to reload it.

    Returns when the preview is idle again, so that it does not slow down what is timed next.
    """
    with urllib.request.urlopen(f"http://{_PREVIEW}/-preview/news?/", timeout=600) as news:
        events = (json.loads(event[6:]) for event in news if event.startswith(b"data: "))
        first = next(events)["version"]
        save()
        saved = time.monotonic()
        shown = next(event for event in events if event["version"] != first or event["problems"])
        taken = Taken(time.monotonic() - saved)
    if shown["problems"]:
        raise NotComparableError(f"the preview reports: {shown['problems']}")
    time.sleep(_REST)
    return taken


def status(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time `proof --help`, and `proof status` with each number of snippets; measure the memory of `proof status`."""
    (shown,) = alternate(times, partial(time_proof, "--help", cwd=work))
    yield Row("help", shown.seconds, 0.15)
    again = []
    for count in counts:
        project = bench_projects.generate(root, model, work / f"status-{count}", count, pages=False)
        timed = partial(time_proof, "status", cwd=project, cache=work / "cache")
        first = timed()  # with a cache of its own, it finds nothing there
        again += alternate(times, timed)
        yield Row(f"status_{count}", again[-1].seconds, 0.5)
    yield Row("status_first", first.seconds, 0.5)
    yield Row("status_linear", again[-1].seconds, count / counts[-2], again[-2].seconds)
    yield Row("status_memory", again[-1].kib, 1.1, again[0].kib)


def site(root: Path, model: str, work: Path, counts: list[int], times: int) -> Iterator[Row]:
    """Time building this site and generated ones, compared with the same pages by hand; then an edit of a page."""
    projects = {"site": root}
    for count in counts:
        projects[f"site_{count}"] = bench_projects.generate(root, model, work / f"site-{count}", count, pages=True)
    build = partial(time_module, "mkdocs", "build", "--quiet", "--site-dir", str(work / "built"))
    for name, project in projects.items():
        pasted = bench_projects.by_hand(project, work / f"{name}-by-hand")
        ours, theirs = alternate(times, partial(build, cwd=project), partial(build, cwd=pasted))
        yield Row(name, ours.seconds, 1.05, theirs.seconds)
        yield Row(f"{name}_memory", ours.kib, 1.1, theirs.kib)
    show = partial(until_shown, partial(edit, root / "docs/index.md", "\n{{ waiver: a benchmark }} It is"))
    with serving(root, "--plain"):
        show()  # not counted: the first time loads modules
        (shown,) = alternate(times, show)
    yield Row("page_edited", shown.seconds, 0.2)


def write_record(root: Path, snippets: list[str], times: int, rows: list[Row], seconds: float) -> list[Path]:
    """Save a run in bench/DATE.json, and its figures for pages in snippets/bench.toml."""
    # Only the kernel's series: what a distribution or a provider adds to the version has nothing to do with speed.
    series = ".".join(platform.release().split(".")[:2])
    data = {
        "schema": 1,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "engine": process.run(["docker", "--version"], env=os.environ).text().strip(),
        "machine": f"{os.cpu_count()} processors, Linux {series}, Python {platform.python_version()}",
        "snippets": snippets,
        "jobs": scheduler.default_jobs(),
        "rounds": times,
        "method": [" ".join(paragraph.split()) for paragraph in (__doc__ or "").split("\n\n")[1:]],
        "rows": [{**asdict(row), "unit": row.unit, "ratio": row.ratio, "met": row.met} for row in rows],
        "seconds": round(seconds),
    }
    record, figures = root / "bench" / f"{data['date']}.json", root / "snippets" / "bench.toml"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    figures.write_text(as_figures(data), "utf-8")
    return [record, figures]


def as_figures(data: Mapping[str, Any]) -> str:
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


def main() -> int:
    """Run the requested benchmarks and print the rows. If all were run, save them too."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"snippets to run (default: of {', '.join(_PAGES)})")
    parts = ("snippets", "status", "site")
    parser.add_argument("--part", choices=parts, action="append", help="run only this part; saves nothing")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="number of rounds; the median counts")
    options = parser.parse_args()
    root, started = project_module.find_root(Path.cwd()), time.monotonic()
    used = [page.page.snippets for page in scan(root, expand=False) if str(page.path.relative_to(root)) in _PAGES]
    names = options.names or sorted(set().union(*used))
    # So that no side is timed while Python compiles modules. It does that at the first import, unless told not to.
    compileall.compile_dir(Path(proof.__file__).parent, quiet=1)
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        # Copies, without generated files: benchmarks edit files and write captures.
        made = shutil.ignore_patterns(".git", ".venv", "build", "site", "tests", ".*_cache", "__pycache__")
        project, edited = (Path(shutil.copytree(root, work / name, ignore=made)) for name in ("project", "edited"))
        timed = {
            "snippets": lambda: Sides(edited, names, work).rows(options.times),
            "status": lambda: status(project, MODEL, work, [10, 100, 1000], options.times),
            "site": lambda: site(project, MODEL, work, [10, 100], options.times),
        }
        for part in options.part or parts:
            for row in timed[part]():  # printed as soon as it is known: the next one may take minutes
                print(row, flush=True)
                rows.append(row)
    if not options.part and not options.names:
        saved = write_record(root, names, options.times, rows, time.monotonic() - started)
        print("Saved in " + " and ".join(map(str, saved)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ProofError, NotComparableError) as problem:
        print(f"scripts/bench: {problem}", file=sys.stderr)
        sys.exit(3)
