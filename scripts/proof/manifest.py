"""snippet.toml → Snippet and Step, validated; every error names the file and the line.

A snippet is a folder: `snippet.toml`, `context/` (what a reader would copy) and `captured/` (written by the tool).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof import commands, dockerfile
from proof.commands import Command
from proof.dockerfile import Dockerfile
from proof.errors import ManifestError, UsageError, Where, did_you_mean

DEADLINE = 300.0  # seconds for a step that names no `timeout`: a cold `go build` takes about 10 s on two cores
NAME = re.compile(r"[a-z][a-z0-9_]*")  # a snippet, a step or a fact: usable in an expression like single.size
VARIANT = re.compile(r"(?!registry$|rebuilt$)[A-Za-z0-9][A-Za-z0-9._-]*")  # a value of a matrix: a folder beside them
_DOTTED = r"""((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)"""  # a TOML key
_HEADER = re.compile(rf"\s*\[\[?\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*{_DOTTED}\s*=")
UNITS = ("B", "KiB", "s", "count", "text")  # what a fact taken out of a step's output may be measured in


@dataclass(frozen=True)
class FactRule:
    """A fact that is read out of a step's output."""

    name: str
    match: re.Pattern[str]  # its first group is the value
    unit: str  # one of UNITS
    tolerance: float  # by which share of itself it may differ from run to run
    volatile: str  # why it is never the same twice, and so not compared; empty for all others
    where: Where


@dataclass(frozen=True)
class Step:
    """One command of a snippet, and what a page shows of its output."""

    snippet: str
    name: str
    text: str  # the command, as shown
    command: Command
    inside: str | None  # the base whose container runs it, on a copy of the context
    exit: int  # the exit code it must have
    expect: str  # a piece of the output of an expected failure; empty for a success
    show: tuple[re.Pattern[str], ...]  # the lines to show; empty means all of them
    ignore: tuple[re.Pattern[str], ...]  # text that may differ from run to run
    timeout: float  # seconds
    facts: tuple[FactRule, ...]
    unshown: str  # why no page shows it; empty where one must
    where: Where

    def __str__(self) -> str:
        return f"{self.snippet}/{self.name}"


@dataclass(frozen=True)
class Snippet:
    """A folder with a context and the commands that a page shows of it."""

    name: str
    folder: Path
    title: str
    image: str | None  # the tag whose image is measured
    steps: tuple[Step, ...]
    dockerfiles: dict[str, Dockerfile]  # by step name
    bases: dict[str, Where]  # every base that its Dockerfiles, runs and `inside`s name, and where
    transfer: bool  # whether to measure what a registry would send as well
    slow: bool  # left out by `--quick`
    variant: str  # of a matrix: which value it has; else empty
    where: Where

    def __str__(self) -> str:
        return self.name

    @property
    def context(self) -> Path:
        """What a reader would copy, and the only build context."""
        return self.folder / "context"

    @property
    def captured(self) -> Path:
        """Where the tool keeps what happened, one folder for each origin of the bases."""
        return self.folder / "captured" / self.variant

    def image_base(self) -> str | None:
        """The base under the measured image, `scratch`, or None where no image is measured."""
        for step in reversed(self.steps):  # a later build of the same tag replaces the image
            if self.image in step.command.tags:
                targets = step.command.values("--target")
                return self.dockerfiles[step.name].base_of(targets[-1] if targets else None)
        return None


def find_root(start: Path) -> Path:
    """The project around `start`: the nearest folder upwards that has a snippets/bases.toml.

    Raises UsageError where there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "snippets" / "bases.toml").is_file():
            return folder
    raise UsageError(
        f"no snippets/bases.toml in {start} or above it",
        cure="run this inside a project, or pass --project DIR",
    )


def load_all(root: Path, names: list[str] | None = None) -> list[Snippet]:
    """Every snippet of the project, or those in `names`, sorted by name.

    Raises UsageError for an unknown name, and where there is no snippet at all: a run of nothing proves nothing.
    """
    found = [s for p in sorted((root / "snippets").glob("*/snippet.toml")) for s in variants(p.parent)]
    known = list(dict.fromkeys([s.folder.name for s in found] + [s.name for s in found]))
    if not known:
        raise UsageError(f"there is no snippet in {root / 'snippets'}", cure="mkdir snippets/NAME, see CONTRIBUTING.md")
    for name in names or []:
        if name not in known:
            raise UsageError(
                f"there is no snippet '{name}'{did_you_mean(name, known)}", cure=f"one of: {', '.join(known)}"
            )
    return [s for s in found if not names or s.name in names or s.folder.name in names]


def find(snippets: Path, name: str) -> Snippet:
    """The snippet of this name below the folder `snippets`, be it a folder's own or one of a matrix.

    Raises UsageError where there is none.
    """
    if (snippets / name / "snippet.toml").is_file() and len(found := variants(snippets / name)) == 1:
        return found[0]
    known = []
    for path in sorted(snippets.glob("*/snippet.toml")):
        if name.startswith(f"{path.parent.name}_"):
            for snippet in variants(path.parent):
                if snippet.name == name:
                    return snippet
                known.append(snippet.name)
        known.append(path.parent.name)
    raise UsageError(f"there is no snippet '{name}'{did_you_mean(name, known)}", cure=f"one of: {', '.join(known)}")


def variants(folder: Path) -> list[Snippet]:
    """The snippet in `folder`; of a matrix, one for each value of its variable.

    A matrix is one variable, `[matrix]` with `go = ["1.26", "1.27"]`: `{go}` stands for the value wherever it is used
    in snippet.toml, and the snippets are called folder_1_26 and so on.
    Raises ManifestError or RefusedError with the file and line.
    """
    table = Table.read(folder / "snippet.toml")
    matrix = table.data.get("matrix")
    if matrix is None:
        return [_load(folder, table)]
    values = next(iter(matrix.values())) if isinstance(matrix, dict) and len(matrix) == 1 else None
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        raise table.error("matrix", "a matrix is one variable with its values", 'matrix = { go = ["1.26", "1.27"] }')
    for value in values:
        if not VARIANT.fullmatch(value):
            raise table.error("matrix", f"'{value}' is no value for a matrix: it names a folder", "like 1.27 or alpine")
    if len({_variant_name(value) for value in values}) != len(values):
        raise table.error("matrix", "two values of the matrix have the same name", "take one of them out")
    (variable,) = matrix
    return [_load(folder, Table.read(table.path, {variable: value}), value) for value in values]


def load(folder: Path) -> Snippet:
    """Read and validate the snippet in a folder that is no matrix; ManifestError or RefusedError with the line."""
    return variants(folder)[0]


def _variant_name(value: str) -> str:
    return re.sub("[^a-z0-9]", "_", value.lower())


def _load(folder: Path, table: Table, variant: str = "") -> Snippet:
    name = f"{folder.name}_{_variant_name(variant)}" if variant else folder.name
    if not NAME.fullmatch(folder.name):
        raise table.error(
            "",
            f"the folder's name '{folder.name}' cannot stand in {{{{ {folder.name}.size }}}}",
            "letters, digits, _",
        )
    table.allow("title", "image", "transfer", "slow", "matrix", "step")
    steps = tuple(_step(name, t) for t in table.tables("step"))
    if not steps:
        raise table.error("", "there is no [[step]] in this file", 'add one:  [[step]]  name = "run"  command = "…"')
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise ManifestError(f"two steps are called '{step.name}'", where=step.where, cure="rename one of them")
        seen.add(step.name)
    dockerfiles, bases = _references(folder, steps)
    snippet = Snippet(
        name=name,
        folder=folder,
        title=table.text("title", required=True),
        image=table.text("image") or None,
        steps=steps,
        dockerfiles=dockerfiles,
        bases=bases,
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


def _step(snippet: str, table: Table) -> Step:
    table.allow("name", "command", "inside", "exit", "expect", "show", "ignore", "timeout", "facts", "unshown")
    name = table.text("name", required=True)
    if not NAME.fullmatch(name):
        raise table.error("name", f"'{name}' is no name for a step", "letters, digits and _, like build or image_ls")
    text = table.text("command", required=True)
    inside = table.text("inside") or None
    code, expect = table.integer("exit", 0), table.text("expect")
    if code != 0 and not expect:
        raise table.error("exit", "an expected failure says what it prints", 'expect = "a piece of the message"')
    if code == 0 and expect:
        raise table.error("expect", "`expect` belongs to an expected failure", "give the `exit` code too")
    timeout = table.number("timeout", DEADLINE)
    if not 0 < timeout <= 3600:
        raise table.error("timeout", f"{timeout:g} s is no deadline", "between 1 and 3600 seconds")
    rules = []
    for fact in table.subtables("facts"):
        fact.allow("match", "unit", "tolerance", "volatile")
        unit = fact.text("unit", required=True)
        if unit not in UNITS:
            raise fact.error(
                "unit", f"'{unit}' is no unit{did_you_mean(unit, list(UNITS))}", f"one of: {', '.join(UNITS)}"
            )
        pattern = fact.pattern("match", fact.text("match", required=True))
        if pattern.groups != 1:
            raise fact.error("match", "the pattern needs exactly one (group): the value", r'match = "^(\\d+) files"')
        if not NAME.fullmatch(fact.name):
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
        show=tuple(table.pattern("show", p) for p in table.texts("show")),
        ignore=tuple(table.pattern("ignore", p) for p in table.texts("ignore")),
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
            if not path.is_file():
                raise ManifestError(f"there is no {path.name} in {path.parent}", where=step.where, cure=f"write {path}")
            arguments = dict(a.partition("=")[::2] for a in step.command.values("--build-arg"))
            dockerfiles[step.name] = dockerfile.parse(path, arguments)
            for image, where in dockerfiles[step.name].images.items():
                if image not in built:
                    bases.setdefault(image, where)
            built.update(step.command.tags)
        for image in step.command.images:
            if image not in built:
                bases.setdefault(image, step.where)
    return dockerfiles, bases


class Table:
    """One TOML table that knows its file and lines: the shared reader of snippet.toml and bases.toml.

    tomllib keeps no line numbers, so the line of a key is looked up in the text when an error needs it.
    """

    def __init__(self, path: Path, text: str, data: Mapping[str, Any], *, header: str = "", nth: int = 0) -> None:
        self.path, self.data = path, data
        self.name = ""  # of a table that stands inline, as in facts.NAME = { … }
        self._text, self._header, self._nth = text, header, nth
        self._own_key = ""  # of an inline table: its lines are the line of that key

    @classmethod
    def read(cls, path: Path, substitutions: Mapping[str, str] | None = None) -> Table:
        """The whole file as a table, `{name}` replaced where asked; ManifestError where it is missing or no TOML."""
        try:
            text = path.read_text("utf-8")
            for name, value in (substitutions or {}).items():
                text = text.replace(f"{{{name}}}", value)
            return cls(path, text, tomllib.loads(text))
        except FileNotFoundError as error:
            raise ManifestError("there is no such file", where=Where(path), cure=f"write {path.name}") from error
        except UnicodeDecodeError as error:
            raise ManifestError("this is not UTF-8 text", where=Where(path), cure="save it as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            line = int(at[1]) if at else text.count("\n") + 1
            raise ManifestError(
                f"this is no TOML: {str(error).split(' (at')[0].lower()}",
                where=Where(path, line),
                evidence="\n".join(text.split("\n")[line - 1 : line]),
                cure="https://toml.io",
            ) from error

    def where(self, key: str = "") -> Where:
        """The line of `key` in this table, or of the table's own header."""
        key = self._own_key or key
        wanted = f"{self._header}.{key}".strip(".")
        header, seen, mine, here = "", -1, not self._header, 1
        for number, line in enumerate(self._text.split("\n"), start=1):
            if found := _HEADER.match(line):
                header = path = _plain(found[1])
                if header == self._header:
                    seen += 1
                    mine = seen == self._nth
                    here = number if mine else here
            elif found := _KEY.match(line):
                path = f"{header}.{_plain(found[1])}".strip(".")
            else:
                continue
            if mine and key and f"{path}.".startswith(f"{wanted}."):
                return Where(self.path, number)
        return Where(self.path, here)

    def error(self, key: str, what: str, cure: str) -> ManifestError:
        """A ManifestError at `key`, with the line as evidence."""
        where = self.where(key)
        line = self._text.split("\n")[where.line - 1] if where.line else ""
        return ManifestError(what, where=where, evidence=line.strip(), cure=cure)

    def allow(self, *keys: str) -> None:
        """Refuse every other key."""
        for key in self.data:
            if key not in keys:
                raise self.error(
                    key, f"unknown key '{key}'{did_you_mean(key, list(keys))}", f"one of: {', '.join(keys)}"
                )

    def text(self, key: str, *, required: bool = False) -> str:
        """A string; empty where it is absent and not required."""
        if required and not self.data.get(key):
            raise self.error("", f"`{key}` is missing here", f'{key} = "…"')
        return str(self._typed(key, str, "a string") or "")

    def flag(self, key: str) -> bool:
        """True or false; false where it is absent."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"`{key}` must be true or false", f"{key} = true")
        return value

    def integer(self, key: str, default: int) -> int:
        """A whole number."""
        value = self._typed(key, int, "a whole number")
        return default if value is None else int(value)

    def number(self, key: str, default: float) -> float:
        """A number."""
        value = self._typed(key, (int, float), "a number")
        return default if value is None else float(value)

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self._typed(key, list, "a list of strings") or []
        if not all(isinstance(item, str) for item in value):
            raise self.error(key, f"`{key}` must be a list of strings", f'{key} = ["…"]')
        return list(value)

    def pattern(self, key: str, text: str) -> re.Pattern[str]:
        """A regular expression, matched line by line."""
        try:
            return re.compile(text, re.MULTILINE)
        except re.error as error:
            raise self.error(
                key, f"'{text}' is no regular expression: {error}", "docs.python.org/3/library/re"
            ) from error

    def tables(self, key: str) -> list[Table]:
        """The tables of `[[key]]`."""
        value = self._typed(key, list, f"tables, each under [[{key}]]") or []
        if not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"`{key}` must be tables", f"[[{key}]]")
        header = f"{self._header}.{key}" if self._header else key
        before = 0
        if self._header:  # tables of a table: count those of the earlier siblings in the text
            before = self._count_before(header)
        return [Table(self.path, self._text, item, header=header, nth=before + i) for i, item in enumerate(value)]

    def subtables(self, key: str) -> list[Table]:
        """The tables in `key`, each with its `name`: key.NAME = { … }."""
        value = self._typed(key, dict, "a table") or {}
        found = []
        for name, item in value.items():
            if not isinstance(item, dict):
                raise self.error(f"{key}.{name}", f"`{key}.{name}` must be a table", f"{key}.{name} = {{ … }}")
            found.append(self._inline(f"{key}.{name}", name, item))
        return found

    def _inline(self, key: str, name: str, data: Mapping[str, Any]) -> Table:
        table = Table(self.path, self._text, data, header=self._header, nth=self._nth)
        table.name, table._own_key = name, key
        return table

    def _count_before(self, header: str) -> int:
        count, mine, seen = 0, False, -1
        for line in self._text.split("\n"):
            if found := _HEADER.match(line):
                name = _plain(found[1])
                if name == self._header:
                    seen += 1
                    mine = seen == self._nth
                if mine:
                    break
                count += name == header
        return count

    def _typed(self, key: str, kind: type | tuple[type, ...], called: str) -> Any:
        value = self.data.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.error(key, f"`{key}` must be {called}", f"{key} is {value!r} now")
        return value


def _plain(key: str) -> str:
    """A dotted TOML key without its quotes and blanks."""
    return re.sub(r"[\s\"']", "", key)
