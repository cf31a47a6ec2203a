"""Parses the commands of a snippet, with an allow-list of docker verbs and their flags.

A command never runs in a shell, but its words are those that a reader's shell would pass on (see shell_words.py).
Everything that is not listed here is refused, with the reason, before an engine is called.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proof.core.errors import RefusedError, Where
from proof.core.toml_table import Table
from proof.snippets import instead, shell_words
from proof.snippets.filters import check as check_filter

_LONGEST = 2000  # characters; no reader would type a longer command
_FILTERS = 5  # after a command; each has a deadline of its own
# Flags and the pattern of their value; None if a flag takes no value. A leading `=` means that the value has to be
# attached, as in --human=false: docker would not take the next word as the value.
_TEXT = r"(?s).*"
REFERENCE = r"[a-z0-9][a-z0-9._/-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?"
_PLATFORM = r"(?:linux/[a-z0-9]+(?:/v\d)?)(?:,linux/[a-z0-9]+(?:/v\d)?)*"
_CONTAINER = r"[a-zA-Z0-9][\w.-]{0,62}"  # its name
_PORTS = r"(?:127\.0\.0\.1:)?[1-9]\d{0,4}:[1-9]\d{0,4}(?:/tcp)?"
_VALUE = r"(?s)\w+=.*"  # not a bare name, which would be copied from the tool's environment
_USER = r"\w[\w.-]*(?::\w[\w.-]*)?"
_FOLDER = r"/[\w./-]*"
_MOUNT = r"/[\w./-]+"
_DOCKERFILE = r"(?!.*\.\.)[\w][\w./-]*"
_ARGUMENT = r"(?!(?i:buildkit_))\w+=.*"  # BUILDKIT_SYNTAX sets a frontend, like `# syntax=`
TAG = ("--tag", "-t")  # flags of a build that name its image
FILE = ("--file", "-f")  # flags of a build that name its Dockerfile
DETACH = ("--detach", "-d")  # with one of these, `docker run` is the verb `detach`
NAME = "--name"  # the flag that names such a container
PUBLISH = ("--publish", "-p")
Flags = Mapping[str, tuple[str, str | None]]  # by each of its names: the first of them, and its pattern
Refuse = Callable[[str, str], RefusedError]  # (what, hint)


def _by_name(flags: Mapping[str, str | None]) -> Flags:
    return {name: (names.split()[0], pattern) for names, pattern in flags.items() for name in names.split()}


_EXEC = {"--env -e": _VALUE, "--user -u": _USER, "--workdir -w": _FOLDER}
_LS = {"--format": _TEXT, "--no-trunc": None, "--digests": None, "--quiet -q": None, "--all -a": None}
_DECLARED: Mapping[str, Mapping[str, str | None]] = {
    "build": {
        "--tag -t": REFERENCE,
        "--file -f": _DOCKERFILE,
        "--target": r"[\w.-]+",
        # The file is in the context, and no other is read: without `src`, docker would look for a variable first.
        "--secret": r"(?!.*\.\.)id=\w[\w.-]*,(?:src|source)=(?:\./)?\.?\w[\w./-]*",
        "--build-arg": _ARGUMENT,
        "--label": _TEXT,
        "--platform": _PLATFORM,
        "--progress": "plain|auto",
        "--no-cache": None,
        "--network": "none",
        "--quiet -q": None,
    },
    "run": {
        "--rm": None,
        "--read-only": None,
        **_EXEC,
        "--entrypoint": _TEXT,
        "--platform": _PLATFORM,
        "--network": "none",
        "--hostname": r"\w[\w.-]*",
        "--tmpfs": _MOUNT,
        # With -d, the container stays until the last step.
        "--detach -d": None,
        "--name": _CONTAINER,
        "--publish -p": _PORTS,
    },
    "ls": _LS,
    "inspect": {"--format -f": _TEXT, "--type": "image"},
    "history": {
        "--format": _TEXT,
        "--no-trunc": None,
        "--human -H": "=true|false",
        "--quiet -q": None,
    },
    "tag": {},
    "rmi": {"--force -f": None},
    "version": {"--format -f": _TEXT},
    # These act on containers that `docker run -d` has started.
    "ps": {names: pattern for names, pattern in _LS.items() if names != "--digests"},
    "logs": {"--tail -n": r"\d{1,6}"},
    "exec": _EXEC,
    "stop": {"-t": r"\d{1,3}"},  # its long form depends on the version
    "rm": {"--force -f": None},
}
_WORDS = {
    "build": ("build", "buildx build", "image build"),
    "run": ("run", "container run"),
    "ls": ("images", "image ls"),
    "inspect": ("inspect", "image inspect"),
    "history": ("history", "image history"),
    "tag": ("tag", "image tag"),
    "rmi": ("rmi", "image rm"),
    "version": ("version",),
    "ps": ("ps", "container ls"),
    "logs": ("logs", "container logs"),
    "exec": ("exec", "container exec"),
    "stop": ("stop", "container stop"),
    "rm": ("rm", "container rm"),
}
VERBS: Mapping[tuple[str, ...], tuple[str, Flags]] = {
    tuple(words.split()): (verb, _by_name(_DECLARED[verb])) for verb, several in _WORDS.items() for words in several
}

# Variables that may be set before `docker build`. With DOCKER_BUILDKIT=0 another builder would run.
_VARIABLES = {"BUILDKIT_PROGRESS": "plain|auto", "DOCKER_BUILDKIT": "1", "SOURCE_DATE_EPOCH": r"\d{1,11}"}
# Verbs that print to standard error, or names only.
_SILENT = frozenset({"build", "detach", "tag", "rmi", "stop", "rm"})
# Flags that may be repeated. Of the others, docker uses the last one, but Podman reads every --file.
_MANY = frozenset({"--tag", "--env", "--build-arg", "--label", "--tmpfs", "--publish", "--secret"})
_PATHS = frozenset({"--workdir", "--tmpfs"})
# What to write, for patterns of values that say it badly.
_HINTS = {
    REFERENCE: "use a name in lower case, as in example or example:1.0",
    _PLATFORM: "use a platform, as in linux/amd64",
    "none": 'use none, or leave it out; network = ["HOST"] in the step reaches a host',
    "plain|auto": "use plain or auto",
    "image": "use image",
    "true|false": "use true or false",
    _VALUE: "write NAME=VALUE",
    _USER: "use a name or a number, as in app or 65532:65532",
    _FOLDER: "use an absolute path, as in /src",
    _MOUNT: "use an absolute path, as in /tmp",
    _DOCKERFILE: "use a path in context/, as in Dockerfile.alpine",
    _ARGUMENT: "write NAME=VALUE; a NAME must not begin with BUILDKIT_",
}
# The accepted templates for --format. They run on this machine, and others could loop for ages or fill the memory.
_FIELD = r"\.(?:\w+(?:\.\w+)*)?"
_LIST = r"\.(?:RootFS\.Layers|RepoTags|RepoDigests|Config\.(?:Env|Cmd|Entrypoint|ExposedPorts|Labels|Volumes))"
_VALUES = rf"""(?:{_FIELD}|"[^"\\{{}}]*")(?:\s+(?:{_FIELD}|"[^"\\{{}}]*"))*"""
_ACTION = re.compile(
    rf"{{{{\s*(?:end|else|range\s+{_LIST}|(?:if|with)\s+{_FIELD}"
    rf"|(?:(?:println|json|join|index|len|lower|upper|title)\s+)?{_VALUES})\s*}}}}",
    re.ASCII,
)

_BEFORE_A_PROGRAM = ("run", "detach", "exec")  # verbs whose words after the first positional are for the container


@dataclass(frozen=True)
class Command:
    """A parsed command: `docker VERB flags… positionals…`, or any program with `inside`."""

    argv: tuple[str, ...]  # all words, as shown, from `docker` to the first pipe
    verb: str  # a value of VERBS, `detach` for `docker run -d`, or `inside`
    flags: tuple[tuple[str, str | None], ...]  # in order; None if a flag takes no value
    positionals: tuple[str, ...]  # for `run`: the image, then the words for the container; for `exec` alike
    head: int  # the number of words before the first flag or positional, 3 for `docker image ls`
    variables: tuple[tuple[str, str], ...] = ()  # of the environment, set before `docker`
    filters: tuple[tuple[str, ...], ...] = ()  # the words of each program that the output is piped into
    text: str = ""  # all of it, as shown

    @classmethod
    def from_toml(cls, table: Table, name: str, text: str) -> Command:
        """The command of a step."""
        return parse(text, where=table.where(name), inside=bool(table.data.get("inside")))

    def values(self, *names: str) -> list[str]:
        """All values of these flags, in order."""
        return [value for name, value in self.flags if name in names and value is not None]

    @property
    def tags(self) -> list[str]:
        """The tags that a build gives to its image."""
        return self.values(*TAG) if self.verb == "build" else []

    @property
    def creates(self) -> list[str]:
        """The names that it gives to images."""
        return [self.positionals[1]] if self.verb == "tag" else self.tags

    @property
    def secrets(self) -> list[str]:
        """The files in the context that a build reads as secrets."""
        return [value.partition("=")[2].partition("=")[2] for value in self.values("--secret")]

    @property
    def images(self) -> list[str]:
        """The images that the command reads."""
        match self.verb:
            case "run" | "detach":
                return [self.positionals[0]]
            case "tag":
                return [self.positionals[0]]
            case "ls" | "inspect" | "history" | "rmi":
                return list(self.positionals)
            case _:
                return []

    @property
    def starts(self) -> str:
        """The name of the container that it leaves running; empty if it has no name, or there is no such container."""
        return next(iter(self.values(NAME)), "") if self.verb == "detach" else ""

    @property
    def containers(self) -> list[str]:
        """The containers that it acts on, which an earlier command has started."""
        match self.verb:
            case "exec":
                return [self.positionals[0]]
            case "logs" | "stop" | "rm":
                return list(self.positionals)
            case _:
                return []

    @property
    def named(self) -> int:
        """How many positionals name an image or a container; those that follow belong to a program."""
        return 1 if self.verb in _BEFORE_A_PROGRAM else len(self.positionals)


def is_kernel_path(path: str, folder: str = "/") -> bool:
    """Whether `path`, relative to the directory `folder` of a container, is in /proc, /sys or /dev."""
    whole = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
    return whole.split("/")[0] in ("proc", "sys", "dev")


def full_name(image: str) -> str:
    """The name with its tag, which is `latest` by default."""
    return image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"


def base_name(image: str) -> str:
    """The name as bases.toml has it: `alpine:3.22` for `docker.io/library/alpine:3.22@sha256:…`."""
    return re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", image.partition("@")[0])


def familiar(image: str) -> str:
    """The full name in docker's short form, without a digest: `alpine:latest` for `docker.io/library/alpine`."""
    return full_name(base_name(image))


def parse(text: str, *, where: Where, inside: bool = False) -> Command:
    """Parse a command line.

    With `inside`, it runs in a container of a base image, and may be any program.
    Raises RefusedError, with the offending word, for anything that is not on the allow-list.
    """

    def refuse(what: str, hint: str) -> RefusedError:
        return RefusedError(what, where=where, evidence=text, hint=hint)

    if len(text) > _LONGEST:
        raise RefusedError(
            f"the command is too long: {len(text):,} characters, the limit is {_LONGEST:,}",
            where=where,
            evidence=f"{text[:60]}…",
            hint="move parts of it into a file in context/",
        )
    line = shell_words.parse(text, where=where)
    argv, filters = line.commands[0], line.commands[1:]
    if len(filters) > _FILTERS:
        raise refuse(f"too many pipes: {len(filters)}", f"use at most {_FILTERS}")
    for each in filters:
        check_filter(each, refuse)
    if inside:
        shell_words.check_no_variables(line, text, where=where)
        return Command(argv, "inside", (), argv, 0, filters=filters, text=text)
    if argv[0] != "docker":
        reason = instead.PROGRAMS.get(argv[0], instead.OTHER_PROGRAM)
        raise refuse(f"`{argv[0]}` is refused: {reason.why}", reason.hint)
    words = _verb(argv, refuse)
    verb, allowed = VERBS[words]
    head = 1 + len(words)
    flags, rest = _flags(argv[head:], verb, allowed, refuse)
    if verb == "run" and any(flag in DETACH for flag, _ in flags):
        verb = "detach"
    command = Command(argv, verb, flags, rest, head, line.variables, filters, text)
    _check_variables(command, refuse)
    if filters and verb in _SILENT:
        raise refuse(
            f"a `|` is refused after `{' '.join(argv[:head])}`, which prints nothing to filter",
            "remove it; `show` in snippet.toml selects lines for pages",
        )
    _check_flags(command, allowed, refuse)
    _check_positionals(command, refuse)
    return command


def _verb(argv: Sequence[str], refuse: Refuse) -> tuple[str, ...]:
    """The words of the verb, two of them if possible."""
    for words in (argv[1:3], argv[1:2]):
        if words in VERBS:
            return tuple(words)
    for words in (argv[1:3], argv[1:2]):
        if reason := instead.REASONS.get(" ".join(words)):
            raise refuse(f"`docker {' '.join(words)}` is refused: {reason.why}", reason.hint)
    allowed = ", ".join(" ".join(words) for words in VERBS)
    raise refuse(f"`docker {' '.join(argv[1:2])}` is refused", f"use one of: {allowed}")


def _flags(
    words: Sequence[str], verb: str, allowed: Flags, refuse: Refuse
) -> tuple[tuple[tuple[str, str | None], ...], tuple[str, ...]]:
    """Split words into flags and positionals. For `run`, everything after the image belongs to the container."""
    flags: list[tuple[str, str | None]] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word and word[0] != "-" and unicodedata.category(word[0]) == "Pd":
            raise refuse(f"`{word}` starts with the dash U+{ord(word[0]):04X}, not with a hyphen", "type - instead")
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if verb in _BEFORE_A_PROGRAM:
                rest += queue
                break
            continue
        name, equals, given = word.partition("=")
        value: str | None = given if equals else None
        if name not in allowed:
            reason = instead.REASONS.get(f"{verb} {name}")
            why, hint = reason or ("", f"use one of: {', '.join(sorted(allowed))}")
            raise refuse(f"the flag `{name}` is refused{': ' if why else ''}{why}", hint)
        _, pattern = allowed[name]
        if pattern is None:
            if equals:
                raise refuse(f"the flag `{name}` takes no value", f"write {name}")
        else:
            attached = pattern.startswith("=")
            if not equals:
                if not queue or attached:
                    raise refuse(f"the flag `{name}` needs a value", f"write {name}{'=' if attached else ' '}VALUE")
                value = queue.pop(0)
            assert value is not None
            if equals and not value and not name.startswith("--"):
                raise refuse(f"`{word}` is refused: docker takes the `=` as the value", f"write {name} ''")
            _check_value(name, value, pattern, instead.REASONS.get(f"{verb} {name}"), refuse)
        flags.append((name, value))
    return tuple(flags), tuple(rest)


def _check_value(name: str, value: str, pattern: str, reason: instead.Reason | None, refuse: Refuse) -> None:
    pattern = pattern.removeprefix("=")
    if re.fullmatch(pattern, value, re.ASCII):
        return
    what = f"`{value}` is refused as the value of `{name}`"
    if reason:
        raise refuse(f"{what}: {reason.why}", reason.hint)
    if pattern == REFERENCE and re.fullmatch(pattern, value.lower(), re.ASCII):
        raise refuse(what, f"names of images are in lower case: {value.lower()}")
    raise refuse(what, _HINTS.get(pattern, f"use a value that matches {pattern}"))


def _check_variables(command: Command, refuse: Refuse) -> None:
    for name, value in command.variables:
        pattern = _VARIABLES.get(name, "") if command.verb == "build" else ""
        if not re.fullmatch(pattern, value, re.ASCII) or not pattern:
            allowed = ", ".join(f"{each}={example}" for each, example in _VARIABLES.items())
            raise refuse(
                f"`{name}={value}` is refused: only a few variables can be set, for builds",
                f"use one of: {allowed}; for a program, docker run -e NAME=VALUE",
            )


def _check_flags(command: Command, allowed: Flags, refuse: Refuse) -> None:
    """Check what the pattern of a value cannot express."""
    names = [allowed[written][0] for written, _ in command.flags]
    for name, (written, value) in zip(names, command.flags, strict=True):
        if names.count(name) > 1 and name not in _MANY:
            raise refuse(f"the flag `{written}` is given twice", "give it once")
        if command.verb == "run" and name in (NAME, PUBLISH[0]):
            raise refuse(
                f"the flag `{written}` is refused without -d: the container ends before another step could use it",
                "add -d, or leave the flag out",
            )
        if command.verb == "detach" and name == "--network":
            raise refuse(
                "the flag `--network` is refused with -d: these containers share a network of their own",
                "leave it out",
            )
        if name == "--file" and str(value).lower().endswith(".in"):
            raise refuse(f"`{value}` is refused: Podman runs a preprocessor on files with this name", "rename the file")
        if name in _PATHS and is_kernel_path(str(value)):
            raise refuse(
                f"`{value}` is refused as the value of `{written}`: it belongs to the kernel", "use another directory"
            )
        if name == "--format" and re.search("{{|}}", _ACTION.sub("", str(value))):
            raise refuse(
                f"`{value}` is refused as the value of `{written}`",
                "use only fields, if, with, range over a list, println, json, join, index, len, lower, upper and title",
            )


def _check_positionals(command: Command, refuse: Refuse) -> None:
    match command.verb:
        case "build":
            if command.positionals not in ((".",), ("./",)):
                raise refuse("a build takes its own context and nothing else", "write docker build -t NAME .")
        case "tag":
            if len(command.positionals) != 2:
                raise refuse("`docker tag` takes an image and its new name", "write docker tag IMAGE NAME")
        case "run" | "detach" | "inspect" | "history" | "rmi":
            if not command.positionals:
                raise refuse("the image is missing", f"write {' '.join(command.argv[: command.head])} IMAGE")
        case "logs" | "exec" | "stop" | "rm":
            begin = " ".join(command.argv[: command.head])
            if not command.positionals:
                raise refuse("the container is missing", f"write {begin} CONTAINER")
            if command.verb == "logs" and len(command.positionals) > 1:
                raise refuse("`docker logs` takes one container", "write a step for each")
            if command.verb == "exec" and len(command.positionals) == 1:
                raise refuse("the program is missing", f"write {begin} CONTAINER PROGRAM")
        case "version" | "ps":
            if command.positionals:
                verb = " ".join(command.argv[: command.head])
                raise refuse(f"`{verb}` takes no arguments", f"write {verb}")
        case _:
            pass
    for reference in (*command.images, *command.creates):
        if not re.fullmatch(REFERENCE, reference, re.ASCII):
            raise refuse(f"invalid image name `{reference}`", "use a name like example or golang:1.27-alpine")
