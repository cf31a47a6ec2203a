"""What a snippet.toml declares: a snippet, its steps, and the facts to read from their output.

The declarations are also what editors and the reference pages know: see `proof.core.declared`.
"""

from __future__ import annotations

import functools
import keyword
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from proof.core.declared import group, key
from proof.core.errors import Where
from proof.core.patterns import Pattern
from proof.core.toml_table import Table
from proof.core.units import Unit
from proof.snippets.capture_locations import name_of
from proof.snippets.commands import Command, base_name
from proof.snippets.dockerfile import Dockerfile, Stage
from proof.snippets.engine_version import Condition, EngineVersion

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")  # of a snippet, a step or a fact, as in the expression single.size
NAME_HINT = "use lowercase letters, digits and _, and begin with a letter"
_TABLES = frozenset({"ls", "history", "inspect", "version", "ps", "rmi"})  # verbs with which the engine alone prints
_OF_ENGINE = 125  # from this exit code on, `docker run` may say why the program did not start
HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_FETCHING = frozenset({"build", "run", "inside"})  # verbs that can have a network
_REPEATABLE = frozenset({"inside", "exec", "logs", "ps"})  # verbs that `until` can repeat
_PATTERNS = 40  # of a step; real ones have up to 10
_PATH = re.compile(r"(?:/[A-Za-z0-9._+@-]{1,80}){1,12}", re.ASCII)  # in an image


@dataclass(frozen=True, kw_only=True)
class FactRule:
    """How to read a fact from the output of a step."""

    name: str
    match: Pattern = key("A regular expression for a line of the output. Its only group is the value.")
    unit: Unit = key("One of `B`, `KiB`, `s`, `count` and `text`.")
    tolerance: float = key(
        "By what share the value may differ from run to run, as in `0.01`.",
        default=0.0,
        fits=lambda share: 0 <= share <= 0.5,
        hint="use a share from 0 to 0.5, as in tolerance = 0.01 for 1 %",
    )
    volatile: str = key("Why the value is different each time (a time, an id). It isn't compared.", default="")
    engine: Condition | None = key(
        'The engines whose output has it, as in `"docker >=29"`. The default is all of them.', default=None
    )
    where: Where

    def check(self, table: Table) -> None:
        """Raises ManifestError for a pattern without a value, or a name that expressions could not use."""
        if self.match.groups != 1:
            what = "the pattern needs exactly one (group), for the value"
            raise table.error("match", what, r'write match = "^(\\d+) files"')
        check_fact_name(table, "", self.name)


def check_fact_name(table: Table, at: str, name: str) -> None:
    """Raises ManifestError at the key `at` if expressions could not use the name."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise table.error(at, f"invalid fact name '{name}'", NAME_HINT)


@dataclass(frozen=True)
class Outcome:
    """The expected exit code and message of a step on some engines."""

    engine: Condition | None  # None for all
    exit: int
    expect: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What a step that is expected to fail ends with, and what readers are told about it."""

    exit: int | dict[Condition, int] = key(
        "The exit code of an expected failure. The default is 0. If it depends on the engine, a table: "
        '`{ "docker <28" = 1, "docker >=28" = 255 }`.',
        default=0,
        fits=range(256).__contains__,
        hint="use a number from 0 to 255",
    )
    expect: str | dict[Condition, str] = key(
        "Part of the message of an expected failure. Required with `exit`. If it depends on the engine, a table.",
        default="",
    )
    remedy: str = key(
        "For an expected failure: what a reader can do about it. A sentence for the index of error messages.",
        default="",
    )
    unlisted: str = key("For an expected failure: why the index of error messages leaves it out.", default="")

    @functools.cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """In the order of the file. The first one is expected of engines for which none is declared."""
        codes, texts = self.exit, self.expect
        if not isinstance(codes, dict) and not isinstance(texts, dict):
            return (Outcome(None, codes, texts),)
        made = []
        for condition in dict.fromkeys(one for table in (codes, texts) if isinstance(table, dict) for one in table):
            code = codes.get(condition, 0) if isinstance(codes, dict) else codes
            text = texts.get(condition, "") if isinstance(texts, dict) else texts
            made.append(Outcome(condition, code, text if code else ""))
        return tuple(made)

    def check(self, table: Table) -> None:
        """Raises ManifestError for a failure without a message, or the other way round."""
        for name in ("exit", "expect"):
            if table.data.get(name) == {}:
                what = "this table is empty"
                raise table.error(name, what, 'write { "docker <28" = 1, "docker >=28" = 255 }')
        if any(outcome.exit and not outcome.expect for outcome in self.outcomes):
            raise table.error("exit", "an expected failure needs `expect`", 'add expect = "part of the message"')
        if not any(outcome.exit for outcome in self.outcomes):
            for name in ("expect", "remedy", "unlisted"):
                if getattr(self, name):
                    raise table.error(name, f"`{name}` needs a nonzero `exit`", "add the `exit` code and `expect`")


@dataclass(frozen=True, kw_only=True)
class Output:
    """How the output of a step is shown and compared."""

    show: tuple[Pattern, ...] = key(
        "Regular expressions: the lines that pages show. The others can be unfolded.", default=()
    )
    ignore: tuple[Pattern, ...] = key(
        "Regular expressions: text that differs from run to run, and isn't compared.", default=()
    )
    unshown: str = key("Why no page shows this step.", default="")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a snippet."""

    snippet: str
    name: str = key(
        "The name of the step, as in `{{ transcript NAME/step }}`.",
        fits=NAME.fullmatch,
        hint=f"{NAME_HINT}, as in image_ls",
    )
    command: Command = key("The command, as pages show it and as a reader's shell would run it.")
    inside: str | None = key(
        "Run the command in a container of this base image, on a copy of `context/`.", default=None
    )
    network: Literal["published"] | tuple[str, ...] | None = key(
        'What the command reaches: a list of hosts, as in `["proxy.golang.org"]`, or with `inside` `"published"`, '
        "the ports that `docker run -d -p` has published, at localhost. The default is nothing.",
        default=None,
    )
    until: str = key(
        "Run the command again and again until it ends as declared and prints this text, at most for the time limit. "
        "Only what it did last is captured.",
        default="",
    )
    failure: Failure = group(Failure)
    differs: dict[Condition, str] = key(
        "The engines on which the step prints something else, each with the reason, as in "
        '`{ podman = "it keeps a cache mount" }`. Its output and facts aren\'t compared with those of the others.',
        default={},
    )
    output: Output = group(Output)
    timeout: float = key(
        "The time limit in seconds. The default is 300.",
        default=300.0,  # a cold `go build` takes about 10 s on two cores
        fits=lambda seconds: 0 < seconds <= 3600,
        hint="use 1 to 3600 seconds",
    )
    facts: dict[str, FactRule] = key("Numbers to read from the output, each under its own name.", default={})
    where: Where

    def __str__(self) -> str:
        return f"{self.snippet}/{self.name}"

    @property
    def published(self) -> bool:
        """Whether it reaches the ports that other steps have published."""
        return self.network == "published"

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that it reaches."""
        return frozenset() if self.network in (None, "published") else frozenset(self.network)

    @property
    def text(self) -> str:
        """The command, as shown."""
        return self.command.text

    @property
    def exit(self) -> int:
        """The expected exit code; of the first outcome, if it depends on the engine."""
        return self.failure.outcomes[0].exit

    @property
    def expect(self) -> str:
        """Part of the output of an expected failure; otherwise empty."""
        return self.failure.outcomes[0].expect

    def check(self, table: Table) -> None:
        """Raises ManifestError for keys that do not go together."""
        if self.published and not self.inside:
            raise table.error("network", "`network` needs `inside`", 'add inside = "image:tag"')
        if self.hosts and self.command.verb not in _FETCHING:
            raise table.error("network", "this command fetches nothing", "remove `network`")
        for host in self.hosts:
            if not HOST.fullmatch(host):
                what, hint = f"'{host:.100}' is not the name of a host", 'write network = ["proxy.golang.org"]'
                raise table.error("network", what, hint)
        if self.until and self.command.verb not in _REPEATABLE:
            raise table.error(
                "until",
                "`until` is refused here: running this command again could change what other steps find",
                "use it in a later step, with `inside`, docker exec, docker logs or docker ps",
            )
        if (patterns := len(self.facts) + len(self.output.show) + len(self.output.ignore)) > _PATTERNS:
            what = f"too many regular expressions in this step: {patterns}"
            raise table.error("", what, f"use at most {_PATTERNS}")
        if table.data.get("differs") == {}:
            raise table.error("differs", "this table is empty", 'write { podman = "it keeps a cache mount" }')
        for condition in self.differs:
            # A program prints the same on every Docker. Else a capture that names another one could say what it likes.
            if condition.kind == "docker" and self.command.verb not in _TABLES and self.exit < _OF_ENGINE:
                what = "what a program prints does not depend on the version of Docker"
                raise table.error("differs", what, "use `exit`, or `ignore`")

    def prints_alike(self, one: EngineVersion, other: EngineVersion) -> bool:
        """Whether both engines are to print the same, as far as engines do."""
        return all(condition.holds(one) == condition.holds(other) for condition in self.differs)

    def on(self, engine: EngineVersion) -> Step:
        """The step with the outcome and the facts that are declared for this engine."""
        if not (len(self.failure.outcomes) > 1 or self.differs or any(rule.engine for rule in self.facts.values())):
            return self  # the usual case
        facts = {name: rule for name, rule in self.facts.items() if rule.engine is None or rule.engine.holds(engine)}
        if any(condition.holds(engine) for condition in self.differs):
            facts = {}
        outcomes = self.failure.outcomes
        declared = (outcome for outcome in outcomes if outcome.engine is None or outcome.engine.holds(engine))
        outcome = next(declared, outcomes[0])
        return replace(self, failure=replace(self.failure, exit=outcome.exit, expect=outcome.expect), facts=facts)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """By how much an image may differ from build to build, as when a command writes the time into a file."""

    bytes: int = key(
        "By how many bytes the size may differ. Without it, only the content of the layers may differ.",
        default=0,
        fits=lambda size: 0 < size <= 1_000_000,
        hint="use 1 to 1,000,000",
    )
    because: str = key("Where the difference comes from.")


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A directory with a build context, and commands whose output pages show."""

    folder: Path
    variant: str  # the value of the matrix variable; empty without a matrix
    title: str = key(
        "What the snippet is, for the list of measurements.",
        fits=lambda title: len(title.splitlines()) == 1,
        hint="write one line",
    )
    image: str | None = key("The tag whose image is measured. A step has to build it.", default=None)
    noise: Noise | None = key("By how much the image may differ from build to build, and why.", default=None)
    transfer: bool = key("Also measure what a registry would send: each layer, gzipped.", default=False)
    contents: dict[str, str] | None = key(
        "Also capture what is in each layer, for an explorer. Each key is a fact: the bytes below a path in the image, "
        'as in `{ go_src = "/usr/local/go/src" }`. The table may be empty.',
        default=None,
        fits=lambda path: _PATH.fullmatch(path) and not {".", ".."}.intersection(path.split("/")),
        hint='write an absolute path without a slash at its end, like "/usr/local/go"',
    )
    slow: bool = key("Leave the snippet out of `proof check --quick`.", default=False)
    matrix: dict[str, tuple[str, ...]] = key(
        'A variable and its values, as in `go = ["1.26", "1.27"]`: a snippet for each value.', default={}
    )
    steps: tuple[Step, ...] = key("The commands, in order.", name="step")
    dockerfiles: dict[str, Dockerfile]  # by step name
    bases: dict[str, Where]  # all base images that it uses, and where each is first named

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name of its directory, with that of the variant."""
        return name_of(self.folder, self.variant)

    @property
    def where(self) -> Where:
        """Its manifest."""
        return Where(self.folder / "snippet.toml")

    @property
    def noise_bytes(self) -> int:
        """By how many bytes the image's size may differ from build to build."""
        return self.noise.bytes if self.noise else 0

    @property
    def context(self) -> Path:
        """The directory that a reader would copy, and the only build context."""
        return self.folder / "context"

    @property
    def pins(self) -> dict[str, tuple[str, Where]]:
        """By base, the digest that Dockerfiles give with its name, and the first place of it."""
        found: dict[str, tuple[str, Where]] = {}
        for build in self.dockerfiles.values():
            for mention in build.needed:
                if mention.digest:
                    found.setdefault(base_name(mention.image), (mention.digest, Where(build.path, mention.first)))
        return found

    @property
    def timed(self) -> bool:
        """Whether it measures time, so that nothing else should run meanwhile."""
        return any(rule.unit == "s" for step in self.steps for rule in step.facts.values())

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
            if fact in step.facts:
                return step
        # A later build of the same tag replaces the image.
        return next((step for step in reversed(self.steps) if self.image in step.command.tags), None)

    def image_base(self) -> str | None:
        """The base image of the measured image, or `scratch`; None if no image is measured."""
        stages = self._image_stages()
        return base_name(stages[0].parent) if stages else None

    def image_steps(self) -> list[str]:
        """The instructions that made the measured image's own layers, in order, as written in its Dockerfile."""
        return [step for stage in self._image_stages() for step in stage.steps]

    def _image_stages(self) -> list[Stage]:
        for step in reversed(self.steps):  # a later build of the same tag replaces the image
            if self.image in step.command.tags:
                targets = step.command.values("--target")
                return self.dockerfiles[step.name].chain(targets[-1] if targets else None)
        return []
