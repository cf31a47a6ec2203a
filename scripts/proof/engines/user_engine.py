"""An engine of the user's own, on purpose or where no private one can be: used, and left as it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from proof.core.errors import CannotMeasureError, DeadlineError, NoEngineError
from proof.engines import cleanup, journal
from proof.engines import engine as engines
from proof.engines.engine import Engine, Kind
from proof.system import process, sandbox, temp_folders

# What each client may start. Podman is the engine itself: what it is made of, and not git, gpg or cpp.
_PROGRAMS: dict[Kind, tuple[str, ...]] = {
    "docker": ("docker",),
    "podman": tuple(
        "podman conmon crun runc catatonit fuse-overlayfs newuidmap newgidmap pasta slirp4netns netavark".split()
    ),
}


@contextlib.contextmanager
def connect(kind: Kind, cache: Path, platform: str) -> Iterator[Engine]:
    """The user's engine, rid of what a killed run left in it, and at the end of the block of what this one made.

    Raises NoEngineError where it is not there or does not answer.
    """
    if not shutil.which(kind):
        raise NoEngineError(f"`{kind}` is not installed here")
    with temp_folders.folder("home") as home:
        env = engines.environment(home, platform, _PROGRAMS[kind])
        # Where the user's client finds its daemon is the one thing taken over from the environment.
        env |= {k: os.environ[k] for k in ("CONTAINER_HOST", "XDG_RUNTIME_DIR") if k in os.environ}
        confined = None
        if kind == "docker":
            env |= _address(os.environ)
            if env["DOCKER_HOST"].startswith("ssh://"):
                engines.link(("ssh",), home / "bin")  # by which docker reaches it
            if env["DOCKER_HOST"].startswith("unix://"):
                confined = sandbox.of(Path(env["DOCKER_HOST"].removeprefix("unix://")))
        if kind == "podman":
            env["HOME"] = os.environ.get("HOME", str(home))  # rootless podman keeps its images below it
            env["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"  # it would stand, with its time, in every output
            # Its builds ask for a million open files, which a root in a container is not granted.
            limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
            hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
            settings = home / "containers.conf"
            settings.write_text(f"[containers]\ndefault_ulimits = {[f'{name}={n}:{n}' for name, n in hard.items()]}\n")
            env["CONTAINERS_CONF_OVERRIDE"] = str(settings)
        engine = Engine(kind, env, platform, shared=True, prefix=engines.new_prefix(), sandbox=confined)
        silent = f"`{kind}` is installed and its engine does not answer"
        try:
            done = process.run([kind, "version"], env=env, deadline=10)
        except DeadlineError as error:
            raise NoEngineError(silent, evidence=error.what, hint=f"start {kind} again") from error
        if done.exit != 0:
            raise NoEngineError(silent, evidence=done.last_lines(2))
        if kind == "podman":
            engine = replace(engine, supports_labels="--layer-label" in engine.call("build", "--help").text())
        if (disk := Path(_root(engine))).is_dir():  # of this machine
            engine = replace(engine, disk=disk)
        journals = cache / "journals" / _identity(engine)
        with journal.of_dead_runs(journals) as dead:
            for left in dead:
                cleanup.undo(engine, left)
        with journal.opened(journals) as ours:
            try:
                yield replace(engine, journal=ours)
            finally:
                # What cannot be removed now stays in the journal, for the next run.
                if engine.alive():
                    with contextlib.suppress(CannotMeasureError):
                        cleanup.undo(engine, ours)


def _address(environ: Mapping[str, str]) -> dict[str, str]:
    """Where the user's docker client finds its daemon: as their environment says, else as their context does.

    As variables, since the tool's own settings have no contexts. NoEngineError for one that is not there.
    """
    if host := environ.get("DOCKER_HOST"):
        found = {k: environ[k] for k in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH") if k in environ}
        if "DOCKER_TLS_VERIFY" in found:
            found.setdefault("DOCKER_CERT_PATH", environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
    else:
        done = process.run(["docker", "context", "inspect"], env=environ, deadline=10)
        if done.exit != 0:
            raise NoEngineError(
                "the docker context cannot be read", evidence=done.last_lines(2), hint="docker context ls"
            )
        (context,) = json.loads(done.output)
        host, found = context["Endpoints"]["docker"]["Host"], {}
        if context["TLSMaterial"].get("docker"):
            found = {"DOCKER_CERT_PATH": f"{context['Storage']['TLSPath']}/docker"}
            if not context["Endpoints"]["docker"]["SkipTLSVerify"]:
                found["DOCKER_TLS_VERIFY"] = "1"
    if host.startswith("ssh://"):
        found |= {k: environ[k] for k in ("SSH_AUTH_SOCK",) if k in environ}
    return found | {"DOCKER_HOST": host}


def _root(engine: Engine) -> str:
    """Where it keeps its images, on its own machine."""
    template = "{{.DockerRootDir}}" if engine.kind == "docker" else "{{.Store.GraphRoot}}"
    return engine.call("info", "--format", template).text().strip()


def _identity(engine: Engine) -> str:
    """Tells the user's engines apart: what was made in one is not looked for in another."""
    if engine.kind == "docker":
        return engine.call("info", "--format", "{{.ID}}").text().strip().replace(":", "-")
    return f"podman-{hashlib.sha256(_root(engine).encode()).hexdigest()[:12]}"
