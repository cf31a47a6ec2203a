"""The proxy through which containers with a network reach the hosts that their step names, and nothing else.

It resolves the names itself and connects to the addresses that it checked, so a name can't lead to this machine or its
network. It reads one request of a connection. In an encrypted one it sees the host, which has to be that of the
request, and no path. Requests are parsed by Python's own server, TLS greetings by OpenSSL.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import os
import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from proof.core.errors import UsageError
from proof.engines.fetched import Fetched, Log

_IDLE = 60.0  # seconds that a connection may be silent
_LONGEST = 600.0  # seconds that a connection may last
_LARGEST = 2_000_000_000  # bytes of one answer
_GREETING = 20_000  # bytes within which a client has to name its host; the usual 300 to 2,000
_CONNECTIONS = 64  # at a time; further ones wait
_PIECE = 65_536  # bytes
_POLL = 0.05  # seconds
_LAST = 3.0  # seconds in which connections may end that are open at the end of a step
_MAPPED = re.compile(r"([a-z0-9.-]+):(80|443)=([0-9a-f.:]+|\[[0-9a-f:]+\]):([0-9]{1,5})", re.ASCII)
_IPV6 = ipaddress.ip_network("2000::/3")  # all that is given out; others are local, or contain an IPv4 address
# What some versions of Python call global: protocols' own addresses, examples, and services of a cloud to its machines.
_LOCAL = [ipaddress.ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "168.63.129.16/32")]
Address = tuple[str, int]


class RefusedRequestError(Exception):
    """The proxy doesn't pass on this request."""


def mapped(text: str) -> dict[Address, Address]:
    """Where tests find hosts, as in `NAME:443=127.0.0.1:8443,…`. It comes from the environment of who runs the tool.

    Raises UsageError for anything else.
    """
    found = {}
    for entry in filter(None, text.split(",")):
        if not (parts := _MAPPED.fullmatch(entry)):
            raise UsageError(f"PROOF_HOSTS has no such form: {entry:.100}", hint="PROOF_HOSTS=NAME:443=ADDRESS:PORT")
        found[(parts[1], int(parts[2]))] = (parts[3].strip("[]"), int(parts[4]))
    return found


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet: not to this machine, its network or a provider's metadata."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _IPV6 or ip.sixtofour or ip.teredo):
        return False  # the last two contain an IPv4 address
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _LOCAL)


def addresses(host: str, port: int) -> list[Address]:
    """Where to connect to. Raises RefusedRequestError if the host has no public address."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedRequestError(f"its address is not known: {error}") from error
    public = [(str(where[0]), port) for *_, where in found if is_public(str(where[0]))]
    if not public:
        raise RefusedRequestError("it has no public address")
    return public


class Greeting:
    """The start of a TLS connection, in the pieces in which a client sends it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._received = ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._seen
        self._connection = context.wrap_bio(self._received, ssl.MemoryBIO(), server_side=True)

    def host(self, piece: bytes) -> str | None:
        """The host that it names, with this next piece; "" if it names none, and None if more of it is needed."""
        self._received.write(piece)
        try:
            self._connection.do_handshake()
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError:
            pass
        return self._names[0].lower() if self._names else ""

    def _seen(self, _socket: object, name: str | None, _context: object) -> int:
        self._names.append(name or "")
        return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE  # nothing more is to be read


class _Handler(BaseHTTPRequestHandler):
    """One connection of a container."""

    server: _Server
    timeout = _IDLE
    rbufsize = -1

    def do_CONNECT(self) -> None:
        """An encrypted connection."""
        host, _, port = self.path.rpartition(":")
        with self._answering(host, port):
            with self._connected(host, 443, port) as upstream:
                self.send_response_only(200)
                self.end_headers()
                greeting = self._greeting(host)
                upstream.sendall(greeting)
                count = self._relayed(upstream)
            self.server.log.fetched.append(Fetched(host, "https", "", count, ""))

    def do_GET(self) -> None:
        """A request that isn't encrypted."""
        url = urlsplit(self.path)
        host, port = url.hostname or "", str(url.port or 80) if url.scheme == "http" else url.scheme
        with self._answering(host, port):
            if url.username is not None or self._given("Host") not in ([host], [f"{host}:80"]):
                raise RefusedRequestError("the request names two hosts")
            if "Transfer-Encoding" in self.headers or self._given("Content-Length") not in ([], ["0"]):
                raise RefusedRequestError("a request may have no content")
            with self._connected(host, 80, port) as upstream:
                path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
                self._fetch(upstream, host, path)

    do_HEAD = do_GET  # noqa: N815

    def _given(self, header: str) -> list[str]:
        """The values of a header, in lower case: several of them could be read in two ways."""
        return [value.lower() for value in self.headers.get_all(header, [])]

    def _fetch(self, upstream: socket.socket, host: str, path: str) -> None:
        connection = http.client.HTTPConnection(host)
        connection.sock = upstream
        passed = {"accept", "accept-encoding", "cache-control", "if-modified-since", "range", "user-agent"}
        connection.request(self.command, path, headers={k: v for k, v in self.headers.items() if k.lower() in passed})
        answer = connection.getresponse()
        self.send_response_only(answer.status)
        kept_back = {"connection", "keep-alive", "transfer-encoding", "proxy-authenticate", "upgrade"}
        if answer.chunked:  # what else it says of its length doesn't count, and the client would believe it
            kept_back.add("content-length")
        for name, value in answer.getheaders():
            if name.lower() not in kept_back:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        size, digest, until = 0, hashlib.sha256(), time.monotonic() + _LONGEST
        while piece := answer.read1(_PIECE):
            size += len(piece)
            if size > _LARGEST or time.monotonic() > until:
                raise OSError("the answer has no end")
            digest.update(piece)
            self.wfile.write(piece)
        if answer.length:
            raise OSError(f"the answer ended {answer.length} bytes early")
        self.server.log.fetched.append(Fetched(host, "http", path, size, digest.hexdigest()))

    @contextlib.contextmanager
    def _answering(self, host: str, port: str) -> Iterator[None]:
        """Answer what is refused with the reason, and record it."""
        self.close_connection = True  # whatever follows this request is not read
        try:
            yield
        except RefusedRequestError as error:
            self.server.log.refused.append(f"{host:.253}:{port:.5}: {error}")
            with contextlib.suppress(OSError):
                self.send_error(403, f"{error}")
        except (OSError, http.client.HTTPException) as error:
            self.server.log.refused.append(f"{host:.253}:{port:.5}: {error}"[:400])

    @contextlib.contextmanager
    def _connected(self, host: str, expected: int, port: str) -> Iterator[socket.socket]:
        """A connection to one of the host's addresses."""
        if port != str(expected):
            raise RefusedRequestError("only ports 443, encrypted, and 80 can be reached")
        if host not in self.server.hosts:
            raise RefusedRequestError("the step does not name this host")
        error: OSError | None = None
        known = self.server.mapped.get((host, expected))
        for address in [known] if known else addresses(host, expected):
            try:
                upstream = socket.create_connection(address, timeout=10)
            except OSError as failed:
                error = failed
                continue
            with upstream:
                upstream.settimeout(_IDLE)
                yield upstream
                return
        raise RefusedRequestError(f"it does not answer: {error}")

    def _greeting(self, host: str) -> bytes:
        """What the client sends first, if it is TLS with this host. Raises RefusedRequestError otherwise."""
        greeting, read, name = b"", Greeting(), None
        while name is None:
            piece = self.rfile.read1(_PIECE) if len(greeting) < _GREETING else b""
            if not piece:
                raise RefusedRequestError("the connection is not encrypted")
            greeting += piece
            name = read.host(piece)
        if name != host:
            raise RefusedRequestError(f"the encrypted connection is for another host: {name or 'none'}")
        return greeting

    def _relayed(self, upstream: socket.socket) -> int:
        """Pass on both directions until one ends. Returns how many bytes came."""
        sending = threading.Thread(target=self._send_on, args=(upstream,), daemon=True)
        sending.start()
        count, until = 0, time.monotonic() + _LONGEST
        while (piece := upstream.recv(_PIECE)) and count < _LARGEST and time.monotonic() < until:
            count += len(piece)
            self.wfile.write(piece)
        with contextlib.suppress(OSError):  # or the other direction would wait for the client
            self.connection.shutdown(socket.SHUT_RDWR)
        sending.join()
        return count

    def _send_on(self, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while piece := self.rfile.read1(_PIECE):
                upstream.sendall(piece)
        with contextlib.suppress(OSError):
            upstream.shutdown(socket.SHUT_WR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Nothing: what counts is in the log."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listening: socket.socket, hosts: frozenset[str], log: Log) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket, self.hosts, self.log = listening, hosts, log
        self.mapped = mapped(os.environ.get("PROOF_HOSTS", ""))
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        self._open: dict[Any, float] = {}  # until when
        self._ended = False

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Wait while there are too many connections."""
        while not self._free.acquire(timeout=_POLL):
            self.service_actions()
        self._open[request] = time.monotonic() + _LONGEST
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """The end of a connection."""
        self._open.pop(request, None)
        super().shutdown_request(request)
        self._free.release()

    def service_actions(self) -> None:
        """Read no more from a client whose time is over, however slowly it sends."""
        for connection, until in self._open.copy().items():
            if self._ended or time.monotonic() > until:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)  # not of both directions: what comes may still be recorded

    def end(self) -> None:
        """Accept no more connections, and wait until what the others fetched is in the log."""
        self._ended = True
        self.shutdown()
        self.service_actions()
        until = time.monotonic() + _LAST
        for _ in range(_CONNECTIONS):
            self._free.acquire(timeout=max(0, until - time.monotonic()))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is nothing to report."""


@contextlib.contextmanager
def serving(listen: Callable[[], socket.socket], hosts: frozenset[str]) -> Iterator[tuple[Address, Log]]:
    """Pass on requests to these hosts during the block. `listen` makes the socket at which containers find it."""
    log = Log()
    with _Server(listen(), hosts, log) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, daemon=True)
        thread.start()
        try:
            yield server.socket.getsockname(), log
        finally:
            server.end()
            thread.join()
