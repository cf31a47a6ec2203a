"""snippet.toml → Snippet and Step, validated; every error names the file and the line.

A snippet is a folder: `snippet.toml`, `context/` (what a reader would copy) and `captured/` (written by the tool).
"""

from __future__ import annotations

import keyword
import os
import re
import time
from pathlib import Path

from proof.core import units
from proof.core.errors import ManifestError, Where
from proof.core.folder_cache import CLOCK_RESOLUTION
from proof.core.text import did_you_mean
from proof.core.toml_table import Table
from proof.snippets import commands, context, dockerfile, places
from proof.snippets.commands import full_name
from proof.snippets.dockerfile import Dockerfile
from proof.snippets.model import FactRule, Snippet, Step

DEADLINE = 300.0  # seconds for a step that names no `timeout`: a cold `go build` takes about 10 s on two cores
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")  # a snippet, a step or a fact: usable in an expression like single.size
VARIANT = re.compile(r"(?!registry$|rebuilt$)[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # a value of a matrix: a folder
_STEPS = 100  # of a snippet; the longest honest one has 12
_VALUES = 50  # of a matrix; the longest honest one has 8
_PATTERNS = 40  # of a step; the most that an honest one has are 10
UNITS = units.UNITS  # what a fact taken out of a step's output may be measured in


def variants(folder: Path) -> list[Snippet]:
    """The snippet in `folder`; of a matrix, one for each value of its variable.

    A matrix is one variable, `[matrix]` with `go = ["1.26", "1.27"]`: `{go}` stands for the value wherever it is used
    in snippet.toml, and the snippets are called folder_1_26 and so on.
    Read once for as long as its files stay as they are: the pages of a site ask for each snippet many times.
    Raises ManifestError or RefusedError with the file and line.
    """
    if folder.is_symlink():
        raise ManifestError("this folder is a link", where=Where(folder), hint="a folder of its own")
    files, found = _READ.get(folder, ({}, []))
    if not files or any(_written(path) != at for path, at in files.items()):
        began = time.time_ns()
        found = _variants(folder)
        # Folders too: what is put into a context has to be checked before it is copied.
        folders = (Path(parent) for parent, _, _ in os.walk(folder / "context"))
        paths = (
            folder / "snippet.toml",
            folder / "captured",
            *(d.path for s in found for d in s.dockerfiles.values()),
            *folders,
        )
        files = {path: _written(path) for path in paths}
        # What was written a moment ago may be written once more within the clock's resolution: read it again then.
        if max(files.values()) < began - CLOCK_RESOLUTION:
            _READ[folder] = files, found
            if len(_READ) > _KEPT:
                del _READ[next(iter(_READ))]
    return list(found)


# What was read of each folder: its files, each with its time, and the snippets.
_READ: dict[Path, tuple[dict[Path, int], list[Snippet]]] = {}
_KEPT = 150  # folders: more than most sites name, and not all of a project of any size


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _variants(folder: Path) -> list[Snippet]:
    root = folder.parents[1]
    table = Table.read(folder / "snippet.toml", below=root)
    context.check(folder / "context")
    places.check(folder / "captured")
    values = _matrix(folder, table)
    places.check_declared(folder / "captured", [value for _, value in values] or [""])
    if not values:
        return [_load(folder, table)]
    return [_load(folder, Table.read(table.path, {name: value}, below=root), value) for name, value in values]


def _matrix(folder: Path, table: Table) -> list[tuple[str, str]]:
    """The variable of a matrix with each of its values; none where the manifest has no matrix."""
    matrix = table.data.get("matrix")
    if matrix is None:
        return []
    values = next(iter(matrix.values())) if isinstance(matrix, dict) and len(matrix) == 1 else None
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        raise table.error("matrix", "a matrix is one variable with its values", 'matrix = { go = ["1.26", "1.27"] }')
    (variable,) = matrix
    if not NAME.fullmatch(variable):  # it is replaced wherever it stands in braces, be it in the middle of a table
        raise table.error("matrix", f"'{variable}' is no name for a variable", 'letters, digits and _, like "go"')
    if len(values) > _VALUES:
        raise table.error("matrix", f"{len(values)} values are too many for a matrix", f"{_VALUES} at most")
    for value in values:
        if not VARIANT.fullmatch(value):
            raise table.error("matrix", f"'{value}' is no value for a matrix: it names a folder", "like 1.27 or alpine")
    if len({places.name_of(folder, value) for value in values}) != len(values):
        raise table.error("matrix", "two values of the matrix have the same name", "take one of them out")
    return [(variable, value) for value in values]


def load(folder: Path) -> Snippet:
    """Read and validate the snippet in a folder that is no matrix; ManifestError or RefusedError with the line."""
    return variants(folder)[0]


def _load(folder: Path, table: Table, variant: str = "") -> Snippet:
    name = places.name_of(folder, variant)
    if not NAME.fullmatch(folder.name):
        raise table.error(
            "",
            f"the folder's name '{folder.name}' cannot stand in {{{{ {folder.name}.size }}}}",
            "letters, digits, _",
        )
    table.allow("title", "image", "noise", "transfer", "slow", "matrix", "step")
    if len(tables := table.tables("step")) > _STEPS:
        raise table.error("", f"{len(tables)} steps are too many for a snippet", f"{_STEPS} at most")
    steps = tuple(_step(name, t) for t in tables)
    if not steps:
        raise table.error("", "there is no [[step]] in this file", 'add one:  [[step]]  name = "run"  command = "…"')
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise ManifestError(f"two steps are called '{step.name}'", where=step.where, hint="rename one of them")
        seen.add(step.name)
    _check_facts(steps)
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
        slow=table.flag("slow"),
        variant=variant,
        where=Where(table.path),
    )
    tags = [tag for step in steps for tag in step.command.tags]
    if snippet.image and snippet.image not in tags:
        raise table.error(
            "image", f"no step builds '{snippet.image}'", f"one of: {', '.join(tags) or 'add a docker build'}"
        )
    return snippet


def _check_facts(steps: tuple[Step, ...]) -> None:
    """Raises ManifestError for a fact that would take the place of another one."""
    seen: set[str] = set()
    for rule in (rule for step in steps for rule in step.facts):
        if rule.name in seen or units.unit_of(rule.name):
            what = "read twice" if rule.name in seen else "measured of every image"
            raise ManifestError(f"the fact '{rule.name}' is {what}", where=rule.where, hint="another name")
        seen.add(rule.name)


def _noise(table: Table) -> int:
    """The bytes in `noise = { bytes = …, because = "…" }`: a size that is not exact says why.

    Without `bytes` the sizes are exact, and the content of the layers is not: a command wrote a time into a file.
    """
    if "noise" not in table.data:
        return 0
    noise = table.subtable("noise")
    noise.allow("bytes", "because")
    noise.text("because", required=True)
    if "bytes" not in noise.data:
        return 0
    if not 0 < (size := noise.integer("bytes", 0)) <= 1_000_000:
        raise table.error("noise", f"{size} bytes are no noise", "more than none, and less than a megabyte")
    return size


def _step(snippet: str, table: Table) -> Step:
    table.allow(
        "name", "command", "inside", "exit", "expect", "remedy", "show", "ignore", "timeout", "facts", "unshown"
    )
    name = table.text("name", required=True)
    if not NAME.fullmatch(name):
        raise table.error("name", f"'{name}' is no name for a step", "letters, digits and _, like build or image_ls")
    text = table.text("command", required=True)
    inside = table.text("inside") or None
    code, expect = table.integer("exit", 0), table.text("expect")
    if not 0 <= code <= 255:
        raise table.error("exit", f"{code} is no exit code", "between 0 and 255")
    if code != 0 and not expect:
        raise table.error("exit", "an expected failure says what it prints", 'expect = "a piece of the message"')
    if code == 0 and expect:
        raise table.error("expect", "`expect` belongs to an expected failure", "give the `exit` code too")
    remedy = table.text("remedy")
    if code == 0 and remedy:
        raise table.error("remedy", "`remedy` belongs to an expected failure", "give the `exit` code and `expect` too")
    timeout = table.number("timeout", DEADLINE)
    if not 0 < timeout <= 3600:
        raise table.error("timeout", f"{timeout:g} s is no deadline", "between 1 and 3600 seconds")
    facts, show, ignore = table.subtables("facts"), table.texts("show"), table.texts("ignore")
    if (patterns := len(facts) + len(show) + len(ignore)) > _PATTERNS:
        raise table.error("", f"{patterns} regular expressions are too many for a step", f"{_PATTERNS} at most")
    rules = []
    for fact in facts:
        fact.allow("match", "unit", "tolerance", "volatile")
        unit = fact.text("unit", required=True)
        if unit not in UNITS:
            raise fact.error(
                "unit", f"'{unit}' is no unit{did_you_mean(unit, list(UNITS))}", f"one of: {', '.join(UNITS)}"
            )
        pattern = fact.pattern("match", fact.text("match", required=True))
        if pattern.groups != 1:
            raise fact.error("match", "the pattern needs exactly one (group): the value", r'match = "^(\\d+) files"')
        if not NAME.fullmatch(fact.name) or keyword.iskeyword(fact.name):
            raise fact.error("", f"'{fact.name}' is no name for a fact", "letters, digits and _")
        tolerance = fact.number("tolerance", 0.0)
        if not 0 <= tolerance < 1:
            raise fact.error("tolerance", "a tolerance is a share, from 0 to 1", "tolerance = 0.01")
        rules.append(FactRule(fact.name, pattern, unit, tolerance, fact.text("volatile"), fact.where()))
    return Step(
        snippet=snippet,
        name=name,
        text=text,
        command=commands.parse(text, where=table.where("command"), inside=inside is not None),
        inside=inside,
        exit=code,
        expect=expect,
        remedy=remedy,
        show=tuple(table.pattern("show", p) for p in show),
        ignore=tuple(table.pattern("ignore", p) for p in ignore),
        timeout=timeout,
        facts=tuple(rules),
        unshown=table.text("unshown"),
        where=table.where(),
    )


def _references(folder: Path, steps: tuple[Step, ...]) -> tuple[dict[str, Dockerfile], dict[str, Where]]:
    """The Dockerfiles that the builds read, and every image that comes from outside the snippet."""
    dockerfiles: dict[str, Dockerfile] = {}
    bases: dict[str, Where] = {}
    built: set[str] = set()
    for step in steps:
        if step.inside:
            bases.setdefault(step.inside, step.where)
        if step.command.verb == "build":
            names = step.command.values("--file", "-f") or ["Dockerfile"]
            path = folder / "context" / names[-1]
            if not context.holds(folder / "context", names[-1]):
                raise ManifestError(f"there is no {path.name} in {path.parent}", where=step.where, hint=f"write {path}")
            arguments = dict(a.partition("=")[::2] for a in step.command.values("--build-arg"))
            dockerfiles[step.name] = dockerfile.parse(path, arguments, below=folder.parents[1])
            for image, where in dockerfiles[step.name].images.items():
                if full_name(image) not in built:
                    bases.setdefault(image, where)
            built.update(full_name(tag) for tag in step.command.tags)
        for image in step.command.images:
            if full_name(image) not in built:
                bases.setdefault(image, step.where)
    return dockerfiles, bases
