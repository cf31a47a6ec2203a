"""Times the preview: from saving a file until a browser that shows its page is told of the new one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from maintenance.bench.clock import NotComparableError, Taken

_START = 120.0  # seconds for the first build of all pages
_REST = 8.0  # seconds for what the preview does after a save: it builds all pages and may run the commands once more


@contextlib.contextmanager
def serving(root: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run the preview of a project, and yield its port when it has built its pages and is idle."""
    port = 8000 + os.getpid() % 1000
    argv = [sys.executable, "-m", "proof.cli.main", "serve", *options, "--port", str(port)]
    settings = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **(env or {})}
    with subprocess.Popen(argv, cwd=root, env=settings, stdout=subprocess.DEVNULL) as running:
        try:
            _wait_for(port)
            time.sleep(_REST)
            yield port
        finally:
            running.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        time.sleep(0.5)
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            if answer.status == 200:
                return
    raise NotComparableError("the preview did not show a page in time")


def until_shown(port: int, page: str, save: Callable[[], None]) -> Taken:
    """The time from saving a file until a browser that shows `page` is told to reload it.

    Returns when the preview is idle again, so that it does not slow down what is timed next.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-preview/news?{page}", timeout=600) as news:
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
