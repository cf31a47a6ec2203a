"""The private engine leaves no trace, and the user's own engine is left as it was."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proof.engines import private_docker, registry
from proof.engines.interface import Engine, EngineOptions
from proof.snippets.engine_version import PLATFORM
from proof.system import sandbox
from proof.system.process import search_path
from tests.support.helpers import processes, proof, snapshot, succeeded, tiny
from tests.support.makers import write

pytestmark = pytest.mark.engine


def host(engine: Engine) -> dict[str, str]:
    return {"DOCKER_HOST": engine.client.env["DOCKER_HOST"]}


def test_the_users_context_is_followed(tmp_path: Path, users: Engine) -> None:
    """`--engine docker` uses the daemon that the user's own client would: by a context too, and leaves it as it was."""
    root, before = tiny(tmp_path), snapshot(users)
    environment = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    create = ("docker", "context", "create", "theirs", "--docker", f"host={users.client.env['DOCKER_HOST']}")
    subprocess.run(create, env={**os.environ, **environment}, capture_output=True, check=True)
    done = succeeded(proof("update", "--engine", "docker", cwd=root, env={**environment, "DOCKER_CONTEXT": "theirs"}))
    assert f"using your docker at {users.client.env['DOCKER_HOST'].removeprefix('unix://')}" in done.stdout
    assert snapshot(users) == before


def test_the_users_engine_is_never_asked(tmp_path: Path, users: Engine) -> None:
    """By default a run uses a daemon of its own, even where DOCKER_HOST names the user's."""
    root, before = tiny(tmp_path), snapshot(users)
    succeeded(proof("update", cwd=root, env=host(users)))
    assert snapshot(users) == before


def update_unshared(namespace: str, script: str, *more: str, root: Path, cache: Path) -> str:
    """What `proof update count` prints in a namespace of its own, where the script calls it."""
    update = (sys.executable, "-m", "proof.cli.main", "update", "count", "--engine", "private")
    argv = ["unshare", namespace, "sh", "-c", script, "sh", *more, *update]
    env = {**os.environ, "PATH": search_path(), "PROOF_CACHE": str(cache)}
    done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, timeout=120, check=False)
    return succeeded(done).stdout


@pytest.mark.skipif(shutil.which("ip", path=search_path()) is None, reason="no ip here: apt-get install iproute2")
def test_the_hosts_network_is_left_alone(tmp_path: Path, cache: Path) -> None:
    """A bridge called docker0, which a daemon without one deletes where it can see it, stays where the tool runs."""
    script = 'ip link add docker0 type bridge && "$@" && ip link show docker0'
    assert "docker0: <BROADCAST" in update_unshared("--net", script, root=tiny(tmp_path), cache=cache)


@pytest.mark.skipif(shutil.which("pivot_root", path=search_path()) is None, reason="no pivot_root here to hide")
def test_few_programs_of_the_system_are_needed(tmp_path: Path, cache: Path) -> None:
    """The root directory is changed without the program pivot_root, which a minimal Debian 14 does not have."""
    hidden = str(shutil.which("pivot_root", path=search_path()))
    script = 'mount --bind /dev/null "$1" && shift && exec "$@"'
    update_unshared("--mount", script, hidden, root=tiny(tmp_path), cache=cache)


def test_two_engines_stand_side_by_side(tmp_path: Path, engine: Engine) -> None:
    """Each run has its own slot: one does not see what the other creates."""
    with (
        private_docker.start(tmp_path, PLATFORM) as first,
        private_docker.start(tmp_path, PLATFORM) as second,
    ):
        assert first.client.env["DOCKER_HOST"] != second.client.env["DOCKER_HOST"] != engine.client.env["DOCKER_HOST"]
        assert (
            first.client.call("image", "ls", "--quiet").text()
            == second.client.call("image", "ls", "--quiet").text()
            == ""
        )
    assert processes(f"{tmp_path}/".encode()) == []


def test_volumes_do_not_pile_up(tmp_path: Path) -> None:
    """A run removes those without a name that a killed one left. What `inside` commands share has a name, and stays."""

    def volumes(engine: Engine) -> list[str]:
        return engine.client.call("volume", "ls", "--quiet").text().split()

    with private_docker.start(tmp_path, PLATFORM) as engine:
        engine.client.call("volume", "create")
        engine.client.call("volume", "create", "proof-keeps-alpine")
        assert len(volumes(engine)) == 2
    with private_docker.start(tmp_path, PLATFORM) as engine:
        assert volumes(engine) == ["proof-keeps-alpine"]


@pytest.mark.parametrize("confined", [True, False])
def test_a_buildx_of_the_users_own(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, confined: bool
) -> None:
    """A build uses the buildx in the directory that the user's settings name, in a sandbox and without one."""
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(str(sandbox.buildx()), own / "docker-buildx")
    write(tmp_path / ".docker", {"config.json": json.dumps({"cliPluginsExtraDirs": [str(own)]})})
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    monkeypatch.setenv("DOCKER_HOST", engine.client.env["DOCKER_HOST"])
    monkeypatch.setattr(sandbox, "_PLACES", ())  # the tool finds none of the system's, but docker would
    if not confined:
        monkeypatch.setattr(sandbox, "of", lambda _: None)
    with registry.opened("docker", EngineOptions(tmp_path, PLATFORM)) as users:
        assert (users.client.sandbox is not None) == confined
        plugins = users.client.call("info", "--format", "{{range .ClientInfo.Plugins}}{{println .Path}}{{end}}").text()
        assert plugins.split() == [f"{users.client.env['DOCKER_CONFIG']}/cli-plugins/docker-buildx"]


def test_a_number_that_is_somebody_elses(tmp_path: Path) -> None:
    """What is recorded of an engine that crashed may be another process by now: it is left alone."""
    write(tmp_path / "engine-classic/0", {"detached.json": json.dumps({"pid": os.getpid(), "host": "unix:///x"})})
    assert private_docker.detached(tmp_path) == []
    assert private_docker.stop(tmp_path) == 0


def test_an_engine_to_look_inside(tmp_path: Path, cache: Path) -> None:
    """`proof engine` starts one that stays, says how to reach it, and stops it without a trace."""
    root, own = tiny(tmp_path), tmp_path / "cache"
    own.mkdir()
    (own / "packages").symlink_to(cache / "packages")
    env = {"PROOF_CACHE": str(own)}
    assert proof("engine", "env", cwd=root, env=env).returncode == 2
    unknown = proof("engine", "start", "alpine:3.21", cwd=root, env=env)
    assert (unknown.returncode, "no base 'alpine:3.21' in bases.toml" in unknown.stderr) == (2, True)
    succeeded(proof("engine", "start", "alpine:3.22", cwd=root, env=env))
    exported = proof("engine", "env", cwd=root, env=env).stdout.strip()
    address = exported.removeprefix("export DOCKER_HOST=")
    listed = subprocess.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
        env={**os.environ, "DOCKER_HOST": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.strip() == "alpine:3.22"
    # A plain build works in it, and reaches nothing.
    lines = b"FROM alpine:3.22\nRUN ! wget -T 1 -qO- http://192.0.2.1/\n"
    built = subprocess.run(
        ["docker", "build", "--quiet", "-"], env={**os.environ, "DOCKER_HOST": address}, input=lines, check=False
    )
    assert built.returncode == 0
    assert "1 stopped" in proof("engine", "stop", cwd=root, env=env).stdout
    assert processes(f"{own}/".encode()) == []
