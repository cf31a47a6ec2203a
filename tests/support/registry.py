"""A local registry that serves one small image, and can fail in the ways that real ones do."""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest

from tests.support.makers import member, tar

Fault = Literal["429", "429 soon", "503", "401", "404", "silent", "reset", "garbage", "short", "slow"]
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_TOO_MANY = (429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"too many"}]}')
_UNKNOWN = (404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
_ANSWERS = {
    "429": _TOO_MANY,
    "429 soon": _TOO_MANY,
    "503": (503, b"<html>Service Unavailable</html>"),
    "401": (401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'),
    "404": _UNKNOWN,
    "garbage": (200, b"<html>You are offline</html>"),
}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _described(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


@dataclass
class Registry:
    """What it serves, and what goes wrong: `faults` are spent one a request, then all is well."""

    manifest: bytes
    blobs: dict[str, bytes]
    faults: list[Fault] = field(default_factory=list)
    forever: Fault | None = None  # instead of all being well
    asked: list[str] = field(default_factory=list)  # the path of each request
    address: str = ""  # host:port
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def digest(self) -> str:
        """Of the image, as a pull by digest names it."""
        return _digest(self.manifest)

    def next_fault(self) -> Fault | None:
        """What goes wrong with the request that just came."""
        return self.faults.pop(0) if self.faults else self.forever


def need_skopeo() -> None:
    """Skip the test if skopeo is not installed, except in CI."""
    if not shutil.which("skopeo") and not os.environ.get("CI"):
        pytest.skip("no skopeo here: apt-get install skopeo")


@contextlib.contextmanager
def serving() -> Iterator[Registry]:
    """A registry that answers until the end of the block, on a port of its own."""
    layer = tar(member("etc/motd", b"hello\n"))
    packed = gzip.compress(layer, mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "COPY motd /etc/"}],
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described("application/vnd.docker.container.image.v1+json", config),
            "layers": [_described("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
        }
    ).encode()
    registry = Registry(manifest, {_digest(config): config, _digest(packed): packed})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            registry.asked.append(self.path)
            fault = registry.next_fault()
            if fault == "silent":
                registry.closing.wait(120)
                self.close_connection = True
            elif fault == "reset":
                # Closed with a linger of nothing: the client sees the connection reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            elif fault in _ANSWERS:
                self.answer(*_ANSWERS[fault], soon="soon" in fault)
            else:
                if fault == "slow":
                    registry.closing.wait(1)
                self.well(short=fault == "short")

        do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

        def well(self, *, short: bool) -> None:
            what = self.path.rsplit("/", 1)[-1]
            if self.path == "/v2/":
                self.answer(200, b"{}")
            elif "/manifests/" in self.path and what in ("1", registry.digest):
                self.answer(200, registry.manifest, kind=_MANIFEST)
            elif what in registry.blobs:
                self.answer(200, registry.blobs[what], short=short)
            else:
                self.answer(*_UNKNOWN)

        def answer(
            self, code: int, body: bytes, *, kind: str = "application/json", soon: bool = False, short: bool = False
        ) -> None:
            with contextlib.suppress(OSError):  # a client that was ended does not hear the rest
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Docker-Content-Digest", _digest(body))
                if soon:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body[: len(body) // 2] if short else body)
                self.close_connection = short

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        registry.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            registry.closing.set()
            server.shutdown()
            thread.join()
