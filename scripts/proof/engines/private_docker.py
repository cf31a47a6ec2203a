"""The private Docker: an engine that a run starts for itself, and that `proof engine` can leave running."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from proof.core.errors import CannotMeasureError, EngineLostError, NoEngineError, NotInstalledError
from proof.engines import api, private_daemon
from proof.engines.client import Client, environment
from proof.engines.docker import Docker
from proof.engines.interface import EngineOptions, T
from proof.engines.names import OWN
from proof.snippets.engine_version import Store
from proof.system import cgroup, process, sandbox, temp_folders

_REMOVAL = 5.0  # seconds without a client, which can be interrupted: after these it takes over
_ANSWER = 10.0  # seconds to tell about an image
_LIST = 60.0  # seconds to list containers or images
_PRUNE = 10.0  # seconds
_GRACE = 15.0  # seconds for the daemon to stop by itself; 1 to 3 s are usual
_DETACHED = "detached.json"


@dataclass(frozen=True, kw_only=True)
class PrivateDocker(Docker):
    """A Docker daemon that the tool has started, and that nobody else uses."""

    restart: Callable[[], object] | None = None  # starts it again if it was lost
    listener: Callable[[], socket.socket] | None = None  # see `listen`

    private: ClassVar[bool] = True

    @property
    def introduction(self) -> str:
        """Empty: it has nothing of the user's."""
        return ""

    @property
    def warning(self) -> str:
        """What the engine does not protect the user from."""
        return "" if self.group else "the private engine cannot limit memory here"

    def retry_if_lost(self, act: Callable[[], T]) -> T:
        """Call `act` and return its result; if the engine is lost meanwhile, restart it and call `act` again."""
        try:
            return act()
        except EngineLostError:
            if self.restart is None:
                raise
        self.restart()
        return act()

    def listen(self) -> socket.socket:
        """A listening socket that containers with the network `bridge` reach, and that leads to this process."""
        return self.listener() if self.listener else super().listen()

    def inspect(self, name: str) -> dict[str, Any] | None:
        """What the engine tells about the image that it stores under this name; None if it has none."""
        with contextlib.suppress(OSError, ValueError):
            if self.client.socket:
                path = f"/images/{urllib.parse.quote(name)}/json"
                answer = api.ask(self.client.socket, "GET", path, deadline=_ANSWER)
                return json.loads(answer.body) if answer.status == 200 else None
        return super().inspect(name)

    def remove(
        self, *, containers: Sequence[str] = (), networks: Sequence[str] = (), images: Sequence[str] = ()
    ) -> bool:
        """Remove these by name, and return whether all are gone. If a request fails, a client says why."""
        quote = urllib.parse.quote
        paths = [f"/containers/{quote(name)}?force=1&v=1" for name in containers]
        paths += [f"/networks/{quote(name)}" for name in networks]  # which no container may use any more
        paths += [f"/images/{quote(name)}?force=1" for name in images]
        with contextlib.suppress(OSError):
            socket = self.client.socket
            if socket and all(api.ask(socket, "DELETE", path, deadline=_REMOVAL).gone for path in paths):
                return True
        return super().remove(containers=containers, networks=networks, images=images)


def opened(options: EngineOptions) -> contextlib.AbstractContextManager[PrivateDocker]:
    """A private engine. Raises NoEngineError if it cannot be started here."""
    return start(options.cache, options.platform, memory=options.memory, on_restart=options.on_restart)


@contextlib.contextmanager
def start(
    cache: Path,
    platform: str,
    *,
    store: Store = "classic",
    memory: int | None = None,
    detach: bool = False,
    on_restart: Callable[[], object] = lambda: None,
) -> Iterator[PrivateDocker]:
    """Start a private engine. At the end of the block it is stopped, unless `detach` is set.

    Its containers together may use `memory` bytes, by default nine tenths of the free memory. If the engine is lost,
    `Engine.retry_if_lost` restarts it and `on_restart` is called.
    Raises NoEngineError if it cannot be started here, and CannotMeasureError if its disk is full.
    """
    if reason := private_daemon.obstacle():
        raise NotInstalledError(reason, hint="install what is missing, or use --engine docker")
    with (
        private_daemon.slot_in(cache, store) as (slot, held),
        temp_folders.folder("home") as home,
    ):
        confined = sandbox.of(slot / private_daemon.SOCKET)
        if confined is None:
            raise NoEngineError(
                "bubblewrap cannot create a sandbox here",
                evidence=sandbox.obstacle(),
                hint=private_daemon.ELSEWHERE,
            )
        guard = () if detach else private_daemon.guard()
        daemon = private_daemon.Daemon(slot, held, store, memory or cgroup.default_memory(), guard)
        env = environment(home, platform) | {"DOCKER_HOST": f"unix://{confined.socket}"}
        client = Client("docker", env, confined, socket=confined.socket, starts=lambda: daemon.starts)
        engine = PrivateDocker(
            client=client,
            platform=platform,
            disk=slot,
            group=daemon.group(),
            localhost_flags=private_daemon.localhost_flags(daemon.user),
            listener=daemon.listen,
            restart=_restarter(daemon, client, on_restart),
        )
        with _running(daemon, client, detach=detach):
            _tidy(engine, confined.socket)
            if detach:
                assert daemon.running is not None
                record = {"pid": daemon.running.pid, "host": env["DOCKER_HOST"]}
                (slot / _DETACHED).write_text(json.dumps(record))
            yield engine


@contextlib.contextmanager
def _running(daemon: private_daemon.Daemon, client: Client, *, detach: bool) -> Iterator[None]:
    """Run the daemon during the block, and after it too with `detach`, unless the block fails."""
    try:
        daemon.start(client)
        yield
    except BaseException:
        daemon.end(grace=0)  # an interrupted run waits for no container; what stays behind, the next run removes
        raise
    if not detach:
        daemon.end(grace=_GRACE)


def _restarter(daemon: private_daemon.Daemon, client: Client, on_restart: Callable[[], object]) -> Callable[[], None]:
    restarting = threading.Lock()

    def restart() -> None:
        with restarting:
            if client.alive():
                return  # another snippet noticed first, and has restarted it
            daemon.end(grace=0)  # a daemon that hangs reacts to nothing but SIGKILL
            daemon.start(client)
            on_restart()

    return restart


def _tidy(engine: PrivateDocker, socket: Path) -> None:
    """Remove what an earlier run left in the engine: all but base images, build cache, and volumes that have names."""
    containers = [container["Id"] for container in _list(socket, "containers/json?all=1")]
    tags = [tag for image in _list(socket, "images/json") for tag in image["RepoTags"] or ()]
    engine.remove(containers=containers, images=[tag for tag in tags if tag.startswith(OWN)])
    for request in ("/images/prune", "/networks/prune", "/volumes/prune"):
        with contextlib.suppress(OSError):  # then the next run removes the rest
            api.ask(socket, "POST", request, deadline=_PRUNE)


def _list(socket: Path, what: str) -> list[dict[str, Any]]:
    """All containers or images."""
    try:
        answer: list[dict[str, Any]] = json.loads(api.ask(socket, "GET", f"/{what}", deadline=_LIST).body)
    except (OSError, ValueError) as error:
        raise CannotMeasureError(f"the private engine does not answer {what}", evidence=str(error)) from error
    return answer


def detached(cache: Path) -> list[tuple[Path, int, str]]:
    """The detached engines that still run: slot, process id and DOCKER_HOST of each."""
    running = []
    for record in sorted(cache.glob(f"engine-*/*/{_DETACHED}")):
        data = json.loads(record.read_text())
        if private_daemon.is_engine(int(data["pid"]), record.parent):
            running.append((record.parent, int(data["pid"]), str(data["host"])))
        else:
            record.unlink()
    return running


def stop(cache: Path) -> int:
    """Stop all detached engines, and return how many there were."""
    running = detached(cache)
    for slot, pid, _ in running:
        process.end_group(pid, grace=_GRACE)
        (slot / _DETACHED).unlink(missing_ok=True)
        cgroup.remove(cgroup.name(slot))
    return len(running)
