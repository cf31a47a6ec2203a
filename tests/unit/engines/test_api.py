"""What is asked of a private engine without a client. The engine is a server that answers as Docker 26.1.5 does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proof.engines import api
from tests.support.engines import private
from tests.unit.engines.conftest import Answer

PLATFORM = "linux/amd64"
PONG = b"HTTP/1.0 200 OK\r\nApi-Version: 1.45\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOK"
REMOVED = b"HTTP/1.0 204 No Content\r\nApi-Version: 1.45\r\n\r\n"
MISSING = b'HTTP/1.0 404 Not Found\r\nContent-Type: application/json\r\n\r\n{"message":"No such container: proof-c"}\n'
BUSY = (
    b"HTTP/1.0 409 Conflict\r\nContent-Type: application/json\r\n\r\n"
    b'{"message":"removal of container proof-c is already in progress"}\n'
)
Server = Callable[[bytes], tuple[Path, list[str]]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Starts a server that gives one answer to every request; returns its socket and the list of the requests."""
    with contextlib.ExitStack() as stack:

        def start(answer: bytes) -> tuple[Path, list[str]]:
            path, asked = tmp_path / "docker.sock", list[str]()
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(path))
            listening.listen()

            def serve() -> None:
                with contextlib.suppress(OSError):  # it is closed at the end of the test
                    while True:
                        opened, _ = listening.accept()
                        with opened:
                            asked.append(opened.recv(4096).decode().partition(" HTTP/")[0])
                            # Whether or not something can be removed, the engine is there.
                            said = PONG if answer == BUSY and asked[-1] == "GET /_ping" else answer
                            opened.sendall(said[:20])  # in pieces, as a network may deliver them
                            opened.sendall(said[20:])

            threading.Thread(target=serve, daemon=True).start()
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            return path, asked

        yield start


def test_an_answer(server: Server) -> None:
    """The status, and the body without the headers."""
    path, asked = server(PONG)
    assert api.ask(path, "GET", "/_ping", deadline=10) == api.Answer(200, b"OK")
    assert asked == ["GET /_ping"]


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_no_answer(said: bytes, server: Server) -> None:
    """An engine that closes the connection, or that is something else."""
    with pytest.raises(ConnectionError, match="no answer to GET /_ping"):
        api.ask(server(said)[0], "GET", "/_ping", deadline=10)


def test_alive(server: Server, tmp_path: Path, answers: Callable[[Answer], list[list[str]]]) -> None:
    """A private engine is asked without a client. One that is gone, or starts with an error, is not alive."""
    clients = answers(lambda _: (0, ""))
    assert not private(socket=tmp_path / "gone.sock").client.alive()
    assert private(socket=server(PONG)[0]).client.alive()
    assert clients == []


def test_an_engine_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that was stopped accepts connections, but never answers."""
    monkeypatch.setattr("proof.engines.client._ANSWER", 0.05)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "docker.sock"))
        listening.listen()
        assert not private(socket=tmp_path / "docker.sock").client.alive()


@pytest.mark.parametrize("answer", [REMOVED, MISSING])
def test_removing(answer: bytes, server: Server, answers: Callable[[Answer], list[list[str]]]) -> None:
    """What is removed or missing needs no client. Networks come after the containers that use them."""
    clients = answers(lambda _: (0, ""))
    path, asked = server(answer)
    engine = private(socket=path)
    assert engine.remove(containers=["proof-c"], networks=["proof-n"], images=["proof-1/example:a", "b c"])
    assert asked == [
        "DELETE /containers/proof-c?force=1&v=1",
        "DELETE /networks/proof-n",
        "DELETE /images/proof-1/example%3Aa?force=1",
        "DELETE /images/b%20c?force=1",
    ]
    assert clients == []


@pytest.mark.parametrize("code", [0, 1])
def test_what_resists_is_left_to_a_client(
    code: int, server: Server, answers: Callable[[Answer], list[list[str]]]
) -> None:
    """It waits for a removal that is under way, or says why it fails."""
    clients = answers(lambda argv: (code if argv[1] == "rm" else 0, ""))
    engine = private(socket=server(BUSY)[0])
    assert engine.remove(containers=["proof-c"]) is (code == 0)
    assert clients == [["docker", "rm", "--force", "--volumes", "proof-c"]]
