"""Writes the results of a shard to a directory, and reads and merges the directories of all shards.

    DIR/results.json            every snippet that was run, and its result
    DIR/captures/NAME/          the capture that it produced, in the same format as in the repository

The files come from another machine, which may have run a stranger's program, so they are not trusted: names, types,
sizes and seals are checked first. Nor are verdicts: each capture is compared with the repository's once more. A shard
can make a verdict worse, but not better.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from proof.captures import contents, index, objections, store
from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.core.errors import CannotMeasureError, ProofError, UsageError, Where, command
from proof.core.files import check_plain, read, write_whole
from proof.core.limits import limited
from proof.core.validate import from_json, validate
from proof.runs.committed import accurate, committed, differences
from proof.runs.result import Cause, Result, Verdict, cause_of, is_accurate
from proof.snippets.base_images import Bases
from proof.snippets.capture_locations import Origin
from proof.snippets.model import Snippet

SCHEMA = 1
RECORD = "results.json"
_RECORD_CAP = 50_000_000  # bytes of results.json
_FILE_CAP = 4_000_000  # bytes of each file of a capture: what the tool itself lets a command print
# Limits for what is said about one snippet. What the tool writes is far below them.
_MOST = 10_000  # differences, or changes
_LONGEST = 20_000  # characters of a text; the rest is cut off


@dataclass(frozen=True)
class Part:
    """The content of one directory of results."""

    folder: Path
    origin: Origin  # of the bases
    seconds: float  # wall clock of the whole part
    same_engine: bool  # whether the engine's words were compared too
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Difference:
    """A difference, as results.json has it."""

    where: tuple[str | int | None, ...]  # a path in the project, and a line
    what: str
    old: str
    new: str


@dataclass(frozen=True)
class _Error:
    """Why a snippet was not measured, as results.json has it."""

    what: str
    where: tuple[str | int | None, ...] | None
    evidence: str
    hint: str


@dataclass(frozen=True)
class _Entry:
    """The result of one snippet, as results.json has it."""

    snippet: str
    verdict: Verdict
    cause: Cause | None
    changes: tuple[Change, ...]
    differences: tuple[_Difference, ...]
    error: _Error | None


@dataclass(frozen=True)
class _Record:
    """results.json."""

    schema: int
    origin: Origin
    seconds: float
    same_engine: bool
    results: tuple[_Entry, ...]


def check_empty(folder: Path) -> None:
    """Raise UsageError if the directory is not empty: older files would be mixed with the results of this run."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = f"{command('rm', '-r', folder)}, or pass another directory to --results"
        raise UsageError(f"{folder} is not an empty directory", hint=hint)


def save(
    results: Sequence[Result], folder: Path, *, root: Path, origin: Origin, seconds: float, same_engine: bool = False
) -> None:
    """Write the results. results.json comes last: a directory without it is incomplete."""
    for result in results:
        if result.new:
            store.save(result.measured or result.new, folder / "captures" / result.snippet.name)
    entries = tuple(_as_entry(result, root) for result in results)
    record = _Record(SCHEMA, origin, round(seconds, 1), same_engine, entries)
    write_whole(folder / RECORD, json.dumps(dataclasses.asdict(record), indent=1, ensure_ascii=False) + "\n")


def _as_entry(result: Result, root: Path) -> _Entry:
    error = result.error
    return _Entry(
        result.snippet.name,
        result.verdict,
        result.cause,
        result.changes,
        tuple(_Difference(_as_place(d.where, root), d.what, d.old, d.new) for d in result.differences),
        _Error(error.what, _as_place(error.where, root) if error.where else None, error.evidence, error.hint)
        if error
        else None,
    )


def _as_place(where: Where, root: Path) -> tuple[str, int | None]:
    path = where.path if where.path.is_absolute() else Path.cwd() / where.path
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name, where.line


def load(
    folders: Iterable[Path], snippets: Sequence[Snippet], known: Bases, root: Path, *, same_engine: bool = False
) -> list[Part]:
    """Read the results of every shard. With `same_engine`, the engine's words are compared here too.

    Raises UsageError if they do not match the snippets in this repository.
    """
    by_name = {snippet.name: snippet for snippet in snippets}
    parts = []
    for folder in folders:
        with limited(Where(folder / RECORD)):
            parts.append(_part(folder, by_name, known, root, same_engine=same_engine))
    return parts


def check_words(parts: Sequence[Part], *, same_engine: bool) -> None:
    """Raise UsageError unless every shard compared the engine's words exactly if this machine does.

    A shard that did not has never run a snippet again whose log another one changed.
    """
    if others := [part.folder for part in parts if part.same_engine is not same_engine]:
        what = "were run without --same-engine" if same_engine else "were run with --same-engine"
        hint = "run them with it too" if same_engine else command("proof", "merge", "--same-engine", *others)
        raise UsageError(f"these results {what}: {', '.join(map(str, others))}", hint=hint)


def merge(parts: Sequence[Part], snippets: Sequence[Snippet]) -> list[Result]:
    """Merge the results of all parts, in the order of `snippets`.

    Raises UsageError if a snippet is missing or occurs twice, or if the parts used bases of different origins.
    """
    by_name: dict[str, tuple[Path, Result]] = {}
    for part in parts:
        for result in part.results:
            name = result.snippet.name
            if name in by_name:
                first = by_name[name][0]
                what = "twice" if first == part.folder else f"in two parts, {first} and {part.folder}"
                raise UsageError(f"the result of {name} is {what}", hint="pass each shard of one run once")
            by_name[name] = (part.folder, result)
    if missing := [snippet.name for snippet in snippets if snippet.name not in by_name]:
        raise UsageError(
            f"no result for {len(missing)} of {len(snippets)} snippets: {', '.join(missing)}",
            evidence="\n".join(f"{part.folder}: {len(part.results)} results" for part in parts),
            hint="run all shards, 1/N to N/N with the same N, and pass every directory",
        )
    if len({part.origin for part in parts}) > 1:
        raise UsageError(
            "the shards used different bases: " + ", ".join(f"{part.folder} {part.origin}" for part in parts),
            hint="run every shard with the same --bases",
        )
    _check_bases([result for _, result in by_name.values()])
    return [by_name[snippet.name][1] for snippet in snippets]


def _check_bases(results: Iterable[Result]) -> None:
    """Raise CannotMeasureError if a base was not the same image everywhere: its tag moved while the shards ran."""
    seen: dict[str, tuple[str, str]] = {}
    for result in results:
        for name, image in (result.new.provenance.bases if result.new else {}).items():
            first, other = seen.setdefault(name, (result.snippet.name, image))
            if image != other:
                raise CannotMeasureError(
                    f"the base {name} was not the same image for all snippets",
                    evidence=f"{first}: {other}\n{result.snippet.name}: {image}",
                    hint="run all shards again: its tag moved while they ran",
                )


def _part(folder: Path, snippets: Mapping[str, Snippet], known: Bases, root: Path, *, same_engine: bool) -> Part:
    record = folder / RECORD
    try:
        content = read(record, below=folder, limit=_RECORD_CAP)
    except FileNotFoundError as error:
        hint = command("proof", "check", "--shard", "1/3", "--results", folder)
        raise UsageError(f"there are no results in {folder}", hint=hint) from error
    try:
        data = _bounded(json.loads(content.decode("utf-8")))
        if data["schema"] != SCHEMA:
            raise _refused(record, f"it has schema {data['schema']}, but this tool reads {SCHEMA}")
        told: _Record = validate(from_json(_Record, data))
        if told.seconds < 0:
            raise _refused(record, f"{told.seconds:.6g} is not a number of seconds")
        for entry in told.results:
            if entry.snippet not in snippets:
                raise _refused(record, f"unknown snippet {entry.snippet!r}")
        _check_files(folder, [entry.snippet for entry in told.results], snippets)
        results = []
        for entry in told.results:
            result = _result(entry, folder, snippets[entry.snippet], told.origin, root)
            if result.new:
                for what in objections.from_elsewhere(result.new, result.snippet, told.origin, known):
                    raise _refused(folder / "captures" / entry.snippet / store.RECORD, what)
            results.append(_recheck(result, told.origin, same_engine=same_engine))
        return Part(folder, told.origin, told.seconds, told.same_engine, tuple(results))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(record, f"the tool did not write this file: {error!r}") from error


def _check_files(folder: Path, names: Sequence[str], snippets: Mapping[str, Snippet]) -> None:
    """Refuse everything but results and captures: links, other names, and files that are too large."""
    allowed = {RECORD}
    for name in names:
        files = [store.RECORD, *(f"{step.name}.txt" for step in snippets[name].steps)]
        files += [] if snippets[name].contents is None else [contents.FILE]
        allowed |= {f"captures/{name}/{file}" for file in files}
    check_plain(folder)
    for path in folder.rglob("*"):
        inner = path.relative_to(folder).as_posix()
        if path.is_file() and inner not in allowed:
            raise _refused(path, "results have no such file")
        if path.is_file() and inner != RECORD and path.stat().st_size > _FILE_CAP:
            raise _refused(path, f"it has more than {_FILE_CAP:,} bytes")


def _recheck(told: Result, origin: Origin, *, same_engine: bool) -> Result:
    """The result that a shard reports, checked by comparing its capture here."""
    snippet, old, new = told.snippet, told.old, told.new
    if new is None or told.verdict in ("not measured", "another environment"):
        return replace(told, new=None)
    known = committed(snippet, origin, new.engine, new.inputs)
    old, changes = (known[0].capture, known[0].changes) if known else (None, ())
    if old is not None and old.environment.platform != new.environment.platform:
        other = Difference(Where(known[0].folder), snippet.name, str(old.environment), str(new.environment))
        return Result(snippet, "another environment", (other,), old=old)
    found = differences(known, new, snippet, words=same_engine)
    is_true = is_accurate(old, changes, found)
    if told.verdict == "accurate":
        if is_true:
            return accurate(snippet, known, new)
        what = f"{snippet.name}: the shard's verdict"
        folder = known[0].folder if known else snippet.captured
        word = Difference(Where(folder), what, "accurate", "not what it measured")
        found, told = (word, *found), replace(told, verdict="drift")
    elif told.verdict == "unstable" or (told.verdict == "drift" and is_true):
        return told  # the shard's verdict is worse than ours
    return replace(told, old=old, differences=found, changes=changes, cause=cause_of(told.snippet, old, changes))


def unwritten(result: Result) -> Result:
    """The result as `proof merge` reports it: `written` on another machine means `accurate` or `drift` here."""
    if result.verdict == "written":
        accurate = is_accurate(result.old, result.changes, result.differences)
        verdict: Verdict = "accurate" if accurate else "drift" if result.old else "never captured"
        return replace(result, verdict=verdict, cause=result.cause if verdict == "drift" else None)
    return result


def _result(entry: _Entry, folder: Path, snippet: Snippet, origin: Origin, root: Path) -> Result:
    new = store.load(folder / "captures" / snippet.name)
    if entry.verdict in ("accurate", "written") and new is None:
        raise ValueError(f"{snippet.name} is {entry.verdict}, without a capture")
    error: ProofError | None = None
    if (told := entry.error) is not None:
        where = _where(told.where, root) if told.where is not None else None
        error = CannotMeasureError(told.what, where=where, evidence=told.evidence, hint=told.hint)
    return Result(
        snippet,
        entry.verdict,
        tuple(Difference(_where(d.where, root), d.what, d.old, d.new) for d in entry.differences),
        entry.changes,
        entry.cause,
        index.best(snippet.folder, snippet.variant, origin),
        new,
        error,
    )


def _where(place: Sequence[str | int | None], root: Path) -> Where:
    path, line = place
    if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"the path {path!r} is outside this project")
    if "\0" in path:
        raise ValueError(f"no file can have the name {path!r}")
    if line is not None and (not isinstance(line, int) or line < 1):
        raise ValueError(f"{line!r} is not a line number")
    return Where(root / path, line)


def _bounded(value: Any) -> Any:
    """What results.json holds, with long texts cut. Raises ValueError for a long list."""
    if isinstance(value, dict):
        return {name: _bounded(item) for name, item in value.items()}
    if isinstance(value, list):
        if len(value) > _MOST:
            raise ValueError(f"expected a list of at most {_MOST:,} items")
        return [_bounded(item) for item in value]
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def _refused(path: Path, what: str) -> UsageError:
    return UsageError(what, where=Where(path), hint="pass what `proof check --results` wrote, unchanged")
