"""The user's Docker: what every Docker has in common, and how the user's is reached."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from proof.core import units
from proof.core.errors import NoEngineError
from proof.engines import user_engine
from proof.engines.client import Client, link
from proof.engines.interface import Engine, EngineInfo, EngineOptions
from proof.engines.names import Names, new_prefix
from proof.snippets.engine_version import NO_NATIVE_DIFF, Kind
from proof.system import process, sandbox

_GAP = re.compile(r" {2,}")  # between the columns of a table


@dataclass(frozen=True, kw_only=True)
class Docker(Engine):
    """A Docker daemon."""

    kind: ClassVar[Kind] = "docker"

    def info(self) -> EngineInfo:
        """Ask the engine about itself."""
        data = json.loads(self.client.call("info", "--format", "{{json .}}").output)
        status = dict(data.get("DriverStatus") or [])
        counting = NO_NATIVE_DIFF if status.get("Native Overlay Diff") == "false" else ""
        plugins = {p["Name"]: p.get("Version", "?") for p in data.get("ClientInfo", {}).get("Plugins") or []}
        return EngineInfo(
            version=data["ServerVersion"],
            builder=f"buildx {plugins.get('buildx', 'missing')}",
            image_store="containerd" if "driver-type" in status else data["Driver"] + counting,
            filesystem=status.get("Backing Filesystem", "?"),
        )

    def displayed_sizes(self, image: str) -> tuple[int, int] | None:
        """Docker 29 has these columns. On its classic store, CONTENT SIZE is empty, and DISK USAGE the files' size."""
        header, *rows = self.client.call("image", "ls", self.names.image(image)).text().splitlines()
        row = dict(zip(_GAP.split(header.strip()), _GAP.split("".join(rows[:1]).strip()), strict=False))
        sizes = (units.parse_size(row.get(name, "0B")) for name in ("DISK USAGE", "CONTENT SIZE"))
        disk_usage, content_size = sizes
        return (disk_usage, content_size) if content_size else None

    def reuse_flags(self, run: int, seconds: float) -> list[str]:  # noqa: ARG002 - Podman's
        """A limit that no other run has.

        BuildKit only takes a RUN from the cache that had the same limits. This one is on file locks: Linux has ignored
        that since 2.4.
        """
        return [f"--ulimit=locks={run}"]

    def build_cache(self) -> dict[str, bool]:
        """The ids of the build cache's records, each with whether a build is using it."""
        # There can be thousands, so only what is needed is printed.
        template = "{{range .BuildCache}}{{println .ID .InUse}}{{end}}"
        lines = self.client.call("system", "df", "--verbose", "--format", template).text().split("\n")
        return {record: in_use == "true" for record, in_use in (line.split() for line in lines if line)}

    def runnable_platforms(self) -> list[str]:
        """The builder tries each, also where the engine's kernel is that of a virtual machine."""
        platforms = re.search(r"^Platforms:(.*)", self.client.call("buildx", "inspect").text(), re.MULTILINE)
        return re.findall(r"[^\s,*]+", platforms[1]) if platforms else []


@contextlib.contextmanager
def opened(options: EngineOptions) -> Iterator[Docker]:
    """The Docker that the user's client would use.

    Raises NoEngineError if it is not installed, does not answer, cannot build, or is not on Linux.
    """
    with user_engine.home_of("docker", options.platform) as (home, plain):
        env = plain | _address(os.environ)
        sandbox.link_buildx(Path(env["DOCKER_CONFIG"]))
        host, confined = env["DOCKER_HOST"], None
        if host.startswith("ssh://"):
            link(("docker", "ssh"), home / "bin")  # docker connects through it
        if host.startswith("unix://"):
            confined = sandbox.of(Path(host.removeprefix("unix://")))
        engine = Docker(
            client=Client("docker", env, confined), platform=options.platform, names=Names(prefix=new_prefix())
        )
        silent = "`docker` is installed, but its engine does not answer"
        answer = user_engine.ask(["docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"], env, silent)
        engine = user_engine.on_machine(engine, answer.decode("utf-8", "replace").strip())
        _check_buildx(engine)
        root, identity = (
            engine.client.call("info", "--format", template).text().strip()
            for template in ("{{.DockerRootDir}}", "{{.ID}}")
        )
        with user_engine.kept_clean(engine, options, root=root, identity=identity.replace(":", "-")) as clean:
            yield clean


def _check_buildx(engine: Docker) -> None:
    """Raise NoEngineError if docker has no usable buildx: every build would fail, as if the snippet were wrong."""
    done = engine.client.call("buildx", "version", check=False)
    if done.exit != 0:
        raise NoEngineError(
            "your docker cannot build: its plugin buildx is missing, or does not work",
            evidence=done.last_lines(2),
            hint="install docker-buildx, which some systems call docker-buildx-plugin",
        )


def _address(environ: Mapping[str, str]) -> dict[str, str]:
    """How the user's docker client reaches its daemon, as environment variables.

    The user's environment comes first, then their current docker context. Variables are used because the tool's
    clients have settings of their own, without contexts. Raises NoEngineError if the context cannot be read.
    """
    if host := environ.get("DOCKER_HOST"):
        address = {k: environ[k] for k in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH") if k in environ}
        if "DOCKER_TLS_VERIFY" in address:
            address.setdefault("DOCKER_CERT_PATH", environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
    else:
        done = process.run(["docker", "context", "inspect"], env=environ, deadline=10)
        if done.exit != 0:
            raise NoEngineError(
                "the docker context cannot be read", evidence=done.last_lines(2), hint="docker context ls"
            )
        (context,) = json.loads(done.output)
        host, address = context["Endpoints"]["docker"]["Host"], {}
        if context["TLSMaterial"].get("docker"):
            address = {"DOCKER_CERT_PATH": f"{context['Storage']['TLSPath']}/docker"}
            if not context["Endpoints"]["docker"]["SkipTLSVerify"]:
                address["DOCKER_TLS_VERIFY"] = "1"
    if host.startswith("ssh://") and "SSH_AUTH_SOCK" in environ:
        address["SSH_AUTH_SOCK"] = environ["SSH_AUTH_SOCK"]
    return address | {"DOCKER_HOST": host}
