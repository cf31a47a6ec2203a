"""The user's Podman. It has no daemon: its client does all the work, and stores the steps of builds as images."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, ClassVar

from proof.core.errors import NoEngineError
from proof.engines import user_engine
from proof.engines.client import Client
from proof.engines.interface import Engine, EngineInfo, EngineOptions
from proof.engines.names import Names, new_prefix
from proof.snippets.engine_version import Kind

# The programs that podman needs, but not git, gpg or cpp.
_HELPERS = "conmon crun runc catatonit fuse-overlayfs newuidmap newgidmap pasta slirp4netns netavark".split()


@dataclass(frozen=True, kw_only=True)
class Podman(Engine):
    """Podman, as root or as an ordinary user."""

    supports_labels: bool = False  # True if build steps can be labelled

    kind: ClassVar[Kind] = "podman"
    reads_indented_comments: ClassVar[bool] = False
    build_flags: ClassVar[tuple[str, ...]] = ("--pull=never",)  # or it would ask every registry for a missing base

    def info(self) -> EngineInfo:
        """Ask the engine about itself."""
        data = self._info()
        store = data["store"]
        return EngineInfo(
            version=data["version"]["Version"],
            builder=f"buildah {data['host'].get('buildahVersion', '?')}",
            image_store=store["graphDriverName"],
            filesystem=store.get("graphStatus", {}).get("Backing Filesystem", "?"),
        )

    def reuse_flags(self, run: int, seconds: float) -> list[str]:  # noqa: ARG002 - Docker's
        """The age that a step in the cache may have."""
        return [f"--cache-ttl={seconds:.3f}s"]

    def build_cache(self) -> dict[str, bool]:
        """Empty: Podman caches images instead."""
        return {}

    def runnable_platforms(self) -> list[str]:
        """What Podman tells, since 4.9."""
        return self._info()["host"].get("emulatedArchitectures") or []

    def save(self, image: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """`podman image save` as a stream, in Docker's format."""
        return self.client.stream("image", "save", "--format", "docker-archive", image)

    def label_flags(self, label: str) -> list[str]:
        """Flags of a build that label its steps."""
        return ["--layer-label", label] if self.supports_labels else []

    @property
    def removal_flags(self) -> list[str]:
        """Podman would remove the steps below an image too, which may be the user's own: it builds on theirs."""
        return ["--no-prune"] if self.supports_labels else []

    def _info(self) -> Any:
        return json.loads(self.client.call("info", "--format", "json").output)


@contextlib.contextmanager
def opened(options: EngineOptions) -> Iterator[Podman]:
    """The user's Podman.

    Raises NoEngineError if it is not installed, cannot run containers, or is not on Linux.
    """
    with user_engine.home_of("podman", options.platform, _HELPERS) as (home, env):
        env["HOME"] = os.environ.get("HOME", str(home))  # rootless podman keeps its images below it
        env["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"  # it would be in every output, with the time of day
        env["CONTAINERS_CONF_OVERRIDE"] = str(_settings(home))
        # It knows its version even where it cannot set up a namespace, so it is asked for more.
        silent = "`podman` is installed, but cannot run containers here"
        info = json.loads(user_engine.ask(["podman", "info", "--format", "json"], env, silent))
        # Without a limit of memory: the client does all the work.
        client = Client("podman", env, memory=None)
        names = Names(prefix=new_prefix(), host="localhost/")
        engine = Podman(client=client, platform=options.platform, names=names)
        engine = user_engine.on_machine(engine, f"{info['host']['os']}/{info['host']['arch']}")
        _check_users(info["host"])
        engine = replace(engine, supports_labels="--layer-label" in client.call("build", "--help").text())
        root = info["store"]["graphRoot"]
        identity = f"podman-{hashlib.sha256(root.encode()).hexdigest()[:12]}"
        with user_engine.kept_clean(engine, options, root=root, identity=identity) as clean:
            yield clean


def _settings(home: Path) -> Path:
    """Settings for builds: by default they ask for a million open files, which root in a container may not have."""
    limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
    settings = home / "containers.conf"
    settings.write_text(f"[containers]\ndefault_ulimits = {[f'{name}={n}:{n}' for name, n in hard.items()]}\n")
    return settings


def _check_users(host: dict[str, Any]) -> None:
    """Raise NoEngineError if, by its `podman info`, Podman can give files to no other user than its own.

    Without root that is so until /etc/subuid and /etc/subgid have ranges. Almost every image has files of others.
    """
    maps = (host.get("idMappings") or {}).values() if host.get("security", {}).get("rootless") else ()
    if any(sum(ids["size"] for ids in ranges or ()) == 1 for ranges in maps):
        raise NoEngineError(
            "`podman` has no user IDs here for the other users of an image",
            hint="sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER; podman system migrate",
        )
