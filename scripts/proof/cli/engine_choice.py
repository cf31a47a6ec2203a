"""Chooses the engine of a run: a private one if possible, otherwise the user's Docker or Podman."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from proof.core.errors import NoEngineError, NotInstalledError
from proof.engines import registry
from proof.engines.interface import Engine, EngineOptions
from proof.reports.terminal import Terminal
from proof.snippets.engine_version import PLATFORM


@contextlib.contextmanager
def chosen(choice: str, terminal: Terminal, cache: Path, *, memory: int | None) -> Iterator[Engine]:
    """The engine to use during the block. Prints which one it is, and why better ones are not available.

    If none is available, raises NotInstalledError, or NoEngineError if one is installed. Either has all the reasons.
    """

    def lost() -> None:
        terminal.say(" · the engine was lost and has been restarted", "yellow")

    options = EngineOptions(cache, PLATFORM, memory, lost)
    refused: list[NoEngineError] = []
    for name in registry.ENGINES if choice == registry.AUTO else (choice,):
        with contextlib.ExitStack() as stack:
            try:
                with terminal.stage(f"{name} engine"):
                    engine = stack.enter_context(registry.opened(name, options))
            except NoEngineError as error:
                if choice == name:
                    raise
                refused.append(error)
                continue
            # Problems with a better engine are not hidden.
            for reason in refused:
                for line in (reason.what, *(f"  {line}" for line in reason.evidence.splitlines())):
                    terminal.say(f" · {line}", "yellow")
            if engine.introduction:
                terminal.say(f" · {engine.introduction}")
            if engine.warning:
                terminal.say(f" · {engine.warning}", "yellow")
            yield engine
            return
    if not all(isinstance(error, NotInstalledError) for error in refused):
        raise NoEngineError("no container engine can be used here", evidence="\n".join(map(str, refused)))
    raise NotInstalledError(
        f"no container engine is available: {'; '.join(error.what for error in refused)}",
        hint="on Debian or Ubuntu, sudo apt-get install docker.io docker-buildx bubblewrap;"
        " on Fedora, sudo dnf install podman, which can check captures but not make them;"
        " on macOS, brew install --cask docker-desktop",
    )
