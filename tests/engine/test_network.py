"""A network by name in the private engine: what a build and a container reach, and what they don't.

The servers are on loopback, outside of the engine's network.
"""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError
from proof.engines.fetched import Fetched
from proof.engines.interface import Engine
from proof.provision import loader
from proof.runs import execute
from proof.runs.execute import Run
from proof.snippets import base_images, manifest
from tests.support.helpers import TINY
from tests.support.makers import write

pytestmark = pytest.mark.engine

HOST = "files.example.org"
CONTENT = b"fetched\n"
STEPS = f"""\
title = "t"
image = "app"
[[step]]
name = "build"
command = "docker build -t app ."
network = ["{HOST}"]
[[step]]
name = "run"
command = "docker run app wget -qO- http://{HOST}/run"
network = ["{HOST}"]
[[step]]
name = "inside"
command = "wget -qO- http://{HOST}/inside"
inside = "alpine:3.22"
network = ["{HOST}"]
[[step]]
name = "without"
command = "docker run app sh -c 'env | grep -ic proxy; wget -qO- http://{HOST}/ 2>&1; cat /fetched'"
[[step]]
name = "history"
command = "docker history --no-trunc app"
"""
# Each line prints its name only if it reaches something.
ATTACKS = {
    "the machine": "wget -T 2 -qO- -Y off http://127.0.0.1:{port}/",
    "the machine, by the proxy": "wget -T 2 -qO- -Y on http://127.0.0.1:{port}/",
    "its published ports": "nc -w 2 172.17.0.1 {port} </dev/null && echo",
    "its network": "wget -T 2 -qO- http://10.0.0.1/ || ping -c 1 -W 1 10.0.0.1",
    "metadata": "wget -T 2 -qO- http://169.254.169.254/ || nc -w 2 169.254.169.254 80 </dev/null",
    "names": "nslookup {host}",
    "another host": "wget -T 2 -qO- http://other.example.org/",
    "another port": "wget -T 2 -qO- http://{host}:8080/",
    "IPv6": "ping6 -c 1 -W 1 fe80::1%eth0 || nc -w 2 2001:4860:4860::8888 53 </dev/null",
}


class _Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server on loopback that stands for the host. It returns its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files) as files:
        port = files.server_address[1]
        monkeypatch.setenv("PROOF_HOSTS", f"{HOST}:80=127.0.0.1:{port}")
        threading.Thread(target=files.serve_forever, daemon=True).start()
        yield port
        files.shutdown()


def run(folder: Path, dockerfile: str, steps: str, engine: Engine, cache: Path, *, network: bool = True) -> Run:
    note = write(folder / "snippets/note", {"context/Dockerfile": dockerfile, "snippet.toml": steps})
    (snippet,) = manifest.variants(note)
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    return execute.run(snippet, engine, cache=cache, fresh=True, network=network)


def test_the_host_that_a_step_names(tmp_path: Path, server: int, engine: Engine, cache: Path) -> None:
    """A build and containers reach it. The proxy is in no layer, and other steps have none."""
    del server
    done = run(tmp_path, f"FROM alpine:3.22\nRUN wget -qO /fetched http://{HOST}/build\n", STEPS, engine, cache)
    assert done.unexpected is None
    by_name = {ran.step.name: ran for ran in done.steps}
    assert by_name["run"].output == by_name["inside"].output == CONTENT.decode()
    assert by_name["without"].output == f"0\nwget: bad address '{HOST}'\nfetched\n"
    assert "proxy" not in by_name["history"].output.lower()
    digest = hashlib.sha256(CONTENT).hexdigest()
    for name in ("build", "run", "inside"):
        assert by_name[name].fetched == (Fetched(HOST, "http", f"/{name}", len(CONTENT), digest),)
        assert by_name[name].refused == ()
    assert by_name["without"].fetched == ()


def test_nothing_else_is_reached(tmp_path: Path, server: int, engine: Engine, cache: Path) -> None:
    """Not the machine, its network, a metadata address, another host or port; and no name is resolved."""
    lines = [
        f"({line.format(port=server, host=HOST)}) >/dev/null 2>&1 && echo reached {name} || :"
        for name, line in ATTACKS.items()
    ]
    script = "RUN <<EOF\n" + "\n".join(lines) + f"\nwget -qO- http://{HOST}/end\nEOF\n"
    steps = STEPS.partition('[[step]]\nname = "run"')[0]
    done = run(tmp_path, f"FROM alpine:3.22\n{script}", steps, engine, cache)
    assert done.unexpected is None, done.steps[-1].output
    (build,) = done.steps
    assert " reached " not in build.output.replace("echo reached", "")
    assert [each.path for each in build.fetched] == ["/end"]
    assert any("other.example.org" in refused for refused in build.refused)


def test_a_host_that_a_step_asks_for_in_vain_is_named(tmp_path: Path, server: int, engine: Engine, cache: Path) -> None:
    """Somebody who forgot a host reads which one."""
    del server
    steps = STEPS.partition('[[step]]\nname = "run"')[0]
    done = run(tmp_path, "FROM alpine:3.22\nRUN wget -q http://more.example.org/\n", steps, engine, cache)
    assert done.unexpected
    said = execute.ends_unexpectedly(done.unexpected)
    assert "more.example.org:80: the step does not name this host" in said


def test_without_permission_nothing_runs(tmp_path: Path, engine: Engine, cache: Path) -> None:
    """Whoever runs the tool has to pass --network; and a user's own engine can't limit a network."""
    with pytest.raises(CannotMeasureError, match=f"note/build needs a network: {HOST}"):
        run(tmp_path, "FROM alpine:3.22\n", STEPS, engine, cache, network=False)
    with pytest.raises(CannotMeasureError, match="only a private engine can"):
        run(tmp_path, "FROM alpine:3.22\n", STEPS, replace(engine, listener=None), cache)  # type: ignore[call-arg]
