"""A Dockerfile as stages, and the instructions that are refused before any engine sees them.

This reads just enough of the format to know which images a build needs and that nothing in it reaches out:
https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from proof.errors import RefusedError, Where

ALLOWED = frozenset(
    "FROM ARG ENV WORKDIR COPY ADD RUN CMD ENTRYPOINT USER LABEL EXPOSE STOPSIGNAL SHELL HEALTHCHECK VOLUME".split()
)
_MOUNTS = frozenset({"cache", "bind", "tmpfs"})
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::(?P<op>[-+])(?P<word>[^}]*))?\}|(?P<plain>\w+))")
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@)|\.git(?:#|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    name: str
    flags: tuple[str, ...]  # `--from=builder`, as written
    rest: str
    where: Where


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows it."""

    index: int
    alias: str | None
    parent: str  # an image reference, the alias of an earlier stage, or `scratch`


@dataclass(frozen=True)
class Dockerfile:
    """What a build of this file takes from outside."""

    path: Path
    stages: tuple[Stage, ...]
    images: dict[str, Where]  # every image reference, and the line that names it first

    def base_of(self, target: str | None = None) -> str:
        """The image under the stage `target` (the last one unless named), or `scratch`.

        Raises RefusedError where there is no such stage.
        """
        stage = self.stages[-1] if target is None else self._stage(target)
        if stage is None:
            names = ", ".join(s.alias for s in self.stages if s.alias) or "none has a name"
            raise RefusedError(f"no stage is called '{target}'", where=Where(self.path), cure=f"one of: {names}")
        while (parent := self._stage(stage.parent, before=stage.index)) is not None:
            stage = parent
        return stage.parent

    def _stage(self, name: str, before: int | None = None) -> Stage | None:
        for stage in reversed(self.stages[:before]):
            if name.lower() == (stage.alias or "").lower() or name == str(stage.index):
                return stage
        return None


def parse(path: Path, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a Dockerfile; `arguments` are the `--build-arg`s of the build.

    Raises RefusedError, with the line, for anything that would reach beyond the context and the named bases.
    """
    overrides = dict(arguments or {})
    variables: dict[str, str] = {}
    stages: list[Stage] = []
    images: dict[str, Where] = {}

    def refuse(instruction: Instruction, what: str, cure: str) -> RefusedError:
        shown = " ".join([instruction.name, *instruction.flags, instruction.rest])
        return RefusedError(what, where=instruction.where, evidence=shown, cure=cure)

    def use(instruction: Instruction, name: str) -> None:
        earlier = {s.alias.lower() for s in stages if s.alias} | {str(s.index) for s in stages}
        if name.lower() not in earlier and name != "scratch":
            images.setdefault(name, instruction.where)

    for instruction in _instructions(path):
        match instruction.name:
            case "ARG" if not stages:
                name, _, default = instruction.rest.partition("=")
                variables[name.strip()] = overrides.get(name.strip(), default.strip().strip("\"'"))
            case "FROM":
                words = _substitute(instruction, variables).split()
                if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
                    raise refuse(instruction, "FROM takes an image, and AS with a name", "FROM image [AS name]")
                use(instruction, words[0])
                stages.append(Stage(len(stages), words[2] if len(words) == 3 else None, words[0]))
            case "COPY" | "ADD":
                for flag in instruction.flags:
                    if flag.startswith("--from="):
                        use(
                            instruction,
                            _substitute_text(flag.removeprefix("--from="), variables, instruction),
                        )
                if instruction.name == "ADD" and any(_REMOTE.search(w) for w in instruction.rest.split()):
                    raise refuse(
                        instruction,
                        "ADD from an address is refused: a build has no network",
                        "put the file in context/",
                    )
            case "RUN":
                _check_run(instruction, refuse, use)
            case _:
                pass
        if instruction.name not in ALLOWED:
            raise refuse(
                instruction,
                f"the instruction {instruction.name} is refused",
                f"the allowed ones: {', '.join(sorted(ALLOWED))}",
            )
        if not stages and instruction.name not in ("ARG", "FROM"):
            raise refuse(instruction, "the first instruction must be FROM (or ARG)", "begin with FROM")
    if not stages:
        raise RefusedError("there is no FROM in this file", where=Where(path), cure="begin with FROM")
    return Dockerfile(path, tuple(stages), images)


def _check_run(
    instruction: Instruction,
    refuse: Callable[[Instruction, str, str], RefusedError],
    use: Callable[[Instruction, str], None],
) -> None:
    for flag in instruction.flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name == "mount":
            options = dict(o.partition("=")[::2] for o in value.split(","))
            if options.get("type", "bind") not in _MOUNTS:
                raise refuse(instruction, f"a mount of type {options['type']} is refused", "cache, bind or tmpfs")
            if source := options.get("from"):
                use(instruction, source)
        elif flag != "--network=none":
            raise refuse(instruction, f"the flag {flag} is refused", "take the flag out")


def _instructions(path: Path) -> Iterator[Instruction]:
    lines = path.read_text("utf-8").split("\n")
    number = 0
    head = True  # parser directives stand only above everything else
    while number < len(lines):
        start, line = number + 1, lines[number].strip()
        number += 1
        if directive := re.match(r"#\s*(\w+)\s*=\s*(.+)", line):
            if head and directive[1].lower() in ("syntax", "escape", "check"):
                raise RefusedError(
                    f"the directive `# {directive[1]}=` is refused: it can bring in a frontend of its own",
                    where=Where(path, start),
                    evidence=line,
                    cure="take the line out",
                )
            continue
        if not line or line.startswith("#"):
            head = head and bool(line)
            continue
        head = False
        while line.endswith("\\") and number < len(lines):
            following = lines[number].strip()
            number += 1
            if not following.startswith("#"):
                line = line[:-1].rstrip() + " " + following
        name, _, rest = line.partition(" ")
        name = name.upper()
        if name in ("RUN", "COPY", "ADD"):
            for marker in _HEREDOC.findall(rest):
                while number < len(lines) and lines[number].strip() != marker:
                    number += 1
                number += 1
        words = rest.split()
        flags = []
        while words and words[0].startswith("--"):
            flags.append(words.pop(0))
        yield Instruction(name, tuple(flags), " ".join(words), Where(path, start))


def _substitute(instruction: Instruction, variables: Mapping[str, str]) -> str:
    return _substitute_text(instruction.rest, variables, instruction)


def _substitute_text(text: str, variables: Mapping[str, str], instruction: Instruction) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
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
                cure=f"give it a default above the first FROM: ARG {name}=…",
            )
        return known

    return _VARIABLE.sub(value, text)


def localise(text: str, local: Callable[[str], str]) -> str:
    """The same Dockerfile with every image from outside under the name that `local` gives it."""
    stages: set[str] = {"scratch"}
    lines = []
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].upper() != "FROM":
            lines.append(re.sub(r"(--from=|\bfrom=)([^\s,]+)", lambda m: _localised(m, stages, local), line))
            continue
        position = next(i for i, word in enumerate(words[1:], start=1) if not word.startswith("--"))
        image = words[position]
        lines.append(line if image.lower() in stages else line.replace(image, local(image), 1))
        if len(words) > position + 2:
            stages.add(words[position + 2].lower())
    return "\n".join(lines)


def _localised(match: re.Match[str], stages: set[str], local: Callable[[str], str]) -> str:
    name = match[2]
    return match[0] if name.lower() in stages or name.isdigit() else match[1] + local(name)
