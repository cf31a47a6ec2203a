"""Serves the site on this machine, and tells browsers what is running, what is wrong, and when to reload.

A script is added to each page while it is sent. It is in no file of the site, so it cannot be published by mistake.

Any page that is open in a browser can send requests to this machine. So a request must name this server as its host,
which prevents DNS rebinding, must not come from another site, and must ask for a file of the site by a plain path.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from proof.publish import csp
from proof.publish.page import Page, digest
from proof.publish.scripts import Scripts

_SCRIPT = Path(__file__).with_name("preview.js")
_PREFIX = "/-preview/"
_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_SLOW = 10.0  # seconds that a client may take for its request, or for a part of the response
_AWAKE = 15.0  # seconds between writes: only a write shows that a browser has gone away


class Server(ThreadingHTTPServer):
    """Serves the directory that `folder()` returns, which may be another one at each call."""

    daemon_threads = True

    def __init__(self, port: int, folder: Callable[[], Path], scripts: Scripts) -> None:
        self.folder, self.scripts = folder, scripts
        self._news = threading.Condition()
        self.running = self.problems = ""
        self.open: list[Path] = []  # the files of the pages that browsers show, relative to the folder
        self._assets = self._count = 0
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def say(self, *, running: str | None = None, problems: str | None = None, assets: bool = False) -> None:
        """Send news to every browser. A page reloads if its file has changed, or in any case if `assets` is set."""
        with self._news:
            self.running = self.running if running is None else running
            self.problems = self.problems if problems is None else problems
            self._assets += assets
            self._count += 1
            self._news.notify_all()

    def wait(self, known: int) -> int:
        """Wait for news later than number `known`, but not for long. Returns the number of the latest news."""
        with self._news:
            self._news.wait_for(lambda: self._count != known, timeout=_AWAKE)
            return self._count

    def state(self, page: Path) -> dict[str, object]:
        """The state to send to a browser that shows this page."""
        content = page.read_bytes() if page.is_file() else b""
        version = f"{hashlib.sha256(content).hexdigest()[:16]}-{self._assets}"
        return {"version": version, "running": self.running, "problems": self.problems}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes the connection in the middle of a response."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _SLOW
    error_message_format, error_content_type = "%(message)s\n", "text/plain"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("#")[0].partition("?")
        if refusal := self._refusal():
            self.send_error(refusal)
        elif path == f"{_PREFIX}script.js":
            self._send("text/javascript", _SCRIPT.read_bytes())
        elif (file := self._file(unquote(query) if path == f"{_PREFIX}news" else path)) is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif path == f"{_PREFIX}news":
            self._news(file)
        elif path.endswith(("/", ".html")):
            self._page(file)
        elif file.is_dir():
            self._send("text/plain", b"", HTTPStatus.MOVED_PERMANENTLY, Location=f"{quote(unquote(path))}/")
        elif file.is_file():
            self._send(mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _refusal(self) -> HTTPStatus | None:
        """Why another site's page must have sent this request, if it did."""
        names = {f"{host}:{self.server.server_port}" for host in _HOSTS}
        if self.server.server_port == 80:
            names |= set(_HOSTS)
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].strip().lower() not in names:
            return HTTPStatus.MISDIRECTED_REQUEST
        origins = self.headers.get_all("Origin", [])
        # Links on other sites may lead here, but other sites must not embed or read anything from here.
        followed = self.headers.get("Sec-Fetch-Mode") == "navigate" and self.headers.get("Sec-Fetch-Dest") == "document"
        is_ours = self.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        if any(origin not in {f"http://{name}" for name in names} for origin in origins) or not (is_ours or followed):
            return HTTPStatus.FORBIDDEN
        return None

    def _file(self, path: str) -> Path | None:
        """The file of the site that a path names, whether it exists or not.

        None for what a browser never asks for: links, `..`, `//`, an encoded NUL, the address of another host.
        """
        name = unquote(path)
        file = f"{self.server.folder().resolve()}{name}{'index.html' if name.endswith('/') else ''}"
        try:
            is_plain = name.startswith("/") and os.path.realpath(file) == file
            Path(file).is_file()  # raises OSError for a name that is too long
        except (OSError, ValueError):
            return None
        return Path(file) if is_plain else None

    def _page(self, file: Path) -> None:
        there = file.is_file()
        content = file.read_bytes() if there else b"<!doctype html><title>Not here</title><body></body>"
        version = self.server.state(file)["version"]
        tag = f'<script src="{_PREFIX}script.js" data-version="{version}"></script></body>'
        sent = content.replace(b"</body>", tag.encode(), 1)
        # The same scripts as on the published site, so that an author sees what readers will see. These files are named
        # by their addresses, since the page is not finished and has no hashes of them.
        page = Page(self.server.folder(), file, content.decode("utf-8", "replace"))
        scripts = self.server.scripts
        known = [f"'{digest(text.encode())}'" for text in page.inline_scripts if scripts.know(text)]
        files = filter(None, (scripts.path(page, address) for address in page.script_files))
        here = f"http://{self.headers['Host'].strip()}"
        policy = csp.policy([*known, f"{here}{_PREFIX}script.js", *(f"{here}/{name}" for name in files)])
        status = HTTPStatus.OK if there else HTTPStatus.NOT_FOUND
        self._send("text/html", sent, status, **{"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})

    def _send(self, kind: str, content: bytes, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> None:
        self.send_response(status)
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        for name, value in {"Content-Type": f"{kind}{charset}", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        """Add headers that keep other sites from using any response, and browsers from keeping it."""
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def _news(self, file: Path) -> None:
        """Server-sent events, until the browser goes away."""
        relative = file.relative_to(self.server.folder().resolve())
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        known = -1
        self.server.open.append(relative)
        try:
            while True:
                known = self.server.wait(known)
                state = self.server.state(self.server.folder() / relative)
                self.wfile.write(f"data: {json.dumps(state)}\n\n".encode())
        except OSError:
            pass
        finally:
            self.server.open.remove(relative)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing: the terminal shows the results of snippets and builds."""
