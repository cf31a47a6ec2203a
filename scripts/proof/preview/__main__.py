"""Serves the site; on a save, runs the snippet that was edited, and shows the pages that show it, at once.

Save → the snippet's commands → its pages → all pages → the snippet once more, since what is never the same twice is
said to be so. A new save goes before the last two.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

from proof.core.errors import NoEngineError, ProofError, UsageError, complain
from proof.core.settings import cache_folder
from proof.engines import private_daemon
from proof.preview.files import Files
from proof.preview.server import Server
from proof.preview.site import Site
from proof.preview.watch import Watch
from proof.reports.terminal import Terminal
from proof.runs.result import Result
from proof.snippets import project
from proof.snippets.base_images import PLATFORM
from proof.snippets.model import Snippet


class Preview:
    """What is known between two saves."""

    def __init__(self, root: Path, site: Site, server: Server, watch: Watch | None) -> None:
        self._site, self._server, self._watch = site, server, watch
        self._snippets = root / "snippets"
        self._files = Files(*dict.fromkeys((self._snippets, *site.watched)))
        self._failed: dict[str, str] = {}  # by the snippet's folder: why it has no new capture
        self._unbuilt = True  # whether pages beside those that were saved may look otherwise now
        self._restyled = False  # whether that is because of a style, a script or a setting: no page itself tells
        self._to_repeat: list[Snippet] = []  # run once since they were saved
        self._loading_ahead = watch is not None  # whether bases are still to be loaded that a save may need
        self._terminal = Terminal()

    def step(self) -> None:
        """One look at the files, and what follows from it."""
        if changed := self._files.changed():
            self._saved(changed)
        elif self._unbuilt:
            self._site.build()
            self._say(assets=self._restyled)
            self._unbuilt = self._restyled = False
        elif self._to_repeat and self._watch:
            snippet = self._to_repeat.pop(0)
            result = self._watch.again(snippet)
            if result.verdict != "accurate":
                self._record(result)
                self._say()
        elif self._loading_ahead and self._watch:
            try:
                self._loading_ahead = self._watch.load_ahead()
            except ProofError:
                self._loading_ahead = False  # it is said when a snippet needs it

    def _saved(self, changed: set[Path]) -> None:
        started = time.monotonic()
        inside = {path.relative_to(self._snippets).parts for path in changed if path.is_relative_to(self._snippets)}
        folders = sorted({parts[0] for parts in inside if len(parts) > 1})
        edited = sorted({parts[0] for parts in inside if len(parts) > 1 and parts[1] != "captured"})
        seconds = sum(self._run(name) for name in edited) if self._watch else 0.0
        pages = {path for path in changed if path.suffix == ".md" and path.is_relative_to(self._site.docs)}
        pages |= {page for name in folders for page in self._site.showing(name)}
        self._unbuilt = True
        there = {page for page in pages if page.exists()}
        # Those that a browser shows come first, if one shows any; the others are built with all pages.
        if first := {page for page in there if self._site.file_of(page) in self._server.open} or there:
            self._site.build_pages(first)
        self._restyled |= any(path.suffix != ".md" and not path.is_relative_to(self._snippets) for path in changed)
        self._say()
        names = ", ".join(sorted(path.name for path in first)) or "no page"
        over = time.monotonic() - started - seconds
        self._terminal.say(f" · {names}: {seconds:.1f} s in commands and {over:.1f} s more", "dim")

    def _run(self, name: str) -> float:
        """Run what is stale in a folder; the seconds that its commands took."""
        assert self._watch is not None
        folder, seconds = self._snippets / name, 0.0
        self._failed.pop(name, None)
        if not (folder / "snippet.toml").exists():
            return seconds
        try:
            stale = self._watch.stale(folder)
            self._to_repeat = [s for s in self._to_repeat if s.folder != folder] + stale
            for result in self._watch.run(stale, lambda step: self._server.say(running=f"{step}: {step.text}")):
                self._record(result)
                seconds += result.seconds
        except ProofError as error:
            self._failed[name] = str(error)
        self._server.say(running="")
        self._files.look(folder / "captured")
        return seconds

    def _record(self, result: Result) -> None:
        self._terminal.result(result)
        if result.verdict not in ("written", "accurate"):
            self._to_repeat = [s for s in self._to_repeat if s.name != result.snippet.name]
            lines = [f"{result.snippet.name}: {result.verdict}", *([str(result.error)] if result.error else [])]
            for difference in result.differences:
                lines += [f"{difference.where}: {difference.what}", f"  - {difference.old}", f"  + {difference.new}"]
            self._failed[result.snippet.folder.name] = "\n".join(lines)

    def _say(self, *, assets: bool = False) -> None:
        said = [*self._failed.values(), *(p for found in self._site.problems.values() for p in found)]
        problems = "\n\n".join(dict.fromkeys(said))
        if problems != self._server.problems:
            self._terminal.say(problems or " ✓ mended", "bold red" if problems else "green")
        self._server.say(problems=problems, assets=assets)


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/serve", description=__doc__.splitlines()[0])
    parser.add_argument("--plain", action="store_true", help="run no snippet: show what is captured")
    parser.add_argument("--port", type=int, default=8000, help="on this machine alone (default: 8000)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended as by Ctrl-C: the engine and the folders go too
    terminal = Terminal()
    root = project.find_root(Path.cwd())
    with contextlib.ExitStack() as stack:
        watch = None
        if not options.plain:
            try:
                with terminal.stage("private engine"):
                    engine = stack.enter_context(private_daemon.start(cache_folder(), PLATFORM))
                watch = Watch(root, engine, cache_folder())
            except NoEngineError as error:
                terminal.say(f"No snippet is run on a save, since {error.what}: pages show what is captured.", "yellow")
        site = Site(root, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="preview-"))))
        try:
            server = Server(options.port, lambda: site.shown)
        except OSError as error:
            what = f"port {options.port} of this machine cannot be used: {error.strerror}"
            raise UsageError(what, hint=f"scripts/serve --port {options.port + 1}") from error
        preview = Preview(root, site, server, watch)
        terminal.say(f"http://127.0.0.1:{options.port}/ shows the site; Ctrl-C ends it.", "bold")
        while True:
            preview.step()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProofError as problem:
        complain(f"scripts/serve: {problem}")
        sys.exit(problem.code)
    except KeyboardInterrupt:
        sys.exit(130)
