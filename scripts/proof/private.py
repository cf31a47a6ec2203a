"""The private engine: a Docker daemon of our own, in namespaces of its own, that never sees the user's images.

Its data stays in a slot of the cache, so that a second run finds its bases and its build cache. Each run locks a slot
for as long as its daemon lives; runs side by side take different slots.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from proof import engine as engines
from proof import process
from proof.engine import Engine, search_path
from proof.errors import CannotMeasureError, NoEngineError

Store = Literal["classic", "containerd"]  # Docker's own, or that of the containerd below it: newer Dockers' default
PROGRAMS = ("dockerd", "docker", "setpriv", "unshare")
_READY = 60.0  # seconds; 1.5 s is usual
_GRACE = 15.0  # seconds for the daemon to stop by itself; 1 to 3 s are usual
_DETACHED = "detached.json"
_SOCKET_LIMIT = 100  # bytes: the kernel takes 107 for the path of a socket

# Inside the namespaces: a /run of its own keeps the daemon's sockets and pidfiles apart from the host's and makes
# them go with it. Without a network namespace `--bridge=none` would delete the host's docker0.
_INNER = """
mount -t tmpfs -o mode=755 tmpfs /run
exec dockerd --config-file "$1/daemon.json" --data-root "$1/data" --exec-root /run/docker --pidfile /run/docker.pid \
    --host "unix://$1/docker.sock" --bridge=none --iptables=false --ip6tables=false
"""


def obstacle() -> str:
    """Why no private engine can be started here, or nothing."""
    if os.name != "posix" or os.uname().sysname != "Linux":
        return "a private engine needs Linux"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=search_path())]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "a private engine needs root (namespaces and mounts)"
    return ""


@contextlib.contextmanager
def start(cache: Path, platform: str, *, store: Store = "classic", detach: bool = False) -> Iterator[Engine]:
    """A running private engine, stopped at the end of the block (unless detached); `store` is where its images are.

    Raises NoEngineError where it cannot be started here, CannotMeasureError where it does not come up.
    """
    if reason := obstacle():
        raise NoEngineError(reason, cure="scripts/bootstrap as root, or --engine docker")
    slot, lock = _take_slot(cache / f"engine-{store}")
    socket = slot / "docker.sock"
    if len(str(socket).encode()) > _SOCKET_LIMIT:
        raise NoEngineError(f"the path {socket} is too long for a socket", cure="PROOF_CACHE=/a/shorter/folder")
    socket.unlink(missing_ok=True)
    # The image store is named because a newer Docker changed its default, and /etc/docker is the user's.
    (slot / "daemon.json").write_text(json.dumps({"features": {"containerd-snapshotter": store == "containerd"}}))
    with tempfile.TemporaryDirectory(prefix="proof-home-") as home:
        env = engines.environment(Path(home), platform) | {"DOCKER_HOST": f"unix://{socket}"}
        # --pdeathsig: killing the tool, however rudely, ends the engine and all its containers with it.
        guard = () if detach else ("setpriv", "--pdeathsig", "KILL")
        namespaces = (
            "unshare",
            "--mount-proc",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
            "--fork",
            "--kill-child=KILL",
        )
        daemon = process.spawn(
            [*guard, *namespaces, "sh", "-c", _INNER, "sh", str(slot)],
            env={"PATH": env["PATH"], "HOME": home},
            log=slot / "dockerd.log",
            keep_open=[lock],
        )
        try:
            os.close(lock)  # the daemon holds it from here on
            engine = Engine("docker", env, platform)
            _wait(engine, daemon, slot / "dockerd.log")
            # What a killed run left in this slot: in an engine of our own every container is ours.
            engine.remove(containers=engine.call("ps", "--all", "--quiet").text().split())
            if detach:
                (slot / _DETACHED).write_text(json.dumps({"pid": daemon.pid, "host": env["DOCKER_HOST"]}))
            yield engine
        finally:
            if not detach:
                process.end(daemon, grace=_GRACE)


def detached(cache: Path) -> list[tuple[Path, int, str]]:
    """The engines that were started to stay: slot, process and DOCKER_HOST of each that still runs."""
    found = []
    for record in sorted(cache.glob(f"engine-*/*/{_DETACHED}")):
        data = json.loads(record.read_text())
        if Path(f"/proc/{data['pid']}").exists():
            found.append((record.parent, int(data["pid"]), str(data["host"])))
        else:
            record.unlink()
    return found


def stop(cache: Path) -> int:
    """Stop every engine that was started to stay, and say how many."""
    found = detached(cache)
    for slot, pid, _ in found:
        process.end_group(pid, grace=_GRACE)
        (slot / _DETACHED).unlink(missing_ok=True)
    return len(found)


def _take_slot(parent: Path) -> tuple[Path, int]:
    """The first slot that nobody holds, and the descriptor of its lock."""
    for number in range(64):
        slot = parent / str(number)
        slot.mkdir(parents=True, exist_ok=True)
        lock = os.open(slot / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return slot, lock
    raise CannotMeasureError(f"all slots of {parent} are taken", cure="wait for the other runs")


def _wait(engine: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY
    while time.monotonic() < until:
        if daemon.poll() is not None:
            break
        with contextlib.suppress(CannotMeasureError):
            if process.run(["docker", "version"], env=engine.env, deadline=10).exit == 0:
                return
        time.sleep(0.05)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:])
    raise NoEngineError("the private engine did not come up", evidence=tail, cure=f"read {log}, or use --engine docker")
