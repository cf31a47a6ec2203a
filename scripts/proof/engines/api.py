"""Docker's HTTP API, for what no reader sees: a request takes a hundredth of the processor time of a client.

https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_PIECE = 1 << 16  # bytes


@dataclass(frozen=True)
class Answer:
    """What the engine answered to a request."""

    status: int
    body: bytes

    @property
    def gone(self) -> bool:
        """After a request to remove something: whether it is gone, or was not there."""
        return self.status in (200, 204, 404)


def ask(engine: Path, method: str, path: str, *, deadline: float) -> Answer:
    """Send a request to the engine with this socket.

    Raises OSError if it does not answer, or is silent for `deadline` seconds.
    """
    # With HTTP/1.0 the answer ends with the connection, so it can be read without http.client, whose import would cost
    # as much as the client that this replaces.
    request = f"{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as opened:
        opened.settimeout(deadline)
        opened.connect(str(engine))
        opened.sendall(request.encode("ascii"))
        answer = b"".join(iter(lambda: opened.recv(_PIECE), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if (status := _STATUS.match(head)) is None:
        raise ConnectionError(f"no answer to {method} {path}")
    return Answer(int(status[1]), body)
