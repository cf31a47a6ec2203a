"""The version of an engine, and conditions on it.

A snippet.toml uses them, as in `exit = { "docker <28" = 1, "docker >=28" = 255 }`. Different versions word
the same thing differently, and sometimes behave differently. A condition is `docker` or `podman`, and for docker its
version, its image store, or both: `docker >=29 containerd`. The version is a major one, or has a minor one: `29.6`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from proof.core.toml_table import Table

Kind = Literal["docker", "podman"]
PLATFORM = "linux/amd64"  # of rebuilt base images, and the default platform of snippets
Store = Literal["classic", "containerd"]  # Docker's own image store, or containerd's, the default of newer Dockers
# Docker 29 words much of its output in another way than the versions before it, so a reader needs both.
Wording = Literal["docker-28", "docker-29"]
WORDINGS: tuple[Wording, ...] = get_args(Wording)
_FIRST_OF_NEW_WORDING = 29
_KINDS = "|".join(get_args(Kind))
_CONDITION = re.compile(
    rf"({_KINDS})(?: (<|>=)([1-9][0-9]{{0,3}})(?:\.([1-9][0-9]{{0,3}}))?)?(?: (classic|containerd))?", re.ASCII
)
# The end of an image store's name where Docker compares files to find what a layer changed, as in a user namespace. It
# then counts a layer otherwise: a symbolic link has no size.
NO_NATIVE_DIFF = "-without-native-diff"
_VERSION = re.compile(rf"({_KINDS}) ([0-9]{{1,4}})(?:\.([0-9]{{1,4}})?|$)", re.ASCII)


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

    @property
    def wording(self) -> Wording | None:
        """In which words its captures are. None if they are not kept: no page shows podman's words."""
        if self.kind != "docker":
            return None
        return "docker-29" if self.major >= _FIRST_OF_NEW_WORDING else "docker-28"

    @property
    def is_shown(self) -> bool:
        """Whether a reader may see its words: Docker 29's are those of a new installation, with containerd's store."""
        return self.wording == "docker-28" or (self.wording is not None and self.store == "containerd")

    @property
    def label(self) -> str:
        """What pages call it: `Docker 29.7`."""
        return f"{self.kind.capitalize()} {self.major}.{self.minor}"

    @property
    def shows_both_sizes(self) -> bool:
        """Whether `docker image ls` has DISK USAGE and CONTENT SIZE: in Docker 29's words, with containerd's store."""
        return self.wording == "docker-29" and self.store == "containerd"

    def counts_like(self, other: EngineVersion) -> bool:
        """Whether both display the same sizes for the same image.

        With containerd's store these include compressed layers, and each version's compressor is another.
        """
        mine, others = ((each.kind, each.store, each.native_diff) for each in (self, other))
        return mine == others and (self.store != "containerd" or self.major == other.major)

    def __str__(self) -> str:
        store = ", containerd's store" if self.store == "containerd" else ""
        return f"{self.kind} {self.major}{store}" + ("" if self.native_diff else ", without native diff")


# The last engine with the old wording. In a few cases it does something else than the one that is measured.
LAST_OF_OLD_WORDING = EngineVersion("docker", _FIRST_OF_NEW_WORDING - 1)


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

    @classmethod
    def from_toml(cls, table: Table, name: str, text: str) -> Condition:
        """Raises ManifestError at the key `name` if the text is not a condition."""
        try:
            return cls.parse(text)
        except ValueError as error:
            hint = 'use docker, podman, "docker <29", "docker >=29.6", "docker containerd" or "docker >=29 containerd"'
            raise table.error(name, str(error), hint) from error

    def holds(self, engine: EngineVersion) -> bool:
        """Whether it is true of this engine."""
        return (
            self.kind == engine.kind
            and self.at_least <= (engine.major, engine.minor) < self.below
            and self.store in ("", engine.store)
        )
