"""Snippets run by the tool, against the same commands as a script: cold, warm, and one of them edited.

Each side has a private engine of its own, so that none finds what another one built.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks import clock
from benchmarks.clock import NotComparableError, Taken
from benchmarks.record import Row
from benchmarks.script import script
from proof import bases, beside, manifest, private, rebuild
from proof.cli import PLATFORM
from proof.engine import Engine
from proof.manifest import Snippet

METHOD = """
A private engine for each side, begun cold; loading the bases counts on no side. The sides are the script, the tool with
{jobs} jobs, which is what it takes here by itself, and the tool with one.

Cold and warm: each clock holds the start and the stop of its engine, {engine:.1f} s, and memory is that of the tool
alone, not of clients and daemon. Cold, the script goes first; warm, the sides take turns.

Edited: a line is added to {edited} while scripts/serve runs; from the save until a browser is told of the new page,
against that snippet's commands on an engine that runs; taking turns.
"""
_REST = 8.0  # seconds: after a save all pages are built, and the commands run once more, out of the build cache


class Sides:
    """A project and its snippets, with an engine's cache for each side."""

    def __init__(self, root: Path, names: list[str], work: Path, cache: Path) -> None:
        self.root, self._work = root, work
        self._known = bases.load(root)
        self.snippets = manifest.load_all(root, names)
        self.names = [snippet.name for snippet in self.snippets]
        self._keeps = {name: base.keeps for name, base in self._known.images.items()}
        self._tool, self._one, self._bare = work / "tool", work / "one", work / "bare"
        self.engine_seconds = 0.0
        for side in (self._tool, self._one, self._bare):
            side.mkdir(parents=True)
            for shared in ("packages", "bases"):  # nothing of a download is measured
                (cache / shared).mkdir(parents=True, exist_ok=True)
                (side / shared).symlink_to(cache / shared)
            with private.start(side, PLATFORM) as engine:
                for name in bases.wanted(self.snippets):
                    rebuild.ensure(self._known, name, engine, origin="rebuilt", cache=side)

    def cold(self) -> Iterator[Row]:
        """Everything is built for the first time."""
        bare, one, tool = self._by_script(), self._by_tool(cache=self._one, jobs=1), self._by_tool()
        yield Row("cold", "a cold check", "s", tool.seconds, bare.seconds, "the same commands as a script", 0.7)
        yield Row("cold_one", "a cold check, one job", "s", one.seconds, bare.seconds, "the same script", 1.1)

    def warm(self, times: int) -> Iterator[Row]:
        """Nothing has changed since; and what it takes in memory, for one snippet and for all."""
        sides = (self._by_tool, lambda: self._by_tool(cache=self._one, jobs=1), self._by_script)
        tool, single, bare = clock.in_turns(times, *sides)
        yield Row("warm", "a warm check", "s", tool.seconds, bare.seconds, "the warm script", 0.5)
        yield Row("warm_one", "a warm check, one job", "s", single.seconds, bare.seconds, "the same script", 1.1)
        one = self._by_tool(self.names[:1])
        count = len(self.names)
        yield Row("check_memory", f"memory of a check of {count} snippets", "KiB", tool.kib, one.kib, "of 1", 1.1)

    def edited(self, name: str, file: str, line: str, page: str, times: int) -> Iterator[Row]:
        """One file saved, again and again, while the preview runs."""
        (snippet,) = manifest.load_all(self.root, [name])
        path = snippet.context / file
        # A project of the script's own: the preview would hear of an edit in this one, and run beside it.
        apart = Path(shutil.copytree(self.root, self._work / "apart"))
        typed = apart / path.relative_to(self.root)
        own: list[float] = []

        def bare() -> Taken:
            typed.write_text(typed.read_text("utf-8") + f"{line} {time.monotonic_ns()}\n", "utf-8")
            return self._script(engine, manifest.load_all(apart, [name]))

        def tool() -> Taken:
            before = _captures(self.root)
            taken = _until_shown(port, page, path, f"{line} {time.monotonic_ns()}\n")
            changed = {Path(p).parent for p, at in _captures(self.root).items() if before.get(p) != at}
            if {folder.parents[1].name for folder in changed} != {name}:
                raise NotComparableError(f"a save of {name} changed {sorted(map(str, changed)) or 'nothing'}")
            record = json.loads((snippet.captured / "rebuilt" / "capture.json").read_text("utf-8"))
            commands = sum(step["seconds"] for step in record["steps"].values())
            own.append(taken - commands)
            time.sleep(_REST)  # all pages, and the commands once more: not while the other side is timed
            return Taken(taken)

        with private.start(self._bare, PLATFORM) as engine, self._preview() as port:
            tool()  # the bases of this snippet are looked up once, and the page's first build is past
            own.clear()
            shown, run = clock.in_turns(times, tool, bare)
        yield Row("edited", "one snippet edited, save to page", "s", shown.seconds, run.seconds, "its commands", 1.1)
        yield Row("save", "save to page, beyond its commands", "s", sorted(own)[len(own) // 2], None, "", 1.0)

    def _by_tool(self, names: list[str] | None = None, *, cache: Path | None = None, jobs: int | None = None) -> Taken:
        words = ["check", *(names or self.names), f"--jobs={jobs or beside.default_jobs()}"]
        return clock.module("proof.cli", *words, cwd=self.root, env={"PROOF_CACHE": str(cache or self._tool)})

    def _by_script(self) -> Taken:
        started = time.monotonic()
        with private.start(self._bare, PLATFORM) as engine:
            self.engine_seconds = time.monotonic() - started
            self._script(engine, self.snippets)
            stopping = time.monotonic()
        self.engine_seconds += time.monotonic() - stopping
        return Taken(time.monotonic() - started)

    def _script(self, engine: Engine, snippets: list[Snippet]) -> Taken:
        file = self._work / "commands.sh"
        file.write_text(script(snippets, self._work / "contexts", self._keeps))
        return Taken(clock.command(["sh", str(file)], cwd=self._work, env=engine.env))

    @contextlib.contextmanager
    def _preview(self) -> Iterator[int]:
        """`scripts/serve` on this project; yields its port."""
        port = 8000 + os.getpid() % 1000
        argv = [sys.executable, "-m", "preview", "--port", str(port)]
        env = {**os.environ, "PROOF_CACHE": str(self._tool), "NO_MKDOCS_2_WARNING": "1"}
        with subprocess.Popen(argv, cwd=self.root, env=env, stdout=subprocess.DEVNULL) as serving:
            try:
                _wait_for(port)
                time.sleep(_REST)
                yield port
            finally:
                serving.terminate()


def _until_shown(port: int, page: str, path: Path, line: str) -> float:
    """Seconds from adding a line to a file until a browser that shows `page` is told that there is a new one."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-preview/news?{page}", timeout=600) as news:
        events = (json.loads(event[6:]) for event in news if event.startswith(b"data: "))
        first = next(events)["version"]
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
        saved = time.monotonic()
        shown = next(event for event in events if event["version"] != first or event["problems"])
        if shown["problems"]:
            raise NotComparableError(f"the preview says: {shown['problems']}")
        return time.monotonic() - saved


def _wait_for(port: int) -> None:
    """Until the preview has built its pages."""
    for _ in range(240):
        time.sleep(0.5)
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            if answer.status == 200:
                return
    raise NotComparableError("the preview shows no page")


def _captures(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.glob("snippets/*/captured/**/capture.json")}
