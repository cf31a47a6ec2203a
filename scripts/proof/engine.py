"""What the tool asks of a container engine, as docker and podman command lines.

All that differs between engines is here. An engine of the user's own is shared: every image that the tool makes in it
carries a reserved prefix, which is taken out of the output again, and only what the tool made is removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from proof import process
from proof.errors import CannotMeasureError, EngineLostError, NoEngineError

Kind = Literal["docker", "podman"]

_MARK = "proof.run"  # a label
_QUERY = 30.0  # seconds: no question to a live engine takes a tenth of it, and a stopped daemon never answers
_BULK = 600.0  # seconds, for loading, saving and pulling images
_LOST = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|connection refused|connection reset|"
    r"broken pipe|unexpected EOF|failed to receive status: rpc error",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EngineInfo:
    """What the engine says of itself; shown to readers, and never compared."""

    kind: Kind
    version: str
    builder: str  # buildx's version, or the engine's own
    image_store: str  # `overlay2` (classic) or `containerd`
    filesystem: str  # below the image store
    platform: str  # of what it builds and runs here
    private: bool


@dataclass(frozen=True)
class Engine:
    """A reachable engine, and the environment in which its commands run."""

    kind: Kind
    env: dict[str, str]  # the whole environment of every command: nothing of the user's comes in
    platform: str
    prefix: str = ""  # of every image made here; empty in a private engine
    made: list[str] = field(default_factory=list)  # images that this run made in a shared engine
    marks: bool = False  # whether the steps of a build, which podman keeps as images, can be marked as ours

    @property
    def private(self) -> bool:
        """Whether it is ours alone."""
        return not self.prefix

    def local(self, image: str) -> str:
        """The name under which this engine holds `image`."""
        name = f"{self.prefix}{image}"
        return f"localhost/{name}" if self.kind == "podman" else name

    def displayed(self, output: str) -> str:
        """Output with the reserved prefix taken out: what a reader's own engine would print."""
        if self.kind == "podman":
            output = output.replace("localhost/", "")
        if self.prefix:
            output = output.replace(f"docker.io/{self.prefix}", "docker.io/library/").replace(self.prefix, "")
        return output

    def call(self, *words: str, deadline: float = _QUERY, check: bool = True) -> process.Completed:
        """Run one command of the engine; CannotMeasureError where it fails and `check` is on."""
        done = process.run([self.kind, *words], env=self.env, deadline=deadline)
        self.raise_if_lost(done)
        if check and done.exit != 0:
            raise CannotMeasureError(
                f"`{process.shell_words(done.argv)}` failed with {done.exit}", evidence=done.last_lines()
            )
        return done

    def raise_if_lost(self, done: process.Completed) -> None:
        """Tell a lost engine apart from a command that failed: the first says nothing about any number."""
        if done.exit != 0 and _LOST.search(done.last_lines(20)) and not self.alive():
            raise EngineLostError(
                f"the engine was lost during `{process.shell_words(done.argv)}`",
                evidence=done.last_lines(3),
                cure="run the same command again",
            )

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            return process.run([self.kind, "version"], env=self.env, deadline=10).exit == 0
        except CannotMeasureError:
            return False

    def info(self) -> EngineInfo:
        """Ask what it is."""
        if self.kind == "podman":
            data = self._json("info", "--format", "json")
            store = data["store"]
            return EngineInfo(
                kind="podman",
                version=data["version"]["Version"],
                builder=f"buildah {data['host'].get('buildahVersion', '?')}",
                image_store=store["graphDriverName"],
                filesystem=store.get("graphStatus", {}).get("Backing Filesystem", "?"),
                platform=self.platform,
                private=self.private,
            )
        data = self._json("info", "--format", "{{json .}}")
        status = dict(data.get("DriverStatus") or [])
        plugins = {p["Name"]: p.get("Version", "?") for p in data.get("ClientInfo", {}).get("Plugins") or []}
        return EngineInfo(
            kind="docker",
            version=data["ServerVersion"],
            builder=f"buildx {plugins.get('buildx', 'missing')}",
            image_store="containerd" if "driver-type" in status else data["Driver"],
            filesystem=status.get("Backing Filesystem", "?"),
            platform=self.platform,
            private=self.private,
        )

    def image_id(self, image: str) -> str | None:
        """The id of an image, or None where the engine has none of that name."""
        return self._id_of(self.local(image))

    def load(self, archive: Path, image: str) -> None:
        """Load an archive that carries `image` under its plain name."""
        if self.prefix and self.image_id(image):
            return
        before = None if self.private else self._id_of(image)
        self.call("load", "--quiet", "--input", str(archive), deadline=_BULK)
        if self.prefix:
            # A loaded archive can only bring its own name: pass it on to ours, and put the user's image back.
            self.call("tag", image, self.local(image))
            self.made.append(self.local(image))
            self.call("tag", before, image) if before else self.call("rmi", image)

    def pull(self, reference: str, platform: str, image: str) -> str:
        """Bring `reference` from its registry into the engine as `image`; returns its digest.

        skopeo pulls it into an archive, because a private engine has no network. Its own settings
        (credentials, mirrors) are the user's.
        """
        if not shutil.which("skopeo"):
            raise CannotMeasureError(
                "`skopeo` is needed to pull a base from a registry and is not installed here",
                cure="apt-get install skopeo, or leave --bases registry out",
            )
        system, architecture = platform.split("/")[:2]
        which = ("--override-os", system, "--override-arch", architecture)
        # A registry on this very machine is a trial, and has no certificate.
        plain = re.match(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?/", reference) is not None
        # Where no one has set up a policy for signatures, skopeo refuses to pull at all.
        set_up = (Path("/etc/containers/policy.json"), Path.home() / ".config/containers/policy.json")
        policy = () if any(path.exists() for path in set_up) else ("--insecure-policy",)

        def skopeo(*words: str) -> process.Completed:
            done = process.run(["skopeo", *policy, *words], env=os.environ, deadline=_BULK)
            if done.exit != 0:
                raise CannotMeasureError(
                    f"{reference} could not be pulled",
                    evidence=done.last_lines(3),
                    cure="look at the network and the registry's limits, or leave --bases registry out",
                )
            return done

        source = f"docker://{reference}"
        insecure = ("--tls-verify=false",) if plain else ()
        digest = skopeo("inspect", *which, *insecure, "--no-tags", "--format", "{{.Digest}}", source).text().strip()
        insecure = ("--src-tls-verify=false",) if plain else ()
        with tempfile.TemporaryDirectory(prefix="proof-pull-") as folder:
            archive = Path(folder) / "image.tar"
            skopeo("copy", *which, *insecure, "--quiet", source, f"docker-archive:{archive}:{image}")
            self.load(archive, image)
        return digest

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """`docker image save` as a stream."""
        words = ["--format", "docker-archive"] if self.kind == "podman" else []
        with process.stream([self.kind, "image", "save", *words, image], env=self.env, deadline=_BULK) as out:
            yield out

    def remove(self, *, containers: Sequence[str] = (), images: Sequence[str] = ()) -> None:
        """Remove what a snippet left; what is gone already is no failure."""
        if containers:
            self.call("rm", "--force", "--volumes", *containers, deadline=120, check=False)
        if images:
            self.call("rmi", "--force", *images, deadline=120, check=False)

    @property
    def build_options(self) -> tuple[str, ...]:
        """What a build is called with beside the words of its command."""
        marked = ("--layer-label", f"{_MARK}={self.prefix}") if self.marks else ()
        return ("--network=none", *marked)

    def clean(self) -> None:
        """Remove everything that this run made in a shared engine."""
        self.remove(images=self.made)
        self.made.clear()
        if self.marks:
            steps = self.call("images", "--all", "--quiet", "--filter", f"label={_MARK}={self.prefix}", check=False)
            self.remove(images=steps.text().split())

    def _id_of(self, name: str) -> str | None:
        done = self.call("image", "inspect", "--format", "{{.Id}}", name, check=False)
        # Podman leaves the algorithm out.
        return "sha256:" + done.text().strip().removeprefix("sha256:") if done.exit == 0 else None

    def _json(self, *words: str) -> Any:
        return json.loads(self.call(*words).output)


def search_path() -> str:
    """The user's own, and where dockerd is, which not every root has on it.

    Without what is relative: commands run in a copy of the context, where a file called `docker` may lie.
    """
    own = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    return os.pathsep.join((*own, "/usr/sbin", "/sbin"))


def environment(home: Path, platform: str) -> dict[str, str]:
    """The environment of every command: fixed, so that outputs are alike everywhere and no secret can enter one."""
    return {
        "PATH": search_path(),
        "HOME": str(home),
        "DOCKER_CONFIG": str(home / ".docker"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "DOCKER_BUILDKIT": "1",  # where buildx is missing, an older client would fall back to the legacy builder
        "DOCKER_CLI_HINTS": "false",
        "DOCKER_DEFAULT_PLATFORM": platform,
        "BUILDKIT_PROGRESS": "plain",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    }


def shared(kind: Kind, home: Path, platform: str) -> Engine:
    """The user's own engine; NoEngineError where it is not there or does not answer."""
    if not shutil.which(kind):
        raise NoEngineError(f"`{kind}` is not installed here")
    env = environment(home, platform)
    # Where the user's client finds its daemon is the one thing taken over from the environment.
    env |= {k: os.environ[k] for k in ("DOCKER_HOST", "CONTAINER_HOST", "XDG_RUNTIME_DIR") if k in os.environ}
    if kind == "podman":
        env["HOME"] = os.environ.get("HOME", str(home))  # rootless podman keeps its images below it
        env["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"  # it would stand, with its time, in every output
        # Its builds ask for a million open files, which a root in a container is not granted.
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
        settings = home / "containers.conf"
        settings.write_text(f"[containers]\ndefault_ulimits = {[f'{name}={n}:{n}' for name, n in hard.items()]}\n")
        env["CONTAINERS_CONF_OVERRIDE"] = str(settings)
    prefix = f"proof-{secrets.token_hex(4)}/"
    done = process.run([kind, "version"], env=env, deadline=10)
    if done.exit != 0:
        raise NoEngineError(f"`{kind}` is installed and its engine does not answer", evidence=done.last_lines(2))
    marks = kind == "podman" and "--layer-label" in process.run([kind, "build", "--help"], env=env).text()
    return Engine(kind, env, platform, prefix=prefix, marks=marks)
