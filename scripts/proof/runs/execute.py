"""Snippet × Engine → a raw run: every command really run, in order, on a fresh copy of the context."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proof.core.errors import CannotMeasureError, EngineLostError, Where
from proof.engines import cleanup, image_archive
from proof.engines.engine import Engine, is_full, is_starved, may_not_have_started
from proof.engines.image_archive import Image
from proof.engines.measure import measure
from proof.provision.loader import Loaded
from proof.snippets import context
from proof.snippets.commands import TAG, Command
from proof.snippets.dockerfile import localise
from proof.snippets.model import Snippet, Step
from proof.system import cgroup, temp_folders
from proof.system.process import Completed

_NOT_STARTED = 125  # from there on an exit code may mean a container that never ran, and was not removed by its end


@dataclass(frozen=True)
class StepRun:
    """What one command did."""

    step: Step
    exit: int
    output: str  # standard output and error, as a terminal would show them together
    seconds: float  # wall clock


@dataclass(frozen=True)
class Run:
    """What one snippet did; ends at the first step that did not exit as declared."""

    snippet: Snippet
    steps: tuple[StepRun, ...]
    image: Image | None  # measured
    base_layers: int  # of the image: how many are its base's

    @property
    def unexpected(self) -> StepRun | None:
        """The step that did not do what its manifest says, if any."""
        for run in self.steps:
            if run.exit != run.step.exit or run.step.expect not in run.output:
                return run
        return None


def run(
    snippet: Snippet,
    engine: Engine,
    *,
    cache: Path,
    loaded: Mapping[str, Loaded] | None = None,
    keeps: Mapping[str, str] | None = None,
    fresh: bool = False,
    timeout: float | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Run:
    """Run every step of the snippet and measure its image; leave nothing of it in the engine but the build cache.

    `loaded` are the bases that the engine is known to have. `keeps` names, for a base, a folder that `inside` runs
    share as a build shares its cache. `fresh` does without either; `timeout`, in seconds, replaces every step's own.
    Raises CannotMeasureError where the engine, the disk or the clock fails.
    """
    engine = engine.for_snippet(snippet.bases)
    done: list[StepRun] = []
    containers: list[str] = []
    tags: list[str] = []
    measured: Image | None = None
    measuring: Future[Image] | None = None
    counting: image_archive.Limit | None = None
    base = 0
    with context_copy(snippet, engine) as copy, ThreadPoolExecutor(1) as meanwhile:
        try:
            for step in snippet.steps:
                on_step(step)
                cleanup.claim(engine, *step.command.tags)
                tags += [engine.scoped_name(tag) for tag in step.command.tags]
                kept = "" if fresh or engine.shared else (keeps or {}).get(step.inside or "", "")
                limit = timeout or step.timeout
                # Of builds with steps in common BuildKit runs each step once, and mixes up in the logs whose it is.
                build = snippet.dockerfiles.get(step.name)
                with engine.builds.hold(build.begins if build else frozenset()):
                    one = _run_step(step, engine, copy, containers, kept=kept, fresh=fresh, timeout=limit)
                done.append(one)
                if one.exit != step.exit:
                    break
                if snippet.image and snippet.image in step.command.tags and one.exit == 0:
                    image_id = _id_of(snippet.image, engine)
                    counting = image_archive.Limit()
                    count = partial(measure, engine, image_id, cache, compress=snippet.transfer, limit=counting)
                    # While a step is timed nothing else is at work; and what takes a client can be interrupted here.
                    if snippet.timed or engine.data is None:
                        measured = count()
                    else:
                        measuring = meanwhile.submit(count)
            measured = measuring.result() if measuring else measured
            if measured and (under := snippet.image_base()) not in (None, "scratch"):
                assert under is not None
                known = (loaded or {}).get(under)  # or an image that the snippet itself has built
                base = image_archive.base_layers(measured, known.diff_ids if known else engine.diff_ids(under))
        except BaseException as error:
            if counting:
                counting.end()  # else the end of `meanwhile` waits for what is still being counted
            # An engine that is lost cannot be asked, and a private one ends with an interrupted run: the journal
            # remembers what is left. Whatever goes wrong here, what came before says more.
            ends = EngineLostError if engine.shared else (EngineLostError, KeyboardInterrupt)
            if not isinstance(error, ends):
                with contextlib.suppress(CannotMeasureError):
                    cleanup.remove(engine, containers=containers, tags=tags)
            raise
        cleanup.remove(engine, containers=containers, tags=tags)
    return Run(snippet, tuple(done), measured, base)


@contextlib.contextmanager
def context_copy(snippet: Snippet, engine: Engine) -> Iterator[Path]:
    """A copy of the snippet's context for one run, in which images have the names that they have in this engine.

    Raises RefusedError where the copy holds what a context may not, CannotMeasureError where a Dockerfile is not the
    one that was checked: files can change at any moment.
    """
    with temp_folders.folder(snippet.name) as folder:
        copy = folder / "context"
        if snippet.context.is_dir():
            context.copy(snippet.context, copy)
        else:
            copy.mkdir()
        builds = list(snippet.dockerfiles.values())
        for checked in {build.path: build for build in builds}.values():
            copied = copy / checked.path.relative_to(snippet.context)
            if copied.read_bytes() != checked.text.encode():
                raise CannotMeasureError("this file was changed while it was measured", where=Where(checked.path))
            local = localise(checked.text, engine.scoped_name, [d for d in builds if d.path == checked.path])
            if local != checked.text:  # most take nothing but bases of their own names
                copied.write_text(local, "utf-8")
        yield copy


def _run_step(
    step: Step, engine: Engine, copy: Path, containers: list[str], *, kept: str, fresh: bool, timeout: float
) -> StepRun:
    command = step.command
    kills, starved = cgroup.kills(), cgroup.watch(engine.group)

    def once() -> Completed:
        return _run_command(step, engine, copy, containers, kept=kept, fresh=fresh, timeout=timeout)

    def is_as_declared() -> bool:
        return done.exit == step.exit and step.expect in done.text()

    done = once()
    if not is_as_declared() and may_not_have_started(done.text()):
        done = once()  # whether it began or printed just that, what it does now is its own doing
    as_declared = is_as_declared()
    # A kill elsewhere on the machine explains a failure, and is no reason to doubt a success.
    if starved() or (not as_declared and cgroup.kills() > kills):
        raise CannotMeasureError(
            f"out of memory: the kernel ended a process during {step}",
            evidence=done.last_lines(3),
            hint="close what else runs here, or pass a higher --memory",
        )
    if command.verb not in ("inside", "run", "build") and is_starved(done):
        raise CannotMeasureError(f"out of memory: the client wants too much for {step}", hint="a plainer --format")
    if not as_declared and is_full(done.text()) and not engine.has_room():
        raise engine.full(done)
    return StepRun(step, done.exit, engine.displayed(done.text()).replace("\r\n", "\n"), done.seconds)


def _run_command(
    step: Step, engine: Engine, copy: Path, containers: list[str], *, kept: str, fresh: bool, timeout: float
) -> Completed:
    command = step.command
    name = f"proof-{secrets.token_hex(6)}"  # of the container, so that it can be ended by name
    if command.verb in ("inside", "run"):
        cleanup.name_container(engine, name)
        containers.append(name)
    with contextlib.ExitStack() as stack:
        writes = None
        match command.verb:
            case "inside":
                assert step.inside is not None
                engine.call(
                    *("create", "--rm", "--name", name, "--network", "none", "--workdir", "/src"),
                    *(("--mount", f"type=volume,source={_volume(step.inside)},target={kept}") if kept else ()),
                    *(engine.scoped_name(step.inside), *command.argv),
                )
                engine.call("cp", f"{copy}/.", f"{name}:/src", reads=[copy])
                argv = [engine.kind, "start", "--attach", name]
            case "run":
                # Docker takes no network twice; and what is not here is no reason to ask a registry.
                alone = [] if command.values("--network") else ["--network=none"]
                rid = [] if any(flag == "--rm" for flag, _ in command.flags) else ["--rm"]
                argv = _argv(command, engine, [*rid, "--name", name, "--pull=never", *alone])
            case "build":
                recorded, writes = stack.enter_context(cleanup.building(engine))
                here = ["--pull=never"] if engine.kind == "podman" else []  # it would ask every registry that it knows
                # What was checked is named: podman would rather take a Containerfile.
                file = [] if command.values("--file", "-f") else ["--file=Dockerfile"]
                anew = ["--no-cache"] if fresh else []
                argv = _argv(command, engine, ["--network=none", *file, *here, *anew, *recorded])
            case _:
                argv = _argv(command, engine, [])
        done = engine.run(argv, cwd=copy, deadline=timeout, merge=True, writes=writes)
    if name in containers and done.exit < _NOT_STARTED:
        cleanup.ended(engine, name)
        containers.remove(name)
    return done


def _id_of(image: str, engine: Engine) -> str:
    if (found := engine.image_id(image)) is None:
        raise CannotMeasureError(f"the engine does not have the image {image}, which it had")
    return found


def _volume(base: str) -> str:
    return "proof-keeps-" + re.sub(r"[^a-z0-9]", "-", base)


def _argv(command: Command, engine: Engine, added: list[str]) -> list[str]:
    """The command as shown, with what the tool adds behind its verb; in a shared engine under the names used there."""
    head, rest = list(command.argv[1 : command.head]), list(command.argv[command.head :])
    if engine.prefix:
        names = {name: engine.scoped_name(name) for name in (*command.tags, *command.images)}
        rest = []
        for flag, value in command.flags:
            # In one word: of a flag that is true or false docker takes the next word for something else.
            rest += [flag] if value is None else [f"{flag}={names.get(value, value) if flag in TAG else value}"]
        count = 1 if command.verb == "run" else len(command.positionals)
        rest += [names.get(word, word) for word in command.positionals[:count]] + list(command.positionals[count:])
    return [engine.kind, *head, *added, *rest]


def ends_unexpectedly(run: StepRun) -> str:
    """Why the step did not do what its manifest says."""
    if run.exit != run.step.exit:
        return f"exit {run.exit}, where {run.step.exit} is declared"
    return f"'{run.step.expect}' is not in what it printed"
