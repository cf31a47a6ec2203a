"""Serves the site. When you save a file of a snippet, runs the snippet and rebuilds the pages that show it.

After a save, the snippet's commands run and its pages are built; then all pages are built, and the snippet runs a
second time, to find output that changes from run to run. A new save is handled before these last two, and interrupts a
build of all pages.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from pathlib import Path

from proof.core.errors import NoEngineError, ProofError, UsageError
from proof.core.settings import cache_folder
from proof.engines import private_docker
from proof.preview.files import Files
from proof.preview.server import Server
from proof.preview.site import Site
from proof.preview.watch import Watch
from proof.publish.scripts import Scripts
from proof.reports.rows import rows
from proof.reports.terminal import Terminal
from proof.runs.result import Result
from proof.snippets.engine_version import PLATFORM
from proof.snippets.model import Snippet


class Preview:
    """The state of the preview between two saves."""

    def __init__(self, root: Path, site: Site, server: Server, watch: Watch | None) -> None:
        self._site, self._server, self._watch = site, server, watch
        self._snippets = root / "snippets"
        self._files = Files(*dict.fromkeys((self._snippets, *site.watched)))
        self._failed: dict[str, str] = {}  # by the snippet's directory: why it has no new capture
        self._unbuilt = True  # True if other pages than the saved ones may have changed as well
        self._restyled = False  # True if a style, script or setting changed, which no page's own file shows
        self._to_repeat: list[Snippet] = []  # snippets that have run only once since they were saved
        self._terminal = Terminal()

    def step(self) -> None:
        """Check the files once, and do the most urgent work."""
        if changed := self._files.changed():
            self._saved(changed)
        elif self._unbuilt:
            if self._site.build(self._files.pending):
                self._say(assets=self._restyled)
                self._unbuilt = self._restyled = False
        elif self._to_repeat and self._watch:
            snippet = self._to_repeat.pop(0)
            result = self._watch.again(snippet)
            if result.verdict != "accurate":
                self._record(result)
                self._say()
        elif self._watch:
            self._watch.load_ahead()

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
        # The pages that a browser shows are built first, if there are any. The rest are built later, with all pages.
        if first := {page for page in there if self._site.file_of(page) in self._server.open} or there:
            self._site.build_pages(first)
        self._restyled |= any(path.suffix != ".md" and not path.is_relative_to(self._snippets) for path in changed)
        self._say()
        names = ", ".join(sorted(path.name for path in first)) or "no page"
        over = time.monotonic() - started - seconds
        self._terminal.say(f" · {names}: {seconds:.1f} s in commands and {over:.1f} s more", "dim")

    def _run(self, name: str) -> float:
        """Run the stale snippets in a directory, and return the seconds that their commands took."""
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
            lines = [f"{result.snippet.name}: {result.verdict}", *(line for _, line in rows(result))]
            self._failed[result.snippet.folder.name] = "\n".join(lines)

    def _say(self, *, assets: bool = False) -> None:
        said = [*self._failed.values(), *(p for found in self._site.problems.values() for p in found)]
        problems = "\n\n".join(dict.fromkeys(said))
        if problems != self._server.problems:
            self._terminal.say(problems or " ✓ fixed", "bold red" if problems else "green")
        self._server.say(problems=problems, assets=assets)


def serve(root: Path, *, port: int, plain: bool) -> None:
    """Serve a project until Ctrl-C. With `plain`, run no snippets."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C
    terminal = Terminal()
    with contextlib.ExitStack() as stack:
        watch = None
        if not plain:
            try:
                with terminal.stage("private engine"):
                    engine = stack.enter_context(private_docker.start(cache_folder(), PLATFORM))
                watch = Watch(root, engine, cache_folder())
            except NoEngineError as error:
                terminal.say("Snippets are not run, and pages show what is captured.", "yellow")
                terminal.problems([error])
        site = Site(root, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="preview-"))))
        try:
            server = Server(port, lambda: site.shown, Scripts.of(root))
        except OSError as error:
            what = f"cannot use port {port}: {error.strerror}"
            raise UsageError(what, hint=f"--port {port + 1}") from error
        preview = Preview(root, site, server, watch)
        terminal.say(f"The site is at http://127.0.0.1:{port}/. Press Ctrl-C to stop.", "bold")
        while True:
            preview.step()
