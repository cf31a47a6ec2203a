"""A folder of files over HTTP on loopback, compressed and over lasting connections as from a public host."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt"}


@contextmanager
def serve(folder: Path, sent: dict[str, int] | None = None) -> Iterator[str]:
    """The address under which `folder` is served while the context lasts, with a slash at its end.

    `sent` is filled with the bytes of each body that was sent, by path, as compressed.
    """
    handler = partial(_Files, sent={} if sent is None else sent, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Files(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a connection for several requests
    disable_nagle_algorithm = True  # which would hold a body back until its headers are acknowledged

    def __init__(self, *arguments: Any, sent: dict[str, int], **more: Any) -> None:
        self.sent = sent
        super().__init__(*arguments, **more)  # which answers the request

    def do_GET(self) -> None:
        path, status = Path(self.translate_path(self.path)), 200
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            path, status = Path(self.directory) / "404.html", 404
        body = path.read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.sent[self.path] = self.sent.get(self.path, 0) + len(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: a test reports what it misses."""
