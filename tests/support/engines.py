"""Engines whose clients are replaced by a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from proof.engines.client import Client
from proof.engines.docker import Docker
from proof.engines.interface import Engine
from proof.engines.names import Names
from proof.engines.podman import Podman
from proof.engines.private_docker import PrivateDocker
from proof.snippets.engine_version import PLATFORM


def private(prefix: str = "", bases: frozenset[str] = frozenset(), socket: Path | None = None, **more: Any) -> Engine:
    """A private Docker."""
    client, names = Client("docker", {}, socket=socket), Names(prefix, bases)
    return PrivateDocker(client=client, platform=PLATFORM, names=names, **more)


def docker(prefix: str = "", env: dict[str, str] | None = None, **more: Any) -> Engine:
    """A user's Docker."""
    return Docker(client=Client("docker", env or {}), platform=PLATFORM, names=Names(prefix), **more)


def podman(prefix: str = "", platform: str = PLATFORM, **more: Any) -> Engine:
    """A user's Podman."""
    return Podman(client=Client("podman", {}), platform=platform, names=Names(prefix, host="localhost/"), **more)


def with_client(engine: Engine, **changes: Any) -> Engine:
    """The engine with these fields of its client changed."""
    return replace(engine, client=replace(engine.client, **changes))
