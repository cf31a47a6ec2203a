"""What the rest of the tool asks of a container engine, and what every engine has in common.

Each engine is a module that extends `Engine` and has a function `opened`, and a line in `registry`. Nothing else knows
which engines there are: it asks an engine for flags, names and properties.
"""

from __future__ import annotations

import json
import shutil
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from proof.core.errors import CannotMeasureError
from proof.engines.client import BULK, Client
from proof.engines.journal import Journal
from proof.engines.names import Names
from proof.snippets.engine_version import Kind
from proof.system.keyed_lock import KeyedLock

_ENOUGH_ROOM = 1 << 30  # bytes: with this much free space the disk is not full, whatever a program prints
T = TypeVar("T")


@dataclass(frozen=True)
class EngineInfo:
    """What the engine reports about itself. It is shown to readers and never compared."""

    version: str
    builder: str  # buildx's version, or the engine's own
    image_store: str  # `overlay2` (classic) or `containerd`; `overlay2-without-native-diff` counts otherwise
    filesystem: str  # that the image store is on


@dataclass(frozen=True)
class EngineOptions:
    """What a module's `opened` is given. It yields an engine, or raises NoEngineError with the reason why not."""

    cache: Path
    platform: str
    memory: int | None = None  # bytes that all containers together may use, if the engine can limit that
    on_restart: Callable[[], object] = lambda: None  # called when a lost engine has been restarted


@dataclass(frozen=True, kw_only=True)
class Engine(ABC):
    """A reachable engine. What is not said to differ holds for a user's own."""

    client: Client
    platform: str  # that it builds and runs images for, such as linux/amd64
    emulated_on: str = ""  # the platform of its machine, if it is another one, which emulates `platform`
    names: Names = field(default_factory=Names)
    journal: Journal | None = None  # records what this run creates in a user's own engine
    disk: Path | None = None  # a directory on the disk that holds the images; None if that is on another machine
    # Keeps builds with common steps from running at once, and snippets from reaching one another's ports.
    locks: KeyedLock = field(default_factory=KeyedLock)
    group: str = ""  # the control group of the containers, if they have one
    # Flags of a container in which ports that others publish answer at localhost. Empty for a user's own engine: there
    # they would be open to the user's network, and a name may be taken.
    localhost_flags: tuple[str, ...] = ()

    kind: ClassVar[Kind]
    # True if only this run uses the engine: snippets run in parallel, and it ends with the run, with all that is in it.
    private: ClassVar[bool] = False
    build_flags: ClassVar[tuple[str, ...]] = ()  # of every build
    # Whether a `#` behind blanks, between the lines of an instruction, begins a comment, as BuildKit reads it.
    reads_indented_comments: ClassVar[bool] = True

    @abstractmethod
    def info(self) -> EngineInfo:
        """Ask the engine about itself."""

    @abstractmethod
    def reuse_flags(self, run: int, seconds: float) -> list[str]:
        """Flags of a build that takes no RUN from the cache but those that this run of a snippet has built.

        `run` is a number that no other run has, and `seconds` how long ago it began.
        """

    @abstractmethod
    def build_cache(self) -> dict[str, bool]:
        """The ids of the build cache's records, each with whether a build is using it."""

    @abstractmethod
    def runnable_platforms(self) -> list[str]:
        """The platforms of all programs that the engine can run, emulated ones too."""

    def label_flags(self, label: str) -> list[str]:  # noqa: ARG002 - for an engine that has labels
        """Flags of a build that label its steps, if the engine stores them as images."""
        return []

    @property
    def removal_flags(self) -> list[str]:
        """Flags with which an image is removed alone, without the images below it."""
        return []

    @property
    def platform_flags(self) -> list[str]:
        """Flags of a command that builds or creates a container, if its engine emulates the platform."""
        return [f"--platform={self.platform}"] if self.emulated_on else []

    @property
    def build_platform_flags(self) -> list[str]:
        """Flags of a build, if its engine emulates the platform: the stages that run where it builds have it too."""
        variables = {"BUILDPLATFORM": self.platform, "BUILDARCH": self.platform.split("/")[1]}
        return [f"--build-arg={k}={v}" for k, v in variables.items()] if self.emulated_on else []

    @property
    def introduction(self) -> str:
        """What to tell the user about an engine of their own; empty for a private one."""
        address = self.client.env.get("DOCKER_HOST", "").removeprefix("unix://")
        where = f" at {address}" if address else ""
        where += f" on {self.emulated_on}, which has to emulate {self.platform}" if self.emulated_on else ""
        return f"using your {self.kind}{where}; its images are left alone"

    @property
    def warning(self) -> str:
        """What the engine does not protect the user from."""
        return "" if self.client.sandbox else f"{self.kind} runs without a sandbox here: run only snippets you trust"

    def for_snippet(self, bases: Iterable[str], pins: Mapping[str, str] | None = None) -> Engine:
        """The engine as one snippet with these bases sees it: with a prefix that no other snippet has.

        `pins` are the digests that it names bases with.
        """
        names = self.names.for_snippet(bases) if self.private else self.names
        return replace(self, names=replace(names, pins=pins or {})) if pins or self.private else self

    def retry_if_lost(self, act: Callable[[], T]) -> T:
        """Call `act` and return its result; if a private engine is lost meanwhile, restart it and call `act` again."""
        return act()

    def listen(self) -> socket.socket:
        """A listening socket that containers with the network `bridge` reach, and that leads to this process."""
        raise CannotMeasureError(
            f"your {self.kind} cannot limit a network to some hosts: only a private engine can",
            hint="use --engine private",
        )

    def has_room(self) -> bool:
        """True if its disk is known to have space left: a program that reports a full disk then means another one."""
        return self.disk is not None and shutil.disk_usage(self.disk).free > _ENOUGH_ROOM

    def inspect(self, name: str) -> dict[str, Any] | None:
        """What the engine tells about the image that it stores under this name; None if it has none."""
        done = self.client.call("image", "inspect", "--format", "{{json .}}", name, check=False)
        return json.loads(done.output) if done.exit == 0 else None

    def image_id(self, image: str) -> str | None:
        """The id of an image, or None if the engine has no image of that name."""
        about = self.inspect(self.names.image(image))
        return "sha256:" + about["Id"].removeprefix("sha256:") if about else None  # Podman omits the algorithm

    def displayed_sizes(self, image: str) -> tuple[int, int] | None:  # noqa: ARG002 - Docker's
        """DISK USAGE and CONTENT SIZE of an image in `docker image ls`, in bytes; None where there are no such columns.

        They are displayed with three digits.
        """
        return None

    def diff_ids(self, image: str) -> tuple[str, ...]:
        """The diff IDs of an image's layers, the lowest first, each as `sha256:…`."""
        about = self.inspect(self.names.image(image))
        if about is None:
            raise CannotMeasureError(f"the image {image} is no longer in the engine")
        return tuple(about["RootFS"]["Layers"])

    def load(self, archive: Path) -> None:
        """Load an archive in which the image already has its name in this engine."""
        self.client.call("load", "--quiet", "--input", str(archive), deadline=BULK, reads=[archive])

    def save(self, image: str) -> AbstractContextManager[IO[bytes]]:
        """`docker image save` as a stream."""
        return self.client.stream("image", "save", image)

    def images(self) -> set[str]:
        """The ids of all images, including those without a name."""
        return set(self.client.call("image", "ls", "--all", "--quiet", "--no-trunc").text().split())

    def remove(
        self, *, containers: Sequence[str] = (), networks: Sequence[str] = (), images: Sequence[str] = ()
    ) -> bool:
        """Remove these by name, and return whether all are gone. Missing ones are fine."""
        commands = (
            (("rm", "--force", "--volumes"), containers),
            (("network", "rm", "--force"), networks),  # which no container may use any more
            (("rmi", "--force", *self.removal_flags), images),
        )
        done = [self.client.call(*words, *names, deadline=120, check=False) for words, names in commands if names]
        return all(removal.exit == 0 for removal in done)
