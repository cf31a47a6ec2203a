"""Shows the site to this machine's browsers, and tells them what is running, what is wrong, and when to reload.

What it adds to a page is added while it is sent: no file of the site holds any of it, so none can be published.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

_SCRIPT = Path(__file__).with_name("preview.js")
_PREFIX = "/-preview/"
_AWAKE = 15.0  # seconds: a browser that went away is noticed by writing to it


class Server(ThreadingHTTPServer):
    """The site below `folder()`, which may be another one at each call."""

    daemon_threads = True

    def __init__(self, port: int, folder: Callable[[], Path]) -> None:
        self.folder = folder
        self._news = threading.Condition()
        self.running = self.problems = ""
        self.open: list[Path] = []  # the files of the pages that browsers show, below the folder
        self._assets = self._count = 0
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def say(self, *, running: str | None = None, problems: str | None = None, assets: bool = False) -> None:
        """Tell every browser; a page reloads where its file is another one, or with `assets` in any case."""
        with self._news:
            self.running = self.running if running is None else running
            self.problems = self.problems if problems is None else problems
            self._assets += assets
            self._count += 1
            self._news.notify_all()

    def wait(self, known: int) -> int:
        """Wait until there is news after `known`, or for a while; returns the count of what was said so far."""
        with self._news:
            self._news.wait_for(lambda: self._count != known, timeout=_AWAKE)
            return self._count

    def state(self, page: Path) -> dict[str, object]:
        """What the browser that shows this page should know."""
        content = page.read_bytes() if page.is_file() else b""
        version = f"{hashlib.sha256(content).hexdigest()[:16]}-{self._assets}"
        return {"version": version, "running": self.running, "problems": self.problems}


class _Handler(SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.directory = str(self.server.folder())
        path, _, query = self.path.partition("?")
        if path == f"{_PREFIX}script.js":
            self._send(200, "text/javascript", _SCRIPT.read_bytes())
        elif path == f"{_PREFIX}news":
            self._news(self._page(unquote(query)))
        elif path.endswith(("/", ".html")):
            page = self._page(path)
            content = page.read_bytes() if page.is_file() else b"<!doctype html><title>Not here</title><body></body>"
            tag = (
                f'<script src="{_PREFIX}script.js" data-version="{self.server.state(page)["version"]}"></script></body>'
            )
            self._send(200 if page.is_file() else 404, "text/html", content.replace(b"</body>", tag.encode(), 1))
        else:
            super().do_GET()

    def _page(self, path: str) -> Path:
        page = Path(self.translate_path(path))
        return page / "index.html" if path.endswith("/") else page

    def _send(self, code: int, kind: str, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def _news(self, page: Path) -> None:
        """Server-sent events, until the browser goes away."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        known, relative = -1, page.relative_to(Path(self.directory).resolve())
        self.server.open.append(relative)
        try:
            while True:
                known = self.server.wait(known)
                state = self.server.state(self.server.folder() / relative)
                self.wfile.write(f"data: {json.dumps(state)}\n\n".encode())
        except OSError:
            self.server.open.remove(relative)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the terminal is for what the author does."""
