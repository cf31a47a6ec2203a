"""The data of a capture: what one run of a snippet measured."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from proof.core.units import Scalar
from proof.snippets.engine_version import EngineVersion


@dataclass(frozen=True)
class Environment:
    """The environment of a measurement. Only captures for the same platform and bases are compared."""

    platform: str  # linux/amd64
    engine: str  # "docker", "docker with containerd's store" or "podman"
    bases: str  # "rebuilt" or "registry"
    # The platform of the engine's machine, if it is another one, which emulates `platform`. No such capture is kept.
    emulated_on: str = ""

    def __str__(self) -> str:
        emulated = f" emulated on {self.emulated_on}" if self.emulated_on else ""
        return f"{self.platform}{emulated}, {self.engine}, {self.bases} bases"


@dataclass(frozen=True)
class Provenance:
    """Where a capture comes from. It is shown to readers; only its form and its bases are checked."""

    date: str  # RFC 3339, UTC
    engine: str  # docker 26.1.5
    builder: str  # buildx 0.13.1
    image_store: str  # overlay2 (classic) or containerd
    filesystem: str
    private: bool  # whether a private daemon ran it
    bases: dict[str, str]  # name → registry digest, or a description of what it was rebuilt from
    revision: str  # commit of the source, with `+` if the snippet had uncommitted changes
    engine_from: str = ""  # where the engine comes from, if it is not its distributor's


@dataclass(frozen=True)
class CapturedStep:
    """One command and its result."""

    name: str
    command: str
    inside: str | None  # the image in whose container it ran
    exit: int
    seconds: float
    output: str


@dataclass(frozen=True)
class CapturedFact:
    """A measured value."""

    value: Scalar
    unit: str  # B, KiB, s, count or text
    source: str  # how it was measured
    tolerance: float = 0.0  # relative: how much it may differ from run to run
    volatile: str = ""  # why it differs in each run, and so is not compared; empty if it does not


@dataclass(frozen=True)
class CapturedEntry:
    """A row of a layer's contents. Rows that are deeper follow the directory that they are in."""

    depth: int  # 0 for the layer itself
    kind: str  # directory, file, link, removed, or others: the sum of what is not listed
    name: str  # in its directory
    size: int  # bytes, with everything below
    files: int  # number of regular files
    hidden: int  # bytes of `size` that a later layer hides


@dataclass(frozen=True)
class CapturedLayer:
    """One layer of the measured image."""

    instruction: str
    size: int  # bytes
    files: int
    digest: str
    from_base: bool
    contents: tuple[CapturedEntry, ...] = ()  # its directories and files; empty if the snippet does not ask for them


@dataclass(frozen=True)
class CapturedFetch:
    """What a step fetched from a host in one request. It is recorded, and not compared."""

    step: str
    host: str
    scheme: str  # http or https
    path: str  # with its query; empty if the connection was encrypted
    bytes: int
    sha256: str  # of the content; empty if the connection was encrypted


@dataclass(frozen=True)
class Capture:
    """Everything that one run of a snippet produced."""

    snippet: str
    environment: Environment
    inputs: dict[str, str]  # name → hash: what the outputs depend on
    steps: tuple[CapturedStep, ...]
    facts: dict[str, CapturedFact]
    layers: tuple[CapturedLayer, ...]
    provenance: Provenance
    fetched: tuple[CapturedFetch, ...] = ()  # by steps with a network
    tampered: tuple[str, ...] = field(default=(), compare=False)  # names of files that were edited by hand

    @functools.cached_property
    def engine(self) -> EngineVersion:
        """The engine that made it. If its provenance names none, a version that no engine has."""
        try:
            return EngineVersion.of(self.provenance.engine, self.provenance.image_store)
        except ValueError:
            return EngineVersion("docker", 0)

    def step(self, name: str) -> CapturedStep | None:
        """The step with this name, or None."""
        return next((step for step in self.steps if step.name == name), None)
