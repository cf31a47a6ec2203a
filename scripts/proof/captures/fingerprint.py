"""Fingerprints the inputs of a capture, so that a stale capture is found without an engine.

The inputs are a hash of the commands, one of each file of the context and one of each base. The engine's major version
and the version of the normalisation rules are recorded too: they can explain a difference, but a change of them alone
does not make a capture stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proof.captures import model, normalise
from proof.core import hashes
from proof.snippets import context
from proof.snippets.engine_version import Condition
from proof.snippets.model import Snippet

Kind = Literal["snippet", "base", "engine"]
COMMANDS = "the commands in snippet.toml"
BASE, ENGINE, RULES = "the base ", "the engine", "the normaliser"


@dataclass(frozen=True)
class Change:
    """An input that changed since the capture was made."""

    name: str
    how: str  # "changed", "is new" or "is gone"; for the engine "changed from … to …"

    @property
    def kind(self) -> Kind:
        """What kind of input changed."""
        if self.name.startswith(BASE):
            return "base"
        return "engine" if self.name in (ENGINE, RULES) else "snippet"

    @property
    def invalidates(self) -> bool:
        """Whether the change alone makes a capture stale."""
        return self.kind != "engine"

    def __str__(self) -> str:
        return f"{self.name} {self.how}"


def of(snippet: Snippet, bases: Mapping[str, str], engine: str) -> dict[str, str]:
    """Every input: name → hash. `bases` maps names of bases to their keys; `engine` is like `docker 26`."""
    found = {COMMANDS: hashes.hash_text(json.dumps(_commands(snippet)))}
    for path in context.files(snippet.context):
        mode = "executable " if not path.is_symlink() and context.is_executable(path.stat().st_mode) else ""
        found[f"context/{path.relative_to(snippet.context)}"] = mode + hashes.hash_file(
            path, below=snippet.folder.parents[1], limit=context.LARGEST
        )
    found |= {f"{BASE}{name}": bases[name] for name in snippet.bases if name in bases}
    return found | {ENGINE: engine, RULES: str(normalise.VERSION)}


def _commands(snippet: Snippet) -> list[dict[str, object]]:
    """What is run and read. Unset settings are left out, so a new kind of setting does not make old captures stale."""
    image: dict[str, object] = {"image": snippet.image, "transfer": snippet.transfer}
    if snippet.contents is not None:
        image["contents"] = sorted(snippet.contents.items()) or True
    steps: list[dict[str, object]] = [
        {
            "name": step.name,
            "command": step.text,
            "inside": step.inside,
            "published": step.published,
            "hosts": sorted(step.hosts),
            "until": step.until,
            "exit": _on_each({o.engine: o.exit for o in step.failure.outcomes}),
            "expect": _on_each({o.engine: o.expect for o in step.failure.outcomes}),
            "facts": [
                (rule.name, rule.match.pattern, rule.unit, *([rule.engine.text] if rule.engine else []))
                for rule in step.facts.values()
            ],
        }
        for step in snippet.steps
    ]
    return [{key: value for key, value in entry.items() if value} for entry in (image, *steps)]


def _on_each(declared: Mapping[Condition | None, object]) -> object:
    """What is declared for each engine, or the one thing that is declared for all of them."""
    return (
        declared[None] if None in declared else {str(engine and engine.text): one for engine, one in declared.items()}
    )


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """The inputs that differ, in the order of `old`, with new ones last.

    A base that is gone is none: what it was needed for is in a Dockerfile or a command, and would differ itself.
    """
    found = []
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name) and (name in new or not name.startswith(BASE)):
            how = "is new" if name not in old else "is gone" if name not in new else "changed"
            if how == "changed" and name in (ENGINE, RULES):
                how = f"changed from {old[name]} to {new[name]}"
            found.append(Change(name, how))
    return found


def without_engine(
    snippet: Snippet, capture: model.Capture, keys: Mapping[str, str], pinned: Mapping[str, str] | None = None
) -> list[Change]:
    """What changed since `capture`, as far as can be known without an engine and a registry.

    `keys` are the keys of the rebuilt bases, `pinned` the digests of the registry bases from bases.lock. A registry
    base that is not in the lock counts as unchanged.
    """
    if capture.environment.bases == "registry":
        keys = {n: capture.inputs.get(f"{BASE}{n}", key) for n, key in keys.items()} | dict(pinned or {})
    return changed(capture.inputs, of(snippet, keys, capture.inputs.get(ENGINE, "")))
