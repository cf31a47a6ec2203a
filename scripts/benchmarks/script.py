"""The same docker commands as a shell script: what somebody would type who had no tool."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from proof.snippets.model import Snippet, Step


def script(snippets: Iterable[Snippet], contexts: Path, keeps: Mapping[str, str], *, apart: bool = False) -> str:
    """Every command of the snippets, one after another, each on a copy of its context below `contexts`.

    A command that does not end as its snippet says ends the script: what is timed must have been done.
    `keeps` names, for a base, the folder that its containers share, as the tool shares it. With `apart` each snippet's
    images have names that no other one gives, so that scripts can run side by side.
    """
    lines = ["set -u"]
    for snippet in snippets:
        copy = contexts / snippet.name
        lines += [f"rm -rf {copy}", f"mkdir -p {copy}"]
        if snippet.context.is_dir():
            lines.append(f"cp -a {snippet.context}/. {copy}")
        lines.append(f"cd {copy}")
        for step in snippet.steps:
            own = {tag for other in snippet.steps for tag in other.command.tags} if apart else set[str]()
            words = _inside(step, copy, keeps) if step.inside else _typed(step, snippet.name, own)
            lines.append(f"{words}; code=$?; [ $code = {step.exit} ] || {{ echo {step}: $code; exit 1; }}")
    return "\n".join(lines) + "\n"


def _typed(step: Step, name: str, own: set[str]) -> str:
    """A step's command with what it takes to run it here: no network, and no container left behind."""
    command = step.command
    added = {"run": ["--rm", "--network=none"], "build": ["--network=none"]}.get(command.verb, [])
    words = [*command.argv[: command.head], *added, *command.argv[command.head :]]
    return shlex.join([f"{word}-{name}" if word in own else word for word in words])


def _inside(step: Step, context: Path, keeps: Mapping[str, str]) -> str:
    """A command in a container of a base, on a copy of the context: a private engine sees no directory of the host."""
    assert step.inside is not None
    kept = keeps.get(step.inside, "")
    volume = f"type=volume,source=bench-{re.sub('[^a-z0-9]', '-', step.inside)},target={kept}"
    mount = ["--mount", volume] if kept else []
    create = ["docker", "create", "--rm", "--network=none", "--workdir", "/src", *mount, step.inside]
    copied = f"docker cp {shlex.quote(f'{context}/.')} $id:/src"
    return f"id=$({shlex.join([*create, *step.command.argv])}) && {copied} && docker start --attach $id"
