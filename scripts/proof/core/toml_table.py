"""Reads the hand-written TOML files of a project, with the line of each table and key for error messages."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from proof.core import files
from proof.core.errors import ManifestError, Where
from proof.core.limits import limited
from proof.core.text import did_you_mean, first_invisible

# The tokens of TOML; the text is known to be valid, so each pattern may assume that what it begins also ends.
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_STRINGS = (
    r'''"""(?:\\.|[^\\"]|"(?!""))*+"{3,5}''',
    r"""'{3}(?:[^']|'(?!''))*+'{3,5}""",
    r'''"(?:\\.|[^\\"])*+"''',
    r"""'[^']*+'""",
)
_STRING = re.compile("|".join(_STRINGS), re.DOTALL)
_BARE = re.compile(r"[^\s=.,\[\]{}\"'#]++")  # a part of a key
_SCALAR = re.compile(r"[^\n,\]}#]++")  # a number, a date, true or false
_HEADER = re.compile(r"\[\[?([\w.-]+)\]\]?", re.ASCII)  # of a table
_ALLOWED = " \t\n"
_LARGEST = 50_000  # bytes; nobody writes, or reads, a longer one by hand, and of a matrix each value reads it again
_DEEP = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")  # tomllib takes minutes
_NESTED = 16  # arrays and inline tables in each other; real ones are 3 deep, and each place names all around it

_Place = tuple[str | int, ...]  # the keys that lead to a value, and its number in an array


class Table:
    """One TOML table that knows its file and lines: the shared reader of snippet.toml and bases.toml.

    tomllib keeps no line numbers, so the line of a key is looked up in the text when an error needs it.
    """

    def __init__(self, path: Path, text: str, data: Mapping[str, Any], *, at: _Place = ()) -> None:
        self.path, self.data = path, data
        self.name = str(at[-1]) if at else ""  # what its table of tables calls it, as in facts.NAME = { … }
        self._text, self._at = text, at
        self._first = 1  # line of the text

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
            if len(text) > _LARGEST:
                what, hint = f"with {name} = {value}, the text has more than {_LARGEST:,} characters", "make it shorter"
                raise ManifestError(what, where=Where(path), hint=hint)
        with limited(Where(path)):
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
            str(table.data)  # a ValueError for a number of thousands of digits, which no message could show either
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            line = int(at[1]) if at else text.count("\n") + 1
            evidence = "\n".join(text.split("\n")[line - 1 : line])
            what, hint = f"invalid TOML: {str(error).split(' (at')[0].lower()}", "https://toml.io"
            if header := _HEADER.fullmatch(evidence):
                hint = f"if there can be several, write [[{header[1]}]] above each"
            raise ManifestError(what, where=Where(path, line), evidence=evidence, hint=hint) from error
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
        """The line of a key in this table, or else of the table itself."""
        lines, place = _lines(self._text), (*self._at, key)
        while place and place not in lines:
            place = place[:-1]
        return Where(self.path, lines[place] if place else self._first)

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
        return str(self.typed(key, str, "a string") or "")

    def number(self, key: str, default: float) -> float:
        """A number."""
        value = self.typed(key, (int, float), "a number")
        try:
            return default if value is None else float(value)
        except OverflowError as error:
            raise self.error(key, f"`{key}` is too large", f"write a smaller number, like {default:g}") from error

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self.typed(key, list, "a list of strings") or []
        if not all(isinstance(item, str) for item in value):
            raise self.error(key, f"`{key}` must be a list of strings", f'write {key} = ["…"]')
        return list(value)

    def tables(self, key: str) -> list[Table]:
        """The tables of `[[key]]`, or of key = [{ … }, { … }]."""
        if isinstance(self.data.get(key), dict):
            raise self.error(key, f"[{key}] is one table, but there can be several", f"write [[{key}]]")
        value = self.typed(key, list, f"a list of tables, each under [[{key}]]") or []
        if not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"`{key}` must be a list of tables", f"write each under [[{key}]]")
        return [self._below(item, key, number) for number, item in enumerate(value)]

    def subtable(self, key: str) -> Table:
        """The table in `key`."""
        return self._below(self.typed(key, dict, "a table") or {}, key)

    def subtables(self, key: str) -> list[Table]:
        """The tables in `key`, each with its `name`: key.NAME = { … }."""
        inner = self.subtable(key)
        return [inner.subtable(name) for name in inner.data]

    def _below(self, data: Mapping[str, Any], *place: str | int) -> Table:
        return Table(self.path, self._text, data, at=(*self._at, *place))

    def typed(self, key: str, kind: type | tuple[type, ...], called: str) -> Any:
        """The value of a key, or None. Raises ManifestError if it is of another type."""
        value = self.data.get(key)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise self.error(key, f"`{key}` must be {called}", f"{key} is {value!r} now")
        return value


@functools.lru_cache(maxsize=16)
def _lines(text: str) -> Mapping[_Place, int]:
    """The line of each key, table and item of an array in a valid TOML text; of a table, the line of its header."""
    return _Reader(text).lines


class _Reader:
    """Walks over a TOML text token by token.

    Where something is not as expected it stops: a place that it did not reach has no line, rather than a wrong one.
    """

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0  # the line of the offset `_counted`
        self.lines: dict[_Place, int] = {}
        with contextlib.suppress(_UnexpectedError):
            self._read()

    def _read(self) -> None:
        table: _Place = ()
        arrays: dict[_Place, int] = {}  # how many tables of each [[array]] there are so far
        open_: list[tuple[_Place, Iterator[int] | None]] = []  # the arrays, and inline tables, around the offset
        while (character := self._peek()) or open_:
            if open_ and character in ("]", "}"):
                open_.pop()
                self._at += 1
            elif open_ and character == ",":
                self._at += 1
            elif open_ and (number := open_[-1][1]):
                self._value((*open_[-1][0], next(number)), open_)
            elif not open_ and character == "[":
                table = self._header(arrays)
            else:
                place = self._name(open_[-1][0] if open_ else table, self._key())
                self._take("=")
                self._value(place, open_)

    def _value(self, place: _Place, open_: list[tuple[_Place, Iterator[int] | None]]) -> None:
        """Read a value, or the beginning of an array or an inline table."""
        character = self._peek()
        self.lines.setdefault(place, self._now())
        if character in ("[", "{"):
            if len(open_) == _NESTED:
                raise _UnexpectedError
            open_.append((place, itertools.count() if character == "[" else None))
            self._at += 1
        elif character in ('"', "'"):
            self._match(_STRING)
        else:
            self._match(_SCALAR)

    def _header(self, arrays: dict[_Place, int]) -> _Place:
        """Read `[a.b]` or `[[a.b]]`, and return the place of the table that it opens."""
        double = self._text.startswith("[[", self._at)
        self._take("[[" if double else "[")
        line = self._now()
        place: _Place = ()
        *above, last = self._key()
        self._take("]]" if double else "]")
        for part in above:
            place = (*place, part)
            self.lines.setdefault(place, line)
            if place in arrays:
                place = (*place, arrays[place] - 1)
        place = (*place, last)
        if double:
            self.lines.setdefault(place, line)
            arrays[place] = arrays.get(place, 0) + 1
            place = (*place, arrays[place] - 1)
        self.lines[place] = line  # [a] may come after [a.b], which mentions it
        return place

    def _name(self, table: _Place, key: Sequence[str]) -> _Place:
        for part in key:
            table = (*table, part)
            self.lines.setdefault(table, self._now())
        return table

    def _key(self) -> list[str]:
        """Read a dotted key."""
        parts: list[str] = []
        while True:
            if self._peek() in ('"', "'"):
                parts += tomllib.loads(f"key = {self._match(_STRING)}").values()
            else:
                parts.append(self._match(_BARE))
            if self._peek() != ".":
                return parts
            self._take(".")

    def _peek(self) -> str:
        """The next character that is not blank or in a comment; empty at the end."""
        self._match(_BLANK)
        return self._text[self._at : self._at + 1]

    def _take(self, token: str) -> None:
        self._match(_BLANK)
        if not self._text.startswith(token, self._at):
            raise _UnexpectedError
        self._at += len(token)

    def _match(self, pattern: re.Pattern[str]) -> str:
        if not (found := pattern.match(self._text, self._at)):
            raise _UnexpectedError
        self._at = found.end()
        return found[0]

    def _now(self) -> int:
        """The line of the offset."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


class _UnexpectedError(Exception):
    """The text is not as expected here."""
