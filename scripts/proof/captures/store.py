"""What really happened, as committed: one text file a step, and one JSON with facts, inputs and provenance.

Written whole or not at all, the JSON last. Captures of two origins of bases live side by side, a folder each.
This module and everything right of it (`facts`, `expression`, `markdown`) never starts a process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from proof.captures.model import Capture, CapturedFact, CapturedLayer, CapturedStep, Environment, Provenance
from proof.core import files, units
from proof.core.errors import PageError, RefusedError, UsageError, Where
from proof.core.hashes import sha256
from proof.core.validate import validate
from proof.snippets.places import check, trusted, undeclared

SCHEMA = 1
_KEYS = {"environment": "basis"}  # fields whose key in the file has another name
RECORD = "capture.json"
_NAME = re.compile(r"\w{1,100}")  # of a step, and so of a file
_LARGEST = 20_000_000  # bytes of one file: several times what the tool lets a command print
_FACT = re.compile(r"[a-z][a-z0-9_]{0,99}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_VALUES = {"B": (int,), "count": (int,), "KiB": (int, float), "s": (int, float), "text": (str,)}


def load(folder: Path) -> Capture | None:
    """Read the capture in `folder`, or None where there is none.

    Raises PageError where the files cannot be a capture.
    """
    record = folder / RECORD
    try:
        with files.directory(folder, below=trusted(folder)) as opened:
            return _read(folder, opened, files.read_in(opened, record, limit=_LARGEST))
    except FileNotFoundError:
        return None
    except RefusedError as error:
        raise PageError(error.what, where=error.where, hint=error.hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PageError(
            f"this is no capture that the tool wrote: {error!r}",
            where=Where(record),
            hint="git checkout -- this file, or remove its folder and run proof update",
        ) from error


def _read(folder: Path, opened: int, content: bytes) -> Capture:
    record = folder / RECORD
    tampered = []
    data: dict[str, Any] = json.loads(content.decode("utf-8"))
    if data["schema"] != SCHEMA:
        raise PageError(
            f"this capture has schema {data['schema']}, and this tool reads {SCHEMA}",
            where=Where(record),
            hint=f"proof update {data['snippet']}",
        )
    if data.pop("seal") != _seal(data):
        tampered.append(RECORD)
    steps = []
    for name, step in data["steps"].items():
        path = _text_of(folder, name)
        output = ""
        with contextlib.suppress(FileNotFoundError):
            output = files.read_in(opened, path, limit=_LARGEST).decode("utf-8")
        if step.pop("output") != sha256(output.encode()):
            tampered.append(path.name)
        steps.append(CapturedStep(name=name, output=output, **step))
    capture = Capture(
        snippet=data["snippet"],
        environment=Environment(**data["basis"]),
        inputs=data["inputs"],
        steps=tuple(steps),
        facts={name: CapturedFact(**fact) for name, fact in data["facts"].items()},
        layers=tuple(CapturedLayer(**layer) for layer in data["layers"]),
        provenance=Provenance(**data["provenance"]),
        tampered=tuple(tampered),
    )
    return _checked(capture)


def lines_of(folder: Path) -> list[str]:
    """The lines of the record of `folder`, to say where something stands; none where it cannot be read."""
    with contextlib.suppress(FileNotFoundError, UsageError):
        return files.read_text(folder / RECORD, below=trusted(folder), limit=_LARGEST).split("\n")
    return []


def unexpected_files(folder: Path, capture: Capture) -> Iterator[PageError]:
    """What is in the directory of a capture and does not belong to it."""
    own = {RECORD, *(_text_of(folder, step.name).name for step in capture.steps)}
    for path in sorted(folder.iterdir()):
        if path.name not in own:
            yield undeclared(path, "the capture beside it has no such step")


def _text_of(folder: Path, name: str) -> Path:
    """The file of a step's output; ValueError for what would lead out of the folder."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} names no text beside it")
    return folder / f"{name}.txt"


def _checked(capture: Capture) -> Capture:
    """The capture, if everything in it has its type and form; TypeError if not."""
    validate(capture)
    if not _MOMENT.fullmatch(capture.provenance.date):
        raise TypeError(f"{capture.provenance.date!r:.60} is not a date as the tool writes it")
    for name, fact in capture.facts.items():
        if not _FACT.fullmatch(name):
            raise TypeError(f"{name!r:.60} is not the name of a fact")
        unit = units.unit_of(name) or fact.unit
        if fact.unit != unit or unit not in units.UNITS:
            raise TypeError(f"{name} is measured in {fact.unit!r:.60}")
        if type(fact.value) not in _VALUES[unit]:
            raise TypeError(f"{name} is {fact.value!r:.60}, which is not a value in {unit}")
    return capture


def save(capture: Capture, folder: Path) -> None:
    """Write the capture: a new folder beside the old one, then one exchange of their names.

    A reader, or a run that is killed at any moment, finds the old capture or the new one, whole.
    """
    check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)  # of a run that was killed, under the same number
    try:
        fresh.mkdir()
        steps = {}
        for step in capture.steps:
            content = step.output.encode()
            _write(fresh / f"{step.name}.txt", content)
            values = asdict(step)
            del values["name"]
            steps[step.name] = values | {"output": sha256(content)}
        fields = {_KEYS.get(name, name): value for name, value in asdict(capture).items()}
        data: dict[str, Any] = {"schema": SCHEMA, **fields, "steps": steps}
        del data["tampered"]
        data["seal"] = _seal(data)
        _write(fresh / RECORD, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())
        if folder.exists():
            _exchange(fresh, folder)
        else:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def sweep(snippets: Path) -> None:
    """Remove what a run that was killed while it wrote left below `snippets`; no other one may be writing there."""
    for pattern in ("*/captured/.*.new-*", "*/captured/*/.*.new-*"):
        for folder in snippets.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step: renameat2(2) with RENAME_EXCHANGE, which Python does not offer."""
    import ctypes  # only where something is written: a site build needs none of it

    libc = ctypes.CDLL(None, use_errno=True)
    at_working_directory, exchange = -100, 2
    if libc.renameat2(at_working_directory, bytes(one), at_working_directory, bytes(other), exchange) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def _seal(data: dict[str, Any]) -> str:
    """Over everything else in the record: a digit changed by hand does not go unseen.

    It has no key, so it finds accidents and no more. Whoever edits a record can compute it again: that is found by
    comparing with a run (compare.py), which is why `proof check` compares all that a page can show.
    """
    return sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode())


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(path)  # the message of a full disk says where: a write by itself does not know
        raise
