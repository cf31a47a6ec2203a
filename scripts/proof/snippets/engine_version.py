"""The version of an engine, and conditions on it.

A snippet.toml uses them, as in `exit = { "docker <28" = 1, "docker >=28" = 255 }`. Different versions word
the same thing differently, and sometimes behave differently. A condition is `docker` or `podman`, and for docker its
version, its image store, or both: `docker >=29 containerd`. The version is a major one, or has a minor one: `29.6`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

Kind = Literal["docker", "podman"]
Store = Literal["classic", "containerd"]  # Docker's own image store, or containerd's, the default of newer Dockers
_CONDITION = re.compile(
    r"(docker|podman)(?: (<|>=)([1-9][0-9]{0,3})(?:\.([1-9][0-9]{0,3}))?)?(?: (classic|containerd))?", re.ASCII
)
# The end of an image store's name where Docker compares files to find what a layer changed, as in a user namespace. It
# then counts a layer otherwise: a symbolic link has no size.
NO_NATIVE_DIFF = "-without-native-diff"
_VERSION = re.compile(r"(docker|podman) ([0-9]{1,4})(?:\.([0-9]{1,4})?|$)", re.ASCII)


@dataclass(frozen=True)
class EngineVersion:
    """What decides how an engine words its outputs."""

    kind: Kind
    major: int
    store: Store = "classic"  # of images; podman's counts as classic
    native_diff: bool = True
    # Only conditions look at it. Two engines that differ in nothing else count as the same.
    minor: int = field(default=0, compare=False)

    @classmethod
    def of(cls, engine: str, image_store: str) -> EngineVersion:
        """From the name and version of an engine, as in `docker 29.7.2`, and its image store.

        Raises ValueError for anything else.
        """
        if not (found := _VERSION.match(engine)):
            raise ValueError(f"not an engine: {engine!r:.60}")
        store: Store = "containerd" if image_store == "containerd" else "classic"
        native_diff = not image_store.endswith(NO_NATIVE_DIFF)
        return cls(cast(Kind, found[1]), int(found[2]), store, native_diff, int(found[3] or 0))

    def counts_like(self, other: EngineVersion) -> bool:
        """Whether both display the same sizes for the same image.

        With containerd's store these include compressed layers, and each version's compressor is another.
        """
        mine, others = ((each.kind, each.store, each.native_diff) for each in (self, other))
        return mine == others and (self.store != "containerd" or self.major == other.major)

    def __str__(self) -> str:
        store = ", containerd's store" if self.store == "containerd" else ""
        return f"{self.kind} {self.major}{store}" + ("" if self.native_diff else ", without native diff")


@dataclass(frozen=True)
class Condition:
    """Some engines: all of a kind, or only those from or below a version, or with one image store."""

    text: str
    kind: Kind
    at_least: tuple[int, int]  # major, minor
    below: tuple[int, int]
    store: str  # empty for any

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises ValueError if the text is not a condition."""
        if not (found := _CONDITION.fullmatch(text)):
            raise ValueError(f"'{text:.60}' is not a condition on the engine")
        kind, comparison, major, minor, store = found.groups()
        if kind == "podman" and (comparison or store):
            raise ValueError("podman has no conditions on its version or store")
        version = (int(major or 0), int(minor or 0))
        at_least, below = ((0, 0), version) if comparison == "<" else (version, (10_000, 0))
        return cls(text, cast(Kind, kind), at_least, below, store or "")

    def holds(self, engine: EngineVersion) -> bool:
        """Whether it is true of this engine."""
        return (
            self.kind == engine.kind
            and self.at_least <= (engine.major, engine.minor) < self.below
            and self.store in ("", engine.store)
        )
