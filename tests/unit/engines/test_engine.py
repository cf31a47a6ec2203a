"""Failures of an engine are told apart: it is lost, its disk is full, or only a command failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import _ntuple_diskusage as usage
from typing import Any

import pytest

from proof.core.errors import CannotMeasureError, DeadlineError, EngineLostError
from proof.engines.client import link
from proof.engines.failures import is_starved
from proof.engines.interface import Engine
from proof.system import process
from proof.system.process import Completed
from tests.support.engines import docker, private
from tests.unit.engines.conftest import Answer

ENGINE = private()
GONE = "ERROR: Cannot connect to the Docker daemon at unix:///a/docker.sock. Is the docker daemon running?\n"


def test_a_command_that_fails_is_no_lost_engine(answers: Callable[[Answer], object]) -> None:
    """If the engine answers, the command itself failed, whatever its program printed."""
    answers(lambda argv: (0, "26") if argv[1] == "version" else (1, "read: connection reset by peer\n"))
    with pytest.raises(CannotMeasureError, match="`docker load` failed with 1") as error:
        ENGINE.client.call("load")
    assert not isinstance(error.value, EngineLostError)
    assert ENGINE.client.run(["docker", "run"], deadline=1).exit == 1


def test_a_lost_engine(answers: Callable[[Answer], object]) -> None:
    """An engine that no longer answers is lost."""
    answers(lambda _: (1, GONE))
    with pytest.raises(EngineLostError, match="the engine was lost during `docker build`") as error:
        ENGINE.client.run(["docker", "build"], deadline=1)
    assert error.value.evidence == GONE.strip()


def test_a_lost_engine_that_is_back(answers: Callable[[Answer], object]) -> None:
    """The engine answers again because another snippet restarted it, but it was lost meanwhile."""
    starts = iter([1, 2])
    answers(lambda argv: (0, "26") if argv[1] == "version" else (1, "EOF"))
    with pytest.raises(EngineLostError):
        replace(ENGINE.client, starts=lambda: next(starts)).run(["docker", "build"], deadline=1)


BUSY = private("proof-1/", frozenset({"alpine:3.22"}))


class TestApart:
    def test_names(self) -> None:
        """Each snippet's images have a prefix of their own; bases keep their names."""
        one, other = (ENGINE.for_snippet(["alpine:3.22", "golang"]) for _ in range(2))
        assert one.names.image("example") != other.names.image("example")
        assert one.names.image("example").endswith("/example")
        assert one.names.image("alpine:3.22") == "alpine:3.22"
        assert one.names.image("golang:latest") == "golang:latest"
        assert one.names.image("alpine:edge").startswith(one.names.prefix)

    def test_shared(self) -> None:
        """In a user's own engine the prefix belongs to the run, and bases have it too."""
        shared = docker("proof-2/")
        assert shared.for_snippet(["alpine:3.22"]) is shared
        assert shared.names.image("alpine:3.22") == "proof-2/alpine:3.22"

    @pytest.mark.parametrize(
        ("output", "shown"),
        [
            ("#4 [1/2] FROM docker.io/library/alpine:3.22\n", "#4 [1/2] FROM docker.io/library/alpine:3.22@D\n"),
            ("#4 [1/2] FROM docker.io/library/alpine:3.22@O\n", "#4 [1/2] FROM docker.io/library/alpine:3.22@D\n"),
            (
                "#2 [internal] load metadata for docker.io/library/alpine:3.22",
                "#2 [internal] load metadata for docker.io/library/alpine:3.22@D",
            ),
            ("STEP 1/2: FROM alpine:3.22", "STEP 1/2: FROM alpine:3.22@D"),
            ("   1 | >>> FROM alpine:3.22\n", "   1 | >>> FROM alpine:3.22@D\n"),
            ("#4 [1/2] FROM docker.io/library/golang:latest", "#4 [1/2] FROM docker.io/library/golang@D"),
            ("#4 [1/2] FROM docker.io/library/alpine:3.22.5", "#4 [1/2] FROM docker.io/library/alpine:3.22.5"),
            ("#5 0.1 FROM docker.io/library/alpine:3.22", "#5 0.1 FROM docker.io/library/alpine:3.22"),
        ],
    )
    def test_a_digest_in_from(self, output: str, shown: str) -> None:
        """The builder is given the base alone, and its log shows the digest again. A program's output is unchanged."""
        digest, other = (f"sha256:{digit * 64}" for digit in "12")
        pinned = ENGINE.for_snippet(["alpine:3.22", "golang"], {"alpine:3.22": digest, "golang": digest})
        assert pinned.names.image(f"docker.io/library/alpine:3.22@{digest}") == "docker.io/library/alpine:3.22"
        assert docker("proof-2/").names.image(f"docker.io/library/alpine@{digest}") == "proof-2/alpine"
        assert pinned.names.displayed(output.replace("@O", f"@{other}")) == shown.replace("@D", f"@{digest}")

    @pytest.mark.parametrize("header", [("REPOSITORY", "TAG", "IMAGE ID"), ("IMAGE", "ID", "DISK USAGE")])
    @pytest.mark.parametrize("name", ["example", "a", "registry.example/of/a/long/name"])
    def test_a_table(self, name: str, header: tuple[str, str, str]) -> None:
        """Columns of a table of images are as wide as they would be without the prefix."""

        def table(shown: str) -> str:
            rows = [header, (shown, "latest", "0123456789ab"), ("alpine", "3.22", "ab")]
            width = max(len(row[0]) for row in rows) + 3
            return "".join(f"{row[0]:{width}}{row[1]:9}{row[2]}\n" for row in rows)

        assert BUSY.names.displayed(table(BUSY.names.image(name))) == table(name)

    def test_a_table_of_containers(self) -> None:
        """It shows the image and the name as they are in the snippet, in columns as wide as docker makes them."""
        scoped = (
            "CONTAINER ID   IMAGE         COMMAND       CREATED         STATUS         PORTS     NAMES\n"
            'f7baccdca5ba   proof-1/app   "httpd -f …"  1 second ago    Up 1 second              proof-1-web\n'
        )
        assert BUSY.names.displayed(scoped) == (
            "CONTAINER ID   IMAGE     COMMAND        CREATED        STATUS        PORTS     NAMES\n"
            'f7baccdca5ba   app       "httpd -f …"   1 second ago   Up 1 second             web\n'
        )

    def test_containers(self) -> None:
        """Their names have the prefix too, in a form that docker accepts."""
        assert BUSY.names.container("web") == "proof-1-web"
        assert BUSY.names.own_containers == "--filter=name=^proof-1-"
        assert ENGINE.names.container("web") == "web"

    @pytest.mark.parametrize(
        ("output", "shown"),
        [
            ("proof-1-web\n", "web\n"),
            ("No such container: proof-1-web", "No such container: web"),
            ("#8 naming to docker.io/proof-1/example done", "#8 naming to docker.io/library/example done"),
            ("REPOSITORY   of mine\n", "REPOSITORY   of mine\n"),
            ("proof-2/example", "proof-2/example"),
        ],
    )
    def test_what_is_shown(self, output: str, shown: str) -> None:
        """The prefix is in no output, and output without it is not changed."""
        assert BUSY.names.displayed(output) == shown


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with free space is not full, whatever a program prints; nothing is known about an unknown disk."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 5, 5 << 30))
    assert replace(ENGINE, disk=tmp_path).has_room()
    assert not ENGINE.has_room()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 5, 5 << 20))
    assert not replace(ENGINE, disk=tmp_path).has_room()


@pytest.mark.parametrize(("code", "starved"), [(2, True), (1, False), (0, False)])
def test_a_client_without_memory(code: int, *, starved: bool) -> None:
    """A Go program without memory exits with 2 and this message; a label may contain the same text."""
    done = Completed(("docker", "inspect"), code, b"fatal error: runtime: out of memory\n", b"", 0.1)
    assert is_starved(done) is starved


@pytest.mark.parametrize("hangs", [False, True])
def test_a_deadline(monkeypatch: pytest.MonkeyPatch, *, hangs: bool) -> None:
    """After a timeout, an engine that does not answer is lost; otherwise the command was slow."""

    def run(argv: Sequence[str], **_: Any) -> Completed:
        if argv[1] == "version" and not hangs:
            return Completed(tuple(argv), 0, b"26", b"", 0.1)
        raise DeadlineError("ran longer than 1 s", evidence="begun")

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(DeadlineError if not hangs else EngineLostError) as error:
        ENGINE.client.run(["docker", "build"], deadline=1)
    assert error.value.evidence == "begun"


def test_a_full_disk(answers: Callable[[Answer], object]) -> None:
    """A full disk is reported as such, with the line that says so."""
    answers(lambda argv: (0, "") if argv[1] == "version" else (1, "a\nwrite /b.tar: no space left on device\nc\n"))
    with pytest.raises(CannotMeasureError, match="the disk of the engine is full, in `docker load`") as error:
        ENGINE.client.call("load")
    assert error.value.evidence == "write /b.tar: no space left on device"
    assert "PROOF_CACHE" in error.value.hint


class TestAgain:
    def engine(self, starts: list[str]) -> Engine:
        return private(restart=lambda: starts.append("start"))

    def lose(self, times: int) -> Callable[[], str]:
        left = iter([True] * times + [False])

        def act() -> str:
            if next(left):
                raise EngineLostError("lost")
            return "done"

        return act

    def test_once(self) -> None:
        """A lost engine is restarted and the call repeated; otherwise nothing is restarted."""
        starts: list[str] = []
        assert self.engine(starts).retry_if_lost(self.lose(1)) == "done"
        assert starts == ["start"]
        assert self.engine(starts).retry_if_lost(self.lose(0)) == "done"
        assert starts == ["start"]

    def test_twice(self) -> None:
        """If the engine is lost a second time, the error is raised."""
        starts: list[str] = []
        with pytest.raises(EngineLostError):
            self.engine(starts).retry_if_lost(self.lose(2))
        assert starts == ["start"]

    def test_not_ours(self) -> None:
        """A user's own engine is not restarted."""
        with pytest.raises(EngineLostError):
            ENGINE.retry_if_lost(self.lose(1))


@pytest.mark.parametrize(
    ("driver", "status", "store"),
    [
        ("overlay2", [["Native Overlay Diff", "true"]], "overlay2"),
        ("overlay2", [["Native Overlay Diff", "false"]], "overlay2-without-native-diff"),
        ("vfs", None, "vfs"),
        ("overlayfs", [["driver-type", "io.containerd.snapshotter.v1"]], "containerd"),
    ],
)
def test_the_image_store(
    driver: str, status: list[list[str]] | None, store: str, answers: Callable[[Answer], object]
) -> None:
    """Its name says how it counts sizes. In a user namespace, Docker finds changes by comparing files."""
    data = {"ServerVersion": "26.1.5", "Driver": driver, "DriverStatus": status}
    answers(lambda _: (0, json.dumps(data)))
    assert ENGINE.info().image_store == store


def test_only_these_programs_are_linked(tmp_path: Path) -> None:
    """A cache may have been used by another version of the tool, whose engine found other programs."""
    folder = tmp_path / "bin"
    link(("sh", "cat", "no-such-program"), folder)
    assert {path.name for path in folder.iterdir()} == {"sh", "cat"}
    assert link(("sh",), folder) == str(folder)
    assert [path.name for path in folder.iterdir()] == ["sh"]


OLD_TABLE = """\
REPOSITORY   TAG       IMAGE ID       CREATED         SIZE
a/example    latest    0123456789ab   1 second ago    10.7MB
"""
NEW_TABLE = """\
IMAGE              ID             DISK USAGE   CONTENT SIZE   EXTRA
a/example:latest   0123456789ab       {}          {}    U
"""


@pytest.mark.parametrize(
    ("table", "sizes"),
    [
        (NEW_TABLE.format("16.4MB", "5.1MB"), (16_400_000, 5_100_000)),
        (NEW_TABLE.format("10.7MB", "0B"), None),  # the classic store of an upgraded Docker 29
        (OLD_TABLE, None),
        (NEW_TABLE.splitlines()[0], None),  # no such image
    ],
)
def test_the_sizes_that_docker_displays(
    answers: Callable[[Answer], list[list[str]]], table: str, sizes: tuple[int, int] | None
) -> None:
    """Docker 29 displays two of an image, if its store keeps compressed layers."""
    log = answers(lambda _: (0, table))
    assert private("a/").displayed_sizes("example") == sizes
    assert [argv[1:] for argv in log] == [["image", "ls", "a/example"]]
