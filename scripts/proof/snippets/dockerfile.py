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
from proof.snippets import dockerfile_variables as variables
from proof.snippets.commands import base_name, is_kernel_path
from proof.snippets.dockerfile_lexer import Instruction, frontend, instructions, refused, without_frontend
from proof.snippets.dockerfile_variables import ARGS, PLAIN
from proof.snippets.engine_version import PLATFORM

ALLOWED = frozenset(
    "FROM ARG ENV WORKDIR COPY ADD RUN CMD ENTRYPOINT USER LABEL EXPOSE STOPSIGNAL SHELL HEALTHCHECK VOLUME "
    "MAINTAINER".split()
)
_FLAGS: Mapping[str, frozenset[str]] = {
    "FROM": frozenset({"platform"}),
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "exclude"}),
    "RUN": frozenset({"mount", "network"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
}
# By an instruction and a flag of it: what to do instead.
_CLONE = "clone the repository into context/, and COPY it: a build has no network"
_INSTEAD = {
    ("ADD", "--keep-git-dir"): _CLONE,
    ("ADD", "--checksum"): "put the file into context/, and check it with RUN echo 'SUM  FILE' | sha256sum -c",
    ("ADD", "--unpack"): "ADD unpacks a local archive without it",
    ("RUN", "--security"): "remove the flag: a build has no rights beyond those of a container",
    ("RUN", "--device"): "remove the flag: a build reaches no device",
}
_MOUNTS = frozenset({"cache", "bind", "tmpfs", "secret"})
_MOUNT_KEYS = frozenset(
    "type from source src target dst destination readonly ro readwrite rw id sharing mode uid gid size".split()
)
_SECRET_KEYS = frozenset("type id target dst destination required mode uid gid".split())
_TARGETS = frozenset({"target", "dst", "destination"})
_SETTING = re.compile(r"[\w./:@+-]*", re.ASCII)
_LEGACY = re.compile(r"([A-Za-z_]\w*)[ \t]", re.ASCII)  # `ENV NAME value`, which sets one variable
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST = 20_000  # bytes; no reader would type a longer Dockerfile
# Instructions in which a builder expands no variables. A shell does it, or nobody.
_UNCHANGED = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK"})
_USUAL = 300  # characters of a variable that the base image or a `--build-arg` sets; a PATH has about a hundred
_GROWN = 1_000_000  # characters of an instruction with its variables expanded
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
    stage: int  # the index of the stage that needs it

    @property
    def digest(self) -> str:
        """The digest that follows its name, if any."""
        return self.image.partition("@")[2]


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile, and what a build of it takes from outside."""

    path: Path
    text: str  # all of it
    stages: tuple[Stage, ...]
    mentions: tuple[Mention, ...]  # in order
    needs: dict[int, set[int]]  # the indexes of the stages that each stage starts from or copies from
    unnamed: bool  # whether BuildKit adds a stage without a FROM: for COPY --from=image, or for a mount
    target: str | None  # the stage that is built; the last one by default
    indented: frozenset[int]  # the numbers of the lines with comments that Podman reads as part of an instruction

    @property
    def images(self) -> dict[str, Where]:
        """The images from outside that the build needs, each by its base's name, with the line that names it first."""
        found: dict[str, Where] = {}
        for mention in self.needed:
            found.setdefault(base_name(mention.image), Where(self.path, mention.first))
        return found

    @property
    def needed(self) -> list[Mention]:
        """The mentions in the stages that are built. A builder skips the others."""
        last = self.stages[-1] if self.target is None else self._stage(self.target.lower())
        pending = [self.stages[-1 if last is None else last.index].index]
        built: set[int] = set()
        while pending:
            if (stage := pending.pop()) not in built:
                built.add(stage)
                pending += self.needs.get(stage, ())
        return [mention for mention in self.mentions if mention.stage in built]

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


def parse(
    path: Path,
    arguments: Mapping[str, str] | None = None,
    *,
    target: str | None = None,
    platform: str = PLATFORM,
    below: Path | None = None,
) -> Dockerfile:
    """Read and check a Dockerfile.

    `arguments` are the `--build-arg`s of the build, `target` the stage to build, by default the last one, and
    `platform` what the image is for; for `below` see `files.read`.

    Raises RefusedError, with the line, for anything that reaches beyond the context and the named base images.
    """
    reading = _Reading(variables.of_platform(platform), dict(arguments or {}))
    text = read_text(path, below=below or path.parent, limit=_LARGEST)
    for instruction in instructions(path, text):
        reading.take(instruction)
    if not reading.stages:
        raise RefusedError("no FROM in this file", where=Where(path), hint="start with FROM")
    stages, mentions, indented = tuple(reading.stages), tuple(reading.mentions), frozenset(reading.indented)
    return Dockerfile(path, text, stages, mentions, reading.needs, reading.unnamed, target, indented)


class _Reading:
    """The state after each instruction of a Dockerfile."""

    def __init__(self, given: dict[str, str], overrides: dict[str, str]) -> None:
        self.overrides = overrides
        self.variables = given | {name: value for name, value in overrides.items() if name in given}
        self.indented: list[int] = []  # see Dockerfile
        self.stages: list[Stage] = []
        self.mentions: list[Mention] = []
        self.needs: dict[int, set[int]] = {}
        self.unnamed = False
        self.longest = _USUAL  # upper bound for the length of any variable so far
        self.folders: list[str] = []  # the working directory of each stage
        # Variables that the file itself may have set; None if it may be any.
        self.variables_set: set[str] | None = set(overrides)
        self.paths: dict[str, str] = {}  # variables that are set once, to a plain path; "" if not so

    def take(self, instruction: Instruction) -> None:
        self.indented += instruction.indented
        for flag in instruction.flags:
            if flag.removeprefix("--").partition("=")[0] not in _FLAGS.get(instruction.name, ()):
                hint = _INSTEAD.get((instruction.name, flag.partition("=")[0]), "remove the flag")
                raise refused(instruction, f"the flag {flag} is refused", hint)
        if instruction.name not in ALLOWED:
            raise refused(
                instruction,
                f"the instruction {instruction.name} is refused",
                f"use one of: {', '.join(sorted(ALLOWED))}",
            )
        if not self.stages and instruction.name not in ("ARG", "FROM"):
            raise refused(instruction, "the first instruction must be FROM (or ARG)", "start with FROM")
        self.longest = _grown(instruction, self.longest)
        match instruction.name:
            case "ARG" | "ENV":
                if not self.stages:
                    variables.declare(instruction, self.overrides, self.variables)
                self.variables_set = _variables_set(instruction, self.variables_set)
                _note_paths(instruction, self.paths)
            case "FROM":
                self._begin(instruction)
            case "COPY" | "ADD":
                self._copy(instruction)
            case "RUN":
                self._run(instruction)
            case "WORKDIR":
                self.folders[-1] = _working_directory(instruction, self.folders[-1], self.variables_set, self.paths)
            case "VOLUME":
                for volume in re.findall(r"[^\s\[\]\",]+", instruction.rest):
                    if not _SETTING.fullmatch(volume) or is_kernel_path(volume):
                        raise refused(instruction, f"{volume} is refused as a volume", "use a plain path")
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
            if "@" in name and not _DIGEST.fullmatch(name.partition("@")[2]):
                raise refused(instruction, f"{name} has no valid digest", "write @sha256: and 64 hexadecimal digits")
            stage = len(self.stages) - (instruction.name != "FROM")
            self.mentions.append(Mention(name, instruction.where.line or 1, instruction.last, stage))

    def _begin(self, instruction: Instruction) -> None:
        words = instruction.rest.split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise refused(
                instruction, "FROM takes an image, and optionally AS and a name", "write FROM image [AS name]"
            )
        if len(words) == 3 and not _STAGE.fullmatch(words[2]):
            raise refused(
                instruction,
                f"invalid stage name '{words[2]}'",
                "use lowercase letters, digits, . _ and -, but not scratch or context",
            )
        image = variables.substitute(words[0], self.variables, instruction)
        if not image.strip(":/@") or image[0] in ":/@" or image[-1] in ":/@":
            raise refused(
                instruction,
                f"the image's name is `{image}`: a variable in it has no value here",
                "give it a default above the first FROM: ARG NAME=value",
            )
        self._use(instruction, image)
        self.folders.append(next((self.folders[s.index] for s in reversed(self.stages) if s.alias == image), "/"))
        self.stages.append(Stage(len(self.stages), words[2] if len(words) == 3 else None, image, ()))

    def _copy(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Versions of BuildKit differ in whether and how they expand a variable here.
            if flag.startswith("--from=") and "$" in flag:
                raise refused(instruction, f"the flag {flag} is refused: it contains a variable", "name the stage")
            if flag.startswith("--from="):
                self._use(instruction, flag.removeprefix("--from="))
        # What is behind the last blank is where the files go, and no address.
        sources, _, target = instruction.rest.rpartition(" ")
        if instruction.rest.startswith("[") or not sources or not _PATHS.fullmatch(PLAIN.sub("", target)):
            sources = instruction.rest
        if instruction.name == "ADD" and (
            not _PATHS.fullmatch(sources) or re.search(r"\.git\b|\bgithub\.com/", sources)
        ):
            raise refused(
                instruction,
                "ADD accepts only plain paths: a build has no network",
                "put the file into context/",
            )

    def _run(self, instruction: Instruction) -> None:
        for flag in instruction.flags:
            # Podman expands variables before it splits a mount, so a comma in a value would add options.
            if "$" in flag:
                raise refused(instruction, f"the flag {flag} is refused: it contains a variable", "write its value")
            if flag == "--mount" or flag.startswith("--mount="):
                settings = _mount(instruction, flag.removeprefix("--mount").removeprefix("="), self.folders[-1])
                # Without `from`, BuildKit uses `scratch`, whatever the type.
                self._use(instruction, settings.get("from", "scratch"))
            elif flag != "--network=none":
                raise refused(instruction, f"the flag {flag} is refused", "remove the flag")


def _grown(instruction: Instruction, longest: int) -> int:
    """The upper bound for the length of a variable after this instruction; `longest` is the bound before it.

    With a few lines of `ENV A=$A$A`, a builder would run out of memory.
    """
    if instruction.name in _UNCHANGED:
        return longest
    grown = len(instruction.text) + instruction.text.count("$") * longest
    if grown > _GROWN:
        raise refused(instruction, "nested variables make this too long", "use fewer variables")
    return max(longest, grown) if instruction.name in ("ARG", "ENV") else longest


def _mount(instruction: Instruction, value: str, folder: str) -> dict[str, str]:
    """The options of a `--mount`, after checking them."""
    settings: dict[str, str] = {}
    known = _SECRET_KEYS if "type=secret" in value.lower().split(",") else _MOUNT_KEYS
    for option in value.split(","):
        key, _, setting = option.partition("=")
        key = key.lower()
        if key not in known:
            raise refused(
                instruction, f"the mount option `{key}` is refused", f"use one of: {', '.join(sorted(known))}"
            )
        if key in settings:
            raise refused(instruction, f"the mount option `{key}` is given twice", "remove one of them")
        if key == "type" and setting.lower() not in _MOUNTS:
            raise refused(instruction, f"a mount of type {setting} is refused", "use cache, bind, tmpfs or secret")
        # Builders have followed `..`, even in the id of a cache, to directories of the host.
        if not _SETTING.fullmatch(setting) or ".." in setting.split("/"):
            raise refused(
                instruction, f"the mount option `{option}` is refused", "use a plain name or a path without `..`"
            )
        if key in _TARGETS and is_kernel_path(setting, folder):
            raise refused(instruction, f"a mount at {setting} is refused: it belongs to the kernel", "use another path")
        settings[key] = setting
    return settings


def _variables_set(instruction: Instruction, own: set[str] | None) -> set[str] | None:
    """The variables that the file may have changed after this ARG or ENV; None if it may be any."""
    if own is None:
        return None
    if instruction.name == "ENV" and (legacy := _LEGACY.match(instruction.rest)):
        return own | {legacy[1]}
    if not ARGS.fullmatch(instruction.rest):
        return None
    for word in shlex.split(instruction.rest):
        name, _, value = word.partition("=")
        alias = PLAIN.fullmatch(value)
        if alias is None or (alias[1] or alias[2]) in own:
            own = own | {name}
    return own


def _note_paths(instruction: Instruction, paths: dict[str, str]) -> None:
    """Note what an ENV sets to a plain path. Another value, or an ARG of that name, makes it unknown."""
    if legacy := _LEGACY.match(instruction.rest):
        paths[legacy[1]] = ""
    if not ARGS.fullmatch(instruction.rest):
        return  # unless it is `ENV NAME value`, no variable is known from now on
    for word in shlex.split(instruction.rest):
        name, _, value = word.partition("=")
        is_known = instruction.name == "ENV" and re.fullmatch(r"(?:/[\w-][\w.-]*)+", value, re.ASCII)
        paths[name] = value if is_known and paths.get(name, value) == value else ""


def _working_directory(instruction: Instruction, folder: str, own: set[str] | None, paths: Mapping[str, str]) -> str:
    """The working directory after a WORKDIR. `/` stands for the base image's own, and for the values of variables.

    Before 1.1.12, runc started processes in /proc/self/fd/8 outside of their container (CVE-2024-21626). Links in the
    image are not followed here.
    """
    path = PLAIN.sub("", instruction.rest)
    names = {braced or plain for braced, plain in PLAIN.findall(instruction.rest)}
    if re.search(r"[$\"'\\]", path):
        raise refused(
            instruction, "a WORKDIR must be a plain path: no quotes, and variables only as $NAME", "write WORKDIR /src"
        )
    known = {name for name in names if paths.get(name)}
    whole = PLAIN.sub(lambda found: paths.get(found[1] or found[2], ""), instruction.rest)
    if names and (own is None or (names - known) & own or ".." in path.split("/")):
        raise refused(
            instruction,
            "this WORKDIR is unknown: the file sets its variable, or uses `..` with a variable",
            "write the path without a variable",
        )
    if is_kernel_path(path, folder) or is_kernel_path(whole, folder):
        raise refused(instruction, f"{instruction.rest} is refused: it belongs to the kernel", "use another directory")
    return "/" if names else posixpath.normpath(posixpath.join(folder, path))


def localise(
    text: str, local: Callable[[str], str], builds: Sequence[Dockerfile], *, unindent_comments: bool = False
) -> str:
    """The Dockerfile `text` with every image from outside renamed by `local`, and without a frontend to fetch.

    With `unindent_comments`, comments between the lines of an instruction start in the first column.

    `builds` are the parsed Dockerfile, once for the arguments of each build. Nothing else changes, such as a name in a
    heredoc or a command.
    """
    written = text.split("\n")
    lines = list(written)
    mentions = set().union(*(build.mentions for build in builds))
    for number in set().union(*(build.indented for build in builds)) if unindent_comments else ():
        lines[number - 1] = lines[number - 1].lstrip()
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
