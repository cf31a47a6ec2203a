"""Writes the commands of snippets as a shell script: what you would run without the tool."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from proof.snippets.commands import TAG
from proof.snippets.dockerfile import localise
from proof.snippets.model import Snippet, Step


@dataclass(frozen=True)
class Edit:
    """A line that is added to a file of a snippet, with something else in it every time."""

    snippet: str
    file: str
    line: str

    def text(self) -> str:
        return f"{self.line} {time.monotonic_ns()}\n"

    def apply(self, path: Path) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(self.text())


def script(snippet: Snippet, contexts: Path, keeps: Mapping[str, str], edit: Edit | None = None) -> str:
    """A script that runs every command of a snippet in order, on a copy of its context below `contexts`.

    The script ends at a command that does not exit as its snippet declares, so that a failure is never timed.
    `keeps` has, by base, the directory that its containers share, as they do in the tool. The names of images are
    different for each snippet, so that several scripts can run in parallel.
    """
    copy = contexts / snippet.name
    lines = ["set -u", f"rm -rf {copy}", f"mkdir -p {copy}"]
    if snippet.context.is_dir():
        lines.append(f"cp -a {snippet.context}/. {copy}")
    lines.append(f"cd {copy}")
    if edit:
        lines.append(f"printf %s {shlex.quote(edit.text())} >>{edit.file}")
    own = {tag for step in snippet.steps for tag in step.command.tags}
    lines += _renamed(snippet, own)
    for step in snippet.steps:
        words = _inside(step, copy, keeps) if step.inside else _typed(step, snippet.name, own)
        lines.append(f"{words}; code=$?; [ $code = {step.exit} ] || {{ echo {step}: $code; exit 1; }}")
    return "\n".join(lines) + "\n"


def _renamed(snippet: Snippet, own: set[str]) -> Iterator[str]:
    """Lines that write the Dockerfiles which begin with an image of the same snippet, with its name in the script."""
    builds = snippet.dockerfiles.values()
    for path, text in {build.path: build.text for build in builds}.items():
        several = [build for build in builds if build.path == path]
        local = localise(text, lambda image: _apart(image, snippet.name, own), several)
        if local != text:
            yield f"printf %s {shlex.quote(local)} >{shlex.quote(str(path.relative_to(snippet.context)))}"


def _typed(step: Step, name: str, own: set[str]) -> str:
    """A step's command with the flags that the tool adds too: no network, and remove the container."""
    command = step.command
    added = {"run": ["--rm", "--network=none"], "build": ["--network=none"]}.get(command.verb, [])
    flags = [
        flag if value is None else f"{flag}={_apart(value, name, own) if flag in TAG else value}"
        for flag, value in command.flags
    ]
    images = [_apart(word, name, own) for word in command.positionals[: command.named]]
    words = [*command.argv[: command.head], *added, *flags, *images, *command.positionals[command.named :]]
    return shlex.join(words)


def _apart(image: str, name: str, own: set[str]) -> str:
    """The name of an image in the script of the snippet `name`, which has built the images `own`."""
    return f"{image}-{name}" if image in own else image


def _inside(step: Step, context: Path, keeps: Mapping[str, str]) -> str:
    """A command in a container of a base, on a copy of the context. A private engine cannot mount the host's files."""
    assert step.inside is not None
    kept = keeps.get(step.inside, "")
    volume = f"type=volume,source=bench-{re.sub('[^a-z0-9]', '-', step.inside)},target={kept}"
    mount = ["--mount", volume] if kept else []
    create = ["docker", "create", "--rm", "--network=none", "--workdir", "/src", *mount, step.inside]
    copied = f"docker cp {shlex.quote(f'{context}/.')} $id:/src"
    return f"id=$({shlex.join([*create, *step.command.argv])}) && {copied} && docker start --attach $id"
