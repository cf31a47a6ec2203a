"""The commands that a snippet may show, and so may run: an allow-list of docker verbs and of each one's flags.

A command is split into words as a shell would, and no shell ever sees it. Whatever is not listed here is refused
with its reason before an engine is called.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proof.core.errors import RefusedError, Where
from proof.core.text import first_invisible

_LONGEST = 2000  # characters; nobody reads, or types, a longer command
# A flag's value is checked against its pattern; None is a flag that takes no value. With a `=` in front the value is
# part of the word: docker takes the word after such a flag for something else.
_TEXT = r"(?s).*"
REFERENCE = r"[a-z0-9][a-z0-9._/-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?"
_PLATFORM = r"(?:linux/[a-z0-9]+(?:/v\d)?)(?:,linux/[a-z0-9]+(?:/v\d)?)*"
Flags = Mapping[str, str | None]
TAG = ("--tag", "-t")  # the flags that name the image of a build
Refuse = Callable[[str, str], RefusedError]  # (what, hint)

_RUN: Flags = {
    "--rm": None,
    "--read-only": None,
    "--env": r"(?s)\w+=.*",  # never a bare name: that would copy it from the tool's environment
    "-e": r"(?s)\w+=.*",
    "--user": r"\w[\w.-]*(?::\w[\w.-]*)?",
    "-u": r"\w[\w.-]*(?::\w[\w.-]*)?",
    "--workdir": r"/[\w./-]*",
    "-w": r"/[\w./-]*",
    "--entrypoint": _TEXT,
    "--platform": _PLATFORM,
    "--network": "none",
    "--hostname": r"\w[\w.-]*",
    "--tmpfs": r"/[\w./-]+",
}
_BUILD: Flags = {
    "--tag": REFERENCE,
    "-t": REFERENCE,
    "--file": r"(?!.*\.\.)[\w][\w./-]*",
    "-f": r"(?!.*\.\.)[\w][\w./-]*",
    "--target": r"[\w.-]+",
    "--build-arg": r"(?!(?i:buildkit_))\w+=.*",  # BUILDKIT_SYNTAX names a frontend, as `# syntax=` does
    "--label": _TEXT,
    "--platform": _PLATFORM,
    "--progress": "plain|auto",
    "--no-cache": None,
    "--network": "none",
    "--quiet": None,
    "-q": None,
}
_FORMAT: Flags = {"--format": _TEXT, "-f": _TEXT, "--type": "image"}
_LS: Flags = {
    "--format": _TEXT,
    "--no-trunc": None,
    "--digests": None,
    "--quiet": None,
    "-q": None,
    "--all": None,
    "-a": None,
}
_HISTORY: Flags = {
    "--format": _TEXT,
    "--no-trunc": None,
    "--human": "=true|false",
    "-H": "=true|false",
    "--quiet": None,
    "-q": None,
}

_SHORT = {"-t": "--tag", "-e": "--env", "-u": "--user", "-w": "--workdir", "-q": "--quiet", "-a": "--all"}
# Flags that may be there several times. Of the others docker takes the last one, and Podman reads every --file.
_MANY = frozenset({"--tag", "--env", "--build-arg", "--label", "--tmpfs"})
_PATHS = frozenset({"--workdir", "-w", "--tmpfs"})
# What a --format may hold: a template that counts to a billion, or pads a word to a gigabyte, runs on this machine.
_FIELD = r"\.(?:\w+(?:\.\w+)*)?"
_LIST = r"\.(?:RootFS\.Layers|RepoTags|RepoDigests|Config\.(?:Env|Cmd|Entrypoint|ExposedPorts|Labels|Volumes))"
_VALUES = rf"""(?:{_FIELD}|"[^"\\{{}}]*")(?:\s+(?:{_FIELD}|"[^"\\{{}}]*"))*"""
_ACTION = re.compile(
    rf"{{{{\s*(?:end|else|range\s+{_LIST}|(?:if|with)\s+{_FIELD}"
    rf"|(?:(?:println|json|join|index|len|lower|upper|title)\s+)?{_VALUES})\s*}}}}",
    re.ASCII,
)

VERBS: dict[tuple[str, ...], tuple[str, Flags]] = {
    ("build",): ("build", _BUILD),
    ("buildx", "build"): ("build", _BUILD),
    ("image", "build"): ("build", _BUILD),
    ("run",): ("run", _RUN),
    ("container", "run"): ("run", _RUN),
    ("images",): ("ls", _LS),
    ("image", "ls"): ("ls", _LS),
    ("inspect",): ("inspect", _FORMAT),
    ("image", "inspect"): ("inspect", _FORMAT),
    ("history",): ("history", _HISTORY),
    ("image", "history"): ("history", _HISTORY),
    ("version",): ("version", {"--format": _TEXT, "-f": _TEXT}),
}


@dataclass(frozen=True)
class Command:
    """A command taken apart: `docker VERB flags… positionals…`, or any program to run inside a base."""

    argv: tuple[str, ...]  # as shown, split into words
    verb: str  # a value of VERBS, or `inside`
    flags: tuple[tuple[str, str | None], ...]  # in order; None where a flag takes no value
    positionals: tuple[str, ...]  # of `run`: the image, then the container's own words
    head: int  # how many words stand before the first flag or positional: `docker image ls` has 3

    def values(self, *names: str) -> list[str]:
        """Every value given to one of these flags, in order."""
        return [value for name, value in self.flags if name in names and value is not None]

    @property
    def tags(self) -> list[str]:
        """The names that a build gives to its image."""
        return self.values(*TAG) if self.verb == "build" else []

    @property
    def images(self) -> list[str]:
        """The images that the command reads."""
        match self.verb:
            case "run":
                return [self.positionals[0]]
            case "ls" | "inspect" | "history":
                return list(self.positionals)
            case _:
                return []


def is_kernel_path(path: str, folder: str = "/") -> bool:
    """Whether a path, seen from a folder of a container, is or is below /proc, /sys or /dev."""
    whole = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
    return whole.split("/")[0] in ("proc", "sys", "dev")


def full_name(image: str) -> str:
    """The name with its tag: where none is named, docker means `latest`."""
    return image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"


def familiar(image: str) -> str:
    """The full name in the form in which docker shows it: `docker.io/library/alpine:3.22` is `alpine:3.22`."""
    return full_name(re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", image))


def parse(text: str, *, where: Where, inside: bool = False) -> Command:
    """Take one command line apart.

    `inside` says that it runs in a container of a base, where any program may run.
    Raises RefusedError, naming the word, for whatever is not on the allow-list.
    """

    def refuse(what: str, hint: str) -> RefusedError:
        return RefusedError(what, where=where, evidence=text, hint=hint)

    if "\n" in text or "\0" in text:
        raise refuse("a command is one line", "one step for each command")
    if hidden := first_invisible(text, " \t"):
        raise refuse(f"the command holds the character {hidden}, which cannot be seen", "type the command anew")
    if len(text) > _LONGEST:
        raise RefusedError(
            f"a command of {len(text):,} characters is refused: nobody reads it",
            where=where,
            evidence=f"{text[:60]}…",
            hint="a file in context/ that it names",
        )
    try:
        argv = tuple(shlex.split(text))
    except ValueError as error:
        raise refuse(f"the command cannot be split into words: {str(error).lower()}", "close the quote") from error
    if not argv:
        raise refuse("the command is empty", "name a command")
    if inside:
        return Command(argv, "inside", (), argv, 0)
    if argv[0] != "docker":
        raise refuse(
            f"`{argv[0]}` is refused: a command begins with `docker`, or says which base it runs `inside`",
            'inside = "image:tag"',
        )
    for length in (2, 1):
        if verb := VERBS.get(argv[1 : 1 + length]):
            name, allowed = verb
            break
    else:
        known = ", ".join(" ".join(words) for words in VERBS)
        raise refuse(f"`docker {' '.join(argv[1:2])}` is refused", f"the allowed verbs: {known}")
    head = 1 + length
    flags, rest = _flags(argv[head:], allowed, stop_at_first=name == "run", refuse=refuse)
    command = Command(argv, name, flags, rest, head)
    _check_flags(command, refuse)
    _check_positionals(command, refuse)
    return command


def _flags(
    words: Sequence[str], allowed: Flags, *, stop_at_first: bool, refuse: Refuse
) -> tuple[tuple[tuple[str, str | None], ...], tuple[str, ...]]:
    """Split words into flags and positionals; of `run`, all that follows the image belongs to the container."""
    flags: list[tuple[str, str | None]] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word and word[0] != "-" and unicodedata.category(word[0]) == "Pd":
            raise refuse(f"`{word}` begins with a dash (U+{ord(word[0]):04X}) that is no hyphen", "type a -")
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if stop_at_first:
                rest += queue
                break
            continue
        name, equals, given = word.partition("=")
        value: str | None = given if equals else None
        if name not in allowed:
            raise refuse(f"the flag `{name}` is refused", f"the allowed ones: {', '.join(sorted(allowed))}")
        pattern = allowed[name]
        if pattern is None:
            if equals:
                raise refuse(f"the flag `{name}` takes no value", name)
        else:
            attached = pattern.startswith("=")
            if not equals:
                if not queue or attached:
                    raise refuse(f"the flag `{name}` needs a value", f"{name}=VALUE" if attached else f"{name} VALUE")
                value = queue.pop(0)
            assert value is not None
            if equals and not value and not name.startswith("--"):
                raise refuse(f"`{word}` is refused: to docker the value is the `=`", f"{name} ''")
            if not re.fullmatch(pattern.removeprefix("="), value, re.ASCII):
                raise refuse(
                    f"`{value}` is refused as the value of `{name}`", f"a value like {pattern.removeprefix('=')}"
                )
        flags.append((name, value))
    return tuple(flags), tuple(rest)


def _check_flags(command: Command, refuse: Refuse) -> None:
    """What a value's pattern cannot say."""
    long = [_SHORT.get(name, name) for name, _ in command.flags]
    if command.verb == "build":
        long = ["--file" if name == "-f" else name for name in long]
    for name, (written, value) in zip(long, command.flags, strict=True):
        if long.count(name) > 1 and name not in _MANY:
            raise refuse(f"the flag `{written}` is there twice", "once")
        if name == "--file" and str(value).lower().endswith(".in"):
            raise refuse(f"`{value}` is refused: Podman runs a preprocessor on a file of this name", "another name")
        if written in _PATHS and is_kernel_path(str(value)):
            raise refuse(f"`{value}` is refused as the value of `{written}`: it is the kernel's", "another folder")
        if command.verb != "build" and name in ("--format", "-f") and re.search("{{|}}", _ACTION.sub("", str(value))):
            raise refuse(
                f"`{value}` is refused as the value of `{written}`",
                "fields, if, with, range over a list of an image, println, json, join, index, len, lower, upper, title",
            )


def _check_positionals(command: Command, refuse: Refuse) -> None:
    match command.verb:
        case "build":
            if command.positionals != (".",):
                raise refuse("a build takes its own context and nothing else", "docker build -t NAME .")
        # `ls` of everything would show whatever else is in the engine, and never be the same twice.
        case "run" | "ls" | "inspect" | "history":
            if not command.positionals:
                raise refuse("no image is named", f"{' '.join(command.argv[: command.head])} NAME")
        case "version":
            if command.positionals:
                raise refuse("`docker version` takes no names", "docker version")
        case _:
            pass
    for reference in command.images:
        if not re.fullmatch(REFERENCE, reference, re.ASCII):
            raise refuse(f"`{reference}` is no image name", "a name like example or golang:1.27-alpine")
