"""Times snippets run by the tool, compared with the bare commands: cold, again, and after an edit.

The bare commands run as well as a person could script them: a script for each snippet, as many in parallel as the tool
has jobs, the slowest first. Each side has its own private engine, so that none finds what another has built.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from maintenance.bench import clock, preview
from maintenance.bench.clock import NotComparableError, Taken
from maintenance.bench.generated import MODEL, generate
from maintenance.bench.record import Row
from maintenance.bench.script import Edit, script
from proof.captures import durations
from proof.engines import private_docker
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import scheduler
from proof.snippets import base_images, project
from proof.snippets.base_images import PLATFORM
from proof.snippets.model import Snippet

_BARE = "the bare commands"
_ITS_COMMANDS = "its commands"  # of the snippet that is edited
_COPIES = 50  # the memory of a check of this many copies is compared with that of one
_EDITED = Edit("multi", "main.go", "// edited")


class Sides:
    """A project and its snippets, with a cache directory for each side that is compared. Some rows edit the project."""

    def __init__(
        self,
        root: Path,
        names: list[str],
        work: Path,
        cache: Path,
        *,
        edit: Edit = _EDITED,
        model: str = MODEL,
    ) -> None:
        self.root, self._work, self._edit, self._model = root, work, edit, model
        self._bases = base_images.load(root)
        self.snippets = project.load_all(root, names)
        self._tool, self._bare = work / "tool", work / "bare"
        self._initial: dict[Path, tuple[set[Path], set[str]]] = {}  # the records and images of a side with only bases
        for side in (self._tool, self._bare):
            side.mkdir(parents=True)
            for shared in ("packages", "bases"):  # so that no download is measured
                (cache / shared).mkdir(parents=True, exist_ok=True)
                (side / shared).symlink_to(cache / shared)
            with private_docker.start(side, PLATFORM) as engine:
                for name in base_images.wanted(self.snippets):
                    loader.ensure(self._bases, name, engine, origin="rebuilt", cache=side)
                self._initial[side] = _records(side), engine.images()

    def rows(self, times: int) -> Iterator[Row]:
        """Time everything: with empty build caches, a second time, and after an edit of one snippet."""
        bare, tool = clock.alternate(times, self._cold_bare, self._cold_tool)
        yield Row("cold", "a cold check", "s", tool.seconds, bare.seconds, _BARE, 1.03)
        # The seconds that these commands take at least, if they keep every processor busy all the time.
        least = bare.processor / (os.cpu_count() or 1)
        what = "their processor time, divided by the processors"
        yield Row("cold_bound", "a cold check", "s", tool.seconds, least, what, None)
        tool, bare = clock.alternate(times, partial(self._by_tool, "check", "--rerun"), self._by_scripts)
        yield Row("rerun", "with --rerun", "s", tool.seconds, bare.seconds, _BARE, 1.1)
        few, many = (self._check_of_copies(count) for count in (1, _COPIES))
        yield Row("check_memory", f"memory of a check of {_COPIES} snippets", "KiB", many.kib, few.kib, "1", 1.1)
        if self._edit.snippet in [snippet.name for snippet in self.snippets]:
            yield from self._edits(times)

    def _edits(self, times: int) -> Iterator[Row]:
        edit = self._edit
        (snippet,) = [snippet for snippet in self.snippets if snippet.name == edit.snippet]
        path = snippet.context / edit.file

        def update() -> Taken:
            edit.apply(path)
            time.sleep(0.1)  # a file that changed too recently would not be cached
            return self._by_tool("update")

        tool, bare = clock.alternate(times, update, lambda: self._by_scripts([snippet], edit))
        yield Row("changed", "one snippet edited, all updated", "s", tool.seconds, bare.seconds, _ITS_COMMANDS, 1.05)

        def save() -> Taken:
            before = _captures(self.root)
            taken = preview.until_shown(port, "/", lambda: edit.apply(path))
            after = _captures(self.root)
            changed = {path.relative_to(self.root).parts[1] for path in after if before.get(path) != after[path]}
            if changed != {edit.snippet}:
                raise NotComparableError(f"a save of {edit.snippet} changed {sorted(changed) or 'nothing'}")
            return taken

        with (
            private_docker.start(self._bare, PLATFORM) as engine,
            preview.serving(self.root, env={"PROOF_CACHE": str(self._tool)}) as port,
        ):
            save()  # not counted: the first time loads the bases and builds the page for the first time
            tool, bare = clock.alternate(times, save, lambda: self._script(engine, snippet, edit))
        yield Row("edited", "one snippet edited, save to page", "s", tool.seconds, bare.seconds, _ITS_COMMANDS, 1.05)

    def _cold_bare(self) -> Taken:
        self._reset(self._bare)
        return self._by_scripts()

    def _cold_tool(self) -> Taken:
        self._reset(self._tool)
        return self._by_tool("check")

    def _reset(self, side: Path) -> None:
        """Reset a side to the state in which it had only the bases."""
        records, images = self._initial[side]
        with private_docker.start(side, PLATFORM) as engine:
            engine.remove(images=sorted(engine.images() - images))
            for kind in ("builder", "volume"):
                engine.client.call(kind, "prune", "--all", "--force", deadline=120)
        for path in _records(side) - records:
            path.unlink()

    def _by_tool(self, *words: str) -> Taken:
        return self._proof(*words, *(snippet.name for snippet in self.snippets), cwd=self.root)

    def _check_of_copies(self, count: int) -> Taken:
        copies = generate(self.root, self._model, self._work / f"copies-{count}", count, pages=False)
        return self._proof("check", "--rerun", cwd=copies)

    def _proof(self, *words: str, cwd: Path) -> Taken:
        return clock.module("proof.cli.main", *words, cwd=cwd, env={"PROOF_CACHE": str(self._tool), "CI": ""})

    def _by_scripts(self, snippets: Sequence[Snippet] = (), edit: Edit | None = None) -> Taken:
        """A script for each snippet, as many in parallel as the tool has jobs. The slowest start first."""
        snippets = snippets or self.snippets
        seconds = durations.durations(snippets)
        used, started = clock.processor_seconds(), time.monotonic()
        with (
            private_docker.start(self._bare, PLATFORM) as engine,
            ThreadPoolExecutor(scheduler.default_jobs()) as pool,
        ):
            ordered = sorted(snippets, key=lambda snippet: -seconds[snippet.name])
            list(pool.map(lambda snippet: self._script(engine, snippet, edit), ordered))
        return Taken(time.monotonic() - started, processor=clock.processor_seconds() - used)

    def _script(self, engine: Engine, snippet: Snippet, edit: Edit | None) -> Taken:
        keeps = {name: base.keeps for name, base in self._bases.images.items()}
        with tempfile.NamedTemporaryFile("w", dir=self._work, suffix=".sh") as file:
            file.write(script(snippet, self._work / "contexts", keeps, edit))
            file.flush()
            # A script needs more programs than the engine's clients.
            env = engine.client.env | {"PATH": os.environ["PATH"]}
            return Taken(clock.command(["sh", file.name], cwd=self._work, env=env))


def _records(side: Path) -> set[Path]:
    """The files that the tool has cached for one side, without the engine and without what all sides share."""
    folders = [path for path in side.iterdir() if not path.is_symlink() and not path.name.startswith("engine-")]
    return {path for folder in folders for path in folder.rglob("*.json")}


def _captures(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.glob("snippets/*/captured/**/capture.json")}
