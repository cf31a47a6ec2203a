"""TODO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import Where
from proof.core.patterns import Pattern
from proof.snippets.commands import Command
from proof.snippets.dockerfile import Dockerfile


@dataclass(frozen=True)
class FactRule:
    """A fact that is read out of a step's output."""

    name: str
    match: Pattern  # its first group is the value
    unit: str  # one of UNITS
    tolerance: float  # by which share of itself it may differ from run to run
    volatile: str  # why it is never the same twice, and so not compared; empty for all others
    where: Where


@dataclass(frozen=True)
class Step:
    """One command of a snippet, and what a page shows of its output."""

    snippet: str
    name: str
    text: str  # the command, as shown
    command: Command
    inside: str | None  # the base whose container runs it, on a copy of the context
    exit: int  # the exit code it must have
    expect: str  # a piece of the output of an expected failure; empty for a success
    remedy: str  # what a reader does about that failure, for the index of errors; may be empty
    show: tuple[Pattern, ...]  # the lines to show; empty means all of them
    ignore: tuple[Pattern, ...]  # text that may differ from run to run
    timeout: float  # seconds
    facts: tuple[FactRule, ...]
    unshown: str  # why no page shows it; empty where one must
    where: Where

    def __str__(self) -> str:
        return f"{self.snippet}/{self.name}"


@dataclass(frozen=True)
class Snippet:
    """A folder with a context and the commands that a page shows of it."""

    name: str
    folder: Path
    title: str
    image: str | None  # the tag whose image is measured
    steps: tuple[Step, ...]
    dockerfiles: dict[str, Dockerfile]  # by step name
    bases: dict[str, Where]  # every base that its Dockerfiles, runs and `inside`s name, and where
    noise: int  # bytes by which the image's size may differ from build to build
    varies: bool  # whether the content of its own layers may differ, be their sizes the same or not
    transfer: bool  # whether to measure what a registry would send as well
    slow: bool  # left out by `--quick`
    variant: str  # of a matrix: which value it has; else empty
    where: Where

    def __str__(self) -> str:
        return self.name

    @property
    def context(self) -> Path:
        """What a reader would copy, and the only build context."""
        return self.folder / "context"

    @property
    def timed(self) -> bool:
        """Whether it measures time, which nothing else on the machine should take from it."""
        return any(rule.unit == "s" for step in self.steps for rule in step.facts)

    @property
    def captured(self) -> Path:
        """Where the tool keeps what happened, one folder for each origin of the bases."""
        return self.folder / "captured" / self.variant

    def image_base(self) -> str | None:
        """The base under the measured image, `scratch`, or None where no image is measured."""
        for step in reversed(self.steps):  # a later build of the same tag replaces the image
            if self.image in step.command.tags:
                targets = step.command.values("--target")
                return self.dockerfiles[step.name].base_of(targets[-1] if targets else None)
        return None
