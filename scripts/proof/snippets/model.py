"""The validated content of a snippet.toml: a snippet, its steps, and the facts to read from their output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from proof.core.errors import Where
from proof.core.patterns import Pattern
from proof.snippets.commands import Command
from proof.snippets.dockerfile import Dockerfile, Stage
from proof.snippets.engine_version import Condition, EngineVersion


@dataclass(frozen=True)
class FactRule:
    """How to read a fact from the output of a step."""

    name: str
    match: Pattern  # its first group is the value
    unit: str  # one of UNITS
    tolerance: float  # by what share it may differ from run to run
    volatile: str  # why it differs every time and is not compared; otherwise empty
    engine: Condition | None  # the engines whose output has it; None for all
    where: Where


@dataclass(frozen=True)
class Outcome:
    """The expected exit code and message of a step on some engines."""

    engine: Condition
    exit: int
    expect: str


@dataclass(frozen=True)
class Step:
    """One command of a snippet, and how pages show its output."""

    snippet: str
    name: str
    text: str  # the command, as shown
    command: Command
    inside: str | None  # the base image in whose container it runs, on a copy of the context
    published: bool  # whether that container reaches the ports that others publish
    until: str  # what it has to print before the next step begins; until then it is run again. May be empty
    exit: int  # the expected exit code; of the first outcome, if it depends on the engine
    expect: str  # part of the output of an expected failure; otherwise empty
    outcomes: tuple[Outcome, ...]  # if they depend on the engine; otherwise empty
    differs: dict[Condition, str]  # the engines on which it prints something else, and why
    remedy: str  # what a reader can do about that failure, for the index of errors; may be empty
    unlisted: str  # why it isn't in the index of errors; empty if it is
    show: tuple[Pattern, ...]  # the lines to show; if empty, all of them
    ignore: tuple[Pattern, ...]  # text that may differ from run to run
    timeout: float  # seconds
    facts: tuple[FactRule, ...]
    unshown: str  # why no page shows it; if empty, a page has to show it
    where: Where

    def __str__(self) -> str:
        return f"{self.snippet}/{self.name}"

    def prints_alike(self, one: EngineVersion, other: EngineVersion) -> bool:
        """Whether both engines are to print the same, as far as engines do."""
        return all(condition.holds(one) == condition.holds(other) for condition in self.differs)

    def on(self, engine: EngineVersion) -> Step:
        """The step with the outcome and the facts that are declared for this engine.

        For an engine that no outcome is declared for, the first one is expected.
        """
        if not (self.outcomes or self.differs or any(rule.engine for rule in self.facts)):
            return self  # the usual case
        facts = tuple(rule for rule in self.facts if rule.engine is None or rule.engine.holds(engine))
        facts = () if any(condition.holds(engine) for condition in self.differs) else facts
        outcome = next((outcome for outcome in self.outcomes if outcome.engine.holds(engine)), self)
        return replace(self, exit=outcome.exit, expect=outcome.expect, facts=facts)


@dataclass(frozen=True)
class Snippet:
    """A directory with a build context, and commands whose output pages show."""

    name: str
    folder: Path
    title: str
    image: str | None  # the tag whose image is measured
    steps: tuple[Step, ...]
    dockerfiles: dict[str, Dockerfile]  # by step name
    bases: dict[str, Where]  # all base images that it uses, and where each is first named
    noise: int  # by how many bytes the image's size may differ from build to build
    varies: bool  # whether the content of its own layers may differ from build to build
    transfer: bool  # whether to also measure what a registry would send
    contents: dict[str, str] | None  # facts with their paths in the image; None if its contents are not captured
    slow: bool  # left out by `--quick`
    variant: str  # the value of the matrix variable; empty without a matrix
    where: Where

    def __str__(self) -> str:
        return self.name

    @property
    def context(self) -> Path:
        """The directory that a reader would copy, and the only build context."""
        return self.folder / "context"

    @property
    def timed(self) -> bool:
        """Whether it measures time, so that nothing else should run meanwhile."""
        return any(rule.unit == "s" for step in self.steps for rule in step.facts)

    @property
    def leaves_running(self) -> bool:
        """Whether it starts containers that run while its other steps do."""
        return any(step.command.verb == "detach" for step in self.steps)

    @property
    def captured(self) -> Path:
        """The directory of its captures, with a subdirectory for each origin of the base images."""
        return self.folder / "captured" / self.variant

    def on(self, engine: EngineVersion) -> Snippet:
        """The snippet with what is declared for this engine."""
        return replace(self, steps=tuple(step.on(engine) for step in self.steps))

    def step_of(self, fact: str) -> Step | None:
        """The step that a fact is read from, or that builds the image it is a fact of. None if there is none."""
        for step in self.steps:
            if any(rule.name == fact for rule in step.facts):
                return step
        # A later build of the same tag replaces the image.
        return next((step for step in reversed(self.steps) if self.image in step.command.tags), None)

    def image_base(self) -> str | None:
        """The base image of the measured image, or `scratch`; None if no image is measured."""
        stages = self._image_stages()
        return stages[0].parent if stages else None

    def image_steps(self) -> list[str]:
        """The instructions that made the measured image's own layers, in order, as written in its Dockerfile."""
        return [step for stage in self._image_stages() for step in stage.steps]

    def _image_stages(self) -> list[Stage]:
        for step in reversed(self.steps):  # a later build of the same tag replaces the image
            if self.image in step.command.tags:
                targets = step.command.values("--target")
                return self.dockerfiles[step.name].chain(targets[-1] if targets else None)
        return []
