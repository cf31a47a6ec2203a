"""Fetches the packages of the reference engine, checks their hashes, and unpacks them: `scripts/install-engine`.

It imports no packages, and needs neither dpkg nor root: python -I scripts/maintenance/install_engine.py ROOT
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LOCK = "engine.lock"
_NEEDS = "Linux on amd64, with glibc 2.38 or later (Debian 13, Ubuntu 24.04), libseccomp and libsystemd"
_BUILDX = "usr/libexec/docker/cli-plugins/docker-buildx"
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) (?P<sha1>[0-9a-f]{40}) (?P<path>pool/[\w.+~/-]+\.deb)", re.ASCII)
_LARGEST = 200_000_000  # bytes of a package; the largest has 33 million
_PATIENCE = 60  # seconds without an answer


class UnavailableError(Exception):
    """The engine is not available here. The first line says what is wrong; more lines are evidence, and a hint."""


class LockError(Exception):
    """The lock has a line that is not a package."""


class Package(NamedTuple):
    """A line of the lock."""

    sha256: str
    sha1: str
    path: str  # on a mirror of Debian

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.rpartition("/")[2]

    def addresses(self) -> Iterator[str]:
        """Where to fetch it. A mirror has only the newest version of a package; Debian's snapshots have all of them."""
        if mirror := os.environ.get("DEBIAN_MIRROR"):
            yield f"{mirror.rstrip('/')}/{urllib.parse.quote(self.path)}"
        if snapshot := os.environ.get("DEBIAN_SNAPSHOT"):
            yield f"{snapshot.rstrip('/')}/file/{self.sha1}"


def packages(lock: str) -> Iterator[Package]:
    """The packages in a lock; LockError for a line that is something else."""
    for number, line in enumerate(lock.splitlines(), start=1):
        if line.startswith("#"):
            continue
        if not (found := _LINE.fullmatch(line)):
            raise LockError(
                f"{LOCK}:{number}: not a package: {line!r:.200}\nhint: a line is SHA-256, SHA-1 and pool/….deb"
            )
        yield Package(**found.groupdict())


def fetch(package: Package) -> bytes:
    """The package's file, with the hash that is pinned."""
    failures = []
    for address in package.addresses():
        try:
            with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 - what comes is checked
                content = bytes(answer.read(_LARGEST))
                length = int(answer.headers["Content-Length"] or len(content))
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"  {address}: {error}")
            continue
        if len(content) != length:
            failures.append(f"  {address}: the connection ended after {len(content):,} of {length:,} bytes")
            continue
        if (found := hashlib.sha256(content).hexdigest()) != package.sha256:
            raise UnavailableError(
                f"{address} is not the package that {LOCK} pins, so nothing was unpacked.\n"
                f"  pinned {package.sha256}\n  found  {found}\nhint: set DEBIAN_MIRROR to another mirror of Debian"
            )
        return content
    raise UnavailableError(
        "\n".join([f"{package.name} cannot be fetched.", *failures])
        + "\nhint: check the network, or set DEBIAN_MIRROR to a mirror of Debian, like https://HOST/debian"
    )


def data_of(package: bytes) -> bytes:
    """The archive of files in a Debian package, which is an `ar` archive of three members."""
    position = 8  # after the magic number
    while header := package[position : position + 60]:
        size = int(header[48:58])
        if header.startswith(b"data.tar"):
            return package[position + 60 : position + 60 + size]
        position += 60 + size + size % 2
    raise ValueError("a package without data")


def unpack(contents: dict[str, bytes], folder: Path) -> None:
    """Lay out an engine: the packages' files, a directory with all programs, and settings with buildx as a plugin."""
    for name, content in contents.items():
        try:
            with tarfile.open(fileobj=io.BytesIO(data_of(content))) as archive:
                archive.extractall(folder / "root", filter="data")
        except (tarfile.TarError, ValueError) as error:
            raise UnavailableError(f"{name} cannot be unpacked: {error}\nhint: check {LOCK}") from error
    (folder / "bin").mkdir()
    for directory in ("bin", "sbin"):
        for program in sorted((folder / "root/usr" / directory).iterdir()):
            if not (folder / "bin" / program.name).exists():  # runc is in one, and a link in the other
                (folder / "bin" / program.name).symlink_to(f"../root/usr/{directory}/{program.name}")
    plugins = folder / "config/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(f"../../root/{_BUILDX}")


def try_out(folder: Path) -> None:
    """Start the programs once: UnavailableError where one is missing, or this machine cannot run it."""
    calls = [(program, "--version") for program in ("dockerd", "containerd", "runc", "docker-init")]
    for program, *words in [*calls, ("docker", "buildx", "version")]:
        call = [str(folder / "bin" / program), *words]
        env = {**os.environ, "DOCKER_CONFIG": str(folder / "config")}
        try:
            done = subprocess.run(call, env=env, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603 - of pinned packages
            said = "" if done.returncode == 0 else done.stderr.strip()[-500:] or f"exit code {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
        if said:
            raise UnavailableError(
                f"The reference engine does not run on this machine: {' '.join((program, *words))} fails.\n  {said}\n"
                f"hint: it needs {_NEEDS}"
            )


def install(root: Path) -> Path:
    """The directory of the engine, fetched unless it is there. Raises LockError or UnavailableError."""
    lock = (root / LOCK).read_text("utf-8")
    engine = root / "build/engine"
    stamp = engine / LOCK  # written last
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return engine
    contents = {}
    for package in list(packages(lock)):  # all lines are checked first, and all hashes before anything is unpacked
        sys.stderr.write(f"→ {package.name}\n")
        contents[package.name] = fetch(package)
    engine.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".engine-", dir=engine.parent) as folder:
        fresh = Path(folder, "engine")
        unpack(contents, fresh)
        try_out(fresh)
        (fresh / LOCK).write_text(lock, "utf-8")
        if engine.exists():
            shutil.rmtree(engine)
        fresh.rename(engine)
    return engine


def main(root: Path) -> int:
    """Print the settings of a shell that uses the engine, or why there is none. Return the exit code."""
    try:
        engine = install(root)
    except (LockError, UnavailableError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, LockError) else 3
    # In its own directory of settings, docker's client looks for plugins before it does in the system's.
    programs, settings = (shlex.quote(str(engine / name)) for name in ("bin", "config"))
    print(f'export PATH={programs}:"$PATH" DOCKER_CONFIG={settings}')
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
