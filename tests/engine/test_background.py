"""Containers that run while other steps do: what reaches them, what they reach, and that none of them stays."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError, DeadlineError
from proof.engines import private_daemon, private_docker
from proof.engines.docker import Docker
from proof.engines.interface import Engine
from proof.engines.names import Names
from proof.provision import loader
from proof.runs import execute
from proof.runs.execute import StepRun
from proof.snippets import base_images, project
from proof.snippets.engine_version import PLATFORM
from proof.snippets.model import Snippet
from tests.support.helpers import TINY, is_free, processes, proof, succeeded, tiny, wait_until
from tests.support.makers import write

pytestmark = pytest.mark.engine

# Answers each request with the same line.
SERVER = """\
FROM alpine:3.22
VOLUME /data
ENV ANSWER='HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n'
CMD ["sh", "-c", "sleep 1; echo ready; while true; do printf \\"$ANSWER\\" | nc -l -p 80; done"]
"""
BUILD, START = "docker build -t app .", "docker run -d -p 8080:80 --name web app"
GET = {"inside": "alpine:3.22", "network": "published"}


def snippet(folder: Path, *steps: str | tuple[str, dict[str, str]]) -> Snippet:
    """A snippet of the tiny project with these commands, each alone or with more keys."""
    lines = ['title = "t"']
    for number, step in enumerate(steps):
        command, keys = (step, {}) if isinstance(step, str) else step
        keys = ({"timeout": "30"} if "until" in keys else {}) | keys
        lines += ["[[step]]", f'name = "s{number}"', f"command = '''{command}'''", 'unshown = "a test"']
        lines += [f'{key} = "{value}"' if key != "timeout" else f"{key} = {value}" for key, value in keys.items()]
    root = tiny(folder)
    write(root / "snippets/web", {"context/Dockerfile": SERVER, "snippet.toml": "\n".join(lines) + "\n"})
    (found,) = project.load_all(root, ["web"])
    return found


@pytest.fixture
def based(engine: Engine, cache: Path) -> Engine:
    loader.ensure(base_images.load(TINY), "alpine:3.22", engine, origin="rebuilt", cache=cache)
    return engine


@pytest.fixture(params=["classic", "containerd"])
def either(request: pytest.FixtureRequest, based: Engine, cache: Path) -> Iterator[Engine]:
    """A private engine with either image store."""
    if request.param == "classic":
        yield based
        return
    with private_docker.start(cache, PLATFORM, store="containerd") as started:
        loader.ensure(base_images.load(TINY), "alpine:3.22", started, origin="rebuilt", cache=cache)
        yield started


def left(engine: Engine) -> list[str]:
    """The containers, volumes and networks of the engine, but for its own networks."""
    names = engine.client.call("ps", "--all", "--format", "{{.Names}}").text().split()
    names += engine.client.call("volume", "ls", "--filter=label=com.docker.volume.anonymous", "--quiet").text().split()
    return names + engine.client.call("network", "ls", "--filter=type=custom", "--format", "{{.Name}}").text().split()


def run(snippet: Snippet, engine: Engine, cache: Path) -> Sequence[StepRun]:
    done = execute.run(snippet, engine, cache=cache).steps
    assert left(engine) == []
    return done


def test_a_server(either: Engine, cache: Path, tmp_path: Path) -> None:
    """It answers at the published port and in its container, is listed by its own name, and is gone in the end."""
    steps = run(
        snippet(
            tmp_path,
            *(BUILD, START, ("docker logs web", {"until": "ready"}), "docker ps"),
            ("wget -qO- http://localhost:8080/", GET | {"until": "hello"}),
            *("docker exec -w /srv -e A=b web sh -c 'pwd; echo $A'", "docker stop -t 0 web", "docker ps -a"),
            *("docker rm web", "docker ps --all"),
        ),
        either,
        cache,
    )
    assert [step.exit for step in steps] == [0] * 10
    start, logs, listed, got, inside, stop, stopped, removed, none = [step.output for step in steps[1:]]
    assert re.fullmatch(r"[0-9a-f]{64}\n", start)
    assert (logs, got, inside, stop, removed) == ("ready\n", "hello\n", "/srv\nb\n", "web\n", "web\n")
    header, row = listed.splitlines()
    assert re.fullmatch(r"CONTAINER ID   IMAGE     COMMAND +CREATED +STATUS +PORTS +NAMES", header)
    assert re.fullmatch(r'[0-9a-f]{12}   app       "sh -c .*0\.0\.0\.0:8080->80/tcp.* web', row)
    assert header.index("NAMES") == row.index("web")
    assert "Exited (137)" in stopped
    assert len(none.splitlines()) == 1


def test_without_a_name(based: Engine, cache: Path, tmp_path: Path) -> None:
    """A container need have no name, and no port."""
    steps = run(snippet(tmp_path, "docker run -d alpine:3.22 sleep 60", "docker ps -q"), based, cache)
    assert steps[0].output.startswith(steps[1].output.strip())


def test_a_failure_is_as_it_is(based: Engine, cache: Path, tmp_path: Path) -> None:
    """A port that another container has is docker's own error."""
    steps = run(snippet(tmp_path, BUILD, START, "docker run -d -p 8080:81 app"), based, cache)
    assert steps[-1].exit == 125
    assert "port is already allocated" in steps[-1].output
    assert "proof-" not in steps[-1].output


class TestWhatItReaches:
    def test_from_outside(self, either: Engine, cache: Path, tmp_path: Path) -> None:
        """What asks at a published port has no rights, is nobody, and finds no other port."""
        script = (
            "id -u; id -g; grep ^Cap /proc/self/status; grep NoNewPrivs /proc/self/status; grep -c @ /proc/net/unix"
        )
        script += (
            "; netstat -ltnu; ip route; ls /sys/class/net; kill -0 1 && pgrep dockerd; ls /run /mnt; chmod u+s /bin"
        )
        done = run(snippet(tmp_path, BUILD, START, (f'sh -c "{script}"', GET | {"timeout": "60"})), either, cache)[-1]
        lines = done.output.splitlines()
        user = private_daemon._USER if "classic" in either.client.env["DOCKER_HOST"] else 0
        assert lines[:2] == [str(user + 65535)] * 2
        assert [line.split()[1] for line in lines if line.startswith("Cap")] == ["0" * 16] * 5
        assert "NoNewPrivs:\t1" in lines
        assert lines[lines.index("NoNewPrivs:\t1") + 1] == "0"  # sockets that no file system protects
        ports = {line.split()[3].rpartition(":")[2] for line in lines if line.startswith(("tcp", "udp"))}
        assert ports == {"8080"}
        assert not [line for line in lines if line.startswith("default")]
        devices = set(next(line for line in lines if "lo" in line.split()).split()) | {lines[lines.index("lo")]}
        assert not [name for name in devices if name.startswith(("eth", "en", "wl", "docker"))]
        assert "Operation not permitted" in done.output

    def test_the_name_of_the_machine(self, either: Engine, cache: Path, tmp_path: Path) -> None:
        """A step that stands for the reader's machine does not show the name of this one."""
        made = snippet(tmp_path, BUILD, START, ("hostname", GET))
        assert run(made, either, cache)[-1].output == "localhost\n"

    def test_from_inside(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """A container of the network reaches neither the host nor the world; it has the rights of any container."""
        script = "nc -w 1 93.184.215.14 80 && echo open; nslookup -timeout=1 example.com; grep CapEff /proc/self/status"
        done = run(snippet(tmp_path, BUILD, START, f'docker exec web sh -c "{script}"'), based, cache)[-1]
        assert "CapEff:\t00000000a80425fb" in done.output
        assert not re.search(r"Address: +(?!127\.)", done.output)
        assert "open" not in done.output

    def test_the_ports_of_the_host(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """A published port is not open on the host, and one of the host is not open in there."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            made = snippet(
                tmp_path,
                *(BUILD, START, ("docker logs web", {"until": "ready"})),
                (f"nc -zw 1 127.0.0.1 {port}", GET),
            )
            seen: list[bool] = []

            def look(step: object) -> None:
                if str(step) == "web/s2":
                    with socket.socket() as asking:
                        seen.append(asking.connect_ex(("127.0.0.1", 8080)) == 0)

            done = execute.run(made, based, cache=cache, on_step=look).steps
        assert seen == [False]
        assert done[-1].exit == 1

    def test_other_snippets(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """Two snippets with the same names and ports run one after the other, each with its own server."""
        made = [
            snippet(tmp_path / name, BUILD, START, ("wget -qO- http://localhost:8080/", GET | {"until": "hello"}))
            for name in ("one", "two")
        ]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda each: execute.run(each, based, cache=cache).steps[-1].output, made))
        assert found == ["hello\n"] * 2
        assert left(based) == []


class TestNothingStays:
    def test_when_a_step_is_too_slow(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """A step that hangs ends at its deadline, and so does everything else."""
        made = snippet(tmp_path, BUILD, START, ("docker exec web sleep 600", {"timeout": "2"}))
        with pytest.raises(DeadlineError):
            execute.run(made, based, cache=cache)
        assert left(based) == []

    def test_when_it_never_gets_ready(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """`until` ends at the time limit of its step, which is the snippet's failure."""
        made = snippet(tmp_path, BUILD, START, ("docker logs web", {"until": "never", "timeout": "2"}))
        began = time.monotonic()
        done = execute.run(made, based, cache=cache)
        assert time.monotonic() - began < 30
        assert done.unexpected is not None
        assert execute.ends_unexpectedly(done.unexpected) == "its output does not contain 'never'"
        assert left(based) == []

    def test_when_a_command_fails(self, based: Engine, cache: Path, tmp_path: Path) -> None:
        """Neither a failure that is not declared nor a container that ignores every signal keeps it."""
        stubborn = """docker run -d --name x alpine:3.22 sh -c "trap '' TERM INT; while true; do sleep 1; done" """
        made = snippet(tmp_path, stubborn.strip(), "docker exec x false", "docker ps")
        assert [step.exit for step in run(made, based, cache)] == [0, 1]

    def test_when_the_run_is_killed(self, cache: Path, tmp_path: Path) -> None:
        """After kill -9, no process is left, and the next run removes what the engine's data still lists."""
        root = snippet(tmp_path, BUILD, START, ("docker logs web", {"until": "never"})).folder.parents[1]
        own = tmp_path / "c"
        own.mkdir()
        (own / "packages").symlink_to(cache / "packages")
        env = os.environ | {"PROOF_CACHE": str(own)}
        argv = [sys.executable, "-m", "proof.cli.main", "--project", str(root), "update", "web", "--engine", "private"]
        with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            wait_until(lambda: bool(processes(b"nc\0-l\0-p\x0080")), seconds=240)
            running.send_signal(signal.SIGKILL)
        wait_until(lambda: not processes(f"{own}/".encode(), b"nc\0-l\0-p\x0080", b"docker-proxy"), seconds=60)
        wait_until(lambda: is_free(own / "engine-classic/0/lock"), seconds=60)
        with private_docker.start(own, PLATFORM) as again:
            assert left(again) == []


def test_another_engine(based: Engine, cache: Path, tmp_path: Path) -> None:
    """In a user's own engine, names may be taken and ports would be open: nothing is created."""
    made = snippet(tmp_path, BUILD, START)
    shared = Docker(client=based.client, platform=based.platform, names=Names("proof-1/"))
    before = based.images()
    with pytest.raises(CannotMeasureError, match="web leaves containers running") as error:
        execute.run(made, shared, cache=cache)
    assert "--engine private" in error.value.hint
    assert based.images() == before


def test_captures(based: Engine, cache: Path, tmp_path: Path) -> None:
    """Two runs of a server agree, although IDs and times differ."""
    del based, cache
    snippet(
        tmp_path,
        *(BUILD, START, ("docker logs web", {"until": "ready"}), "docker ps"),
        ("wget -qO- http://localhost:8080/", GET | {"until": "hello"}),
    )
    for verb in ("update", "check"):
        succeeded(proof(verb, "web", cwd=tmp_path / "tiny"))
