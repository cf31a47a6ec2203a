"""The user's own Docker or Podman: used if asked for or if no private engine can start, and left as it was."""

from __future__ import annotations

import contextlib
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
from proof.engines.engine import Engine
from proof.snippets.engine_version import Kind
from proof.system import process, sandbox, temp_folders

# The programs that each client may start. Podman runs without a daemon and needs its helpers, but not git, gpg or cpp.
_PROGRAMS: dict[Kind, tuple[str, ...]] = {
    "docker": ("docker",),
    "podman": tuple(
        "podman conmon crun runc catatonit fuse-overlayfs newuidmap newgidmap pasta slirp4netns netavark".split()
    ),
}
# The first question to each engine, which tells the platform of its machine.
_QUESTION: dict[Kind, tuple[str, ...]] = {
    "docker": ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
    "podman": ("info", "--format", "json"),
}


@contextlib.contextmanager
def connect(kind: Kind, cache: Path, platform: str) -> Iterator[Engine]:
    """Connect to the user's engine, and remove what a killed run left in it.

    At the end of the block, what this run created is removed too. Raises NoEngineError if the engine is not installed,
    does not answer, cannot build, or is on a machine of another platform.
    """
    if not shutil.which(kind):
        raise NoEngineError(f"`{kind}` is not installed here")
    with temp_folders.folder("home") as home:
        env = engines.environment(home, platform, _PROGRAMS[kind])
        # Only the address of the engine is taken from the user's environment.
        env |= {k: os.environ[k] for k in ("CONTAINER_HOST", "XDG_RUNTIME_DIR") if k in os.environ}
        confined = None
        if kind == "docker":
            env |= _address(os.environ)
            sandbox.link_buildx(Path(env["DOCKER_CONFIG"]))
            if env["DOCKER_HOST"].startswith("ssh://"):
                engines.link(("ssh",), home / "bin")  # docker connects through it
            if env["DOCKER_HOST"].startswith("unix://"):
                confined = sandbox.of(Path(env["DOCKER_HOST"].removeprefix("unix://")))
        if kind == "podman":
            env["HOME"] = os.environ.get("HOME", str(home))  # rootless podman keeps its images below it
            env["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1"  # it would be in every output, with the time of day
            # By default podman's builds ask for a million open files, which root in a container may not have.
            limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
            hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
            settings = home / "containers.conf"
            settings.write_text(f"[containers]\ndefault_ulimits = {[f'{name}={n}:{n}' for name, n in hard.items()]}\n")
            env["CONTAINERS_CONF_OVERRIDE"] = str(settings)
        engine = Engine(kind, env, platform, shared=True, prefix=engines.new_prefix(), sandbox=confined)
        answer = _first_answer(kind, env)
        if (found := _platform(kind, answer)) != platform:
            raise NoEngineError(
                f"your {kind} is on {found}, and snippets are measured on {platform}, without emulation",
                hint=f"use Docker on a {platform} machine: DOCKER_HOST=ssh://me@machine",
            )
        if kind == "docker":
            _check_buildx(engine)
        if kind == "podman":
            _check_users(answer)
            engine = replace(engine, supports_labels="--layer-label" in engine.call("build", "--help").text())
        if (disk := Path(engine.root())).is_dir():  # the engine is on this machine
            engine = replace(engine, disk=disk)
        journals = cache / "journals" / engine.identity()
        # What cannot be removed now stays in its journal, and the next run removes it.
        with journal.of_dead_runs(journals) as dead:
            for left in dead:
                with contextlib.suppress(CannotMeasureError):
                    cleanup.undo(engine, left)
        with journal.opened(journals) as ours:
            try:
                yield replace(engine, journal=ours)
            finally:
                if engine.alive():
                    with contextlib.suppress(CannotMeasureError):
                        cleanup.undo(engine, ours)


def _first_answer(kind: Kind, env: Mapping[str, str]) -> bytes:
    """What the engine answers to the first question. Raises NoEngineError if it does not answer."""
    silent = f"`{kind}` is installed, but its engine does not answer"
    if kind == "podman":  # it has no daemon, and knows its version even where it cannot set up a namespace
        silent = "`podman` is installed, but cannot run containers here"
    try:
        done = process.run([kind, *_QUESTION[kind]], env=env, deadline=10)
    except DeadlineError as error:
        raise NoEngineError(silent, evidence=error.what, hint=f"start {kind} again") from error
    if done.exit != 0:
        raise NoEngineError(silent, evidence=done.last_lines(2))
    return done.output


def _platform(kind: Kind, answer: bytes) -> str:
    """The platform of the engine's machine, from its answer to the first question."""
    if kind == "docker":
        return answer.decode("utf-8", "replace").strip()
    host = json.loads(answer)["host"]
    return f"{host['os']}/{host['arch']}"


def _check_users(info: bytes) -> None:
    """Raise NoEngineError if, by its `podman info`, Podman can give files to no other user than its own.

    Without root that is so until /etc/subuid and /etc/subgid have ranges. Almost every image has files of others.
    """
    host = json.loads(info)["host"]
    maps = (host.get("idMappings") or {}).values() if host.get("security", {}).get("rootless") else ()
    if any(sum(each["size"] for each in ranges or ()) == 1 for ranges in maps):
        raise NoEngineError(
            "`podman` has no user IDs here for the other users of an image",
            hint="sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER; podman system migrate",
        )


def _check_buildx(engine: Engine) -> None:
    """Raise NoEngineError if docker has no usable buildx: every build would fail, as if the snippet were wrong."""
    done = engine.call("buildx", "version", check=False)
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
