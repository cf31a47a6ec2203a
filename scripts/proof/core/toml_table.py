"""Reads the hand-written TOML files of a project, with the line of each table and key for error messages."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proof.core import files
from proof.core.errors import ManifestError, Where
from proof.core.patterns import Pattern
from proof.core.text import did_you_mean, first_invisible

_DOTTED = r"""((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)"""  # a TOML key
_HEADER = re.compile(rf"\s*\[\[?\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*{_DOTTED}\s*=")
_BRACKET = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\#.*)|([\n\[\]{}])""")  # or a line's end; not in strings
_ALLOWED = " \t\n"
_LARGEST = 250_000  # bytes; nobody writes, or reads, a longer one by hand
_DEEP = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")  # tomllib takes minutes
_INTEGERS = 2**63  # as TOML has them; Python would read any, and then not write it


class Table:
    """One TOML table that knows its file and lines: the shared reader of snippet.toml and bases.toml.

    tomllib keeps no line numbers, so the line of a key is looked up in the text when an error needs it.
    """

    def __init__(
        self, path: Path, text: str, data: Mapping[str, Any], *, header: str = "", nth: int = 0, line: int = 0
    ) -> None:
        self.path, self.data = path, data
        self.name = ""  # of a table that stands inline, as in facts.NAME = { … }
        self._text, self._header, self._nth = text, header, nth
        self._first = 1  # line of the text
        self._own_key = ""  # of an inline table: its lines are the line of that key
        self._own_line = line  # of an inline table in an array: where it begins

    @classmethod
    def read(cls, path: Path, substitutions: Mapping[str, str] | None = None, *, below: Path) -> Table:
        """The whole file as a table, with `{name}` replaced for each of the `substitutions`.

        `below` is the project: see `files.read`. Raises ManifestError if the file is missing or invalid.
        """
        try:
            text = files.read_text(path, below=below, limit=_LARGEST)
        except FileNotFoundError as error:
            raise ManifestError("no such file", where=Where(path), hint=f"write {path.name}") from error
        text = text.replace("\r\n", "\n")
        # With a change of the text direction, say, a reviewer sees another file than the tool reads.
        if hidden := first_invisible(text, _ALLOWED):
            line, shown = next(
                (n, s) for n, s in enumerate(text.split("\n"), start=1) if first_invisible(s, _ALLOWED) == hidden
            )
            raise ManifestError(
                f"invisible character {hidden}",
                where=Where(path, line),
                evidence=shown,
                hint=r"remove it, or write it as an escape like \u00AD",
            )
        for name, value in (substitutions or {}).items():
            text = text.replace(f"{{{name}}}", value)
        return cls.parse(path, text)

    @classmethod
    def parse(cls, path: Path, text: str, *, above: int = 0) -> Table:
        """A part of the file `path`, below `above` other lines. Raises ManifestError if it is invalid."""
        text = "\n" * above + text
        if deep := _DEEP.search(text):
            raise ManifestError(
                "this key has too many parts",
                where=Where(path, text.count("\n", 0, deep.start()) + 1),
                evidence=f"{deep[0]:.80}",
                hint="use at most three parts, as in facts.size.match",
            )
        try:
            table = cls(path, text, tomllib.loads(text))
            _check_integers(table.data)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            line = int(at[1]) if at else text.count("\n") + 1
            raise ManifestError(
                f"invalid TOML: {str(error).split(' (at')[0].lower()}",
                where=Where(path, line),
                evidence="\n".join(text.split("\n")[line - 1 : line]),
                hint="https://toml.io",
            ) from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits; tables in tables in tables
            raise ManifestError(
                "this TOML cannot be read",
                where=Where(path),
                evidence=str(error),
                hint="use fewer digits and less nesting",
            ) from error
        table._first = above or 1
        return table

    def where(self, key: str = "") -> Where:
        """The line of `key` in this table, or of the table's own header."""
        if self._own_line:
            return Where(self.path, self._own_line)
        key = self._own_key or key
        wanted = f"{self._header}.{key}".strip(".")
        seen, mine, here = -1, not self._header, self._first
        for number, path, opens in _outline(self._text):
            if opens and path == self._header:
                seen += 1
                mine = seen == self._nth
                here = number if mine else here
            if mine and key and f"{path}.".startswith(f"{wanted}."):
                return Where(self.path, number)
        return Where(self.path, here)

    def error(self, key: str, what: str, hint: str) -> ManifestError:
        """A ManifestError at the line of `key`, with that line as evidence."""
        where = self.where(key)
        line = self._text.split("\n")[where.line - 1] if where.line else ""
        return ManifestError(what, where=where, evidence=line.strip(), hint=hint)

    def allow(self, *keys: str) -> None:
        """Raise ManifestError for any other key."""
        for key in self.data:
            if key not in keys:
                raise self.error(
                    key, f"unknown key '{key}'{did_you_mean(key, list(keys))}", f"one of: {', '.join(keys)}"
                )

    def text(self, key: str, *, required: bool = False) -> str:
        """A string; empty if it is missing and not required."""
        if required and not self.data.get(key):
            raise self.error("", f"`{key}` is missing", f'add {key} = "…"')
        return str(self._typed(key, str, "a string") or "")

    def flag(self, key: str) -> bool:
        """A boolean; false if it is missing."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"`{key}` must be true or false", f"write {key} = true")
        return value

    def integer(self, key: str, default: int) -> int:
        """A whole number."""
        value = self._typed(key, int, "a whole number")
        return default if value is None else int(value)

    def number(self, key: str, default: float) -> float:
        """A number."""
        value = self._typed(key, (int, float), "a number")
        try:
            return default if value is None else float(value)
        except OverflowError as error:
            raise self.error(key, f"`{key}` is too large", f"write a smaller number, like {default:g}") from error

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self._typed(key, list, "a list of strings") or []
        if not all(isinstance(item, str) for item in value):
            raise self.error(key, f"`{key}` must be a list of strings", f'write {key} = ["…"]')
        return list(value)

    def pattern(self, key: str, text: str) -> Pattern:
        """A regular expression, matched line by line."""
        try:
            return Pattern.compile(text, self.where(key))
        except ValueError as error:
            raise self.error(
                key,
                f"unsupported regular expression '{text:.100}': {error}",
                "use the common parts of docs.python.org/3/library/re, as in '^#\\d+ (?:DONE|CACHED)'",
            ) from error

    def tables(self, key: str) -> list[Table]:
        """The tables of `[[key]]`, or of key = [{ … }, { … }]."""
        value = self._typed(key, list, f"a list of tables, each under [[{key}]]") or []
        if not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"`{key}` must be a list of tables", f"write each under [[{key}]]")
        header = f"{self._header}.{key}" if self._header else key
        if lines := self._array(key):
            return [Table(self.path, self._text, item, line=line) for item, line in zip(value, lines, strict=False)]
        before = 0
        if self._header:  # tables of a table: count those of the earlier siblings in the text
            before = self._count_before(header)
        return [Table(self.path, self._text, item, header=header, nth=before + i) for i, item in enumerate(value)]

    def subtable(self, key: str) -> Table:
        """The inline table in `key`."""
        value = self._typed(key, dict, "a table") or {}
        return self._inline(key, key, value)

    def subtables(self, key: str) -> list[Table]:
        """The tables in `key`, each with its `name`: key.NAME = { … }."""
        value = self._typed(key, dict, "a table") or {}
        found = []
        for name, item in value.items():
            if not isinstance(item, dict):
                raise self.error(f"{key}.{name}", f"`{key}.{name}` must be a table", f"write {key}.{name} = {{ … }}")
            found.append(self._inline(f"{key}.{name}", name, item))
        return found

    def _inline(self, key: str, name: str, data: Mapping[str, Any]) -> Table:
        table = Table(self.path, self._text, data, header=self._header, nth=self._nth)
        table.name, table._own_key = name, key
        return table

    def _array(self, key: str) -> list[int]:
        """The lines where the tables of key = [{ … }, { … }] begin; none where they stand under headers."""
        lines = self._text.split("\n")
        start = self.where(key).line or 1
        if not (found := _KEY.match(lines[start - 1])) or _plain(found[1]) != key:
            return []
        begins, depth, line = [], 0, start
        for bracket in filter(None, _BRACKET.findall("\n".join(lines[start - 1 :]))):
            line += bracket == "\n"
            if bracket == "{" and depth == 1:
                begins.append(line)
            depth += (bracket in "[{") - (bracket in "]}")
            if bracket == "]" and depth == 0:
                break
        return begins

    def _count_before(self, header: str) -> int:
        count, mine, seen = 0, False, -1
        for _, path, opens in _outline(self._text):
            if opens and path == self._header:
                seen += 1
                mine = seen == self._nth
            if mine:
                break
            count += opens and path == header
        return count

    def _typed(self, key: str, kind: type | tuple[type, ...], called: str) -> Any:
        value = self.data.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.error(key, f"`{key}` must be {called}", f"{key} is {value!r} now")
        return value


def _check_integers(data: Mapping[str, Any]) -> None:
    """Raise ValueError for an integer that is larger than TOML allows."""
    left: list[Any] = [data]
    while left:
        match left.pop():
            case dict() as table:
                left += table.values()
            case list() as items:
                left += items
            case int() as number if not -_INTEGERS <= number < _INTEGERS:
                raise ValueError("an integer has more than 64 bits")
            case _:
                pass


@functools.lru_cache(maxsize=16)
def _outline(text: str) -> tuple[tuple[int, str, bool], ...]:
    """Each line of a file that names something: its number, the whole dotted name, and whether it opens a table."""
    found, header = [], ""
    for number, line in enumerate(text.split("\n"), start=1):
        if opening := _HEADER.match(line):
            header = _plain(opening[1])
            found.append((number, header, True))
        elif key := _KEY.match(line):
            found.append((number, f"{header}.{_plain(key[1])}".strip("."), False))
    return tuple(found)


def _plain(key: str) -> str:
    """A dotted TOML key without its quotes and blanks."""
    return re.sub(r"[\s\"']", "", key)
