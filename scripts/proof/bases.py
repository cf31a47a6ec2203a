"""bases.toml → images in the engine: rebuilt from pinned packages, or pulled from their registry.

A rebuilt base has the layers, environment and command of the official image, made of files whose SHA-256 is pinned.
It enters the engine by `docker load`, as a pulled image would, so that its size is counted the same way.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, cast

from proof import process
from proof.engine import Engine
from proof.errors import CannotMeasureError, ManifestError, PackageError, RefusedError, Where, did_you_mean
from proof.manifest import Snippet, Table

Origin = Literal["rebuilt", "registry"]
_APK_DB = "lib/apk/db/installed"
_APK_WORLD = "etc/apk/world"
_HASH = r"[0-9a-f]{64}"
_WHEEL = r"[\w.+!]+-[\w.+!]+(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl"


@dataclass(frozen=True)
class Package:
    """A pinned file of a package index."""

    name: str  # in this file
    project: str  # in the index
    version: str
    wheel: str  # the file's name
    sha256: str
    holds: str  # for readers: what is inside
    where: Where

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


@dataclass(frozen=True)
class Layer:
    """One layer of a rebuilt base: a stored blob, a tree out of a package, directories, or nothing at all."""

    instruction: str  # as `docker history` shows it
    package: str | None
    blob: str | None  # a gzipped layer inside the package
    tree: str | None  # a folder inside the package …
    at: str  # … and where it goes
    drop: tuple[str, ...]  # of the tree, not taken over
    without_apk: tuple[str, ...]  # Alpine packages of the blob, not taken over
    directories: tuple[str, ...]
    mode: int  # of the directories
    diff_id: str  # what the uncompressed layer must hash to; empty where nothing official is known
    where: Where


@dataclass(frozen=True)
class Base:
    """An image that a Dockerfile may name."""

    name: str
    registry: str  # where the real one is pulled from
    platform: str
    rebuilt: str  # for readers: what the rebuilt one is
    created: str  # RFC 3339
    parent: str | None
    env: tuple[str, ...]
    command: tuple[str, ...]
    workdir: str
    layers: tuple[Layer, ...]
    keeps: str  # a folder that `inside` runs share, as a compiler's cache; empty for none
    where: Where


@dataclass(frozen=True)
class Loaded:
    """A base that is in the engine."""

    name: str
    image_id: str
    origin: str  # for readers: rebuilt from which files, or the registry's digest
    key: str  # what identifies its content: changes when the base moves


class Bases:
    """The images of bases.toml."""

    def __init__(self, path: Path, packages: dict[str, Package], images: dict[str, Base]) -> None:
        self.path, self.packages, self.images = path, packages, images

    def key(self, name: str) -> str:
        """Identifies what the rebuilt base is made of: the recipe and the hashes of its packages, parents included."""
        base = self.images[name]
        recipe: list[Any] = [self.key(base.parent) if base.parent else None]
        recipe += [base.env, base.command, base.workdir, base.platform, base.created]
        for layer in base.layers:
            fields = {k: v for k, v in vars(layer).items() if k not in ("where", "package")}
            recipe.append([fields, self.packages[layer.package].sha256 if layer.package else None])
        return "sha256:" + hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def chain(self, name: str) -> list[tuple[Base, Layer]]:
        """Every layer of the base, its parents' first."""
        base = self.images[name]
        return (self.chain(base.parent) if base.parent else []) + [(base, layer) for layer in base.layers]

    def check(self, snippets: list[Snippet]) -> None:
        """Refuse an image that this file lacks, at the line that names it."""
        for snippet in snippets:
            for image, where in snippet.bases.items():
                if image not in self.images:
                    raise RefusedError(
                        f"the image '{image}' is not in {self.path.name}{did_you_mean(image, list(self.images))}",
                        where=where,
                        cure=f"add a [[base]] to {Where(self.path)}, or use one of: {', '.join(self.images)}",
                    )

    def packages_of(self, name: str) -> list[Package]:
        """The package files that the base is made of."""
        return list({p: self.packages[p] for _, layer in self.chain(name) if (p := layer.package)}.values())


def load(root: Path) -> Bases:
    """Read and validate snippets/bases.toml; ManifestError with the line."""
    table = Table.read(root / "snippets" / "bases.toml")
    table.allow("package", "base")
    packages: dict[str, Package] = {}
    for t in table.tables("package"):
        t.allow("name", "project", "version", "wheel", "sha256", "holds")
        texts = {key: t.text(key, required=True) for key in ("name", "version", "wheel", "sha256", "holds")}
        if not re.fullmatch(_HASH, texts["sha256"]) or not re.fullmatch(_WHEEL, texts["wheel"]):
            raise t.error(
                "sha256",
                "a package is a .whl file with its SHA-256 in 64 hexadecimal digits",
                "sha256sum FILE",
            )
        if texts["name"] in packages:
            raise t.error("name", f"two packages are called '{texts['name']}'", "take one of them out")
        packages[texts["name"]] = Package(**texts, project=t.text("project") or texts["name"], where=t.where())
    images: dict[str, Base] = {}
    for t in table.tables("base"):
        base = _base(t, packages, images)
        if base.name in images:
            raise t.error("name", f"two bases are called '{base.name}'", "take one of them out")
        images[base.name] = base
    return Bases(table.path, packages, images)


def _base(t: Table, packages: dict[str, Package], images: dict[str, Base]) -> Base:
    """One [[base]]: a recipe of its own, or `like` another one with other packages."""
    t.allow(
        *(
            "name",
            "registry",
            "platform",
            "rebuilt",
            "created",
            "parent",
            "env",
            "command",
            "workdir",
            "layer",
            "keeps",
        ),
        *("like", "swap"),
    )
    parent, like = t.text("parent") or None, t.text("like") or None
    own = ("platform", "parent", "command", "workdir", "layer", "keeps")
    for key in own if like else ("swap",):
        if key in t.data:
            raise t.error(key, f"`{key}` does not go with{'' if like else 'out'} `like`", "take one of them out")
    for key, other in (("parent", parent), ("like", like)):
        if other and other not in images:
            raise t.error(key, f"the {key} '{other}' is no base above this one", "put its [[base]] first")
    name, registry = t.text("name", required=True), t.text("registry", required=True)
    rebuilt, created = t.text("rebuilt", required=True), t.text("created", required=True)
    env = tuple(t.texts("env"))
    if like is not None:
        swap = t.data.get("swap") or {}
        if not isinstance(swap, dict) or not all(isinstance(v, str) and v in packages for v in swap.values()):
            raise t.error("swap", "`swap` puts one package in place of another", 'swap = { go = "go-1.26" }')
        used = [layer.package for layer in images[like].layers if layer.package]
        for package in swap:
            if package not in used:
                raise t.error(
                    "swap", f"{like} has no package '{package}'{did_you_mean(package, used)}", ", ".join(used)
                )
        # What is named here replaces the model's; an environment variable does by its name.
        variables = {variable.partition("=")[0]: variable for variable in (*images[like].env, *env)}
        return replace(
            images[like],
            name=name,
            registry=registry,
            rebuilt=rebuilt,
            created=created,
            env=tuple(variables.values()),
            layers=tuple(
                replace(layer, package=swap.get(layer.package, layer.package)) for layer in images[like].layers
            ),
            where=t.where(),
        )
    platform = t.text("platform", required=True)
    if not re.fullmatch(r"\w+/\w+", platform):
        raise t.error("platform", f"'{platform}' is no platform", 'platform = "linux/amd64"')
    return Base(
        name=name,
        registry=registry,
        platform=platform,
        rebuilt=rebuilt,
        created=created,
        parent=parent,
        env=env,
        command=tuple(t.texts("command")),
        workdir=t.text("workdir"),
        layers=tuple(_layer(layer, packages) for layer in t.tables("layer")),
        keeps=t.text("keeps"),
        where=t.where(),
    )


def _layer(t: Table, packages: dict[str, Package]) -> Layer:
    t.allow(
        "instruction", "package", "blob", "tree", "at", "drop", "without_apk", "directories", "mode", "diff_id"
    )  # fmt: skip
    package = t.text("package") or None
    if package and package not in packages:
        raise t.error(
            "package",
            f"there is no package '{package}'{did_you_mean(package, list(packages))}",
            "add [[package]]",
        )
    if bool(package) != bool(t.text("blob") or t.text("tree")):
        raise t.error("", "a layer takes a `blob` or a `tree`, out of a `package`", "name both, or neither")
    try:
        mode = int(t.text("mode") or "755", 8)
    except ValueError as error:
        raise t.error("mode", "a mode is octal digits", 'mode = "1777"') from error
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


def ensure(bases: Bases, name: str, engine: Engine, *, origin: Origin, cache: Path) -> Loaded:
    """Have the base `name` in the engine, and say what it is. A base that is there already is left alone."""
    return _rebuild(bases, name, engine, cache) if origin == "rebuilt" else _pull(bases.images[name], engine)


def fetch(package: Package, cache: Path) -> Path:
    """The package's file, checked against its SHA-256 at every use; downloaded where the cache lacks it.

    pip fetches it, so that a mirror or proxy in the user's pip configuration is honoured.
    Raises PackageError where it cannot be had or is another file.
    """
    path = cache / "packages" / package.wheel
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        interpreter, abi, platform = package.wheel.removesuffix(".whl").rsplit("-", 3)[1:]
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            requirement = Path(folder) / "requirement.txt"
            requirement.write_text(f"{package.project}=={package.version} --hash=sha256:{package.sha256}\n")
            done = process.run(
                [
                    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
                    *("--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", folder),
                    *("--platform", platform, "--implementation", interpreter[:2], "--abi", abi),
                    *("-r", str(requirement)),
                ],
                env=os.environ,  # pip's own settings live there; no snippet ever sees it
                deadline=900,
            )
            if done.exit != 0 or not (Path(folder) / package.wheel).exists():
                raise PackageError(
                    f"the package {package} could not be downloaded",
                    where=package.where,
                    evidence=done.last_lines(),
                    cure=f"look at the network, or put {package.wheel} into {path.parent}",
                )
            (Path(folder) / package.wheel).replace(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise PackageError(
            f"{path} is not the pinned file of {package}",
            where=package.where,
            evidence=f"pinned {package.sha256}\nfound  {found}",
            cure=f"rm {path}",
        )
    return path


def _rebuild(bases: Bases, name: str, engine: Engine, cache: Path) -> Loaded:
    base, key = bases.images[name], bases.key(name)
    origin = f"{base.rebuilt}; from " + ", ".join(f"{p} (sha256:{p.sha256})" for p in bases.packages_of(name))
    known = cache / "bases" / f"{key.removeprefix('sha256:')}.json"
    ids: list[str] = json.loads(known.read_text()) if known.exists() else []  # one for each image store
    if (present := engine.image_id(name)) in ids:
        return Loaded(name, str(present), origin, key)
    with tempfile.TemporaryDirectory(prefix="proof-base-") as folder:
        archive = build_archive(bases, name, Path(folder), cache)
        engine.load(archive, name)
    loaded = engine.image_id(name)
    if loaded is None:
        raise CannotMeasureError(f"the engine loaded {name} and does not have it", where=base.where)
    known.parent.mkdir(parents=True, exist_ok=True)
    temporary = known.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(sorted({*ids, loaded})))
    temporary.replace(known)
    return Loaded(name, loaded, origin, key)


def _pull(base: Base, engine: Engine) -> Loaded:
    digest, archive = engine.pull(base.registry, base.platform, base.name)
    image_id = engine.image_id(base.name)
    if image_id is None:
        raise CannotMeasureError(
            f"{base.registry} was pulled into {archive} and is not in the engine", where=base.where
        )
    return Loaded(base.name, image_id, f"{base.registry}@{digest}", digest)


def build_archive(bases: Bases, name: str, folder: Path, cache: Path) -> Path:
    """Write the rebuilt base as an archive for `docker load`; the same recipe gives the same bytes everywhere.

    Raises ManifestError where a layer is not the official one that its recipe promises.
    """
    base = bases.images[name]
    layers: list[tuple[str, Path]] = []
    history = []
    for position, (owner, layer) in enumerate(bases.chain(name)):
        path = folder / f"layer{position}.tar"
        package = fetch(bases.packages[layer.package], cache) if layer.package else None
        with path.open("wb") as out:
            try:
                _write_layer(layer, package, out)
            except KeyError as error:
                raise ManifestError(
                    f"the package lacks what this layer is made of: {error.args[0]}",
                    where=layer.where,
                    cure="see the package",
                ) from error
        with path.open("rb") as file:
            diff_id = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if layer.diff_id and diff_id != layer.diff_id:
            raise ManifestError(
                "this layer is not the one that it promises to be",
                where=layer.where,
                evidence=f"promised {layer.diff_id}\nbuilt    {diff_id}",
                cure="check the package and the blob",
            )
        layers.append((diff_id, path))
        history.append({"created": owner.created, "created_by": layer.instruction, "comment": "buildkit.dockerfile.v0"})
    config = json.dumps(
        {
            "architecture": base.platform.split("/")[1],
            "os": base.platform.split("/")[0],
            "created": base.created,
            "config": {"Env": base.env, "Cmd": base.command, "WorkingDir": base.workdir},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for diff_id, _ in layers]},
            "history": history,
        },
        sort_keys=True,
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    names = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id, _ in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [engine_tag(name)], "Layers": names}]).encode()
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for (_, path), member in zip(layers, names, strict=True):
            info = tarfile.TarInfo(member)
            info.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(info, file)
            path.unlink()  # the archive holds it now: half the disk
        for content, member in ((config, config_name), (manifest, "manifest.json")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return archive


def engine_tag(name: str) -> str:
    """The name under which an archive carries its image: a tag is always explicit in it."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def _write_layer(layer: Layer, package: Path | None, out: IO[bytes]) -> None:
    if package and layer.blob:
        with zipfile.ZipFile(package) as wheel, gzip.open(wheel.open(layer.blob)) as blob:
            if layer.without_apk:
                _copy_without(cast(IO[bytes], blob), out, layer.without_apk)
            else:
                while chunk := blob.read(1 << 20):
                    out.write(chunk)
        return
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        if package and layer.tree is not None:
            with zipfile.ZipFile(package) as wheel:
                _copy_tree(wheel, tar, layer)
        for directory in layer.directories:
            tar.addfile(_directory(directory, layer.mode))


def _copy_tree(wheel: zipfile.ZipFile, tar: tarfile.TarFile, layer: Layer) -> None:
    assert layer.tree is not None
    made: set[str] = set()
    if not any(name.startswith(layer.tree) for name in wheel.namelist()):
        raise KeyError(f"a folder {layer.tree}")
    for info in sorted(wheel.infolist(), key=lambda i: i.filename):
        name = info.filename.removeprefix(layer.tree)
        if name == info.filename or not name or name.endswith("/") or name in layer.drop:
            continue
        target = layer.at + name
        for parent in reversed(list(Path(target).parents)[:-1]):
            if str(parent) not in made:
                made.add(str(parent))
                tar.addfile(_directory(str(parent), 0o755))
        member = tarfile.TarInfo(target)
        member.size, member.mode = info.file_size, (info.external_attr >> 16) & 0o777
        with wheel.open(info) as content:
            tar.addfile(member, content)


def _copy_without(blob: IO[bytes], out: IO[bytes], without: tuple[str, ...]) -> None:
    """Copy a layer without what these Alpine packages put into it, their records in the package database included."""
    with tarfile.open(fileobj=blob, mode="r:") as source:
        database = source.extractfile(_APK_DB)
        assert database is not None
        records = database.read().decode().split("\n\n")
        dropped = [r for r in records if any(f"P:{name}" in r.splitlines() for name in without)]
        if len(dropped) != len(without):
            raise KeyError(f"one of the Alpine packages {', '.join(without)}")
        files = set().union(*(_apk_paths(r) for r in dropped)) - set().union(
            *(_apk_paths(r) for r in records if r not in dropped)
        )
        edits = {_APK_DB: "\n\n".join(r for r in records if r not in dropped).encode()}
        with contextlib.suppress(KeyError):  # a layer that adds no package of its own choice has none
            world = source.extractfile(_APK_WORLD)
            assert world is not None
            kept = [line for line in world.read().decode().splitlines() if line not in without]
            edits[_APK_WORLD] = ("\n".join(kept) + "\n").encode()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as target:
            for member in source:
                if member.name.rstrip("/") in files:
                    continue
                if (edit := edits.get(member.name)) is not None:
                    member.size = len(edit)
                    target.addfile(member, io.BytesIO(edit))
                else:
                    target.addfile(member, source.extractfile(member) if member.isreg() else None)


def _apk_paths(record: str) -> set[str]:
    """The folders (F:) and files (R:, in the folder above it) of one record of Alpine's package database."""
    paths, folder = set(), ""
    for line in record.splitlines():
        if line.startswith("F:"):
            folder = line[2:]
            paths.add(folder)
        elif line.startswith("R:"):
            paths.add(f"{folder}/{line[2:]}")
    return paths


def _directory(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info


def wanted(snippets: list[Snippet]) -> Iterator[str]:
    """The bases that these snippets name, each once."""
    yield from dict.fromkeys(image for snippet in snippets for image in snippet.bases)
