"""Loads many pages in a browser at once, and says what happened in each: its tree, scripts that ran, requests."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Frame, Page, Request

READERS = (Path(__file__).parent / "readers.js").read_text("utf-8")
_DRIVER = b"<!doctype html><meta charset=utf-8><title>Frames</title><link rel=icon href=data:,><body>"
# In each window, before its page: what the inputs call, and a listener for what a policy blocks.
_CANARY = """(() => {
  const number = () => {
    let frame = self
    while (frame.parent !== top) frame = frame.parent
    return Number(frame.name)
  }
  self.canary = () => top.ran.push(number())
  addEventListener("securitypolicyviolation", event =>
    top.blocked.push([number(), `${event.effectiveDirective} ${event.blockedURI}`]))
})()"""


@dataclass
class Shown:
    """A page as the browser had it."""

    tree: str
    addresses: list[str]  # of links and images, as the browser understands them
    ran: int = 0  # how often a script has called canary()
    asked: list[str] = field(default_factory=list)  # requests, each with its type
    blocked: list[str] = field(default_factory=list)  # what the page's policy has prevented


class Frames:
    """A page with a frame for each page to look at."""

    def __init__(self, page: Page, pages: dict[str, bytes], served: list[str], origin: str) -> None:
        self._page, self._pages, self._served = page, pages, served
        self._requests: list[tuple[int, str]] = []
        self.origin = origin  # of the pages
        self.elsewhere = origin.replace("127.0.0.1", "localhost").removeprefix("http:") + "/canary.js"
        page.context.on("request", self._request)
        page.goto(origin)
        page.evaluate(f"{READERS}\nObject.assign(self, {{ show }})")

    def show(self, pages: Sequence[str]) -> list[Shown]:
        """Load these pages, all at the same time."""
        self._pages.clear()
        self._pages.update((f"/{number}.html", page.encode()) for number, page in enumerate(pages))
        self._served.clear()
        self._requests.clear()
        result = self._page.evaluate("count => show(count)", len(pages))
        shown = [Shown(*tree) for tree in result["trees"]]
        for number in result["ran"]:
            shown[number].ran += 1
        for number, what in result["blocked"]:
            shown[number].blocked.append(what)
        for number, what in self._requests:
            shown[number].asked.append(what)
        noticed = {what.split(" ")[1].partition("/canary")[2] for _, what in self._requests}
        assert {path.partition("/canary")[2] for path in self._served if "/canary" in path} <= noticed
        return shown

    def _request(self, request: Request) -> None:
        frame: Frame | None = request.frame
        while frame and frame.parent_frame and frame.parent_frame.parent_frame:
            frame = frame.parent_frame
        if frame and frame.name and request.url != f"{self.origin}/{frame.name}.html":
            self._requests.append((int(frame.name), f"{request.resource_type} {request.url}"))


@contextmanager
def frames(browser: Browser) -> Iterator[Frames]:
    """Frames in this browser."""
    pages: dict[str, bytes] = {}
    served: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body, kind = _DRIVER if self.path == "/" else pages.get(self.path), "text/html"
            if body is None:
                served.append(self.path)
                body, kind = b"canary()", "text/plain" if self.path.endswith(".txt") else "text/javascript"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """A frame that goes in the middle of an answer is no failure."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    context = browser.new_context()
    try:
        context.add_init_script(_CANARY)
        yield Frames(context.new_page(), pages, served, f"http://127.0.0.1:{server.server_port}")
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()
