"""The daemon of a private engine, which the tool starts in namespaces of its own. It never sees the user's images.

Its data is in a directory of the cache, called a slot, so that the next run finds the bases and the build cache there.
A run locks its slot for as long as its daemon lives; parallel runs use different slots.

It runs without root too, in a user namespace. Then root in it is the user, there is usually no control group, and files
of a container's other users belong to the ids that /etc/subuid gives the user.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import CannotMeasureError, NoEngineError, command
from proof.engines.client import Client, link
from proof.engines.failures import MAKE_ROOM, is_full
from proof.snippets.engine_version import PLATFORM, Store
from proof.system import cgroup, locks, process, sandbox

_PUBLISHER = "docker-proxy"  # waits at a published port, in the engine's own network
PROGRAMS = ("dockerd", "docker", "containerd", _PUBLISHER, "setpriv", "unshare", sandbox.PROGRAM)
# The only programs that the daemon finds: no shell, and no git, which BuildKit would use to fetch a context.
_DAEMONS = (
    *("dockerd", "containerd", "containerd-shim-runc-v2", "runc", "docker-init", _PUBLISHER),
    *("xz", "apparmor_parser"),
)
_BUILDERS = ("dockerd", "containerd", "runc")  # those that decide the result of a build
_MACHINE = "x86_64"  # the kernel's name for PLATFORM
_READY = 60.0  # seconds; 1.5 s is usual
SOCKET = "docker.sock"
_SOCKET_LIMIT = 100  # bytes: the kernel allows 107 for the path of a socket

_NAMESPACES = ("unshare", "--mount-proc", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=KILL")
# Without root, for one more namespace: in it the user is root, and the ids of /etc/subuid are the other users.
_MAPPED = ("--user", "--map-root-user", "--map-auto")
_MAPPERS = ("newuidmap", "newgidmap")  # with these unshare gives the other ids
_IDS = 65_536  # that the files of an image may belong to
_PROXY = "rootlesskit-docker-proxy"  # without root, dockerd does not start unless it finds it
_GATEWAY = "172.17.0.1"  # of the network that leads nowhere but to this machine's proxy; no host has it otherwise
_CLONE_NEWNET = 0x40000000  # see setns(2)
_PROCESSES = 10_000  # and threads, of the user and the engine together

_INSIDE = Path(__file__).with_name("private_daemon.sh")  # runs inside the namespaces
# The host's user id for root in a container, which nobody else has. A container's other users have the ids after it.
_USER = 1_900_000_000

# A hint, where namespaces are not allowed.
ELSEWHERE = "run the tool outside of a chroot, and of a container without --privileged, or use --engine docker"

_DOCKERD = re.compile(r"Docker version ([0-9]{1,4})\.")
# Without root, Docker 28 and 29 do not start without RootlessKit's socket. Docker 27 was not tried.
_LAST_WITHOUT_ROOTLESSKIT = 26


def obstacle() -> str:
    """Why a private engine cannot be started here, or "" if it can."""
    if os.name != "posix" or os.uname().sysname != "Linux":
        return "a private engine needs Linux"
    if (machine := os.uname().machine) != _MACHINE:
        return f"a private engine needs a machine for {PLATFORM}, without emulation: this one is {machine}"
    missing = [program for program in PROGRAMS if not process.which(program)]
    missing += [] if sandbox.buildx() else ["docker-buildx"]
    if missing:
        return f"a private engine needs {', '.join(missing)}, not installed here"
    return "" if _is_root() else _obstacle_without_root()


@functools.cache
def _obstacle_without_root() -> str:
    path = process.search_path()
    if missing := [program for program in _MAPPERS if not process.which(program)]:
        return f"a private engine needs root, or else {' and '.join(missing)}, not installed here"
    # Only a trial shows what the kernel allows, and where the ranges come from.
    maps = ("/proc/self/uid_map", "/proc/self/gid_map")
    trial = (*_NAMESPACES, *_MAPPED, "grep", "--with-filename", "", *maps)
    try:
        done = process.run(trial, env={"PATH": path}, deadline=10)
        printed = process.run(("dockerd", "--version"), env={"PATH": path}, deadline=10).text()
    except CannotMeasureError as error:
        return f"a private engine needs root, or else namespaces: {error.what}"
    if done.exit != 0:
        return f"a private engine needs root, or else namespaces, which fails here: {done.last_lines(1)}"
    lines = done.text().splitlines()
    if any(sum(int(line.split()[-1]) for line in lines if line.startswith(which)) < _IDS for which in maps):
        return f"a private engine needs root, or else {_IDS:,} ids for the user in /etc/subuid and /etc/subgid"
    if (version := _DOCKERD.search(printed)) is None or int(version[1]) > _LAST_WITHOUT_ROOTLESSKIT:
        last = f"Docker {_LAST_WITHOUT_ROOTLESSKIT} or earlier"
        return f"a private engine needs root, or else {last}: later ones may need RootlessKit"
    return ""


def localhost_flags(user: int) -> tuple[str, ...]:
    """Flags for a container that stands for the reader's machine: published ports answer at localhost.

    It shares the network of the daemon, where nothing else listens. Docker does not allow that to a container with
    remapped users, so it runs as the last user of the range, with no way to become another one.
    """
    nobody = user + _IDS - 1
    alone = ("--cap-drop=ALL", "--security-opt=no-new-privileges")
    network = ("--network=host", "--hostname=localhost")  # without the second, it would have the name of this machine
    return (*network, *(("--userns=host",) if user else ()), f"--user={nobody}:{nobody}", *alone)


def guard() -> tuple[str, ...]:
    """Words in front of a command. If this process dies, even by SIGKILL, the kernel kills the command.

    It sends no signal for a parent that had died before the signal was asked for: then `sh` has another parent.
    """
    return ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid()))


def programs() -> list[Path]:
    """The files of all programs that a private engine consists of."""
    paths = [process.which(program) for program in dict.fromkeys((*PROGRAMS, *_DAEMONS))]
    return [Path(path) for path in (*paths, sandbox.buildx(), _INSIDE) if path]


@dataclass
class Daemon:
    """The process of an engine, which can be restarted in its slot."""

    slot: Path
    held: int  # the descriptor of the slot's lock
    store: Store
    memory: int  # bytes
    guard: Sequence[str]  # words in front of the command that starts it
    running: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def user(self) -> int:
        """The host's user id for root in a container."""
        # With containerd's store, the builder of Docker 26 cannot use remapped users.
        # Without root there is only one user namespace, in which users are remapped already.
        return _USER if self.store == "classic" and _is_root() else 0

    def group(self) -> str:
        """The name of its control group, which is created; empty if that is not possible here."""
        name = cgroup.name(self.slot)
        return name if cgroup.make(name, self.memory) else ""

    def start(self, client: Client) -> None:
        """Start the daemon, and wait until it answers this client."""
        self.starts += 1
        (self.slot / SOCKET).unlink(missing_ok=True)
        link(_DAEMONS, self.slot / "bin")
        self._write_settings()
        group = self.group()
        options = [f"--cgroup-parent=/{group}"] if group else []
        env = {"PATH": process.search_path(), "HOME": "/", "PYTHON": sys.executable}
        namespaces: tuple[str, ...] = _NAMESPACES
        if not _is_root():
            options.append("--rootless")
            env |= _stand_in_for_rootlesskit(self.slot / "bin")
            namespaces = (*_limit_of_processes(), *_NAMESPACES, *_MAPPED)
        log = self.slot / "dockerd.log"
        self.running = process.spawn(
            [*self.guard, *namespaces, "sh", str(_INSIDE), str(self.slot), str(self.user), *options],
            env=env,
            log=log,
            keep_open=[self.held],
        )
        _wait(client, self.running, log)

    def _write_settings(self) -> None:
        # The image store and the cgroup driver are set because a newer Docker, or systemd, would choose others.
        settings = {
            "userns-remap": "containers" if self.user else "",
            "bip": f"{_GATEWAY}/16",
            "userland-proxy": True,  # dockerd has no iptables here, so a proxy forwards ports
            "features": {"containerd-snapshotter": self.store == "containerd"},
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
        }
        (self.slot / "daemon.json").write_text(json.dumps(settings))
        # The settings that dockerd uses for a containerd that it starts itself.
        (self.slot / "containerd.toml").write_text(
            f"version = 2\nroot = {json.dumps(str(self.slot / 'data/containerd/daemon'))}\n"
            'state = "/run/docker/containerd/daemon"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        )

    def listen(self) -> socket.socket:
        """A socket at an address that containers with a network reach. What answers there is in this process.

        Raises CannotMeasureError without root, which entering the engine's network takes.
        """
        if not _is_root() or self.running is None:
            raise CannotMeasureError("a network for a snippet needs root here", hint="run the tool as root")
        children = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text().split()
        made: list[socket.socket | OSError] = []
        # A thread of its own, since the network that it enters is that of this thread alone.
        thread = threading.Thread(target=lambda: made.append(_listening_in(f"/proc/{children[0]}/ns/net")))
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise CannotMeasureError("the private engine's network cannot be entered", evidence=str(made[0]))
        return made[0]

    def end(self, *, grace: float) -> None:
        """Stop the daemon, by force after `grace` seconds, and remove its control group."""
        if self.running is not None:
            process.end(self.running, grace=grace)
        cgroup.remove(cgroup.name(self.slot))


def _listening_in(network: str) -> socket.socket | OSError:
    """A listening socket in this network namespace, which the calling thread enters for good."""
    try:
        with Path(network).open("rb") as opened:
            if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), _CLONE_NEWNET) != 0:
                return OSError(ctypes.get_errno(), "setns fails")
        return socket.create_server((_GATEWAY, 0), backlog=64)
    except OSError as error:
        return error


def _is_root() -> bool:
    return os.geteuid() == 0


def _stand_in_for_rootlesskit(programs: Path) -> dict[str, str]:
    """Add to these programs the one without which dockerd does not start, and return the variables that it wants."""
    (programs / _PROXY).symlink_to((programs / _PUBLISHER).readlink())
    # It finds nothing of RootlessKit there, and needs nothing.
    return {"ROOTLESSKIT_STATE_DIR": "/run", "XDG_RUNTIME_DIR": "/run"}


def _limit_of_processes() -> tuple[str, ...]:
    """Words in front of a command that limit the processes of the user and the engine, where no control group does."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    return ("prlimit", f"--nproc={_PROCESSES if most == resource.RLIM_INFINITY else min(_PROCESSES, most)}")


def is_engine(pid: int, slot: Path) -> bool:
    """True if this process is the engine in that slot. After a crash, another process may have got its id."""
    try:
        return bytes(slot) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@contextlib.contextmanager
def slot_in(cache: Path, store: Store) -> Iterator[tuple[Path, int]]:
    """A slot for an engine with this image store, and the descriptor of its lock, which is held during the block."""
    slot, held = _take_slot(cache / f"engine-{store}")
    try:
        _renew(slot)
        socket = slot / SOCKET
        if len(bytes(socket)) > _SOCKET_LIMIT:
            raise NoEngineError(f"the path {socket} is too long for a socket", hint="set PROOF_CACHE to a shorter path")
        yield slot, held
    finally:
        os.close(held)


def _take_slot(parent: Path) -> tuple[Path, int]:
    """The first free slot, and the descriptor of its lock.

    Anyone who can reach the socket in a slot is root in that engine, so only our own user may enter the directory.
    """
    parent.mkdir(parents=True, exist_ok=True)
    if parent.is_symlink() or parent.stat().st_uid != os.geteuid():
        raise NoEngineError(f"{parent} is a link, or belongs to another user", hint=command("rm", "-r", parent))
    parent.chmod(0o700)
    for number in range(64):
        slot = parent / str(number)
        slot.mkdir(exist_ok=True)
        slot.chmod(0o711)  # the users of the engine's containers must be able to pass through it
        (slot / "lock").touch()
        if (held := locks.take(slot / "lock")) is not None:
            return slot, held
    raise CannotMeasureError(f"all slots in {parent} are in use", hint="wait until other runs have ended")


def _renew(slot: Path) -> None:
    """Empty a slot that another Docker has filled: this one would take the steps of its builds from the cache."""
    paths = [process.which(program) for program in _BUILDERS]
    files = [Path(path).resolve() for path in paths if path]
    versions = "".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n" for path in files)
    stamp, data = slot / "programs", slot / "data"
    if stamp.is_file() and stamp.read_text() == versions:
        return
    if data.exists():
        if _is_root():
            shutil.rmtree(data)
        else:  # its files belong to several users
            process.run(
                ("unshare", *_MAPPED, "rm", "-rf", str(data)), env={"PATH": process.search_path()}, deadline=600
            )
    stamp.write_text(versions)


def _wait(client: Client, daemon: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY
    socket = log.with_name(SOCKET)
    while time.monotonic() < until and daemon.poll() is None:
        # Looking for the socket is a thousand times cheaper than running a client, which needs the socket anyway.
        if socket.exists() and client.alive():
            return
        time.sleep(0.005)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:])
    if is_full(tail):
        # Not NoEngineError: with `--engine auto` that would use the user's own engine instead.
        raise CannotMeasureError("the private engine did not start: its disk is full", evidence=tail, hint=MAKE_ROOM)
    hint = ELSEWHERE if tail.startswith("unshare: ") else f"read {log}, or use --engine docker"
    raise NoEngineError("the private engine did not start", evidence=tail, hint=hint)
