"""The engines that `--engine` names, a line each, in the order in which `auto` tries them."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proof.engines.interface import Engine, EngineOptions

AUTO = "auto"  # the first that can be used
# The module of each. It is imported when the engine is opened, so that `proof --help` answers at once.
ENGINES = {
    "private": "proof.engines.private_docker",
    "docker": "proof.engines.docker",
    "podman": "proof.engines.podman",
}


def opened(name: str, options: EngineOptions) -> AbstractContextManager[Engine]:
    """The engine of this name, until the end of the block. Raises NoEngineError if it cannot be used here."""
    engine: AbstractContextManager[Engine] = importlib.import_module(ENGINES[name]).opened(options)
    return engine
