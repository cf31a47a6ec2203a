"""How the command in a snippet becomes the command line that is run."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import CannotMeasureError, Where
from proof.engines import cleanup, emulation
from proof.engines.client import Client
from proof.engines.interface import Engine
from proof.runs import execute
from proof.snippets import commands
from proof.snippets.engine_version import Kind
from proof.snippets.model import Failure, Step
from proof.snippets.project import load_all
from proof.system.process import Completed
from tests.support import makers
from tests.support.engines import docker, podman, private
from tests.support.helpers import tiny

ENGINE = private(prefix="proof-1/", bases=frozenset({"alpine:3.22"}))


@pytest.mark.parametrize(
    ("shown", "run"),
    [
        ("docker build -t example .", "docker build -t=proof-1/example ."),
        ("docker build --tag=example --label A=example .", "docker build --tag=proof-1/example --label=A=example ."),
        ("docker image ls example", "docker image ls proof-1/example"),
        ("docker run --env A=example example echo example", "docker run --env=A=example proof-1/example echo example"),
        ("docker run --read-only alpine:3.22 true", "docker run --read-only alpine:3.22 true"),
        ("docker history --human=false -q example", "docker history --human=false -q proof-1/example"),
        ("docker run --entrypoint '' example", "docker run --entrypoint= proof-1/example"),
        ("docker run -d -p 80:80 --name web web web", "docker run -d -p=80:80 --name=proof-1-web proof-1/web web"),
        ("docker exec -w /web web web", "docker exec -w=/web proof-1-web web"),
        ("docker logs --tail 1 web", "docker logs --tail=1 proof-1-web"),
        ("docker stop web db", "docker stop proof-1-web proof-1-db"),
        ("docker rm -f web", "docker rm -f proof-1-web"),
        ("docker tag alpine:3.22 mine", "docker tag alpine:3.22 proof-1/mine"),
        ("docker rmi example second", "docker rmi proof-1/example proof-1/second"),
    ],
)
def test_images_alone_are_renamed(shown: str, run: str) -> None:
    """Only the snippet's own images are renamed, not bases, values of flags, or the container's command."""
    command = commands.parse(shown, where=Where(Path("snippet.toml")))
    assert execute.command_line(command, ENGINE, []) == run.split()


def test_without_a_prefix_nothing_is_touched() -> None:
    """Without a prefix the command is as typed, with the added flags after its verb."""
    command = commands.parse("docker build -t example .", where=Where(Path("snippet.toml")))
    plain = private()
    assert (
        execute.command_line(command, plain, ["--network=none"]) == "docker build --network=none -t example .".split()
    )


@pytest.mark.parametrize("given", ["", "-f Dockerfile ", "--file web/Dockerfile "])
def test_a_renamed_dockerfile_is_built(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the place of the one that the command names; Podman would read both."""
    ran: list[list[str]] = []
    seen: list[Path] = []

    def run(self: Client, argv: list[str], *, reads: list[Path], **_: object) -> Completed:
        del self
        ran.append(argv)
        seen.extend(reads)
        return Completed(tuple(argv), 0, b"", b"", 0.1)

    monkeypatch.setattr(Client, "run", run)
    command = commands.parse(f"docker build {given}-t example .", where=Where(Path("snippet.toml")))
    step = replace(STEP, name="build", command=command)
    for dockerfiles in ({"build": Path("/elsewhere/Dockerfile")}, {}):
        execute._run_command(step, scene(dockerfiles=dockerfiles), kept="", cache=[], timeout=10)
    renamed, plain = ([word for word in argv if word.startswith(("-f", "--file"))] for argv in ran)
    assert [word.partition("=")[2] for word in renamed] == ["/elsewhere/Dockerfile"]
    assert [word.partition("=")[2] for word in plain] == [given.rsplit(maxsplit=1)[-1] if given else "Dockerfile"]
    assert seen == [Path("/elsewhere")]  # a client in a sandbox sees nothing else


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({}, ["", ""]),
        ({"fresh": True}, ["--no-cache", "--no-cache"]),
        ({"fresh": True, "reuse": False}, ["--no-cache", "--no-cache"]),
        ({"reuse": False}, ["--ulimit=locks=N", "--ulimit=locks=N"]),
        ({"reuse": False, "kind": "podman"}, ["--cache-ttl=S", "--cache-ttl=S"]),
    ],
)
def test_how_the_builds_of_a_run_use_the_cache(
    given: dict[str, Any], flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builds of one run share what they have built; without `reuse`, no other run does."""
    used: list[str] = []

    def step(step: Any, *_: object, cache: list[str], **__: object) -> execute.StepRun:
        used.append(" ".join(cache))
        return execute.StepRun(step, 0, "", 0.1)

    monkeypatch.setattr(execute, "_run_step", step)
    monkeypatch.setattr(cleanup, "claim", lambda *_: None)
    monkeypatch.setattr(cleanup, "remove", lambda *_, **__: None)
    (snippet,) = load_all(tiny(tmp_path), ["note"])
    twice = replace(snippet, image=None, steps=snippet.steps[:1] * 2)
    given = dict(given)  # scripts/mutate runs a test several times
    kind = given.pop("kind", "docker")
    for _ in range(2):
        execute.run(twice, (podman() if kind == "podman" else private()), cache=tmp_path, **given)
    masked = [re.sub(r"(?<=ttl=)\d+\.\d{3}s$", "S", re.sub(r"(?<=locks=)\d+$", "N", each)) for each in used]
    assert masked == flags * 2
    if "N" in "".join(masked):
        assert used[0] == used[1] != used[2] == used[3]


@pytest.mark.parametrize(
    ("kind", "shown", "run"),
    [
        ("docker", "docker rm -f web", "docker rm --volumes -f proof-1-web"),
        ("docker", "docker container rm web", "docker container rm --volumes proof-1-web"),
        ("docker", "docker rmi example", "docker rmi proof-1/example"),
        ("podman", "docker rmi example", "podman rmi --no-prune localhost/proof-1/example"),
        ("podman", "docker image rm -f example", "podman image rm --no-prune -f localhost/proof-1/example"),
    ],
)
def test_what_a_snippet_removes(kind: Kind, shown: str, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container goes with its volumes, and an image without the steps below it: they may be the user's own."""
    ran: list[str] = []

    def record(_: Client, argv: list[str], **__: object) -> Completed:
        ran.append(" ".join(argv))
        return Completed(tuple(argv), 0, b"", b"", 0.1)

    monkeypatch.setattr(Client, "run", record)
    step = replace(STEP, command=commands.parse(shown, where=Where(Path("snippet.toml"))))
    engine = private("proof-1/") if kind == "docker" else podman("proof-1/", supports_labels=True)
    execute._run_command(step, scene(engine), kept="", cache=[], timeout=10)
    assert ran == [run]


@pytest.mark.parametrize(
    ("shown", "flags"),
    [
        (
            "docker build -t example .",
            ["--build-arg=BUILDARCH=amd64", "--build-arg=BUILDPLATFORM=linux/amd64", "--platform=linux/amd64"],
        ),
        # The snippet's own platform counts; what builds for it is of the platform that snippets are measured on.
        (
            "docker build --platform linux/arm64 -t example .",
            ["--build-arg=BUILDARCH=amd64", "--build-arg=BUILDPLATFORM=linux/amd64", "--platform=linux/arm64"],
        ),
        ("docker run example", ["--platform=linux/amd64"]),
        ("docker run --platform linux/arm64 example", ["--platform=linux/arm64"]),
        ("docker run -d --name web example", ["--platform=linux/amd64"]),
        ("docker image ls example", []),
        ("docker stop web", []),
    ],
)
@pytest.mark.parametrize("emulated", [True, False])
def test_an_engine_that_emulates_the_platform_is_told_which(
    shown: str, flags: list[str], *, emulated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else it would take that of its machine. An engine of the platform gets no such flag."""
    ran: list[list[str]] = []

    def record(_: Client, argv: list[str], **__: object) -> Completed:
        ran.append(argv)
        return Completed(tuple(argv), 0, b"", b"", 0.1)

    monkeypatch.setattr(Client, "run", record)
    engine = docker("proof-1/", emulated_on="linux/arm64" if emulated else "")
    step = replace(STEP, command=commands.parse(shown, where=Where(Path("snippet.toml"))))
    execute._run_command(step, scene(engine), kept="", cache=[], timeout=10)
    (argv,) = ran
    told = " ".join(argv).replace("--platform ", "--platform=").split()
    of_author = [word for word in flags if word.endswith("linux/arm64")]
    assert sorted(w for w in told if w.startswith(("--platform", "--build-arg"))) == (flags if emulated else of_author)


STEP = makers.step("docker run --platform linux/arm64 note", "exit = 1", 'expect = "exec format error"', "timeout = 10")


def scene(engine: Engine = ENGINE, dockerfiles: Mapping[str, Path] | None = None) -> execute.Scene:
    """What a step is run in: no file is there."""
    return execute.Scene(engine, Path("/nonexistent"), dockerfiles or {})


class TestAStepThatExpectsNoEmulator:
    """A program for another processor is declared to fail."""

    @pytest.fixture(autouse=True)
    def emulated(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The emulated platforms; they are asked for only if a test says so."""
        found: list[str] = []
        monkeypatch.setattr(emulation, "in_the_way", lambda *_: found)
        return found

    def outcome(self, monkeypatch: pytest.MonkeyPatch, step: Step, code: int, output: str) -> execute.StepRun:
        done = Completed(("docker",), code, output.encode(), b"", 0.1)
        monkeypatch.setattr(execute, "_run_command", lambda *_, **__: done)
        return execute._run_step(step, scene(), kept="", cache=[], timeout=10)

    def test_it_succeeds_under_an_emulator(self, emulated: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """It is not measured, rather than drift."""
        emulated += ["linux/arm64"]
        with pytest.raises(CannotMeasureError, match="this engine runs programs for linux/arm64") as error:
            self.outcome(monkeypatch, STEP, 0, "built for linux/arm64\n")
        assert error.value.evidence == "built for linux/arm64"
        assert "remove the emulator" in error.value.hint

    def test_it_succeeds_on_a_machine_that_emulates_the_platform(self, emulated: list[str]) -> None:
        """There is no emulator to remove: the program is for that machine."""
        emulated += ["linux/arm64"]
        done = Completed(("docker",), 0, b"", b"", 0.1)
        engine = docker(emulated_on="linux/arm64")
        with pytest.raises(CannotMeasureError, match="runs programs for linux/arm64") as error:
            execute._check_engine(STEP, done, engine, "")
        assert error.value.hint == "use Docker on a linux/amd64 machine: DOCKER_HOST=ssh://me@machine"

    def test_it_succeeds_without_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """That is the snippet's own doing: drift."""
        assert self.outcome(monkeypatch, STEP, 0, "built for linux/amd64\n").exit == 0

    @pytest.mark.parametrize(
        ("step", "code", "output"),
        [
            (STEP, 1, "exec /main: exec format error\n"),
            (replace(STEP, failure=Failure(exit=1, expect="Permission denied")), 0, ""),
            (replace(STEP, failure=Failure()), 1, "exec /main: exec format error\n"),
        ],
        ids=["fails as declared", "another failure is declared", "none is declared"],
    )
    def test_it_does_not_matter(self, step: Step, code: int, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The engine is not even asked: that takes time."""
        monkeypatch.setattr(emulation, "in_the_way", lambda *_: pytest.fail("asked"))
        assert self.outcome(monkeypatch, step, code, output).exit == code


# Verbatim but for the hosts: of builds without a network on alpine:3.22 and golang:1.27-alpine, then of curl, wget, apt
# and Python.
OFFLINE = [
    "#5 5.123 wget: bad address 'example.com'",
    "#5 0.186 wget: can't connect to remote host (93.184.215.14): Network unreachable",
    "#5 5.135 WARNING: fetching https://packages.example/alpine/v3.22/main: temporary error (try again later)",
    (
        '#5 0.220 go: golang.org/x/tools/cmd/goimports@latest: module golang.org/x/tools/cmd/goimports: Get "https://'
        'modules.example/golang.org/x/tools/cmd/goimports/@v/list": dial tcp: lookup modules.example on '
        "[2001:db8::53]:53: dial udp [2001:db8::53]:53: connect: network is unreachable"
    ),
    "curl: (6) Could not resolve host: example.com",
    "wget: unable to resolve host address 'example.com'",
    "  Temporary failure resolving 'packages.example'",
    "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
    "ERROR: Could not find a version that satisfies the requirement six (from versions: none)",
    "npm error request to https://packages.example/left-pad failed, reason: getaddrinfo EAI_AGAIN packages.example",
]


@pytest.mark.parametrize("output", OFFLINE)
def test_a_command_that_wanted_a_network(output: str) -> None:
    """Its undeclared failure is still drift, but the message says that there is none, and what to do."""
    step = replace(STEP, failure=Failure())
    why = execute.ends_unexpectedly(execute.StepRun(step, 1, f"{output}\n", 0.1))
    assert why.startswith("exit 1, but 0 is declared. It wanted a network, and this step names no host: ")
    assert "context/" in why


def test_other_failures_say_nothing_of_a_network() -> None:
    """Neither does one that is declared otherwise."""
    step = replace(STEP, failure=Failure())
    failed = execute.StepRun(step, 1, "dial tcp 127.0.0.1:80: connect: connection refused\n", 0.1)
    assert execute.ends_unexpectedly(failed) == "exit 1, but 0 is declared"
    other = execute.StepRun(STEP, 1, OFFLINE[0], 0.1)
    assert execute.ends_unexpectedly(other) == "its output does not contain 'exec format error'"


REMOVED = (
    f"ERROR: failed to solve: failed to get digest sha256:{'b' * 64}: open /data/image/overlay2/imagedb/content/sha256/"
    f"{'b' * 64}: no such file or directory\n"
)


@pytest.mark.parametrize(
    ("outputs", "exits"),
    [
        ([REMOVED, "naming to note"], [1, 0]),
        # A program can print that, too: the second result counts.
        ([REMOVED, REMOVED], [1, 1]),
        (["ERROR: failed to solve: failed to get digest sha256:b: open x: permission denied"], [1]),
    ],
)
def test_an_image_removed_while_it_is_written(
    outputs: list[str], exits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another snippet removes an image that is the same to the byte, the build is repeated, once."""
    command = commands.parse("docker build -t note .", where=Where(Path("snippet.toml")))
    step = replace(STEP, name="build", command=command, failure=Failure())
    done = repeated(step, outputs, exits, monkeypatch)
    assert (done.exit, done.output) == (exits[-1], outputs[-1])


@pytest.mark.parametrize(
    ("shown", "outputs"),
    [
        ("docker run note", ["", "a note\n"]),
        ("docker run note", ["", ""]),
        ("docker run note", ["a note\n"]),
        ("docker build -q .", [""]),
    ],
)
def test_output_that_docker_lost(shown: str, outputs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A new container that printed nothing is run once more. If it has nothing to say, that is its output."""
    step = replace(STEP, command=commands.parse(shown, where=Where(Path("snippet.toml"))), failure=Failure())
    assert repeated(step, outputs, [0] * len(outputs), monkeypatch).output == outputs[-1]


def repeated(step: Step, outputs: list[str], exits: list[int], monkeypatch: pytest.MonkeyPatch) -> execute.StepRun:
    """The result of a step whose command prints and exits like this, one time after the other. Each is run."""
    left = list(zip(outputs, exits, strict=True))

    def run(*_: object, **__: object) -> Completed:
        output, code = left.pop(0)
        return Completed(("docker",), code, output.encode(), b"", 0.1)

    monkeypatch.setattr(execute, "_run_command", run)
    done = execute._run_step(step, scene(), kept="", cache=[], timeout=10)
    assert left == []
    return done
