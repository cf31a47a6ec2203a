"""Reads and writes captures: one text file per step, and capture.json with facts, inputs and provenance.

If a snippet asks for the contents of its image, they are in contents.json.

A capture is written whole or not at all. Captures of the two origins of bases are kept in separate directories.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from proof.captures import contents
from proof.captures.model import Capture, CapturedLayer
from proof.core import files, units
from proof.core.errors import PageError, RefusedError, UsageError, Where, command
from proof.core.hashes import sha256
from proof.core.limits import limited
from proof.core.validate import from_json, validate
from proof.snippets.capture_locations import check, is_unfinished, trusted, undeclared

SCHEMA = 1
RECORD = "capture.json"
_ASIDE = ".old-"  # in the name of an old capture while the new one takes its place
_NAME = re.compile(r"\w{1,100}")  # the name of a step, and of its file
_LARGEST = 20_000_000  # bytes per file: several times the limit for the output of a command
_FACT = re.compile(r"[a-z][a-z0-9_]{0,99}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_VALUES = {"B": (int,), "count": (int,), "KiB": (int, float), "s": (int, float), "text": (str,)}
_RESTORE = "restore the file with git checkout, or delete its directory and run proof update"


def load(folder: Path) -> Capture | None:
    """Read the capture in `folder`. Returns None if there is none.

    Raises PageError if the files are not a capture.
    """
    record = folder / RECORD
    try:
        with files.directory(folder, below=trusted(folder)) as opened, limited(Where(record)):
            return _checked(_read(folder, opened, files.read_in(opened, record, limit=_LARGEST)))
    except FileNotFoundError:
        return None
    except RefusedError as error:
        raise PageError(error.what, where=error.where, hint=error.hint) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PageError(f"not a capture written by proof: {error!r}", where=Where(record), hint=_RESTORE) from error


def _read(folder: Path, opened: int, content: bytes) -> Capture:
    """The capture with this record, in its directory, which is open."""
    data: dict[str, Any] = json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    if (schema := data["schema"]) != SCHEMA:
        raise PageError(
            f"the capture has schema {schema}, but proof reads schema {SCHEMA}",
            where=Where(folder / RECORD),
            hint=command("proof", "update", data["snippet"]),
        )
    tampered = [RECORD] if data.pop("seal") != _seal(data) else []

    def text(path: Path, digest: str) -> str:
        written = b""
        with contextlib.suppress(FileNotFoundError):
            written = files.read_in(opened, path, limit=_LARGEST)
        if digest != sha256(written):
            tampered.append(path.name)
        return written.decode("utf-8")

    steps = [
        step | {"name": name, "output": text(_text_of(folder, name), step["output"])}
        for name, step in data["steps"].items()
    ]
    listed = text(folder / contents.FILE, data["contents"]) if data.get("contents") else ""
    fields = {name: value for name, value in data.items() if name not in ("schema", "basis", "contents")}
    capture: Capture = from_json(Capture, fields | {"environment": data["basis"], "steps": steps, "tampered": tampered})
    if any(layer.contents for layer in capture.layers):
        raise TypeError("contents in the record, where nothing checks them")
    if capture.environment.emulated_on:
        raise TypeError("measured with an emulator, and no such capture is kept")
    return replace(capture, layers=_with_contents(capture.layers, listed, folder)) if listed else capture


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the record. With a name twice, a reviewer could read another value than the tool does."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _with_contents(layers: tuple[CapturedLayer, ...], text: str, folder: Path) -> tuple[CapturedLayer, ...]:
    """The layers with their contents. Raises PageError if these are not exactly what the layers hold."""
    try:
        filled = tuple(
            replace(layer, contents=rows) for layer, rows in zip(layers, contents.from_text(text), strict=True)
        )
        contents.check(filled)
    except (ValueError, TypeError) as error:
        what = f"the contents do not match the image: {error}"
        raise PageError(what, where=Where(folder / contents.FILE), hint=_RESTORE) from error
    return filled


def lines_of(folder: Path) -> list[str]:
    """The lines of capture.json in `folder`, to find line numbers. Empty if it cannot be read."""
    with contextlib.suppress(FileNotFoundError, UsageError):
        return files.read_text(folder / RECORD, below=trusted(folder), limit=_LARGEST).split("\n")
    return []


def unexpected_files(folder: Path, capture: Capture) -> Iterator[PageError]:
    """An error for each entry of a capture's directory that does not belong to it."""
    own = {RECORD, *(_text_of(folder, step.name).name for step in capture.steps)}
    if any(layer.contents for layer in capture.layers) or contents.FILE in capture.tampered:
        own.add(contents.FILE)
    for name in sorted(set(os.listdir(folder)) - own):  # noqa: PTH208 - quicker
        yield undeclared(folder / name, "the capture has no such step")


def _text_of(folder: Path, name: str) -> Path:
    """The file with a step's output. Raises ValueError for a name that could lead out of the directory."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"invalid step name {name!r:.60}")
    return folder / f"{name}.txt"


def _checked(capture: Capture) -> Capture:
    """Return the capture. Raises TypeError if anything in it has the wrong type or form."""
    validate(capture)
    if not _MOMENT.fullmatch(capture.provenance.date):
        raise TypeError(f"invalid date {capture.provenance.date!r:.60}")
    for name, fact in capture.facts.items():
        if not _FACT.fullmatch(name):
            raise TypeError(f"invalid fact name {name!r:.60}")
        unit = units.unit_of(name) or fact.unit
        if fact.unit != unit or unit not in units.UNITS:
            raise TypeError(f"{name} has the wrong unit {fact.unit!r:.60}")
        if type(fact.value) not in _VALUES[unit]:
            raise TypeError(f"{name} is {fact.value!r:.60}, not a value in {unit}")
    return capture


def save(capture: Capture, folder: Path) -> None:
    """Write the capture to a new directory, which then takes the place of the old one.

    The old one is out of its place for a moment. If the run is killed just then, `sweep` puts it back.
    """
    check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    aside = folder.with_name(f".{folder.name}{_ASIDE}{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a killed run with the same process ID
    try:
        fresh.mkdir()
        for name, content in _files_of(capture).items():
            _write(fresh / name, content)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(aside)
        fresh.rename(folder)
    finally:
        if aside.exists():
            _settle(aside)
        shutil.rmtree(fresh, ignore_errors=True)


def _files_of(capture: Capture) -> dict[str, bytes]:
    """The files of a capture, by name."""
    texts = {f"{step.name}.txt": step.output.encode() for step in capture.steps}
    if listed := contents.to_text(capture.layers):
        texts[contents.FILE] = listed.encode()
    digests = {name: sha256(text) for name, text in texts.items()}
    data: dict[str, Any] = {"schema": SCHEMA}
    for name, value in asdict(replace(capture, tampered=())).items():
        data["basis" if name == "environment" else name] = value
    del data["tampered"], data["basis"]["emulated_on"]
    data["steps"] = {step.pop("name"): step for step in data["steps"]}
    for name, step in data["steps"].items():
        step["output"] = digests[f"{name}.txt"]
    for layer in data["layers"]:
        del layer["contents"]
    if not capture.fetched:
        del data["fetched"]
    if listed:
        data["contents"] = digests[contents.FILE]
    data["seal"] = _seal(data)
    return texts | {RECORD: (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()}


def remove(folder: Path) -> None:
    """Remove a capture, with its directory."""
    check(folder)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(snippets: Path) -> None:
    """Remove what killed runs left below `snippets`, and put old captures back. No other run may be writing there."""
    for folder in _folders(snippets):
        captured = folder / "captured"
        if captured.is_symlink() or not captured.is_dir():
            continue
        variants = [entry for entry in _folders(captured) if not is_unfinished(entry.name)]
        for entry in itertools.chain.from_iterable(map(_folders, (captured, *variants))):
            if not is_unfinished(entry.name):
                continue
            if _ASIDE in entry.name:
                _settle(entry)
            else:
                shutil.rmtree(entry, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    """The directories in a directory, without those that a link leads to: they are not the project's."""
    with os.scandir(parent) as entries:
        return [parent / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _settle(aside: Path) -> None:
    """Remove an old capture that was renamed, or put it back if there is no new one."""
    folder = aside.with_name(aside.name[1:].partition(_ASIDE)[0])
    if os.path.lexists(folder):
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(folder)


def _seal(data: dict[str, Any]) -> str:
    """A hash of everything else in the record, so that edits by hand are noticed.

    It has no key, so it finds only accidents: anyone can edit a record and compute the seal again. `proof check` finds
    that, because it compares everything that a page can show with a run (diff.py).
    """
    return sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode())


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(path)  # so that "disk full" names the file
        raise
