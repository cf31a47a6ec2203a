"""What really happened, as committed: one text file a step, and one JSON with facts, inputs and provenance.

Written whole or not at all, the JSON last. Captures of two origins of bases live side by side, a folder each.
This module and everything right of it (`facts`, `expression`, `markdown`) never starts a process.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from proof import builtin, context, files
from proof.errors import PageError, RefusedError, UsageError, Where
from proof.typed import typed

SCHEMA = 1
RECORD = "capture.json"
_NAME = re.compile(r"\w{1,100}")  # of a step, and so of a file
_UNFINISHED = re.compile(r"\.(registry|rebuilt)\.new-[0-9]+")  # what `save` writes, until it is whole
_LARGEST = 20_000_000  # bytes of one file: several times what the tool lets a command print
_FACT = re.compile(r"[a-z][a-z0-9_]{0,99}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_VALUES = {"B": (int,), "count": (int,), "KiB": (int, float), "s": (int, float), "text": (str,)}
_KEPT = 150  # captures in memory: more than the pages of most sites show, and not all of a project of any size
ORIGINS = ("registry", "rebuilt")  # of the bases: a page shows the first of them that there is

Scalar = int | float | str


@dataclass(frozen=True)
class Basis:
    """What a number depends on; numbers of two bases are never compared."""

    platform: str  # linux/amd64
    engine: str  # docker, docker with containerd's store, or podman
    bases: str  # rebuilt or registry

    def __str__(self) -> str:
        return f"{self.platform}, {self.engine}, {self.bases} bases"


@dataclass(frozen=True)
class Provenance:
    """Where a capture comes from: shown to readers, never compared."""

    date: str  # RFC 3339, UTC
    engine: str  # docker 26.1.5
    builder: str  # buildx 0.13.1
    image_store: str  # overlay2 (classic) or containerd
    filesystem: str
    private: bool
    bases: dict[str, str]  # name → registry digest, or what it was rebuilt from
    revision: str  # of the source: a commit, with `+` where the snippet was changed since


@dataclass(frozen=True)
class CapturedStep:
    """One command and what it did."""

    name: str
    command: str
    inside: str | None
    exit: int
    seconds: float
    output: str


@dataclass(frozen=True)
class CapturedFact:
    """A measured value."""

    value: Scalar
    unit: str  # B, KiB, s, count or text
    source: str  # how it was measured
    tolerance: float = 0.0  # by which share of itself it may differ from run to run
    volatile: str = ""  # why it is never the same twice, and so not compared


@dataclass(frozen=True)
class CapturedLayer:
    """One layer of the measured image."""

    instruction: str
    size: int  # bytes
    files: int
    digest: str
    from_base: bool


@dataclass(frozen=True)
class Capture:
    """Everything one run of a snippet left."""

    snippet: str
    basis: Basis
    inputs: dict[str, str]  # name → hash: what the outputs depend on
    steps: tuple[CapturedStep, ...]
    facts: dict[str, CapturedFact]
    layers: tuple[CapturedLayer, ...]
    provenance: Provenance
    tampered: tuple[str, ...] = field(default=(), compare=False)  # files that were changed by hand since

    def step(self, name: str) -> CapturedStep | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)


def folder_of(snippet_folder: Path, origin: str, variant: str = "") -> Path:
    """Where the captures of one origin of bases are, of a matrix those of one `variant`."""
    return snippet_folder / "captured" / variant / origin


def load(folder: Path) -> Capture | None:
    """Read the capture in `folder`, or None where there is none.

    Raises PageError where the files cannot be a capture.
    """
    record = folder / RECORD
    try:
        with files.directory(folder, below=_trusted(folder)) as opened:
            return _read(folder, opened, files.read_in(opened, record, limit=_LARGEST))
    except FileNotFoundError:
        return None
    except RefusedError as error:
        raise PageError(error.what, where=error.where, cure=error.cure) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PageError(
            f"this is no capture that the tool wrote: {error!r}",
            where=Where(record),
            cure="git checkout -- this file, or remove its folder and run proof update",
        ) from error


def _trusted(folder: Path) -> Path:
    """The project around a snippet's capture, or the directory of results around another."""
    for captured in (folder, *folder.parents[:2]):
        if captured.name == "captured":  # snippets/NAME/captured
            return captured.parents[2]
    return folder.parents[1]  # DIR/captures/NAME


def _read(folder: Path, opened: int, content: bytes) -> Capture:
    record = folder / RECORD
    tampered = []
    data: dict[str, Any] = json.loads(content.decode("utf-8"))
    if data["schema"] != SCHEMA:
        raise PageError(
            f"this capture has schema {data['schema']}, and this tool reads {SCHEMA}",
            where=Where(record),
            cure=f"proof update {data['snippet']}",
        )
    if data.pop("seal") != _seal(data):
        tampered.append(RECORD)
    steps = []
    for name, step in data["steps"].items():
        path = _text_of(folder, name)
        output = ""
        with contextlib.suppress(FileNotFoundError):
            output = files.read_in(opened, path, limit=_LARGEST).decode("utf-8")
        if step.pop("output") != _hash(output.encode()):
            tampered.append(path.name)
        steps.append(CapturedStep(name=name, output=output, **step))
    capture = Capture(
        snippet=data["snippet"],
        basis=Basis(**data["basis"]),
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
        return files.read_text(folder / RECORD, below=_trusted(folder), limit=_LARGEST).split("\n")
    return []


def check(folder: Path) -> None:
    """Raises PageError for a link or a device there: what is read may come from a stranger, and is written over."""
    try:
        with contextlib.suppress(FileNotFoundError), files.directory(folder, below=_trusted(folder)):
            files.check_plain(folder)
    except RefusedError as error:
        raise PageError(error.what, where=error.where, cure=error.cure) from error


def check_declared(captured: Path, variants: Collection[str]) -> None:
    """Raises PageError for anything in a snippet's `captured` that is not of one of its variants and an origin.

    Nothing is ever compared with it, so it could hold any number. What a run that was killed left is not read.
    """
    places = {captured / variant for variant in variants}
    allowed = places | {place / origin for place in places for origin in ORIGINS} | {captured}
    for folder in {captured, *places}:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not (path in allowed and path.is_dir()) and not _UNFINISHED.fullmatch(path.name):
                raise undeclared(path, "the manifest has no such variant, and there is no such origin of bases")


def strangers(folder: Path, capture: Capture) -> Iterator[PageError]:
    """What is in the directory of a capture and does not belong to it."""
    own = {RECORD, *(_text_of(folder, step.name).name for step in capture.steps)}
    for path in sorted(folder.iterdir()):
        if path.name not in own:
            yield undeclared(path, "the capture beside it has no such step")


def undeclared(path: Path, why: str) -> PageError:
    """The error for a file or directory that holds captures of nothing."""
    return PageError(
        f"{path.name!r:.110} is not a capture of this snippet",
        where=Where(path),
        evidence=why,
        cure=f"git rm -r {shlex.quote(str(Where(path)))}",
    )


def _text_of(folder: Path, name: str) -> Path:
    """The file of a step's output; ValueError for what would lead out of the folder."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} names no text beside it")
    return folder / f"{name}.txt"


def _checked(capture: Capture) -> Capture:
    """The capture, if everything in it has its type and form; TypeError if not."""
    typed(capture)
    if not _MOMENT.fullmatch(capture.provenance.date):
        raise TypeError(f"{capture.provenance.date!r:.60} is not a date as the tool writes it")
    for name, fact in capture.facts.items():
        if not _FACT.fullmatch(name):
            raise TypeError(f"{name!r:.60} is not the name of a fact")
        unit = builtin.unit_of(name) or fact.unit
        if fact.unit != unit or unit not in builtin.UNITS:
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
            fields = asdict(step)
            del fields["name"]
            steps[step.name] = fields | {"output": _hash(content)}
        data: dict[str, Any] = {"schema": SCHEMA, **asdict(capture), "steps": steps}
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


class Captures(Mapping[str, Capture]):
    """The capture that a page shows of each snippet below a folder, by its name; read when it is asked for.

    `declared` gives the variants that the manifest in a snippet's folder has, or raises the reason why it has none.
    A directory that no manifest declares is never measured, so its numbers could be anything: asking for it raises
    PageError. The manifest is read only then, because to read all of them takes long.
    """

    def __init__(self, snippets: Path, declared: Callable[[Path], Collection[str]]) -> None:
        self._snippets, self._declared = snippets, declared
        self._read: dict[str, Capture] = {}

    def __getitem__(self, name: str) -> Capture:
        if (capture := self._read.get(name)) is None:
            folder, variant = self._places[name]
            if variant not in self._declared(folder):
                raise undeclared(folder / "captured" / variant, f"{folder.name}/snippet.toml declares no such variant")
            capture = self._read[name] = _of(folder, variant)
            if len(self._read) > _KEPT:
                self._read.pop(next(iter(self._read)), None)
        return capture

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @functools.cached_property
    def _places(self) -> dict[str, tuple[Path, str]]:
        """The folder, and of a matrix the variant, of each snippet that has a capture."""
        found = {}
        for folder in sorted(entry.path for entry in os.scandir(self._snippets) if entry.is_dir()):
            captured = f"{folder}/captured"
            if os.path.isdir(captured) and os.path.isfile(f"{folder}/snippet.toml"):  # noqa: PTH112, PTH113 - quicker
                names = {entry.name for entry in os.scandir(captured) if not entry.name.startswith(".")}
                for variant in [*([""] if names.intersection(ORIGINS) else []), *sorted(names.difference(ORIGINS))]:
                    if any(_is_record(f"{captured}/{variant}/{origin}/{RECORD}") for origin in ORIGINS):
                        found[name_of(Path(folder), variant)] = (Path(folder), variant)
        return found


def _of(folder: Path, variant: str) -> Capture:
    if (capture := best(folder, variant)) is None:
        raise KeyError(folder.name)
    return capture


def _is_record(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - asked for each snippet of a project


def name_of(folder: Path, variant: str = "") -> str:
    """What the snippet in a folder is called, or its `variant` where it is a matrix."""
    return f"{folder.name}_{re.sub('[^a-z0-9]', '_', variant.lower())}" if variant else folder.name


def best(snippet_folder: Path, variant: str = "") -> Capture | None:
    """The capture that a page shows: the registry's where there is one, else the rebuilt bases'."""
    return next((capture for _, capture in each(snippet_folder, variant)), None)


def each(snippet_folder: Path, variant: str = "") -> Iterator[tuple[str, Capture]]:
    """Every capture of a snippet with the origin of bases that it is kept for, the one that a page shows first."""
    for origin in ORIGINS:
        if (capture := load(folder_of(snippet_folder, origin, variant))) is not None:
            yield origin, capture


def hash_file(path: Path, *, below: Path) -> str:
    """SHA-256 of a file's content, or of where a link points."""
    if path.is_symlink():
        return _hash(str(path.readlink()).encode())
    return _hash(files.read(path, below=below, limit=context.LARGEST))


def hash_text(text: str) -> str:
    """SHA-256 of a text."""
    return _hash(text.encode())


def _hash(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _seal(data: dict[str, Any]) -> str:
    """Over everything else in the record: a digit changed by hand does not go unseen.

    It has no key, so it finds accidents and no more. Whoever edits a record can compute it again: that is found by
    comparing with a run (compare.py), which is why `proof check` compares all that a page can show.
    """
    return _hash(json.dumps(data, sort_keys=True, ensure_ascii=False).encode())


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(path)  # the message of a full disk says where: a write by itself does not know
        raise
