"""Writes the commands of snippets as a shell script: what you would run without the tool."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from proof.snippets.model import Snippet, Step


def script(snippets: Iterable[Snippet], contexts: Path, keeps: Mapping[str, str]) -> str:
    """A script that runs every command of the snippets in order, on copies of their contexts below `contexts`.

    The script ends at a command that does not exit as its snippet declares, so that a failure is never timed.
    `keeps` has, by base, the directory that its containers share, as they do in the tool. The names of images are
    different for each snippet, so that several scripts can run in parallel.
    """
    lines = ["set -u"]
    for snippet in snippets:
        copy = contexts / snippet.name
        lines += [f"rm -rf {copy}", f"mkdir -p {copy}"]
        if snippet.context.is_dir():
            lines.append(f"cp -a {snippet.context}/. {copy}")
        lines.append(f"cd {copy}")
        for step in snippet.steps:
            own = {tag for other in snippet.steps for tag in other.command.tags}
            words = _inside(step, copy, keeps) if step.inside else _typed(step, snippet.name, own)
            lines.append(f"{words}; code=$?; [ $code = {step.exit} ] || {{ echo {step}: $code; exit 1; }}")
    return "\n".join(lines) + "\n"


def _typed(step: Step, name: str, own: set[str]) -> str:
    """A step's command with the flags that the tool adds too: no network, and remove the container."""
    command = step.command
    added = {"run": ["--rm", "--network=none"], "build": ["--network=none"]}.get(command.verb, [])
    words = [*command.argv[: command.head], *added, *command.argv[command.head :]]
    return shlex.join([f"{word}-{name}" if word in own else word for word in words])


def _inside(step: Step, context: Path, keeps: Mapping[str, str]) -> str:
    """A command in a container of a base, on a copy of the context. A private engine cannot mount the host's files."""
    assert step.inside is not None
    kept = keeps.get(step.inside, "")
    volume = f"type=volume,source=bench-{re.sub('[^a-z0-9]', '-', step.inside)},target={kept}"
    mount = ["--mount", volume] if kept else []
    create = ["docker", "create", "--rm", "--network=none", "--workdir", "/src", *mount, step.inside]
    copied = f"docker cp {shlex.quote(f'{context}/.')} $id:/src"
    return f"id=$({shlex.join([*create, *step.command.argv])}) && {copied} && docker start --attach $id"
