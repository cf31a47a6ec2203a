"""Chooses the engine of a run: a private one if possible, otherwise the user's Docker or Podman."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from proof.cli.options import EngineChoice
from proof.core.errors import NoEngineError
from proof.engines import private_daemon, user_engine
from proof.engines.engine import Engine
from proof.reports.terminal import Terminal
from proof.snippets.base_images import PLATFORM


@contextlib.contextmanager
def chosen(choice: EngineChoice, terminal: Terminal, cache: Path, *, memory: int | None) -> Iterator[Engine]:
    """The engine to use during the block. Prints which one it is, and why better ones are not available.

    Raises NoEngineError, with the reason for each engine, if none is available.
    """
    refused: list[NoEngineError] = []
    for kind in get_args(EngineChoice)[1:] if choice == "auto" else (choice,):
        with contextlib.ExitStack() as stack:
            try:
                if kind == "private":
                    engine = stack.enter_context(_private(terminal, cache, memory))
                else:
                    engine = stack.enter_context(user_engine.connect(kind, cache, PLATFORM))
            except NoEngineError as error:
                if choice == kind:
                    raise
                refused.append(error)
                continue
            for reason in refused:  # so that problems with a better engine are not hidden
                for line in (reason.what, *(f"  {line}" for line in reason.evidence.splitlines())):
                    terminal.say(f" · {line}", "yellow")
            if kind != "private":
                _introduce(engine, terminal)
            yield engine
            return
    raise NoEngineError(
        f"no container engine is available: {'; '.join(error.what for error in refused)}",
        evidence="\n".join(error.evidence for error in refused if error.evidence),
        hint="start Docker or Podman; to get one:"
        " on Debian or Ubuntu, sudo apt-get install docker.io docker-buildx bubblewrap;"
        " on Fedora, sudo dnf install podman, which can check captures but not make them;"
        " on macOS, brew install --cask docker-desktop",
    )


@contextlib.contextmanager
def _private(terminal: Terminal, cache: Path, memory: int | None) -> Iterator[Engine]:
    def lost() -> None:
        terminal.say(" · the engine was lost and has been restarted", "yellow")

    with contextlib.ExitStack() as stack:
        with terminal.stage("private engine"):
            start = private_daemon.start(cache, PLATFORM, memory=memory, on_restart=lost)
            engine = stack.enter_context(start)
        if not engine.group:
            terminal.say(" · the private engine cannot limit memory here", "yellow")
        yield engine


def _introduce(engine: Engine, terminal: Terminal) -> None:
    """Print which engine of the user is used, and a warning if it has no sandbox."""
    address = engine.env.get("DOCKER_HOST", "").removeprefix("unix://")
    where = f" at {address}" if address else ""
    terminal.say(f" · using your {engine.kind}{where}; its images are left alone")
    if not engine.sandbox:
        terminal.say(f" · {engine.kind} runs without a sandbox here: run only snippets you trust", "yellow")
