"""Runs the commands of a snippet on an engine, in order, on a fresh copy of its context, and measures its image."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from proof.core.errors import CannotMeasureError, EngineLostError, Where
from proof.engines import cleanup, emulation, image_archive, user_engine
from proof.engines.client import run_filter
from proof.engines.failures import full, is_full, is_starved, may_pass
from proof.engines.fetched import Fetched, Log
from proof.engines.image_archive import Image
from proof.engines.interface import Engine
from proof.engines.measure import measure
from proof.provision.loader import Loaded
from proof.snippets import context
from proof.snippets.commands import FILE, NAME, TAG, Command
from proof.snippets.dockerfile import localise
from proof.snippets.model import Snippet, Step
from proof.system import cgroup, temp_folders
from proof.system.process import Completed

# Verbs whose output is the client's alone.
_OF_CLIENT = frozenset({"ls", "inspect", "history", "version", "ps", "tag", "rmi"})
_IN_NEW_CONTAINER = frozenset({"inside", "run"})
_LOG = "--log-opt=max-size=16m"  # of a container that nobody watches
_PAUSE, _ATTEMPT = 0.2, 5.0  # seconds between two attempts of a step with `until`, and that each may take at least
_NOT_STARTED = 125  # with this exit code or a higher one, the container may never have run, so it may still be there
# Messages of Go, curl, wget, git, apk, apt, Python, pip and npm when there is no network.
_NO_NETWORK = re.compile(
    r"network (?:is )?unreachable|dial (?:tcp|udp): lookup |bad address '|(?:could not|unable to) resolve host"
    r"|temporary failure (?:in name resolution|resolving)|temporary error \(try again later\)"
    r"|\(from versions: none\)|getaddrinfo EAI_AGAIN",
    re.IGNORECASE,
)
# Builders look next to a Dockerfile for a list of files that are not in its context; the second one is Podman's.
_IGNORE_FILES = (".dockerignore", ".containerignore")
_OFFLINE = (
    'name the hosts, as in network = ["proxy.golang.org"], put what it needs into context/, like `go mod vendor`, or '
    "use a base image that has it"
)


@dataclass(frozen=True)
class StepRun:
    """What one command did."""

    step: Step
    exit: int
    output: str  # standard output and error, interleaved as on a terminal
    seconds: float  # wall clock
    fetched: tuple[Fetched, ...] = ()
    refused: tuple[str, ...] = ()  # hosts that it asked for in vain, each with the reason


@dataclass(frozen=True)
class Run:
    """What one snippet did, up to the first step whose exit code is not the declared one."""

    snippet: Snippet
    steps: tuple[StepRun, ...]
    image: Image | None  # as measured
    base_layers: int  # how many of the image's layers belong to its base
    displayed: tuple[int, int] | None = None  # see Engine.displayed_sizes

    @property
    def unexpected(self) -> StepRun | None:
        """The step that did not do what its manifest declares, if any."""
        for run in self.steps:
            if run.exit != run.step.exit or run.step.expect not in run.output or run.step.until not in run.output:
                return run
        return None


@dataclass
class Scene:
    """What the steps of one run have in common."""

    engine: Engine
    context: Path  # a copy of the snippet's
    dockerfiles: Mapping[str, Path]  # by step, to build from in place of the one in the context
    containers: list[str] = field(default_factory=list)  # that may be in the engine
    networks: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    proxy: str = ""  # its address, while a step reaches hosts

    def clear(self) -> None:
        """Remove from the engine all that the run has created but the build cache."""
        cleanup.remove(self.engine, containers=self.containers, networks=self.networks, tags=self.tags)


def run(
    snippet: Snippet,
    engine: Engine,
    *,
    cache: Path,
    loaded: Mapping[str, Loaded] | None = None,
    keeps: Mapping[str, str] | None = None,
    fresh: bool = False,
    reuse: bool = True,
    timeout: float | None = None,
    network: bool = False,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Run:
    """Run every step of the snippet, measure its image, and remove from the engine all it created but the build cache.

    `loaded` has the bases that are known to be in the engine. `keeps` has, by base, a directory that `inside` commands
    share, as builds share a cache. With `fresh` neither that nor the build cache is used. Without `reuse`, builds take
    no RUN from the cache that this run has not built itself, so that it sees what each prints. `timeout`, in seconds,
    replaces the timeout of every step. With `network`, steps reach the hosts that they name.
    Raises CannotMeasureError if the engine or the disk fails, or a step takes too long.
    """
    engine = engine.for_snippet(snippet.bases, {base: digest for base, (digest, _) in snippet.pins.items()})
    networks = _networks(snippet, engine)
    cache_flags = _cache_flags(engine, fresh=fresh, reuse=reuse)
    done: list[StepRun] = []
    image: Image | None = None
    displayed: tuple[int, int] | None = None
    what = image_archive.What(snippet.transfer, None if snippet.contents is None else tuple(snippet.contents.values()))
    _check_network(snippet, allowed=network)
    # In the network of a step with hosts, the ports that others publish could be reached too.
    alone = engine.locks.hold(frozenset({"ports"} if networks or any(s.hosts for s in snippet.steps) else ()))
    with inputs(snippet, engine) as scene, alone, _cleared(scene, networks):
        for step in snippet.steps:
            on_step(step)
            cleanup.claim(engine, *step.command.creates)
            scene.tags.extend(engine.names.image(tag) for tag in step.command.creates)
            # A user's own engine gets no volume for what is kept: it would stay there.
            shares = engine.private and not (fresh or step.network)
            kept = (keeps or {}).get(step.inside or "", "") if shares else ""
            # If two builds share a step, BuildKit runs it once, and may log it under the other build's name.
            build = snippet.dockerfiles.get(step.name)
            locked = engine.locks.hold(build.prefixes if build else frozenset())
            with locked, _proxy(step, engine) as (proxy, log):
                scene.proxy = proxy
                ran = _run_step(step, scene, kept=kept, cache=cache_flags(), timeout=timeout or step.timeout)
            ran = replace(ran, fetched=tuple(log.fetched), refused=tuple(log.refused))
            done.append(ran)
            if ran.exit != step.exit:
                break
            if snippet.image and snippet.image in step.command.tags and ran.exit == 0:
                image = measure(engine, _id_of(snippet.image, engine), cache, what=what)
                displayed = engine.displayed_sizes(snippet.image)
        return Run(snippet, tuple(done), image, _base_layers(snippet, image, engine, loaded or {}), displayed)


def _check_network(snippet: Snippet, *, allowed: bool) -> None:
    """Raises CannotMeasureError if a step needs hosts, and this run gives it none."""
    for step in snippet.steps:
        if step.hosts and not allowed:
            raise CannotMeasureError(
                f"{step} needs a network: {', '.join(sorted(step.hosts))}",
                where=step.where,
                hint="pass --network, to let snippets reach the hosts in proof.toml",
            )


@contextlib.contextmanager
def _proxy(step: Step, engine: Engine) -> Iterator[tuple[str, Log]]:
    """The address of a proxy to the hosts that the step names, empty without any, and what it will have passed on."""
    if not step.hosts:
        yield "", Log()
        return
    from proof.engines import host_proxy  # noqa: PLC0415 - with a server and TLS, which few runs need

    with host_proxy.serving(engine.listen, step.hosts) as ((address, port), log):
        yield f"http://{address}:{port}", log


def _variables(scene: Scene, flag: str) -> list[str]:
    """Flags that tell programs of the proxy. Builders keep these arguments out of layers and of the cache's keys."""
    if not scene.proxy:
        return []
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return [f"{flag}={name}={scene.proxy}" for name in names]


@contextlib.contextmanager
def _cleared(scene: Scene, networks: Sequence[str]) -> Iterator[None]:
    """Create the networks, and at the end of the block remove all that is left of the run."""
    scene.networks.extend(networks)
    try:
        cleanup.create_networks(scene.engine, *networks)
        yield
    except BaseException as error:
        # If the engine is gone, or about to go, nothing can be removed now: the journal has what is left. An error
        # while removing is ignored, because the first error says more.
        ending = scene.engine.private and isinstance(error, KeyboardInterrupt)
        if not (ending or isinstance(error, EngineLostError)):
            with contextlib.suppress(CannotMeasureError):
                scene.clear()
        raise
    scene.clear()


def _base_layers(snippet: Snippet, image: Image | None, engine: Engine, loaded: Mapping[str, Loaded]) -> int:
    """How many of the image's layers belong to its base, which the snippet itself may have built."""
    base = snippet.image_base()
    if image is None or base in (None, "scratch"):
        return 0
    assert base is not None
    return image_archive.base_layers(image, loaded[base].diff_ids if base in loaded else engine.diff_ids(base))


def _cache_flags(engine: Engine, *, fresh: bool, reuse: bool) -> Callable[[], list[str]]:
    """A function that returns the flags with which the next build of this run uses the cache as it may."""
    run, began = secrets.randbits(40), time.monotonic()
    if fresh:
        return lambda: ["--no-cache"]
    return lambda: [] if reuse else engine.reuse_flags(run, time.monotonic() - began)


def _networks(snippet: Snippet, engine: Engine) -> list[str]:
    """The network that the snippet needs for the containers that it leaves running, if it does.

    Raises CannotMeasureError if this engine can have no such containers.
    """
    if snippet.leaves_running and not engine.localhost_flags:
        raise CannotMeasureError(
            f"{snippet} leaves containers running, whose names and ports only a private engine keeps to itself",
            where=snippet.where,
            hint="use --engine private",
        )
    return [_network(engine)] if snippet.leaves_running else []


def _network(engine: Engine) -> str:
    """The name of the network for the containers that a snippet leaves running."""
    return engine.names.container("network")


@contextlib.contextmanager
def inputs(snippet: Snippet, engine: Engine) -> Iterator[Scene]:
    """A copy of the snippet's context for one run, and its Dockerfiles with images named as in this engine.

    Raises RefusedError if the copy holds something that a context may not, and CannotMeasureError if a Dockerfile is
    not the one that was checked: files can change at any moment.
    """
    with temp_folders.folder(snippet.name) as folder:
        copy = folder / "context"
        if snippet.context.is_dir():
            context.copy(snippet.context, copy)
        else:
            copy.mkdir()
        builds = snippet.dockerfiles
        renamed = {}
        for step, build in builds.items():
            name = build.path.relative_to(snippet.context)
            if (copy / name).read_bytes() != build.text.encode():
                raise CannotMeasureError("this file was changed while it was measured", where=Where(build.path))
            same = [b for b in builds.values() if b.path == build.path]
            unindent = not engine.reads_indented_comments
            local = localise(build.text, engine.names.image, same, unindent_comments=unindent)
            if local != build.text:
                renamed[step] = _beside(copy, name, local)
        yield Scene(engine, copy, renamed)


def _beside(copy: Path, name: Path, text: str) -> Path:
    """Write a Dockerfile that replaces the one called `name` in a build, and return its path.

    It is outside of the context: an image with `COPY . .` has to contain the reader's Dockerfile. Builders print the
    file's name, so that is kept.
    """
    path = copy.parent / "dockerfiles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    for suffix in _IGNORE_FILES:
        if (ignores := copy / f"{name}{suffix}").is_file():
            shutil.copyfile(ignores, f"{path}{suffix}")
    return path


def _run_step(step: Step, scene: Scene, *, kept: str, cache: list[str], timeout: float) -> StepRun:
    engine, command = scene.engine, step.command
    kills, ran_out = cgroup.oom_kills(), cgroup.watch(engine.group)
    until = time.monotonic() + timeout

    def once() -> Completed:
        left = max(until - time.monotonic(), min(_ATTEMPT, timeout)) if step.until else timeout
        return _run_command(step, scene, kept=kept, cache=cache, timeout=left)

    done = once()
    while step.until and not _is_as_declared(step, done) and time.monotonic() < until - _PAUSE:
        time.sleep(_PAUSE)
        done = once()
    printed = _printed(done)
    failed = not _is_as_declared(step, done) and may_pass(printed)
    # Docker can lose the output of a container that ends at once: about once in 700 runs on a busy machine.
    lost = command.verb in _IN_NEW_CONTAINER and not (step.until or printed)
    if failed or lost:
        done = once()  # the program may have printed the message itself, or nothing: the second result counts
    # If a process elsewhere on the machine was killed, that can explain a failure, but does not put a success in doubt.
    out_of = ran_out() or ("memory" if not _is_as_declared(step, done) and cgroup.oom_kills() > kills else "")
    _check_engine(step, done, engine, out_of)
    code, output = _filtered(done, command, engine)
    return StepRun(step, code, output.replace("\r\n", "\n"), done.seconds)


def _printed(done: Completed) -> str:
    return done.text() + done.errors.decode("utf-8", "replace")


def _is_as_declared(step: Step, done: Completed) -> bool:
    printed = _printed(done)
    return done.exit == step.exit and step.expect in printed and step.until in printed


def _check_engine(step: Step, done: Completed, engine: Engine, out_of: str) -> None:
    """Raise CannotMeasureError if the result is not the snippet's doing, but that of the engine or the machine."""
    as_declared = _is_as_declared(step, done)
    if out_of == "processes":
        raise CannotMeasureError(
            f"out of processes: the containers had as many as they may have during {step}",
            evidence=done.last_lines(3),
            hint="have the snippet start fewer processes",
        )
    if out_of == "memory":
        raise CannotMeasureError(
            f"out of memory: the kernel ended a process during {step}",
            evidence=done.last_lines(3),
            hint="close other programs, or pass a higher --memory",
        )
    if step.command.verb in _OF_CLIENT and is_starved(done):
        raise CannotMeasureError(f"out of memory: the client needs too much for {step}", hint="use a simpler --format")
    if not as_declared and is_full(_printed(done)) and not engine.has_room():
        raise full(done)
    if not as_declared and emulation.NO_EMULATOR in step.expect and (by := emulation.in_the_way(engine, step.command)):
        raise CannotMeasureError(
            f"{step} is declared to fail with '{step.expect}', but this engine runs programs for {', '.join(by)}",
            evidence=done.last_lines(3),
            hint=user_engine.use_another(engine)
            if engine.emulated_on
            else "remove the emulator, as in `apt-get remove qemu-user-binfmt`, or use an engine on another machine",
        )


def _filtered(done: Completed, command: Command, engine: Engine) -> tuple[int, str]:
    """The exit code of a command, and its output as a reader sees it, after its filters.

    If the command fails, the step does, as with `set -o pipefail`. Otherwise a filter hides that.
    """
    code, output = done.exit, engine.names.displayed(done.text())
    for argv in command.filters:
        passed = run_filter(argv, output.encode(), engine.client.env)
        code, output = code or passed.exit, passed.text()
    return code, engine.names.displayed(done.errors.decode("utf-8", "replace")) + output


def _run_command(step: Step, scene: Scene, *, kept: str, cache: list[str], timeout: float) -> Completed:
    engine, command = scene.engine, step.command
    name = f"proof-{secrets.token_hex(6)}"  # of the container, so that it can be removed by name
    if command.verb == "detach":
        name = engine.names.container(command.starts or secrets.token_hex(6))
    if command.verb in ("inside", "run", "detach"):
        cleanup.name_container(engine, name)
        scene.containers.append(name)
    client = replace(engine.client, env=engine.client.env | dict(command.variables))
    call = partial(client.run, cwd=scene.context, deadline=timeout, merge=not command.filters)  # a pipe takes stdout
    if command.verb == "inside":
        done = call(_create(step, scene, name, kept))
    elif command.verb == "build":
        renamed = scene.dockerfiles.get(step.name)
        # The file that was checked is named: podman would prefer a Containerfile.
        file = [] if command.values(*FILE) else [f"--file={renamed or 'Dockerfile'}"]
        # A builder that has cached a step does not notice that a secret of it has changed.
        cache = ["--no-cache"] if command.secrets else cache
        with cleanup.building(engine) as (recorded, writes):
            platform = [*_platform(command, engine), *engine.build_platform_flags]
            network = ["--network=default", *_variables(scene, "--build-arg")] if scene.proxy else ["--network=none"]
            added = [*network, *file, *engine.build_flags, *platform, *cache, *recorded]
            argv = command_line(command, engine, added, dockerfile=renamed)
            done = call(argv, reads=[renamed.parent] if renamed else [], writes=writes)
    else:
        done = call(command_line(command, engine, _added(command, scene, name)))
    if command.verb != "detach" and name in scene.containers and done.exit < _NOT_STARTED:
        cleanup.ended(engine, name)
        scene.containers.remove(name)
    return done


def _create(step: Step, scene: Scene, name: str, kept: str) -> list[str]:
    """Create a container of a base with the context in it, and return the command that starts it."""
    engine = scene.engine
    assert step.inside is not None
    network = engine.localhost_flags if step.published else ("--network", "bridge" if scene.proxy else "none")
    engine.client.call(
        *("create", "--rm", "--name", name, *network, *_variables(scene, "--env"), "--workdir", "/src"),
        *engine.platform_flags,
        *(("--mount", f"type=volume,source={_volume(step.inside)},target={kept}") if kept else ()),
        *(engine.names.image(step.inside), *step.command.argv),
    )
    engine.client.call("cp", f"{scene.context}/.", f"{name}:/src", reads=[scene.context])
    return [engine.kind, "start", "--attach", name]


def _added(command: Command, scene: Scene, container: str) -> list[str]:
    """The flags that a command gets in addition to those of its author."""
    engine = scene.engine
    match command.verb:
        case "run":
            # Docker rejects a second --network. And no registry is asked for an image that is not here.
            network = ["--network=bridge", *_variables(scene, "--env")] if scene.proxy else ["--network=none"]
            alone = [] if command.values("--network") else network
            rid = [] if any(flag == "--rm" for flag, _ in command.flags) else ["--rm"]
            return [*rid, "--name", container, "--pull=never", *alone, *_platform(command, engine)]
        case "detach":
            named = [] if command.starts else ["--name", container]
            return ["--pull=never", _LOG, f"--network={_network(engine)}", *named, *_platform(command, engine)]
        case "rm":
            return ["--volumes"]  # no snippet can name them, so they would stay for ever
        case "rmi":
            return [*engine.removal_flags]
        case "ls" if not command.positionals:
            return [*engine.names.own_images]
        case "ps":
            return [engine.names.own_containers]
    return []


def _platform(command: Command, engine: Engine) -> list[str]:
    """Flags without which an engine that emulates the platform would take that of its machine."""
    return [] if command.values("--platform") else engine.platform_flags


def _id_of(image: str, engine: Engine) -> str:
    if (found := engine.image_id(image)) is None:
        raise CannotMeasureError(f"the image {image} is no longer in the engine")
    return found


def _volume(base: str) -> str:
    return "proof-keeps-" + re.sub(r"[^a-z0-9]", "-", base)


def command_line(command: Command, engine: Engine, added: list[str], *, dockerfile: Path | None = None) -> list[str]:
    """The command as shown, with `added` after its verb, and with images under their names in this engine.

    If `dockerfile` is given, a build reads it in place of the one that the command names.
    """
    head, rest = list(command.argv[1 : command.head]), list(command.argv[command.head :])
    if engine.names.prefix:
        names = {name: engine.names.image(name) for name in (*command.creates, *command.images)}
        names |= {name: engine.names.container(name) for name in command.containers}
        files = dict.fromkeys(FILE, str(dockerfile)) if dockerfile else {}
        files |= {NAME: engine.names.container(command.starts)} if command.starts else {}
        rest = []
        for flag, value in command.flags:
            # Joined by `=`: after a boolean flag docker takes a separate word for an argument.
            own = names.get(value or "", value) if flag in TAG else files.get(flag, value)
            rest += [flag] if own is None else [f"{flag}={own}"]
        rest += [names.get(word, word) for word in command.positionals[: command.named]]
        rest += command.positionals[command.named :]
    return [engine.kind, *head, *added, *rest]


def ends_unexpectedly(run: StepRun) -> str:
    """Why the step did not do what its manifest declares."""
    if run.exit == run.step.exit:
        missing = run.step.expect if run.step.expect not in run.output else run.step.until
        return f"its output does not contain '{missing}'"
    without = (
        f". It wanted a network, and this step names no host: {_OFFLINE}" if _NO_NETWORK.search(run.output) else ""
    )
    if run.step.hosts:
        without = f". What it could not fetch: {'; '.join(run.refused[:5])}" if run.refused else ""
    return f"exit {run.exit}, but {run.step.exit} is declared{without}"
