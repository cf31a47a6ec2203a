"""What a capture depends on, and which of it changed since: the key that tells stale from fresh without an engine.

A hash each of the commands, of every file of the context and of every base; and the engine's major version and the
version of the normalisers, which explain a difference and are none by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proof.captures import model, normalise
from proof.core import hashes
from proof.snippets import context
from proof.snippets.model import Snippet

Kind = Literal["snippet", "base", "engine"]
COMMANDS = "the commands in snippet.toml"
BASE, ENGINE, RULES = "the base ", "the engine", "the normaliser"


@dataclass(frozen=True)
class Change:
    """An input that is not what the capture was made from."""

    name: str
    how: str  # changed, is new, is gone; of the engine: from what to what

    @property
    def kind(self) -> Kind:
        """Whose change it is."""
        if self.name.startswith(BASE):
            return "base"
        return "engine" if self.name in (ENGINE, RULES) else "snippet"

    @property
    def invalidates(self) -> bool:
        """Whether it makes a capture stale by itself."""
        return self.kind != "engine"

    def __str__(self) -> str:
        return f"{self.name} {self.how}"


def of(snippet: Snippet, bases: Mapping[str, str], engine: str) -> dict[str, str]:
    """Every input by name; `bases` are the keys of the bases by name, `engine` is like `docker 26`."""
    found = {COMMANDS: hashes.hash_text(json.dumps(_commands(snippet)))}
    for path in context.files(snippet.context):
        mode = "" if path.is_symlink() or not path.stat().st_mode & 0o100 else "executable "
        found[f"context/{path.relative_to(snippet.context)}"] = mode + hashes.hash_file(
            path, below=snippet.folder.parents[1], limit=context.LARGEST
        )
    found |= {f"{BASE}{name}": bases[name] for name in snippet.bases if name in bases}
    return found | {ENGINE: engine, RULES: str(normalise.VERSION)}


def _commands(snippet: Snippet) -> list[dict[str, object]]:
    """What is run and read. A setting that is not used is left out, so that a new one leaves old captures fresh."""
    image: dict[str, object] = {"image": snippet.image, "transfer": snippet.transfer}
    steps: list[dict[str, object]] = [
        {
            "name": step.name,
            "command": step.text,
            "inside": step.inside,
            "exit": step.exit,
            "expect": step.expect,
            "facts": [(rule.name, rule.match.pattern, rule.unit) for rule in step.facts],
        }
        for step in snippet.steps
    ]
    return [{key: value for key, value in entry.items() if value} for entry in (image, *steps)]


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """The inputs that differ, in the order of `old`, new ones last."""
    found = []
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            how = "is new" if name not in old else "is gone" if name not in new else "changed"
            if how == "changed" and name in (ENGINE, RULES):
                how = f"changed from {old[name]} to {new[name]}"
            found.append(Change(name, how))
    return found


def without_engine(
    snippet: Snippet, capture: model.Capture, keys: Mapping[str, str], pinned: Mapping[str, str] | None = None
) -> list[Change]:
    """What changed since `capture`, as far as it can be known with no engine and no registry at hand.

    `keys` are the keys of the rebuilt bases, `pinned` those of the registry's, out of the lock. What a registry holds
    today is not known, so one that is in no lock counts as unmoved.
    """
    if capture.environment.bases == "registry":
        keys = {n: capture.inputs.get(f"{BASE}{n}", key) for n, key in keys.items()} | dict(pinned or {})
    return changed(capture.inputs, of(snippet, keys, capture.inputs.get(ENGINE, "")))
