"""Where a private engine cannot be started, it says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proof.core.errors import CannotMeasureError, NoEngineError
from proof.engines import private_daemon
from proof.engines.client import Client
from proof.system import process, sandbox
from proof.system.process import Completed
from tests.support.helpers import processes, wait_until


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine on which it can be started."""
    found = SimpleNamespace(sysname="Linux", machine="x86_64")
    monkeypatch.setattr(os, "uname", lambda: found)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr(sandbox, "buildx", lambda: Path("/usr/libexec/docker/cli-plugins/docker-buildx"))
    return found


def test_with_root(machine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs buildx, and a processor on which nothing is emulated."""
    assert private_daemon.obstacle() == ""
    monkeypatch.setattr(sandbox, "buildx", lambda: None)
    assert private_daemon.obstacle() == "a private engine needs docker-buildx, not installed here"
    machine.machine = "aarch64"
    reason = "a private engine needs a machine for linux/amd64, without emulation: this one is aarch64"
    assert private_daemon.obstacle() == reason


class TestWithoutRoot:
    """An ordinary user needs a range of ids, and a kernel that lets them use it."""

    MAPS = "".join(
        f"/proc/self/{kind}_map:  0 1000 1\n/proc/self/{kind}_map:  1 100000 65535\n" for kind in ("uid", "gid")
    )

    @pytest.fixture(autouse=True)
    def tried(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
        """What the trial returns or raises."""
        found: dict[str, Any] = {"result": Completed((), 0, self.MAPS.encode(), b"", 0.1)}
        found["version"] = b"Docker version 26.1.5+dfsg1, build 411e817\n"

        def run(argv: Sequence[str], **_: object) -> Completed:
            if list(argv) == ["dockerd", "--version"]:
                return Completed(tuple(argv), 0, found["version"], b"", 0.1)
            if isinstance(found["result"], Exception):
                raise found["result"]
            return cast(Completed, found["result"])

        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(process, "run", run)
        private_daemon._obstacle_without_root.cache_clear()
        yield found
        private_daemon._obstacle_without_root.cache_clear()

    def test_all_is_there(self) -> None:
        assert private_daemon.obstacle() == ""

    def test_no_programs_for_the_ids(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are in a package of their own."""
        monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "newgidmap" else f"/usr/bin/{name}")
        assert private_daemon.obstacle() == "a private engine needs root, or else newgidmap, not installed here"

    @pytest.mark.parametrize("version", [b"Docker version 28.5.2+dfsg4, build 3ef3c07\n", b"", b"dockerd, mine\n"])
    def test_a_newer_docker(self, version: bytes, tried: dict[str, Any]) -> None:
        """It would not start: "error while connecting to RootlessKit API socket"."""
        tried["version"] = version
        assert private_daemon.obstacle().endswith("or else Docker 26 or earlier: later ones may need RootlessKit")

    @pytest.mark.parametrize(
        ("result", "reason"),
        [
            (
                Completed((), 1, b"", b"unshare: write failed /proc/self/uid_map: Operation not permitted\n", 0.1),
                "namespaces, which fails here: unshare: write failed /proc/self/uid_map: Operation not permitted",
            ),
            (CannotMeasureError("`unshare` took too long"), "namespaces: `unshare` took too long"),
            *(
                (Completed((), 0, few.encode(), b"", 0.1), "65,536 ids for the user in /etc/subuid and /etc/subgid")
                for few in (MAPS[: len(MAPS) // 2], MAPS.replace("65535", "99999", 1).replace("65535", "1000"))
            ),
        ],
    )
    def test_it_is_tried(self, result: Completed | Exception, reason: str, tried: dict[str, Any]) -> None:
        """What the kernel refuses is told in its own words."""
        tried["result"] = result
        assert private_daemon.obstacle() == f"a private engine needs root, or else {reason}"


def test_the_builds_of_another_docker_are_not_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer Docker would take steps of an older one from the cache, and what it does itself would not be measured."""
    programs = {name: tmp_path / "bin" / name for name in private_daemon._BUILDERS}
    (tmp_path / "bin").mkdir()
    for path in programs.values():
        path.write_text("26")
    monkeypatch.setattr(shutil, "which", lambda name, **_: str(programs[name]))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    layer = tmp_path / "slot" / "data" / "layer"
    layer.parent.mkdir(parents=True)
    layer.touch()
    private_daemon._renew(tmp_path / "slot")
    assert not layer.exists()  # nobody knows which Docker made it
    layer.parent.mkdir()
    layer.touch()
    private_daemon._renew(tmp_path / "slot")
    assert layer.exists()
    programs["runc"].write_text("runc of 29")
    private_daemon._renew(tmp_path / "slot")
    assert not layer.exists()
    private_daemon._renew(tmp_path / "slot")


@pytest.mark.parametrize(
    ("log", "hint"),
    [
        # Of util-linux 2.41, in a chroot whose directory is no mount point.
        ("unshare: cannot change root filesystem propagation: Invalid argument", private_daemon.ELSEWHERE),
        ("1\n2\n3\n4\n5\nprivate_daemon.sh: 30: mount: not found", "read {folder}/log, or use --engine docker"),
    ],
)
def test_its_last_lines_say_why_it_did_not_start(log: str, hint: str, tmp_path: Path) -> None:
    """They are the evidence."""
    daemon = process.spawn(["/usr/bin/printf", "%s", log], env={}, log=tmp_path / "log")
    with pytest.raises(NoEngineError, match="the private engine did not start") as refused:
        private_daemon._wait(cast(Client, None), daemon, tmp_path / "log")
    assert refused.value.evidence.splitlines() == log.splitlines()[-5:]
    assert refused.value.hint == hint.format(folder=tmp_path)


# It kills the tool before it asks for the signal, at the one moment when the kernel would not send it.
_LATE = """#!/bin/sh
kill -KILL "$PPID"
while [ "$(cut -d ' ' -f 4 /proc/$$/stat)" = "$PPID" ]; do :; done
touch {folder}/asked
exec {setpriv} "$@"
"""
_TOOL = """
from pathlib import Path
from proof.engines import private_daemon
from proof.system import process
argv = (*private_daemon.guard(), "sh", "-c", "touch {folder}/started; exec sleep 3014")
process.spawn(argv, env={{"PATH": "{folder}:/usr/bin:/bin"}}, log=Path("{folder}/log")).wait()
"""


@pytest.mark.parametrize("late", [False, True], ids=["while it runs", "before it is guarded"])
def test_it_ends_with_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, late: bool) -> None:
    """Whenever the tool is killed, nothing of the engine continues."""
    monkeypatch.undo()
    if (setpriv := shutil.which("setpriv")) is None:
        pytest.skip("no setpriv here, so no private engine either")
    if late:
        (tmp_path / "setpriv").write_text(_LATE.format(folder=tmp_path, setpriv=setpriv))
        (tmp_path / "setpriv").chmod(0o755)
    tool = subprocess.Popen([sys.executable, "-c", _TOOL.format(folder=tmp_path)])
    try:
        wait_until((tmp_path / ("asked" if late else "started")).exists)
        tool.kill()
        wait_until(lambda: not processes(bytes(tmp_path)))
        assert (tmp_path / "started").exists() is not late
    finally:
        tool.kill()
        tool.wait()
