"""Reads and validates snippet.toml. Every error names the file and the line.

A snippet is a directory with `snippet.toml`, `context/` (the files that a reader would copy) and `captured/` (written
by the tool).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from proof.core import declared, units
from proof.core.errors import ManifestError, Where, command
from proof.core.limits import limited
from proof.core.toml_table import Table
from proof.snippets import capture_locations, context, dockerfile
from proof.snippets.commands import FILE, PUBLISH, base_name, familiar
from proof.snippets.dockerfile import Dockerfile
from proof.snippets.engine_version import PLATFORM
from proof.snippets.model import NAME, NAME_HINT, Snippet, Step, check_fact_name

# A value of a matrix, used as a directory name next to those of the origins.
VARIANT = re.compile(rf"(?!(?:{'|'.join(sorted(capture_locations.NAMES))})$)[A-Za-z0-9][A-Za-z0-9._-]{{0,39}}")
_STEPS = 100  # of a snippet; real ones have up to 12
_VALUES = 50  # of a matrix; real ones have up to 8
_CONTENTS = 40  # paths; real snippets have up to 10


def variants(folder: Path) -> list[Snippet]:
    """The snippet in `folder`, or one snippet for each value of its matrix.

    A matrix has one variable, as in `[matrix]` with `go = ["1.26", "1.27"]`. In snippet.toml, `{go}` is replaced by the
    value. The snippets are called folder_1_26 and so on.
    Raises ManifestError or RefusedError, with the file and line.
    """
    if folder.is_symlink():
        raise ManifestError("this directory is a symbolic link", where=Where(folder), hint="use a real directory")
    with limited(Where(folder / "snippet.toml")):
        root = folder.parents[1]
        table = Table.read(folder / "snippet.toml", below=root)
        context.check(folder / "context")
        capture_locations.check(folder / "captured")
        variable, values = _matrix(folder, table)
        capture_locations.check_declared(folder / "captured", values)
        if not variable:
            return [_load(folder, table, "")]
        return [_load(folder, Table.read(table.path, {variable: value}, below=root), value) for value in values]


def _matrix(folder: Path, table: Table) -> tuple[str, list[str]]:
    """The name of the variable, and its values. Without a matrix, they are empty."""
    matrix = table.data.get("matrix")
    if matrix is None:
        return "", [""]
    values = next(iter(matrix.values())) if isinstance(matrix, dict) and len(matrix) == 1 else None
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        raise table.error(
            "matrix", "a matrix is one variable with its values", 'write matrix = { go = ["1.26", "1.27"] }'
        )
    (variable,) = matrix
    if not NAME.fullmatch(variable):  # {variable} is replaced everywhere in the file
        raise table.error("matrix", f"invalid variable name '{variable}'", 'use letters, digits and _, like "go"')
    if len(values) > _VALUES:
        raise table.error("matrix", f"too many matrix values: {len(values)}", f"use at most {_VALUES}")
    for value in values:
        if not VARIANT.fullmatch(value):
            what = f"invalid matrix value '{value}': it has to be a directory name"
            raise table.error("matrix", what, "use a value like 1.27 or alpine")
    if len({capture_locations.name_of(folder, value) for value in values}) != len(values):
        raise table.error("matrix", "two values of the matrix have the same name", "remove one of them")
    return variable, values


def _load(folder: Path, table: Table, variant: str) -> Snippet:
    if not NAME.fullmatch(folder.name):
        what = f"invalid directory name '{folder.name}': pages could not use {{{{ {folder.name}.size }}}}"
        raise table.error("", what, NAME_HINT)
    if len(tables := table.tables("step")) > _STEPS:
        raise table.error("", f"too many steps: {len(tables)}", f"use at most {_STEPS}")
    name = capture_locations.name_of(folder, variant)
    snippet = declared.read(Snippet, table, folder=folder, variant=variant, snippet=name, dockerfiles={}, bases={})
    seen: set[str] = set()
    for step in snippet.steps:
        if step.name in seen:
            raise ManifestError(f"two steps are called '{step.name}'", where=step.where, hint="rename one of them")
        seen.add(step.name)
    _check_containers(snippet.steps)
    _check_facts(snippet, table)
    tags = [tag for step in snippet.steps for tag in step.command.tags]
    if snippet.image and snippet.image not in tags:
        hint = f"use one of: {', '.join(tags)}" if tags else "add a docker build"
        raise table.error("image", f"no step builds '{snippet.image}'", hint)
    dockerfiles, bases = _references(folder, snippet.steps)
    return replace(snippet, dockerfiles=dockerfiles, bases=bases)


def _check_containers(steps: tuple[Step, ...]) -> None:
    """Raises ManifestError for a step that acts on a container, or on published ports, that no earlier step started."""
    running: set[str] = set()
    published = False
    for step in steps:
        if unknown := [name for name in step.command.containers if name not in running]:
            raise ManifestError(
                f"no earlier step starts a container called '{unknown[0]}'",
                where=step.where,
                evidence=step.text,
                hint=command("docker", "run", "-d", "--name", unknown[0], "IMAGE"),
            )
        if step.published and not published:
            hint = "docker run -d -p 8080:8080 IMAGE"
            raise ManifestError("no earlier step publishes a port", where=step.where, hint=hint)
        if step.command.verb == "rm":
            running -= {*step.command.containers}
        if (name := step.command.starts) in running:
            raise ManifestError(f"two containers are called '{name}'", where=step.where, hint="rename one of them")
        running |= {name} - {""}
        published |= step.command.verb == "detach" and bool(step.command.values(*PUBLISH))


def _check_facts(snippet: Snippet, table: Table) -> None:
    """Raises ManifestError for a fact with the name of another one, or with one that expressions could not use."""
    paths = snippet.contents or {}
    if snippet.contents is not None and not snippet.image:
        raise table.error("contents", "`contents` needs an image", 'add image = "…"')
    if len(paths) > _CONTENTS:
        raise table.error("contents", f"too many paths: {len(paths)}", f"use at most {_CONTENTS}")
    seen: set[str] = set()
    rules = [(rule.name, rule.where) for step in snippet.steps for rule in step.facts.values()]
    for name, where in [*((name, table.subtable("contents").where(name)) for name in paths), *rules]:
        if name in paths:
            check_fact_name(table.subtable("contents"), name, name)
        if name in seen or units.unit_of(name):
            reserved = f"the fact name '{name}' is reserved: the tool measures it for every image"
            what = f"two facts are called '{name}'" if name in seen else reserved
            raise ManifestError(what, where=where, evidence=name, hint="use another name")
        seen.add(name)


def _check_secrets(folder: Path, step: Step) -> None:
    """Raises ManifestError for a secret that is no file of the context: it would be one of whoever runs it."""
    for name in step.command.secrets:
        if not context.holds(folder, name):
            raise ManifestError(
                f"no {name} in {folder}", where=step.where, evidence=step.text, hint=f"write {folder / name}"
            )


def _references(folder: Path, steps: tuple[Step, ...]) -> tuple[dict[str, Dockerfile], dict[str, Where]]:
    """The Dockerfiles of the builds, by step name, and all images from outside, each with its first mention."""
    dockerfiles: dict[str, Dockerfile] = {}
    bases: dict[str, Where] = {}
    built: set[str] = set()
    inside = folder / "context"
    for step in steps:
        if step.inside:
            bases.setdefault(base_name(step.inside), step.where)
        if step.command.verb == "build":
            names = step.command.values(*FILE) or ["Dockerfile"]
            path = inside / names[-1]
            if not context.holds(inside, names[-1]):
                raise ManifestError(f"no {path.name} in {path.parent}", where=step.where, hint=f"write {path}")
            arguments = dict(a.partition("=")[::2] for a in step.command.values("--build-arg"))
            target, platform = ([None, *step.command.values(flag)][-1] for flag in ("--target", "--platform"))
            read = dockerfile.parse(
                path, arguments, target=target, platform=platform or PLATFORM, below=folder.parents[1]
            )
            dockerfiles[step.name] = read
            pinned = {base_name(mention.image) for mention in read.needed if mention.digest}
            for image, where in read.images.items():
                if familiar(image) not in built or image in pinned:
                    bases.setdefault(image, where)
            _check_secrets(inside, step)
        for image in step.command.images:
            if step.command.verb == "rmi" and familiar(image) not in built:
                raise ManifestError(
                    f"no earlier step makes the image '{image}'",
                    where=step.where,
                    evidence=step.text,
                    hint="only images of the snippet can be removed; others need their base images too",
                )
            if familiar(image) not in built:
                bases.setdefault(base_name(image), step.where)
        built.update(map(familiar, step.command.creates))
        if step.command.verb == "rmi":
            built.difference_update(map(familiar, step.command.images))
    _check_digests(steps, dockerfiles)
    return dockerfiles, bases


def _check_digests(steps: tuple[Step, ...], dockerfiles: Mapping[str, Dockerfile]) -> None:
    """Raises ManifestError for a digest in a command, or for a base that has one in one place and not in another."""
    for step in steps:
        if pinned := [image for image in step.command.images if "@" in image]:
            hint = f"write {base_name(pinned[0])}: bases.lock holds the digest"
            raise ManifestError("a command names a base without its digest", where=step.where, hint=hint)
    digests: dict[str, str] = {}
    for build in dockerfiles.values():
        for mention in build.needed:
            name = base_name(mention.image)
            if digests.setdefault(name, mention.digest) != mention.digest:
                where = Where(build.path, mention.first)
                what = f"{name} has another digest here than in another place, or one of them has none"
                raise ManifestError(what, where=where, hint="write the same digest in every FROM and --from")
