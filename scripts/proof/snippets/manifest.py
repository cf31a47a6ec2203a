"""Reads and validates snippet.toml. Every error names the file and the line.

A snippet is a directory with `snippet.toml`, `context/` (the files that a reader would copy) and `captured/` (written
by the tool).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from proof.core import units
from proof.core.errors import ManifestError, Where, command
from proof.core.folder_cache import CLOCK_RESOLUTION
from proof.core.limits import limited
from proof.core.toml_table import Table
from proof.snippets import context, dockerfile, keys, places
from proof.snippets.commands import FILE, PUBLISH, full_name
from proof.snippets.dockerfile import Dockerfile
from proof.snippets.model import Snippet, Step
from proof.snippets.steps import MOST_PATTERNS, NAME, NAME_HINT, check_fact_name, read_steps

# A value of a matrix, used as a directory name next to those of the origins.
VARIANT = re.compile(rf"(?!(?:{'|'.join(sorted(places.NAMES))})$)[A-Za-z0-9][A-Za-z0-9._-]{{0,39}}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._+@-]{1,80})+", re.ASCII)  # in an image
_DEEPEST = 12  # directories in such a path
_STEPS = 100  # of a snippet; real ones have up to 12
_VALUES = 50  # of a matrix; real ones have up to 8


def variants(folder: Path) -> list[Snippet]:
    """The snippet in `folder`, or one snippet for each value of its matrix.

    A matrix has one variable, as in `[matrix]` with `go = ["1.26", "1.27"]`. In snippet.toml, `{go}` is replaced by the
    value. The snippets are called folder_1_26 and so on.
    The result is cached until the files change, because the pages of a site ask for each snippet many times.
    Raises ManifestError or RefusedError, with the file and line.
    """
    if folder.is_symlink():
        raise ManifestError("this directory is a symbolic link", where=Where(folder), hint="use a real directory")
    files, found = _READ.get(folder, ({}, []))
    if not files or any(_written(path) != at for path, at in files.items()):
        began = time.time_ns()
        with limited(Where(folder / "snippet.toml")):
            found, inside = _variants(folder)
        paths = (
            f"{folder}/snippet.toml",
            f"{folder}/captured",
            *(str(d.path) for s in found for d in s.dockerfiles.values()),
            *inside,  # because new files in a context have to be checked
        )
        files = {path: _written(path) for path in paths}
        # A file that was just written may change again without a new time, so it is not cached yet.
        if max(files.values()) < began - CLOCK_RESOLUTION:
            _READ[folder] = files, found
            if len(_READ) > _KEPT:
                del _READ[next(iter(_READ))]
    return list(found)


# For each directory: the files that were read with their modification times, and the snippets.
_READ: dict[Path, tuple[dict[str, int], list[Snippet]]] = {}
_KEPT = 150  # directories; more than most sites use, and a limit for very large projects


def _written(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - quicker
    except OSError:
        return -1


def _variants(folder: Path) -> tuple[list[Snippet], list[str]]:
    """The snippets, and the directories of their context."""
    root = folder.parents[1]
    table = Table.read(folder / "snippet.toml", below=root)
    inside = context.check(folder / "context")
    places.check(folder / "captured")
    values = _matrix(folder, table)
    places.check_declared(folder / "captured", [value for _, value in values] or [""])
    if not values:
        return [_load(folder, table)], inside
    read = [_load(folder, Table.read(table.path, {name: value}, below=root), value) for name, value in values]
    return read, inside


def _matrix(folder: Path, table: Table) -> list[tuple[str, str]]:
    """A pair for each value of the matrix: the name of its variable, and the value. Empty without a matrix."""
    matrix = table.data.get("matrix")
    if matrix is None:
        return []
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
            raise table.error(
                "matrix",
                f"invalid matrix value '{value}': it has to be a directory name",
                "use a value like 1.27 or alpine",
            )
    if len({places.name_of(folder, value) for value in values}) != len(values):
        raise table.error("matrix", "two values of the matrix have the same name", "remove one of them")
    return [(variable, value) for value in values]


def _load(folder: Path, table: Table, variant: str = "") -> Snippet:
    name = places.name_of(folder, variant)
    if not NAME.fullmatch(folder.name):
        raise table.error(
            "",
            f"invalid directory name '{folder.name}': pages could not use {{{{ {folder.name}.size }}}}",
            NAME_HINT,
        )
    table.allow(*keys.SNIPPET)
    if len(tables := table.tables("step")) > _STEPS:
        raise table.error("", f"too many steps: {len(tables)}", f"use at most {_STEPS}")
    steps = read_steps(name, tables)
    if not steps:
        raise table.error("", "no [[step]] in this file", 'add [[step]]  name = "run"  command = "…"')
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise ManifestError(f"two steps are called '{step.name}'", where=step.where, hint="rename one of them")
        seen.add(step.name)
    _check_containers(steps)
    contents = _contents(table)
    _check_facts(steps, contents or {}, table)
    dockerfiles, bases = _references(folder, steps)
    snippet = Snippet(
        name=name,
        folder=folder,
        title=table.text("title", required=True),
        image=table.text("image") or None,
        steps=steps,
        dockerfiles=dockerfiles,
        bases=bases,
        noise=_noise(table),
        varies="noise" in table.data,
        transfer=table.flag("transfer"),
        contents=contents,
        slow=table.flag("slow"),
        variant=variant,
        where=Where(table.path),
    )
    tags = [tag for step in steps for tag in step.command.tags]
    if snippet.image and snippet.image not in tags:
        raise table.error(
            "image",
            f"no step builds '{snippet.image}'",
            f"use one of: {', '.join(tags)}" if tags else "add a docker build",
        )
    return snippet


def _contents(table: Table) -> dict[str, str] | None:
    """The facts of `contents = { NAME = "/path" }`, each with its path; None if the contents are not asked for."""
    if "contents" not in table.data:
        return None
    if not table.data.get("image"):
        raise table.error("contents", "`contents` needs an image", 'add image = "…"')
    facts = table.subtable("contents")
    if len(facts.data) > MOST_PATTERNS:
        raise table.error("contents", f"too many paths: {len(facts.data)}", f"use at most {MOST_PATTERNS}")
    for name in facts.data:
        check_fact_name(facts, name, name)
        path = facts.text(name, required=True)
        if not _PATH.fullmatch(path) or path.count("/") > _DEEPEST or {".", ".."}.intersection(path.split("/")):
            hint = 'write an absolute path without a slash at its end, like "/usr/local/go"'
            raise facts.error(name, f"invalid path '{path:.100}'", hint)
    return {name: facts.text(name) for name in facts.data}


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


def _check_facts(steps: tuple[Step, ...], contents: Mapping[str, str], table: Table) -> None:
    """Raises ManifestError for a fact with the name of another one."""
    for name in contents:
        if units.unit_of(name):
            what = f"the fact name '{name}' is reserved: the tool measures it for every image"
            raise table.error("contents", what, "use another name")
    seen = set(contents)
    for rule in (rule for step in steps for rule in step.facts):
        if rule.name in seen or units.unit_of(rule.name):
            twice = f"two facts are called '{rule.name}'"
            reserved = f"the fact name '{rule.name}' is reserved: the tool measures it for every image"
            what = twice if rule.name in seen else reserved
            raise ManifestError(what, where=rule.where, hint="use another name")
        seen.add(rule.name)


def _noise(table: Table) -> int:
    """The number of bytes in `noise = { bytes = …, because = "…" }`, by which sizes may differ from build to build.

    Without `bytes`, only the content of the layers differs, as when a command writes the time into a file.
    """
    if "noise" not in table.data:
        return 0
    noise = table.subtable("noise")
    noise.allow(*keys.NOISE)
    noise.text("because", required=True)
    if "bytes" not in noise.data:
        return 0
    if not 0 < (size := noise.integer("bytes", 0)) <= 1_000_000:
        raise table.error("noise", f"invalid noise: {size} bytes", "use 1 to 1,000,000")
    return size


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
            bases.setdefault(step.inside, step.where)
        if step.command.verb == "build":
            names = step.command.values(*FILE) or ["Dockerfile"]
            path = inside / names[-1]
            if not context.holds(inside, names[-1]):
                raise ManifestError(f"no {path.name} in {path.parent}", where=step.where, hint=f"write {path}")
            arguments = dict(a.partition("=")[::2] for a in step.command.values("--build-arg"))
            dockerfiles[step.name] = dockerfile.parse(path, arguments, below=folder.parents[1])
            for image, where in dockerfiles[step.name].images.items():
                if full_name(image) not in built:
                    bases.setdefault(image, where)
            _check_secrets(inside, step)
        for image in step.command.images:
            if step.command.verb == "rmi" and full_name(image) not in built:
                raise ManifestError(
                    f"no earlier step makes the image '{image}'",
                    where=step.where,
                    evidence=step.text,
                    hint="only images of the snippet can be removed; others need their base images too",
                )
            if full_name(image) not in built:
                bases.setdefault(image, step.where)
        built.update(map(full_name, step.command.creates))
        if step.command.verb == "rmi":
            built.difference_update(map(full_name, step.command.images))
    return dockerfiles, bases
