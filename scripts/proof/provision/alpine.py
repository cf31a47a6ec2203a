"""Removes Alpine packages from a layer: their files, and their records in the package database."""

from __future__ import annotations

import contextlib
import io
import tarfile
from typing import IO

_APK_DB = "lib/apk/db/installed"
_APK_WORLD = "etc/apk/world"


def copy_without(blob: IO[bytes], out: IO[bytes], without: tuple[str, ...]) -> None:
    """Copy an uncompressed layer without the files of the Alpine packages `without`, and without their records.

    Raises KeyError if the layer has no package database, or lacks one of the packages.
    """
    with tarfile.open(fileobj=blob, mode="r:") as source:
        database = source.extractfile(_APK_DB)
        assert database is not None
        records = database.read().decode().split("\n\n")
        dropped = [r for r in records if any(f"P:{name}" in r.splitlines() for name in without)]
        if len(dropped) != len(without):
            raise KeyError(f"one of the Alpine packages {', '.join(without)}")
        files = set().union(*(_apk_paths(r) for r in dropped)) - set().union(
            *(_apk_paths(r) for r in records if r not in dropped)
        )
        edits = {_APK_DB: "\n\n".join(r for r in records if r not in dropped).encode()}
        with contextlib.suppress(KeyError):  # a layer without explicitly installed packages has no such file
            world = source.extractfile(_APK_WORLD)
            assert world is not None
            kept = [line for line in world.read().decode().splitlines() if line not in without]
            edits[_APK_WORLD] = ("\n".join(kept) + "\n").encode()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as target:
            for member in source:
                if member.name.rstrip("/") in files:
                    continue
                if (edit := edits.get(member.name)) is not None:
                    member.size = len(edit)
                    target.addfile(member, io.BytesIO(edit))
                else:
                    target.addfile(member, source.extractfile(member) if member.isreg() else None)


def _apk_paths(record: str) -> set[str]:
    """The directories (F:) and files (R:, in the directory above it) of a record of Alpine's package database."""
    paths, folder = set(), ""
    for line in record.splitlines():
        if line.startswith("F:"):
            folder = line[2:]
            paths.add(folder)
        elif line.startswith("R:"):
            paths.add(f"{folder}/{line[2:]}")
    return paths
