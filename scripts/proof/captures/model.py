"""TODO."""

from __future__ import annotations

from dataclasses import dataclass, field

from proof.core.units import Scalar


@dataclass(frozen=True)
class Environment:
    """What a number depends on; numbers of two bases are never compared."""

    platform: str  # linux/amd64
    engine: str  # docker, docker with containerd's store, or podman
    bases: str  # rebuilt or registry

    def __str__(self) -> str:
        return f"{self.platform}, {self.engine}, {self.bases} bases"


@dataclass(frozen=True)
class Provenance:
    """Where a capture comes from: shown to readers, never compared."""

    date: str  # RFC 3339, UTC
    engine: str  # docker 26.1.5
    builder: str  # buildx 0.13.1
    image_store: str  # overlay2 (classic) or containerd
    filesystem: str
    private: bool
    bases: dict[str, str]  # name → registry digest, or what it was rebuilt from
    revision: str  # of the source: a commit, with `+` where the snippet was changed since


@dataclass(frozen=True)
class CapturedStep:
    """One command and what it did."""

    name: str
    command: str
    inside: str | None
    exit: int
    seconds: float
    output: str


@dataclass(frozen=True)
class CapturedFact:
    """A measured value."""

    value: Scalar
    unit: str  # B, KiB, s, count or text
    source: str  # how it was measured
    tolerance: float = 0.0  # by which share of itself it may differ from run to run
    volatile: str = ""  # why it is never the same twice, and so not compared


@dataclass(frozen=True)
class CapturedLayer:
    """One layer of the measured image."""

    instruction: str
    size: int  # bytes
    files: int
    digest: str
    from_base: bool


@dataclass(frozen=True)
class Capture:
    """Everything one run of a snippet left."""

    snippet: str
    environment: Environment
    inputs: dict[str, str]  # name → hash: what the outputs depend on
    steps: tuple[CapturedStep, ...]
    facts: dict[str, CapturedFact]
    layers: tuple[CapturedLayer, ...]
    provenance: Provenance
    tampered: tuple[str, ...] = field(default=(), compare=False)  # files that were changed by hand since

    def step(self, name: str) -> CapturedStep | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)
