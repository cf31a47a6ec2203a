"""Times snippets run by the tool, compared with the bare commands: cold, again, and after an edit.

The bare commands run as well as a person could script them: a script for each snippet, as many in parallel as the tool
has jobs, the slowest first. Each side has its own private engine, so that none finds what another has built.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from maintenance.bench import clock, preview
from maintenance.bench.clock import NotComparableError, Taken
from maintenance.bench.pages import generate
from maintenance.bench.record import Row
from maintenance.bench.script import script
from proof.captures import durations
from proof.engines import private_docker
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import scheduler
from proof.snippets import base_images
from proof.snippets import project as manifest
from proof.snippets.base_images import PLATFORM
from proof.snippets.model import Snippet

BARE = "the bare commands"
BOUND = "their processor time, divided by the processors"
METHOD = """
A private engine for each side. The sides are the tool, with {jobs} jobs, which is what it takes here by itself, and the
bare commands: a script for each snippet, {jobs} at a time, the slowest first. They take turns; the median of {times}
counts. Each clock holds the start and the stop of an engine, {engine:.1f} s. The tool runs snippets that measure time
alone, after the others; the scripts do not.

Cold: without build cache, images and counts but those of the bases, whose loading counts on no side. The commands need
some processor time, whoever runs them. It is that of all processes of the bare side, with its engine; the kernel's own
is not in it. Memory is that of the tool alone, not of clients and daemon, for copies of one snippet.

Changed: a line is added to {edited}, then all is updated, against that snippet's commands with their engine. Edited:
the same while scripts/serve runs; from the save until a browser is told of the new page, against that snippet's
commands on an engine that runs. Both take turns.
"""
OF_ALL = """
All snippets run cold once on each side.
"""


class Sides:
    """A project and its snippets, with a cache directory for each side that is compared."""

    def __init__(self, root: Path, names: list[str], work: Path, cache: Path) -> None:
        self.root, self._work = root, work
        self._known = base_images.load(root)
        self.snippets = manifest.load_all(root, names)
        self.names = [snippet.name for snippet in self.snippets]
        self._keeps = {name: base.keeps for name, base in self._known.images.items()}
        self._tool, self._bare = work / "tool", work / "bare"
        self.engine_seconds = 0.0
        self._initial: dict[Path, tuple[set[Path], set[str]]] = {}  # the records and images of a side with only bases
        for side in (self._tool, self._bare):
            side.mkdir(parents=True)
            for shared in ("packages", "bases"):  # so that no download is measured
                (cache / shared).mkdir(parents=True, exist_ok=True)
                (side / shared).symlink_to(cache / shared)
            with private_docker.start(side, PLATFORM) as engine:
                for name in base_images.wanted(self.snippets):
                    loader.ensure(self._known, name, engine, origin="rebuilt", cache=side)
                self._initial[side] = _kept(side), engine.images()

    def cold(self, times: int) -> Iterator[Row]:
        """Time everything with empty build caches."""
        bare, tool = self._cold(times, self._by_tool)
        yield Row("cold", "a cold check", "s", tool.seconds, bare.seconds, BARE, 1.03)
        yield Row("cold_bound", "a cold check", "s", tool.seconds, _bound(bare), BOUND, None)

    def again(self, times: int) -> Iterator[Row]:
        """Time everything a second time, with nothing changed."""
        tool, bare = clock.alternate(times, partial(self._by_tool, "--rerun"), self._by_scripts)
        yield Row("rerun", "with --rerun", "s", tool.seconds, bare.seconds, BARE, 1.1)

    def everything(self, times: int) -> Iterator[Row]:
        """Time `proof check` of the whole project: once with empty build caches, then with nothing changed."""

        def check() -> Taken:
            return self._by_tool(root=self.root)

        bare, tool = self._cold(1, check)
        yield Row("all_cold", "a cold check of all snippets", "s", tool.seconds, bare.seconds, BARE, 1.03)
        yield Row("all_bound", "a cold check of all snippets", "s", tool.seconds, _bound(bare), BOUND, 1.05)
        check()  # a run keeps no verdict of a file that changed just before it
        (cached,) = clock.alternate(times, check)
        yield Row("all_warm", "a check of all snippets, nothing changed", "s", cached.seconds, None, "", 1.0)

    def memory(self, model: str, count: int) -> Iterator[Row]:
        """Measure the memory for a check of many copies of one snippet, compared with one copy."""
        taken = []
        for copies in (1, count):
            project = generate(self.root, model, self._work / f"copies-{copies}", copies, pages=False)
            taken.append(self._by_tool("--rerun", root=project))
        one, many = taken
        yield Row("check_memory", f"memory of a check of {count} snippets", "KiB", many.kib, one.kib, "of 1", 1.1)

    def changed(self, name: str, file: str, line: str, times: int) -> Iterator[Row]:
        """Time an update of everything after an edit of one file, compared with the commands of that snippet."""
        apart = _Edited(self.root, self._work / "changed", name, file, line)
        here = _Edited(self.root, self.root, name, file, line)

        def tool() -> Taken:
            here.edit()
            time.sleep(0.1)  # a file that changed too recently would not be cached
            return self._by_tool(verb="update")

        shown, run = clock.alternate(times, tool, lambda: self._by_scripts(apart.edit()))
        yield Row("changed", "one snippet edited, all updated", "s", shown.seconds, run.seconds, "its commands", 1.05)

    def edited(self, name: str, file: str, line: str, page: str, times: int) -> Iterator[Row]:
        """Time from saving a file until the preview shows the new page, compared with the snippet's commands."""
        (snippet,) = manifest.load_all(self.root, [name])
        path = snippet.context / file
        # The script has its own copy of the project: the preview would notice an edit in this one, and run as well.
        apart = _Edited(self.root, self._work / "apart", name, file, line)

        def bare() -> Taken:
            return self._script(engine, apart.edit())

        def tool() -> Taken:
            before = _captures(self.root)
            taken = preview.until_shown(port, page, path, f"{line} {time.monotonic_ns()}\n")
            changed = {Path(p).parent for p, at in _captures(self.root).items() if before.get(p) != at}
            if {folder.parents[1].name for folder in changed} != {name}:
                raise NotComparableError(f"a save of {name} changed {sorted(map(str, changed)) or 'nothing'}")
            return taken

        with (
            private_docker.start(self._bare, PLATFORM) as engine,
            preview.serving(self.root, env={"PROOF_CACHE": str(self._tool)}) as port,
        ):
            tool()  # not counted: the first time loads the bases and builds the page for the first time
            shown, run = clock.alternate(times, tool, bare)
        yield Row("edited", "one snippet edited, save to page", "s", shown.seconds, run.seconds, "its commands", 1.05)

    def _cold(self, times: int, check: Callable[[], Taken]) -> list[Taken]:
        """Time the bare commands and the tool, each in the state in which it had only the bases."""

        def first(side: Path, run: Callable[[], Taken]) -> Taken:
            self._reset(side)
            return run()

        return clock.alternate(times, partial(first, self._bare, self._by_scripts), partial(first, self._tool, check))

    def _reset(self, side: Path) -> None:
        """Reset a side to the state in which it had only the bases."""
        kept, images = self._initial[side]
        with private_docker.start(side, PLATFORM) as engine:
            engine.remove(images=sorted(engine.images() - images))
            engine.client.call("builder", "prune", "--all", "--force", deadline=120)
            engine.client.call("volume", "prune", "--all", "--force", deadline=120)
        for path in _kept(side) - kept:
            path.unlink()

    def _by_tool(self, *words: str, verb: str = "check", root: Path | None = None) -> Taken:
        """Run the tool on the snippets, or on all snippets of the project `root`."""
        env = {"PROOF_CACHE": str(self._tool), "CI": ""}
        return clock.module(
            "proof.cli.main", verb, *words, *([] if root else self.names), cwd=root or self.root, env=env
        )

    def _by_scripts(self, snippets: list[Snippet] | None = None) -> Taken:
        """A script for each snippet, as many in parallel as the tool has jobs. The slowest start first."""
        snippets = snippets or self.snippets
        seconds = durations.durations(snippets)
        ordered = sorted(snippets, key=lambda s: -seconds[s.name])
        used, started = clock.processor_seconds(), time.monotonic()
        with (
            private_docker.start(self._bare, PLATFORM) as engine,
            ThreadPoolExecutor(scheduler.default_jobs()) as pool,
        ):
            self.engine_seconds = time.monotonic() - started
            list(pool.map(lambda snippet: self._script(engine, [snippet]), ordered))
            stopping = time.monotonic()
        ended = time.monotonic()
        self.engine_seconds += ended - stopping
        return Taken(ended - started, processor=clock.processor_seconds() - used)

    def _script(self, engine: Engine, snippets: list[Snippet]) -> Taken:
        with tempfile.NamedTemporaryFile("w", dir=self._work, suffix=".sh") as file:
            file.write(script(snippets, self._work / "contexts", self._keeps))
            file.flush()
            # A script needs more programs than the engine's clients.
            env = engine.client.env | {"PATH": os.environ["PATH"]}
            return Taken(clock.command(["sh", file.name], cwd=self._work, env=env))


class _Edited:
    """A project, or a copy of it, in which one file of a snippet can be edited repeatedly."""

    def __init__(self, root: Path, folder: Path, name: str, file: str, line: str) -> None:
        self._root = folder if folder == root else Path(shutil.copytree(root, folder))
        self._name, self._file, self._line = name, file, line

    def edit(self) -> list[Snippet]:
        """Append a line to the file, and return the snippet."""
        found = manifest.load_all(self._root, [self._name])
        path = found[0].context / self._file
        path.write_text(f"{path.read_text('utf-8')}{self._line} {time.monotonic_ns()}\n", "utf-8")
        return found


def _bound(bare: Taken) -> float:
    """The seconds that these commands take at least, if they keep every processor busy all the time."""
    return bare.processor / (os.cpu_count() or 1)


def _kept(side: Path) -> set[Path]:
    """The files that the tool has cached for one side, without the engine and without what all sides share."""
    folders = [path for path in side.iterdir() if not path.is_symlink() and not path.name.startswith("engine-")]
    return {path for folder in folders for path in folder.rglob("*.json")}


def _captures(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.glob("snippets/*/captured/**/capture.json")}
