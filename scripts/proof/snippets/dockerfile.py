"""A Dockerfile as stages, and the instructions that are refused before any engine sees them.

This reads just enough of the format to know which images a build needs and that nothing in it reaches out:
https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proof.core.errors import RefusedError, Where
from proof.core.files import read_text
from proof.snippets.commands import is_kernel_path
from proof.snippets.dockerfile_lexer import Instruction, instructions

ALLOWED = frozenset(
    "FROM ARG ENV WORKDIR COPY ADD RUN CMD ENTRYPOINT USER LABEL EXPOSE STOPSIGNAL SHELL HEALTHCHECK VOLUME".split()
)
_FLAGS: Mapping[str, frozenset[str]] = {
    "FROM": frozenset({"platform"}),
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "exclude"}),
    "RUN": frozenset({"mount", "network"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
}
_MOUNTS = frozenset({"cache", "bind", "tmpfs"})
_MOUNT_KEYS = frozenset(
    "type from source src target dst destination readonly ro readwrite rw id sharing mode uid gid size".split()
)
_TARGETS = frozenset({"target", "dst", "destination"})
_SETTING = re.compile(r"[\w./:@+-]*", re.ASCII)
# Names as BuildKit takes them: of `$1x` it reads `$1`, and of a quoted one in an ARG the quotes are a part.
_NAME = r"[A-Za-z_]\w*"
# BuildKit reads quotes and variables in the word too: so there are none in it.
_VARIABLE = re.compile(
    rf"\$(?:\{{(?P<braced>{_NAME})(?::(?P<op>[-+])(?P<word>[\w./:@-]*))?\}}|(?P<plain>{_NAME}))", re.ASCII
)
_PLAIN = re.compile(rf"\$(?:\{{({_NAME})\}}|({_NAME}))", re.ASCII)
_ARG = rf"""{_NAME}(?:=(?:[^\s"'\\]|"[^"\\]*"|'[^'$\\]*')*)?"""
_ARGS = re.compile(rf"{_ARG}(?:\s+{_ARG})*", re.ASCII)
_LARGEST = 100_000  # bytes; nobody reads, or types, a longer Dockerfile
_LONGEST = 1_000  # characters of an image's name, and of a value for one
# What a builder puts no variables into: a shell does that, or nobody.
_UNCHANGED = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK"})
_USUAL = 300  # characters of a variable that the base or a `--build-arg` sets: a PATH has about a hundred
_GROWN = 1_000_000  # characters of an instruction with its variables put in
_GIVEN = re.compile(r"(?:BUILD|TARGET)[A-Z]+")  # variables that BuildKit gives a value of its own, whatever ARG says
# Lower case alone: BuildKit looks for a stage `B` under the name `b`, Podman as it is written, and then for an image.
_STAGE = re.compile(r"(?!(?:scratch|context)$)[a-z][a-z0-9._-]*", re.ASCII)
# Of ADD: no scheme, no user@host, no variable that may hold either.
_PATHS = re.compile(r"[\w\s./*?,<>\[\]\"'-]*", re.ASCII)
_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})  # all else is written into the configuration
_FROM = re.compile(r"(\s*FROM\s+(?:--\S+\s+)*)(\S+)(.*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows it."""

    index: int
    alias: str | None
    parent: str  # an image reference, the alias of an earlier stage, or `scratch`
    steps: tuple[str, ...]  # the instructions of which BuildKit makes steps, as written


@dataclass(frozen=True)
class Mention:
    """An image from outside, where it is named."""

    image: str  # with its variables replaced
    first: int  # line of the instruction that names it
    last: int  # line


@dataclass(frozen=True)
class Dockerfile:
    """What a build of this file takes from outside."""

    path: Path
    text: str  # all of it
    stages: tuple[Stage, ...]
    mentions: tuple[Mention, ...]  # in order
    needs: dict[int, set[int]]  # by a stage's index: the stages that it begins from or takes files from
    unnamed: bool  # whether BuildKit adds a stage that no FROM names: of another image, or to mount

    @property
    def images(self) -> dict[str, Where]:
        """Every image reference, and the line that names it first."""
        found: dict[str, Where] = {}
        for mention in self.mentions:
            found.setdefault(mention.image, Where(self.path, mention.first))
        return found

    @property
    def labels(self) -> tuple[frozenset[str], ...]:
        """What BuildKit prints before the steps of each stage: `[builder 2/4]`, and `[2/4]` where there is but one."""
        begins = [not self._is_stage(s.parent, s.index) and s.parent != "scratch" for s in self.stages]
        several = len(self.stages) > 1 or self.unnamed
        found = []
        for stage, from_is_a_step in zip(self.stages, begins, strict=True):
            name = f"{stage.alias or f'stage-{stage.index}'} " if several else ""
            count = from_is_a_step + len(stage.steps)
            width = len(str(count))
            found.append(frozenset(f"[{name}{number:>{width}}/{count}]" for number in range(1, count + 1)))
        return tuple(found)

    @property
    def prefixes(self) -> frozenset[tuple[str, ...]]:
        """Of each stage on a base, the base and its steps up to the first RUN: what builds of it have in common."""
        found = set()
        for stage in self.stages:
            runs = [number for number, text in enumerate(stage.steps) if text.lstrip()[:3].upper() == "RUN"]
            if runs and not self._is_stage(stage.parent, stage.index):
                found.add((stage.parent, *stage.steps[: runs[0] + 1]))
        return frozenset(found)

    def base_of(self, target: str | None = None) -> str:
        """The image under the stage `target` (the last one unless named), or `scratch`.

        Raises RefusedError where there is no such stage.
        """
        stage = self.stages[-1] if target is None else self._stage(target.lower())
        if stage is None:
            names = ", ".join(s.alias for s in self.stages if s.alias) or "none has a name"
            raise RefusedError(f"no stage is called '{target}'", where=Where(self.path), hint=f"one of: {names}")
        while (parent := self._stage(stage.parent, before=stage.index)) is not None:
            stage = parent
        return stage.parent

    def _is_stage(self, parent: str, index: int) -> bool:
        return self._stage(parent, before=index) is not None

    def _stage(self, name: str, before: int | None = None) -> Stage | None:
        for stage in reversed(self.stages[:before]):
            # FROM knows earlier stages by their name alone: `FROM 0` is an image called 0.
            if name == stage.alias or (before is None and name == str(stage.index)):
                return stage
        return None


def parse(path: Path, arguments: Mapping[str, str] | None = None, *, below: Path | None = None) -> Dockerfile:
    """Read a Dockerfile, by no link at or below `below`; `arguments` are the `--build-arg`s of the build.

    Raises RefusedError, with the line, for anything that would reach beyond the context and the named bases.
    """
    reading = _Reading(dict(arguments or {}))
    text = read_text(path, below=below or path.parent, limit=_LARGEST)
    for instruction in instructions(path, text):
        reading.take(instruction)
    if not reading.stages:
        raise RefusedError("there is no FROM in this file", where=Where(path), hint="begin with FROM")
    return Dockerfile(path, text, tuple(reading.stages), tuple(reading.mentions), reading.needs, reading.unnamed)


class _Reading:
    """What is known of a Dockerfile after each of its instructions."""

    def __init__(self, overrides: dict[str, str]) -> None:
        self.overrides = overrides
        self.variables: dict[str, str] = {}
        self.stages: list[Stage] = []
        self.mentions: list[Mention] = []
        self.needs: dict[int, set[int]] = {}
        self.unnamed = False
        self.longest = _USUAL  # characters of a variable so far, as it may be
        self.folders: list[str] = []  # where the WORKDIRs of each stage led
        self.own: set[str] | None = set(overrides)  # the variables that are not the base's; None where any may be

    def take(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            if flag.removeprefix("--").partition("=")[0] not in _FLAGS.get(instruction.name, ()):
                raise _refused(instruction, f"the flag {flag} is refused", "take the flag out")
        if instruction.name not in ALLOWED:
            raise _refused(
                instruction,
                f"the instruction {instruction.name} is refused",
                f"the allowed ones: {', '.join(sorted(ALLOWED))}",
            )
        if not self.stages and instruction.name not in ("ARG", "FROM"):
            raise _refused(instruction, "the first instruction must be FROM (or ARG)", "begin with FROM")
        self.longest = _grown(instruction, self.longest)
        match instruction.name:
            case "ARG" | "ENV":
                if not self.stages:
                    _declare(instruction, self.overrides, self.variables)
                self.own = _own(instruction, self.own)
            case "FROM":
                self._begin(instruction)
            case "COPY" | "ADD":
                self._copy(instruction)
            case "RUN":
                self._run(instruction)
            case "WORKDIR":
                self.folders[-1] = _led_to(instruction, self.folders[-1], self.own)
            case "VOLUME":
                for volume in re.findall(r"[^\s\[\]\",]+", instruction.rest):
                    if not _SETTING.fullmatch(volume) or is_kernel_path(volume):
                        raise _refused(instruction, f"{volume} is refused as a volume", "a plain path to your own")
            case _:
                pass
        if instruction.name in _STEPS:
            self.stages[-1] = replace(self.stages[-1], steps=(*self.stages[-1].steps, instruction.text))

    def _use(self, instruction: Instruction, name: str) -> None:
        earlier = {s.alias: s.index for s in self.stages if s.alias}
        if instruction.name == "COPY":  # to all others `0` is an image
            earlier |= {str(s.index): s.index for s in self.stages}
        if instruction.name != "FROM":
            self.unnamed |= name not in earlier
        if name in earlier:
            self.needs.setdefault(len(self.stages) - (instruction.name != "FROM"), set()).add(earlier[name])
        elif name != "scratch":
            self.mentions.append(Mention(name, instruction.where.line or 1, instruction.last))

    def _begin(self, instruction: Instruction) -> None:
        words = instruction.rest.split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise _refused(instruction, "FROM takes an image, and AS with a name", "FROM image [AS name]")
        if len(words) == 3 and not _STAGE.fullmatch(words[2]):
            raise _refused(
                instruction,
                f"'{words[2]}' is no name for a stage",
                "small letters, digits, . _ and -; not scratch or context",
            )
        image = _substitute(words[0], self.variables, instruction)
        self._use(instruction, image)
        self.folders.append(next((self.folders[s.index] for s in reversed(self.stages) if s.alias == image), "/"))
        self.stages.append(Stage(len(self.stages), words[2] if len(words) == 3 else None, image, ()))

    def _copy(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Of a variable BuildKit makes something else in each of its versions, if anything.
            if flag.startswith("--from=") and "$" in flag:
                raise _refused(instruction, f"the flag {flag} is refused: a variable is in it", "name the stage")
            if flag.startswith("--from="):
                self._use(instruction, flag.removeprefix("--from="))
        if instruction.name == "ADD" and (
            not _PATHS.fullmatch(instruction.rest) or re.search(r"\.git\b|\bgithub\.com/", instruction.rest)
        ):
            raise _refused(
                instruction,
                "ADD from anything but plain paths is refused: a build has no network",
                "put the file in context/",
            )

    def _run(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Podman puts a variable's value in before it takes a mount apart: a comma in it would add settings.
            if "$" in flag:
                raise _refused(instruction, f"the flag {flag} is refused: a variable is in it", "write it out")
            if flag == "--mount" or flag.startswith("--mount="):
                settings = _mount(instruction, flag.removeprefix("--mount").removeprefix("="), self.folders[-1])
                # Without a `from`, BuildKit names `scratch` to itself.
                self._use(instruction, settings.get("from", "scratch"))
            elif flag != "--network=none":
                raise _refused(instruction, f"the flag {flag} is refused", "take the flag out")


def _refused(instruction: Instruction, what: str, hint: str) -> RefusedError:
    shown = " ".join([instruction.name, *instruction.flags, instruction.rest])
    return RefusedError(what, where=instruction.where, evidence=shown, hint=hint)


def _grown(instruction: Instruction, longest: int) -> int:
    """How long a variable may be after this, where the longest was `longest` before.

    A few lines `ENV A=$A$A` would keep a builder busy until it has no memory left.
    """
    if instruction.name in _UNCHANGED:
        return longest
    grown = len(instruction.text) + instruction.text.count("$") * longest
    if grown > _GROWN:
        raise _refused(instruction, "variables within variables make this too long", "fewer of them")
    return max(longest, grown) if instruction.name in ("ARG", "ENV") else longest


def _declare(instruction: Instruction, overrides: Mapping[str, str], variables: dict[str, str]) -> None:
    """Add what an ARG above the first FROM declares to `variables`."""
    try:
        words = shlex.split(instruction.rest)
    except ValueError as error:
        raise _refused(instruction, f"ARG has {str(error).lower()}", "close the quote") from error
    if not _ARGS.fullmatch(instruction.rest):
        raise _refused(
            instruction, "this ARG can be read in two ways", "ARG NAME=value, with letters, digits and _ in the name"
        )
    for word in words:
        name, equals, default = word.partition("=")
        if name in variables and not equals:  # some versions keep the value, others forget it
            raise _refused(instruction, f"ARG {name} is there already, and has no value here", "take one of them out")
        variables[name] = overrides[name] if name in overrides else _substitute(default, variables, instruction)


def _mount(instruction: Instruction, value: str, folder: str) -> dict[str, str]:
    """The settings of a `--mount`, each checked."""
    settings: dict[str, str] = {}
    for option in value.split(","):
        key, _, setting = option.partition("=")
        key = key.lower()
        if key not in _MOUNT_KEYS:
            raise _refused(instruction, f"`{key}` of a mount is refused", ", ".join(sorted(_MOUNT_KEYS)))
        if key in settings:
            raise _refused(instruction, f"`{key}` of a mount is there twice", "take one of them out")
        if key == "type" and setting.lower() not in _MOUNTS:
            raise _refused(instruction, f"a mount of type {setting} is refused", "cache, bind or tmpfs")
        # Builders have followed `..`, in the name of a cache too, to folders of the machine.
        if not _SETTING.fullmatch(setting) or ".." in setting.split("/"):
            raise _refused(instruction, f"`{option}` of a mount is refused", "a plain name, or a path without `..`")
        if key in _TARGETS and is_kernel_path(setting, folder):
            raise _refused(instruction, f"a mount at {setting} is refused: it is the kernel's", "a folder of your own")
        settings[key] = setting
    return settings


def _own(instruction: Instruction, own: set[str] | None) -> set[str] | None:
    """The variables that may be other than the base has them after this ARG or ENV; None where any may be."""
    if own is None or not _ARGS.fullmatch(instruction.rest):
        return None
    for word in shlex.split(instruction.rest):
        name, equals, value = word.partition("=")
        if not equals and instruction.name == "ENV":
            return None  # `ENV NAME a value`
        alias = _PLAIN.fullmatch(value)
        if alias is None or (alias[1] or alias[2]) in own:
            own = own | {name}
    return own


def _led_to(instruction: Instruction, folder: str, own: set[str] | None) -> str:
    """The folder after a WORKDIR. The base's own is not known: `/` stands for it, and for what a variable may hold.

    Before 1.1.12, runc started a process in /proc/self/fd/8 outside of its container (CVE-2024-21626). Where a link in
    the image leads is not seen here.
    """
    path = _PLAIN.sub("", instruction.rest)
    names = {braced or plain for braced, plain in _PLAIN.findall(instruction.rest)}
    if re.search(r"[$\"'\\]", path):
        raise _refused(
            instruction, "a WORKDIR is a plain path: no quotes, and no variable but as $NAME", "WORKDIR /src"
        )
    if names and (own is None or names & own or ".." in path.split("/")):
        raise _refused(
            instruction,
            "it cannot be told where this WORKDIR leads: this file sets its variable, or a `..` follows one",
            "write the path out",
        )
    if is_kernel_path(path, folder):
        raise _refused(instruction, f"{instruction.rest} is refused: it is the kernel's", "a folder of your own")
    return "/" if names else posixpath.normpath(posixpath.join(folder, path))


def _substitute(text: str, variables: Mapping[str, str], instruction: Instruction) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        if _GIVEN.fullmatch(name):
            raise RefusedError(
                f"`${name}` is refused in the name of an image: BuildKit gives it a value of its own",
                where=instruction.where,
                evidence=f"{instruction.name} {instruction.rest}",
                hint="an ARG of another name",
            )
        known = variables.get(name, "")
        if match["op"] == "-":
            return known or match["word"]
        if match["op"] == "+":
            return match["word"] if known else ""
        if not known:
            raise RefusedError(
                f"`${name}` has no value here",
                where=instruction.where,
                evidence=f"{instruction.name} {instruction.rest}",
                hint=f"give it a default above the first FROM: ARG {name}=…",
            )
        return known

    if "$" in _VARIABLE.sub("", text):
        raise RefusedError(
            "a `$` is refused here that is not part of $NAME, ${NAME}, ${NAME:-word} or ${NAME:+word}",
            where=instruction.where,
            evidence=f"{instruction.name} {instruction.rest}",
            hint="write it out",
        )
    found = _VARIABLE.sub(value, text)
    if len(found) > _LONGEST:
        raise RefusedError(
            f"variables make more than {_LONGEST:,} characters of this",
            where=instruction.where,
            evidence=f"{instruction.name} {instruction.rest:.60}",
            hint="shorter values",
        )
    return found


def localise(text: str, local: Callable[[str], str], builds: Sequence[Dockerfile]) -> str:
    """The same Dockerfile with every image from outside under the name that `local` gives it.

    `builds` are what it is read as, with the arguments of each build. Nothing else is touched: a name that stands in a
    heredoc or a command is text.
    """
    written = text.split("\n")
    lines = list(written)
    mentions = set().union(*(build.mentions for build in builds))
    for mention in mentions:
        if (name := local(mention.image)) == mention.image:
            continue
        flag = re.compile(rf"(--from=|--mount=\S*\b(?i:from)=){re.escape(mention.image)}(?![^\s,])")
        for number in range(mention.first - 1, mention.last):
            if number == mention.first - 1 and (found := _FROM.fullmatch(written[number])):
                # Each build may put another image here: then its variable stays.
                several = len([other for other in mentions if other.first == mention.first]) > 1
                lines[number] = found[1] + (local(found[2]) if several else name) + found[3]
            else:
                lines[number] = flag.sub(r"\g<1>" + name.replace("\\", r"\\"), lines[number])
    return "\n".join(lines)
