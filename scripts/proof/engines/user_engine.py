"""What the user's own engines have in common: how one is found, and that it is left as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from proof.core.errors import CannotMeasureError, DeadlineError, NoEngineError, NotInstalledError
from proof.engines import cleanup, journal
from proof.engines.client import environment
from proof.engines.interface import Engine, EngineOptions
from proof.system import process, temp_folders

E = TypeVar("E", bound=Engine)


@contextlib.contextmanager
def home_of(program: str, platform: str, helpers: Sequence[str] = ()) -> Iterator[tuple[Path, dict[str, str]]]:
    """A home for the clients of this program, and their environment. They may start `helpers` too.

    Raises NotInstalledError if the program is not installed.
    """
    if not shutil.which(program):
        raise NotInstalledError(f"`{program}` is not installed here")
    with temp_folders.folder("home") as home:
        # Only the address of the engine is taken from the user's environment.
        address = {name: os.environ[name] for name in ("CONTAINER_HOST", "XDG_RUNTIME_DIR") if name in os.environ}
        yield home, environment(home, platform, (program, *helpers)) | address


def ask(argv: Sequence[str], env: Mapping[str, str], silent: str) -> bytes:
    """What the engine answers to the first question. Raises NoEngineError, which says `silent`, if it does not."""
    try:
        done = process.run(argv, env=env, deadline=10)
    except DeadlineError as error:
        raise NoEngineError(silent, evidence=error.what, hint=f"start {argv[0]} again") from error
    if done.exit != 0:
        works = " ".join(argv[:2])
        raise NoEngineError(silent, evidence=done.last_lines(2).strip(), hint=f"`{works}` has to work first")
    return done.output


def on_machine(engine: E, machine: str) -> E:
    """The engine, whose machine has this platform. If it isn't the engine's own, the machine may emulate that one.

    Raises NoEngineError if it is not even Linux.
    """
    if machine == engine.platform:
        return engine
    if machine.startswith("linux/"):
        return replace(engine, emulated_on=machine)
    raise NoEngineError(
        f"your {engine.kind} is on {machine}, and snippets are measured on {engine.platform}",
        hint=use_another(engine),
    )


def use_another(engine: Engine) -> str:
    """A hint: how to use an engine that emulates nothing."""
    return f"use Docker on a {engine.platform} machine: DOCKER_HOST=ssh://me@machine"


@contextlib.contextmanager
def kept_clean(engine: E, options: EngineOptions, *, root: str, identity: str) -> Iterator[E]:
    """The engine with a journal. What killed runs left in it is removed first, and at the end what this one created.

    `root` is the directory of its images, and `identity` a file name that tells it from the user's other engines.
    """
    if Path(root).is_dir():  # the engine is on this machine
        engine = replace(engine, disk=Path(root))
    journals = options.cache / "journals" / identity
    # What cannot be removed now stays in its journal, and the next run removes it.
    with journal.of_dead_runs(journals) as dead:
        for left in dead:
            with contextlib.suppress(CannotMeasureError):
                cleanup.undo(engine, left)
    with journal.opened(journals) as ours:
        try:
            yield replace(engine, journal=ours)
        finally:
            if engine.client.alive():
                with contextlib.suppress(CannotMeasureError):
                    cleanup.undo(engine, ours)
