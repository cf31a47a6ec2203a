"""Parses a Dockerfile into stages, and refuses instructions that reach outside of the build.

It reads just enough of the format to know which images a build needs, and that it uses nothing else from outside:
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
from proof.snippets.dockerfile_lexer import Instruction, frontend, instructions, without_frontend

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
_MOUNTS = frozenset({"cache", "bind", "tmpfs", "secret"})
_MOUNT_KEYS = frozenset(
    "type from source src target dst destination readonly ro readwrite rw id sharing mode uid gid size".split()
)
_SECRET_KEYS = frozenset("type id target dst destination required mode uid gid".split())
_TARGETS = frozenset({"target", "dst", "destination"})
_SETTING = re.compile(r"[\w./:@+-]*", re.ASCII)
# Names of variables as in BuildKit, which reads `$1x` as `$1`, and takes quotes as part of the name of an ARG.
_NAME = r"[A-Za-z_]\w*"
# BuildKit also expands quotes and variables in the word, so they are not accepted there.
_VARIABLE = re.compile(
    rf"\$(?:\{{(?P<braced>{_NAME})(?::(?P<op>[-+])(?P<word>[\w./:@-]*))?\}}|(?P<plain>{_NAME}))", re.ASCII
)
_PLAIN = re.compile(rf"\$(?:\{{({_NAME})\}}|({_NAME}))", re.ASCII)
_ARG = rf"""{_NAME}(?:=(?:[^\s"'\\]|"[^"\\]*"|'[^'$\\]*')*)?"""
_ARGS = re.compile(rf"{_ARG}(?:\s+{_ARG})*", re.ASCII)
_LARGEST = 20_000  # bytes; no reader would type a longer Dockerfile
_LONGEST = 1_000  # characters of an image name, or of a value that is part of one
# Instructions in which a builder expands no variables. A shell does it, or nobody.
_UNCHANGED = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK"})
_USUAL = 300  # characters of a variable that the base image or a `--build-arg` sets; a PATH has about a hundred
_GROWN = 1_000_000  # characters of an instruction with its variables expanded
# Variables that BuildKit sets itself, whatever ARG says; the last one if it is set for `docker build`.
_GIVEN = re.compile(r"(?:BUILD|TARGET)[A-Z]+|SOURCE_DATE_EPOCH")
# Lowercase only: for a stage `B`, BuildKit looks for `b`, and Podman for `B` and then for an image.
_STAGE = re.compile(r"(?!(?:scratch|context)$)[a-z][a-z0-9._-]*", re.ASCII)
# Arguments of ADD: no scheme, no user@host, and no variable that may contain them.
_PATHS = re.compile(r"[\w\s./*?,<>\[\]\"'-]*", re.ASCII)
_STEPS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})  # the others only change the image's configuration
_FROM = re.compile(r"(\s*FROM\s+(?:--\S+\s+)*)(\S+)(.*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Stage:
    """A FROM and the instructions after it."""

    index: int
    alias: str | None
    parent: str  # an image reference, the alias of an earlier stage, or `scratch`
    steps: tuple[str, ...]  # the instructions that are build steps in BuildKit, as written


@dataclass(frozen=True)
class Mention:
    """A place that names an image from outside."""

    image: str  # with its variables expanded
    first: int  # line of the instruction that names it
    last: int  # line


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile, and what a build of it takes from outside."""

    path: Path
    text: str  # all of it
    stages: tuple[Stage, ...]
    mentions: tuple[Mention, ...]  # in order
    needs: dict[int, set[int]]  # the indexes of the stages that each stage starts from or copies from
    unnamed: bool  # whether BuildKit adds a stage without a FROM: for COPY --from=image, or for a mount

    @property
    def images(self) -> dict[str, Where]:
        """All images from outside, each with the line that names it first."""
        found: dict[str, Where] = {}
        for mention in self.mentions:
            found.setdefault(mention.image, Where(self.path, mention.first))
        return found

    @property
    def frontend(self) -> str:
        """The frontend that its first line asks for. The built-in one is used instead: it is the same program."""
        return frontend(self.text)

    @property
    def labels(self) -> tuple[frozenset[str], ...]:
        """For each stage, how BuildKit labels its steps: `[builder 2/4]`, or `[2/4]` if there is only one stage."""
        return tuple(map(frozenset, self.labelled))

    @property
    def labelled(self) -> tuple[dict[str, str], ...]:
        """For each stage, its steps as they are written, by their labels. Of a FROM, the word alone."""
        begins = [not self._is_stage(s.parent, s.index) and s.parent != "scratch" for s in self.stages]
        several = len(self.stages) > 1 or self.unnamed
        found = []
        for stage, from_is_a_step in zip(self.stages, begins, strict=True):
            name = f"{stage.alias or f'stage-{stage.index}'} " if several else ""
            steps = [*(["FROM"] * from_is_a_step), *stage.steps]
            width = len(str(len(steps)))
            labels = (f"[{name}{number:>{width}}/{len(steps)}]" for number in range(1, len(steps) + 1))
            found.append(dict(zip(labels, steps, strict=True)))
        return tuple(found)

    @property
    def prefixes(self) -> frozenset[tuple[str, ...]]:
        """For each stage on a base image, the base and the steps up to the first RUN, which builds may share."""
        found = set()
        for stage in self.stages:
            runs = [number for number, text in enumerate(stage.steps) if text.lstrip()[:3].upper() == "RUN"]
            if runs and not self._is_stage(stage.parent, stage.index):
                found.add((stage.parent, *stage.steps[: runs[0] + 1]))
        return frozenset(found)

    def chain(self, target: str | None = None) -> list[Stage]:
        """The stage `target` (by default the last one) after the stages that it starts from.

        Raises RefusedError if there is no such stage.
        """
        stage = self.stages[-1] if target is None else self._stage(target.lower())
        if stage is None:
            names = ", ".join(s.alias for s in self.stages if s.alias)
            hint = f"use one of: {names}" if names else f"name a stage: FROM image AS {target}"
            raise RefusedError(f"no stage is called '{target}'", where=Where(self.path), hint=hint)
        found = [stage]
        while (parent := self._stage(found[0].parent, before=found[0].index)) is not None:
            found.insert(0, parent)
        return found

    def _is_stage(self, parent: str, index: int) -> bool:
        return self._stage(parent, before=index) is not None

    def _stage(self, name: str, before: int | None = None) -> Stage | None:
        for stage in reversed(self.stages[:before]):
            # In FROM, earlier stages only have names: `FROM 0` is an image called 0.
            if name == stage.alias or (before is None and name == str(stage.index)):
                return stage
        return None


def parse(path: Path, arguments: Mapping[str, str] | None = None, *, below: Path | None = None) -> Dockerfile:
    """Read and check a Dockerfile. `arguments` are the `--build-arg`s of the build; for `below` see `files.read`.

    Raises RefusedError, with the line, for anything that reaches beyond the context and the named base images.
    """
    reading = _Reading(dict(arguments or {}))
    text = read_text(path, below=below or path.parent, limit=_LARGEST)
    for instruction in instructions(path, text):
        reading.take(instruction)
    if not reading.stages:
        raise RefusedError("no FROM in this file", where=Where(path), hint="start with FROM")
    return Dockerfile(path, text, tuple(reading.stages), tuple(reading.mentions), reading.needs, reading.unnamed)


class _Reading:
    """The state after each instruction of a Dockerfile."""

    def __init__(self, overrides: dict[str, str]) -> None:
        self.overrides = overrides
        self.variables: dict[str, str] = {}
        self.stages: list[Stage] = []
        self.mentions: list[Mention] = []
        self.needs: dict[int, set[int]] = {}
        self.unnamed = False
        self.longest = _USUAL  # upper bound for the length of any variable so far
        self.folders: list[str] = []  # the working directory of each stage
        # Variables that the file itself may have set; None if it may be any.
        self.variables_set: set[str] | None = set(overrides)

    def take(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            if flag.removeprefix("--").partition("=")[0] not in _FLAGS.get(instruction.name, ()):
                raise _refused(instruction, f"the flag {flag} is refused", "remove the flag")
        if instruction.name not in ALLOWED:
            raise _refused(
                instruction,
                f"the instruction {instruction.name} is refused",
                f"use one of: {', '.join(sorted(ALLOWED))}",
            )
        if not self.stages and instruction.name not in ("ARG", "FROM"):
            raise _refused(instruction, "the first instruction must be FROM (or ARG)", "start with FROM")
        self.longest = _grown(instruction, self.longest)
        match instruction.name:
            case "ARG" | "ENV":
                if not self.stages:
                    _declare(instruction, self.overrides, self.variables)
                self.variables_set = _variables_set(instruction, self.variables_set)
            case "FROM":
                self._begin(instruction)
            case "COPY" | "ADD":
                self._copy(instruction)
            case "RUN":
                self._run(instruction)
            case "WORKDIR":
                self.folders[-1] = _working_directory(instruction, self.folders[-1], self.variables_set)
            case "VOLUME":
                for volume in re.findall(r"[^\s\[\]\",]+", instruction.rest):
                    if not _SETTING.fullmatch(volume) or is_kernel_path(volume):
                        raise _refused(instruction, f"{volume} is refused as a volume", "use a plain path")
            case _:
                pass
        if instruction.name in _STEPS:
            self.stages[-1] = replace(self.stages[-1], steps=(*self.stages[-1].steps, instruction.text))

    def _use(self, instruction: Instruction, name: str) -> None:
        earlier = {s.alias: s.index for s in self.stages if s.alias}
        if instruction.name == "COPY":  # in all others, `0` is an image
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
            raise _refused(
                instruction, "FROM takes an image, and optionally AS and a name", "write FROM image [AS name]"
            )
        if len(words) == 3 and not _STAGE.fullmatch(words[2]):
            raise _refused(
                instruction,
                f"invalid stage name '{words[2]}'",
                "use lowercase letters, digits, . _ and -, but not scratch or context",
            )
        image = _substitute(words[0], self.variables, instruction)
        self._use(instruction, image)
        self.folders.append(next((self.folders[s.index] for s in reversed(self.stages) if s.alias == image), "/"))
        self.stages.append(Stage(len(self.stages), words[2] if len(words) == 3 else None, image, ()))

    def _copy(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Versions of BuildKit differ in whether and how they expand a variable here.
            if flag.startswith("--from=") and "$" in flag:
                raise _refused(instruction, f"the flag {flag} is refused: it contains a variable", "name the stage")
            if flag.startswith("--from="):
                self._use(instruction, flag.removeprefix("--from="))
        if instruction.name == "ADD" and (
            not _PATHS.fullmatch(instruction.rest) or re.search(r"\.git\b|\bgithub\.com/", instruction.rest)
        ):
            raise _refused(
                instruction,
                "ADD accepts only plain paths: a build has no network",
                "put the file into context/",
            )

    def _run(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Podman expands variables before it splits a mount, so a comma in a value would add options.
            if "$" in flag:
                raise _refused(instruction, f"the flag {flag} is refused: it contains a variable", "write its value")
            if flag == "--mount" or flag.startswith("--mount="):
                settings = _mount(instruction, flag.removeprefix("--mount").removeprefix("="), self.folders[-1])
                # Without `from`, BuildKit uses `scratch`, whatever the type.
                self._use(instruction, settings.get("from", "scratch"))
            elif flag != "--network=none":
                raise _refused(instruction, f"the flag {flag} is refused", "remove the flag")


def _refused(instruction: Instruction, what: str, hint: str) -> RefusedError:
    shown = " ".join([instruction.name, *instruction.flags, f"{instruction.rest:.1000}"])
    return RefusedError(what, where=instruction.where, evidence=shown, hint=hint)


def _grown(instruction: Instruction, longest: int) -> int:
    """The upper bound for the length of a variable after this instruction; `longest` is the bound before it.

    With a few lines of `ENV A=$A$A`, a builder would run out of memory.
    """
    if instruction.name in _UNCHANGED:
        return longest
    grown = len(instruction.text) + instruction.text.count("$") * longest
    if grown > _GROWN:
        raise _refused(instruction, "nested variables make this too long", "use fewer variables")
    return max(longest, grown) if instruction.name in ("ARG", "ENV") else longest


def _declare(instruction: Instruction, overrides: Mapping[str, str], variables: dict[str, str]) -> None:
    """Add the variables of an ARG above the first FROM to `variables`."""
    try:
        words = shlex.split(instruction.rest)
    except ValueError as error:
        raise _refused(instruction, f"ARG has {str(error).lower()}", "close the quote") from error
    if not _ARGS.fullmatch(instruction.rest):
        raise _refused(
            instruction, "this ARG is ambiguous", "write ARG NAME=value, with letters, digits and _ in the name"
        )
    for word in words:
        name, equals, default = word.partition("=")
        if name in variables and not equals:  # some versions keep the first value, others drop it
            raise _refused(
                instruction, f"ARG {name} is given twice, the second time without a value", "remove one of them"
            )
        variables[name] = overrides[name] if name in overrides else _substitute(default, variables, instruction)


def _mount(instruction: Instruction, value: str, folder: str) -> dict[str, str]:
    """The options of a `--mount`, after checking them."""
    settings: dict[str, str] = {}
    known = _SECRET_KEYS if "type=secret" in value.lower().split(",") else _MOUNT_KEYS
    for option in value.split(","):
        key, _, setting = option.partition("=")
        key = key.lower()
        if key not in known:
            raise _refused(
                instruction, f"the mount option `{key}` is refused", f"use one of: {', '.join(sorted(known))}"
            )
        if key in settings:
            raise _refused(instruction, f"the mount option `{key}` is given twice", "remove one of them")
        if key == "type" and setting.lower() not in _MOUNTS:
            raise _refused(instruction, f"a mount of type {setting} is refused", "use cache, bind, tmpfs or secret")
        # Builders have followed `..`, even in the id of a cache, to directories of the host.
        if not _SETTING.fullmatch(setting) or ".." in setting.split("/"):
            raise _refused(
                instruction, f"the mount option `{option}` is refused", "use a plain name or a path without `..`"
            )
        if key in _TARGETS and is_kernel_path(setting, folder):
            raise _refused(
                instruction, f"a mount at {setting} is refused: it belongs to the kernel", "use another path"
            )
        settings[key] = setting
    return settings


def _variables_set(instruction: Instruction, own: set[str] | None) -> set[str] | None:
    """The variables that the file may have changed after this ARG or ENV; None if it may be any."""
    if own is None or not _ARGS.fullmatch(instruction.rest):
        return None
    for word in shlex.split(instruction.rest):
        name, equals, value = word.partition("=")
        if not equals and instruction.name == "ENV":
            return None  # the form `ENV NAME value`
        alias = _PLAIN.fullmatch(value)
        if alias is None or (alias[1] or alias[2]) in own:
            own = own | {name}
    return own


def _working_directory(instruction: Instruction, folder: str, own: set[str] | None) -> str:
    """The working directory after a WORKDIR. `/` stands for the base image's own, and for the values of variables.

    Before 1.1.12, runc started processes in /proc/self/fd/8 outside of their container (CVE-2024-21626). Links in the
    image are not followed here.
    """
    path = _PLAIN.sub("", instruction.rest)
    names = {braced or plain for braced, plain in _PLAIN.findall(instruction.rest)}
    if re.search(r"[$\"'\\]", path):
        raise _refused(
            instruction, "a WORKDIR must be a plain path: no quotes, and variables only as $NAME", "write WORKDIR /src"
        )
    if names and (own is None or names & own or ".." in path.split("/")):
        raise _refused(
            instruction,
            "this WORKDIR is unknown: the file sets its variable, or uses `..` with a variable",
            "write the path without a variable",
        )
    if is_kernel_path(path, folder):
        raise _refused(instruction, f"{instruction.rest} is refused: it belongs to the kernel", "use another directory")
    return "/" if names else posixpath.normpath(posixpath.join(folder, path))


def _substitute(text: str, variables: Mapping[str, str], instruction: Instruction) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        if _GIVEN.fullmatch(name):
            raise _refused(
                instruction,
                f"`${name}` is refused in the name of an image: BuildKit sets it itself",
                "use an ARG with another name",
            )
        known = variables.get(name, "")
        if match["op"] == "-":
            return known or match["word"]
        if match["op"] == "+":
            return match["word"] if known else ""
        if not known:
            raise _refused(
                instruction, f"`${name}` has no value here", f"give it a default above the first FROM: ARG {name}=…"
            )
        return known

    if "$" in _VARIABLE.sub("", text):
        raise _refused(
            instruction,
            "a `$` is refused here unless it is part of $NAME, ${NAME}, ${NAME:-word} or ${NAME:+word}",
            "write the value",
        )
    found = _VARIABLE.sub(value, text)
    if len(found) > _LONGEST:
        raise _refused(
            instruction, f"longer than {_LONGEST:,} characters after expanding variables", "use shorter values"
        )
    return found


def localise(text: str, local: Callable[[str], str], builds: Sequence[Dockerfile]) -> str:
    """The Dockerfile `text` with every image from outside renamed by `local`, and without a frontend to fetch.

    `builds` are the parsed Dockerfile, once for the arguments of each build. Nothing else changes, such as a name in a
    heredoc or a command.
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
                # If builds use different images here, the variable has to stay.
                several = len([other for other in mentions if other.first == mention.first]) > 1
                lines[number] = found[1] + (local(found[2]) if several else name) + found[3]
            else:
                lines[number] = flag.sub(r"\g<1>" + name.replace("\\", r"\\"), lines[number])
    return without_frontend("\n".join(lines), local)
