"""The proxy for steps with a network: what it passes on, and attacks on it. All servers are on loopback."""

import contextlib
import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from proof.core.errors import UsageError
from proof.engines import host_proxy
from proof.engines.fetched import Fetched, Log
from proof.engines.host_proxy import Address, Greeting, RefusedRequestError

NAME, OTHER = "files.example.org", "other.example.org"


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[tuple[Address, list[bytes]]]:
    """A server that sends these answers, one a connection, and keeps what it was sent."""
    asked: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(5)
                    asked.append(connection.recv(65_536))
                    connection.sendall(answer)

    with listening() as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname(), asked


@contextlib.contextmanager
def proxied(monkeypatch: pytest.MonkeyPatch, *names: str, **where: Address) -> Iterator[tuple[Address, Log]]:
    """A proxy to these names, with the servers on loopback that stand for their ports `http` and `https`."""
    ports = {"http": 80, "https": 443}
    entries = [f"{NAME}:{ports[scheme]}={address}:{port}" for scheme, (address, port) in where.items()]
    monkeypatch.setenv("PROOF_HOSTS", ",".join(entries))
    with host_proxy.serving(listening, frozenset(names or (NAME,))) as given:
        yield given


def send(proxy: Address, *pieces: bytes) -> bytes:
    """What the proxy answers, until it ends the connection."""
    with socket.create_connection(proxy, timeout=5) as client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.02)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65_536):
                answer += part
        return answer


def get(host: str = NAME, path: str = "/a?b=c", more: str = "", method: str = "GET") -> bytes:
    return f"{method} http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()


def greeting(name: str | None) -> bytes:
    """How a TLS client begins."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class TestWhatIsPassedOn:
    def test_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It arrives, and the log has its path, size and hash. Only some headers are passed on."""
        with answering(OK) as (server, asked), proxied(monkeypatch, http=server) as (proxy, log):
            answer = send(proxy, get(more="Accept: x\r\nCookie: y\r\nConnection: keep-alive\r\nUpgrade: h2c\r\n"))
        assert answer.startswith(b"HTTP/1.0 200")
        assert answer.endswith(b"\r\n\r\nhello")
        assert log.fetched == [Fetched(NAME, "http", "/a?b=c", 5, hashlib.sha256(b"hello").hexdigest())]
        assert log.refused == []
        assert asked[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
        assert b"accept: x" in asked[0].lower()
        for header in (b"cookie", b"connection", b"upgrade"):
            assert header not in asked[0].lower()

    def test_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An answer in chunks is put together, and hashed as the file that it is, whatever length it claims."""
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        chunked += b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        with answering(chunked) as (server, _), proxied(monkeypatch, http=server) as (proxy, log):
            answer = send(proxy, get())
        assert answer.endswith(b"\r\n\r\nhello")
        assert b"Content-Length" not in answer
        assert log.fetched[0].sha256 == hashlib.sha256(b"hello").hexdigest()

    def test_an_encrypted_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its bytes pass unchanged in both directions, the greeting in one piece or in several."""
        hello = greeting(NAME)
        for pieces in ([hello], [hello[:3], hello[3:100], hello[100:]]):
            with answering(b"server hello") as (server, asked), proxied(monkeypatch, https=server) as (proxy, log):
                answer = send(proxy, connect(f"{NAME}:443"), *pieces)
            assert answer == b"HTTP/1.0 200 OK\r\n\r\nserver hello"
            assert asked == [hello]
            assert log.fetched == [Fetched(NAME, "https", "", 12, "")]


REFUSED = {
    "another host": get(OTHER),
    "another host, encrypted": connect(f"{OTHER}:443"),
    "a part of the name": get("example.org"),
    "a longer name": get(f"{NAME}.evil.example"),
    "an address": get("127.0.0.1"),
    "an address, encrypted": connect("127.0.0.1:443"),
    "an address of a provider's metadata": get("169.254.169.254"),
    "an IPv6 address": get("[::1]"),
    "an IPv6 address, encrypted": connect("[::1]:443"),
    "an address as a number": get("2130706433"),
    "localhost": get("localhost"),
    "another port": get(f"{NAME}:8080"),
    "another port, encrypted": connect(f"{NAME}:22"),
    "no encryption on the other port": connect(f"{NAME}:80"),
    "the encrypted port, not encrypted": get(f"{NAME}:443"),
    "a name with a user": get(f"{NAME}:80@{OTHER}"),
    "a user": get(f"{OTHER}@{NAME}"),
    "two hosts": f"GET http://{NAME}/ HTTP/1.1\r\nHost: {OTHER}\r\n\r\n".encode(),
    "another scheme": get().replace(b"http:", b"ftp:"),
    "no host": b"GET / HTTP/1.1\r\nHost: files.example.org\r\n\r\n",
    "content": get(more="Content-Length: 5\r\n") + b"hello",
    "content in chunks": get(more="Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
    "upper case and a dot at the end": connect(f"{NAME}.:443"),
    "a NUL": connect(f"{NAME}\0.evil.example:443"),
}


@pytest.mark.parametrize("request_of", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(monkeypatch: pytest.MonkeyPatch, request_of: bytes) -> None:
    """No server is asked, the client gets 403 or 400, and the log says what it wanted."""
    with answering(OK) as (server, asked), proxied(monkeypatch, http=server, https=server) as (proxy, log):
        answer = send(proxy, request_of)
    assert answer.startswith((b"HTTP/1.0 403", b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert asked == []
    assert log.fetched == []
    assert len(log.refused) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """What isn't encrypted can only be read."""
    with answering(OK) as (server, asked), proxied(monkeypatch, http=server) as (proxy, _):
        assert b"501" in send(proxy, get(method=method))
    assert asked == []


@pytest.mark.parametrize("name", [OTHER, None, f"x.{NAME}"])
def test_an_encrypted_connection_for_another_host(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    """The host in the greeting has to be that of the request: nothing is sent to the server."""
    with answering(OK) as (server, asked), proxied(monkeypatch, https=server) as (proxy, log):
        send(proxy, connect(f"{NAME}:443"), greeting(name))
        time.sleep(0.05)
    assert asked in ([], [b""])
    assert log.fetched == []
    assert "another host" in log.refused[0]


@pytest.mark.parametrize(
    "spoken", [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x00", b"\0" * 30_000]
)
def test_a_connection_that_is_not_encrypted(monkeypatch: pytest.MonkeyPatch, spoken: bytes) -> None:
    """A tunnel carries TLS alone."""
    with answering(OK) as (server, asked), proxied(monkeypatch, https=server) as (proxy, log):
        with contextlib.suppress(ConnectionError), socket.create_connection(proxy, timeout=5) as client:
            client.sendall(connect(f"{NAME}:443") + spoken)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
        time.sleep(0.05)
    assert asked in ([], [b""])
    assert log.fetched == []


def test_a_second_request_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither behind the first one, nor hidden in its headers."""
    with answering(OK, OK) as (server, asked), proxied(monkeypatch, http=server) as (proxy, log):
        assert send(proxy, get() + get(path="/second") + get(OTHER)).count(b"HTTP/1.") == 1
        send(proxy, get(more="X: y\rGET http://other.example.org/ HTTP/1.1\r\n"))
    assert len(log.fetched) <= 2
    assert not any(b"second" in each or b"other" in each for each in asked)


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client gets it, and what it asks for next is judged like any request."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
    with answering(moved) as (server, asked), proxied(monkeypatch, http=server) as (proxy, log):
        assert b"302" in send(proxy, get())
        assert send(proxy, get("169.254.169.254", "/latest")).startswith(b"HTTP/1.0 403")
    assert len(asked) == 1
    assert log.refused == ["169.254.169.254:80: the step does not name this host"]


LOCAL = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("::ffff:8.8.8.8", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:1:2:3:4:5:6", "fd00:ec2::254", "192.0.2.1"),
    *(
        "64:ff9b:1::a00:1",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "fec0::1",
        "5f00::1",
        "4000::1",
        "3fff::1",
        "2001:db8::1",
    ),
    *("192.0.0.8", "192.0.0.192", "192.88.99.1", "198.18.0.1", "240.0.0.1", "168.63.129.16", "100.100.100.200"),
]


@pytest.mark.parametrize("address", LOCAL)
def test_a_name_leads_to_no_local_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Whatever its name server says: no address of this machine, its network, or a provider's metadata."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(family, 1, 6, "", (address, 80))])
    with pytest.raises(RefusedRequestError, match="no public address"):
        host_proxy.addresses(NAME, 80)


@pytest.mark.parametrize("address", ["8.8.8.8", "168.63.129.17", "2606:4700::1111", "2a00:1450::1"])
def test_a_name_leads_to_the_internet(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An address there is kept, and one of this machine next to it isn't."""
    found = [(socket.AF_INET, 1, 6, "", (each, 80)) for each in ("127.0.0.1", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert host_proxy.addresses(NAME, 80) == [(address, 80)]


def test_rebinding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved once a connection, and the address that was checked is the one that is used."""
    answers = iter([["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]])
    used: list[Address] = []

    def resolve(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, 1, 6, "", (address, 80)) for address in next(answers)]

    def create(address: Address, **_: object) -> socket.socket:
        used.append(address)
        raise OSError("not in a test")

    real = socket.create_connection
    with proxied(monkeypatch) as (proxy, log):
        client = real(proxy, timeout=5)
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket, "create_connection", create)
        with client:
            client.sendall(get())
            client.recv(1_000)
    assert used == [("93.184.216.34", 80)]
    assert "does not answer" in log.refused[0]


@pytest.mark.parametrize("text", ["x", "a.example=1.2.3.4", "a.example:22=1.2.3.4:22", "a.example:80=b.example:80"])
def test_a_mapping_for_tests_is_read_exactly(text: str) -> None:
    """It is in the environment of whoever runs the tool. A slip in it is an error."""
    with pytest.raises(UsageError, match="PROOF_HOSTS"):
        host_proxy.mapped(text)
    assert host_proxy.mapped("a.example:80=[::1]:8080,") == {("a.example", 80): ("::1", 8080)}


def test_an_answer_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is cut off is not recorded as fetched."""
    monkeypatch.setattr(host_proxy, "_LARGEST", 3)
    with answering(OK) as (server, _), proxied(monkeypatch, http=server) as (proxy, log):
        send(proxy, get())
    assert log.fetched == []
    assert "no end" in log.refused[0]


def records(hello: bytes, *cuts: int) -> bytes:
    """A greeting whose handshake message is split over several TLS records."""
    version, message = hello[1:3], hello[5:]
    ends = [*cuts, len(message)]
    parts = [message[start:end] for start, end in zip([0, *cuts], ends, strict=True)]
    return b"".join(b"\x16" + version + len(part).to_bytes(2, "big") + part for part in parts)


def test_a_greeting_in_single_bytes() -> None:
    """Each is read once, so a client can't make the proxy work hard by sending little at a time."""
    hello, read, began = greeting(NAME), Greeting(), time.process_time()
    assert {read.host(bytes([byte])) for byte in hello[:-1]} == {None}
    assert read.host(hello[-1:]) == NAME
    read = Greeting()
    read.host(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc")  # the longest record
    assert {read.host(b"\0") for _ in range(16_000)} == {None}
    assert time.process_time() - began < 0.5


LITERALS = {
    "loopback": "127.0.0.1",
    "all interfaces": "0.0.0.0",  # noqa: S104 - nothing listens there
    "short": "127.1",
    "decimal": "2130706433",
    "octal": "0177.0.0.1",
    "octal in one number": "017700000001",
    "hexadecimal": "0x7f000001",
    "metadata": "169.254.169.254",
    "metadata, decimal": "2852039166",
    "IPv6 loopback": "::1",
    "IPv4 in IPv6": "::ffff:127.0.0.1",
    "IPv4 in IPv6, hexadecimal": "::ffff:7f00:1",
    "IPv4-compatible": "::127.0.0.1",
    "link-local": "fe80::1",
    "NAT64": "64:ff9b::7f00:1",
    "a name of this machine": "localhost",
}


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("literal", LITERALS.values(), ids=LITERALS.keys())
def test_an_address_as_a_host(monkeypatch: pytest.MonkeyPatch, literal: str, port: int) -> None:
    """It is refused in every spelling: by its name, and if a project lists even that, by the address that it is."""
    bracketed = f"[{literal}]" if ":" in literal else literal
    ask = get(bracketed) if port == 80 else connect(f"{bracketed}:443")
    with proxied(monkeypatch) as (proxy, log):
        assert send(proxy, ask).startswith(b"HTTP/1.0 403")
    assert re.search("does not name this host|names two hosts", log.refused[0])
    with proxied(monkeypatch, literal, bracketed) as (proxy, log):
        assert send(proxy, ask).startswith(b"HTTP/1.0 403")
    assert re.search("no public address|address is not known|names two hosts", log.refused[0])
    assert log.fetched == []


@pytest.mark.parametrize("name", [NAME, OTHER])
def test_a_greeting_split_over_records(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The host is read from all of them, wherever they are cut: no server gets one that is for another host."""
    hello = greeting(name)
    at = hello.index(name.encode()) - 5
    for cuts in ((1,), (at,), (at + 4,), (4, at + 3, at + 9), tuple(range(1, len(hello) - 5, 7))):
        split = records(hello, *cuts)
        with answering(b"server hello") as (server, asked), proxied(monkeypatch, https=server) as (proxy, log):
            send(proxy, connect(f"{NAME}:443"), split)
        if name == NAME:
            assert b"".join(asked) == split
        else:
            assert asked in ([], [b""])
            assert "another host" in log.refused[0]


@pytest.mark.parametrize(
    "lie",
    [b"files.example\0org", b"files.example org", b"FILES.EXAMPLE.ORG", b"xiles.example.org", b"files.example.org."],
)
def test_a_greeting_with_an_odd_name(monkeypatch: pytest.MonkeyPatch, lie: bytes) -> None:
    """Only the name of the request passes, in this spelling or in capitals."""
    given = greeting("files.example.org" if len(lie) == 17 else "filesx.example.org")
    given = given.replace(b"files.example.org", lie).replace(b"filesx.example.org", lie)
    with answering(OK) as (server, asked), proxied(monkeypatch, https=server) as (proxy, log):
        send(proxy, connect(f"{NAME}:443"), given)
    if lie.lower() == NAME.encode():
        assert asked == [given]
    else:
        assert asked in ([], [b""])
        assert len(log.refused) == 1


ODD = {
    "behind a refused tunnel": connect(f"{OTHER}:443") + get(),
    "behind a refused file": get(OTHER) + get(),
    "behind a malformed request": b"GET\r\n\r\n" + get(),
    "behind content": get(more="Content-Length: 0\r\nContent-Length: 99\r\n") + get(OTHER),
    "two hosts in headers": get(more=f"Host: {OTHER}\r\n"),
    "a folded host": get(more=f" \r\n {OTHER}\r\n"),
    "no host in headers": f"GET http://{NAME}/ HTTP/1.1\r\n\r\n".encode(),
    "HTTP/0.9": f"GET http://{NAME}/\r\n\r\n".encode(),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long request line": get(path="/" + "a" * 70_000),
    "a long header": get(more=f"X: {'a' * 70_000}\r\n"),
    "many headers": get(more="X: y\r\n" * 200),
    "headers without an end": get(more="X: y\r\n" * 50_000)[:-2],
}


@pytest.mark.parametrize("request_of", ODD.values(), ids=ODD.keys())
def test_odd_requests(monkeypatch: pytest.MonkeyPatch, request_of: bytes) -> None:
    """No server is asked, whatever is behind the request, and the answer is an error."""
    answer = b""
    with (
        answering(OK, OK) as (server, asked),
        proxied(monkeypatch, http=server, https=server) as (proxy, log),
        contextlib.suppress(ConnectionError),
    ):
        answer = send(proxy, request_of)
    assert not answer or re.match(rb"HTTP/1\.[01] (4\d\d|50\d)|<!DOCTYPE", answer)
    assert asked == []
    assert log.fetched == []


@pytest.mark.parametrize(
    "begin", [b"", b"GET http://files", get()[:-2], connect(f"{NAME}:443") + b"\x16\x03\x01\x0f\xff"]
)
def test_a_client_that_sends_a_byte_now_and_then(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """It is never silent for long, and its connection ends all the same."""
    monkeypatch.setattr(host_proxy, "_LONGEST", 0.3)
    began = time.monotonic()
    with (
        answering(OK) as (server, _),
        proxied(monkeypatch, http=server, https=server) as (proxy, _log),
        contextlib.suppress(ConnectionError),
        socket.create_connection(proxy, timeout=0.05) as client,
    ):
        client.sendall(begin)
        while time.monotonic() < began + 5:
            client.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                if not client.recv(65_536):
                    break
    assert time.monotonic() - began < 3


def test_more_connections_than_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent ones hold no step up: when it is over, so are they."""
    monkeypatch.setattr(host_proxy, "_CONNECTIONS", 4)
    with contextlib.ExitStack() as clients:
        with proxied(monkeypatch) as (proxy, log):
            for _ in range(10):
                clients.enter_context(socket.create_connection(proxy, timeout=5))
            time.sleep(0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 2
    assert log.fetched == []


def test_what_was_fetched_last_is_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client may leave before its server ends the connection, and the step ends with it."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"server hello")
            while connection.recv(65_536):
                pass
            time.sleep(0.3)
            connection.sendall(b"bye")

    with listening() as server:
        threading.Thread(target=serve, daemon=True).start()
        with proxied(monkeypatch, https=server.getsockname()) as (proxy, log):
            client = socket.create_connection(proxy, timeout=5)
            client.sendall(connect(f"{NAME}:443") + greeting(NAME))
            while not client.recv(65_536).endswith(b"server hello"):
                pass
        client.close()
    assert log.fetched == [Fetched(NAME, "https", "", 15, "")]
    assert log.refused == []


ANSWERS = {
    "it is cut off": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "5 bytes early"),
    "a piece is cut off": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", "IncompleteRead"),
    "a long header": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "more than 65536 bytes"),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "more than 100 headers"),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", "SSH-2.0-x"),
    "nothing": (b"", "closed connection"),
}


@pytest.mark.parametrize(("answer", "says"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_bad_answer(monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str) -> None:
    """What did not arrive completely isn't recorded as fetched."""
    with answering(answer) as (server, _), proxied(monkeypatch, http=server) as (proxy, log):
        send(proxy, get())
    assert log.fetched == []
    assert says in log.refused[0]


def test_an_answer_opens_no_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that switches protocols, unasked, gets nothing further from the client, nor can it send more."""
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nfreely"
    with answering(switched) as (server, asked), proxied(monkeypatch, http=server) as (proxy, _):
        answer = send(proxy, get(), b"freely")
    assert b"freely" not in answer
    assert not any(b"freely" in each for each in asked)
