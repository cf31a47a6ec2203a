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
from pathlib import Path
from typing import NamedTuple

LOCK = "engine.lock"
_NEEDS = "Linux on amd64, with glibc 2.38 or later (Debian 13, Ubuntu 24.04), libseccomp and libsystemd"
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) (?P<sha1>[0-9a-f]{40}) (?P<path>pool/[\w.+~/-]+\.deb)", re.ASCII)
_LARGEST = 200_000_000  # bytes of a package; the largest has 33 million
_PATIENCE = 60  # seconds without an answer
_PROGRAMS = ("dockerd --version", "containerd --version", "runc --version", "docker-init --version")


class InstallError(Exception):
    """Why there is no engine: what is wrong, evidence and a hint, each on lines of its own."""

    code = 3


class LockError(InstallError):
    """The lock has a line that is not a package."""

    code = 2


class Package(NamedTuple):
    """A line of the lock."""

    sha256: str
    sha1: str
    path: str  # on a mirror of Debian

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def read_lock(text: str) -> list[Package]:
    """The packages in a lock; LockError for a line that is something else."""
    packages = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#"):
            match = _LINE.fullmatch(line)
            if not match:
                raise LockError(f"{LOCK}:{number}: not a package: {line!r:.200}\nhint: SHA-256, SHA-1 and pool/….deb")
            packages.append(Package(**match.groupdict()))
    return packages


def fetch(package: Package) -> bytes:
    """The package's file, with the hash that is pinned.

    A mirror has only the newest version of a package; Debian's snapshots have all of them.
    """
    addresses, failures = [], []
    if mirror := os.environ.get("DEBIAN_MIRROR"):
        addresses.append(f"{mirror.rstrip('/')}/{urllib.parse.quote(package.path)}")
    if snapshot := os.environ.get("DEBIAN_SNAPSHOT"):
        addresses.append(f"{snapshot.rstrip('/')}/file/{package.sha1}")
    for address in addresses:
        try:
            with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 - what comes is checked
                content = bytes(answer.read(_LARGEST))
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"  {address}: {error}")
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 == package.sha256:
            return content
        failures.append(f"  {address}: {len(content):,} bytes with the SHA-256 {sha256}, not {package.sha256}")
    hint = "hint: check the network, or set DEBIAN_MIRROR to a mirror of Debian, like https://HOST/debian"
    raise InstallError("\n".join([f"{package.name} cannot be fetched, so nothing was unpacked.", *failures, hint]))


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
            raise InstallError(f"{name} cannot be unpacked: {error}\nhint: check {LOCK}") from error
    (folder / "bin").mkdir()
    # Some programs are in one directory, and a link in the other.
    programs = {path.name: path for place in ("sbin", "bin") for path in (folder / "root/usr" / place).iterdir()}
    for name, path in programs.items():
        (folder / "bin" / name).symlink_to(Path("..", path.relative_to(folder)))
    plugins = folder / "config/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to("../../root/usr/libexec/docker/cli-plugins/docker-buildx")


def try_out(folder: Path) -> None:
    """Start the programs once. Raises InstallError where one is missing, or this machine cannot run it."""
    env = {**os.environ, "DOCKER_CONFIG": str(folder / "config")}
    for command in (*_PROGRAMS, "docker buildx version"):
        program, *words = command.split()
        try:
            call = [str(folder / "bin" / program), *words]
            subprocess.run(call, env=env, capture_output=True, text=True, timeout=_PATIENCE, check=True)  # noqa: S603 - pinned
        except (OSError, subprocess.SubprocessError) as error:
            printed = getattr(error, "stderr", None) or str(error)
            raise InstallError(
                f"The reference engine does not run on this machine: {command} fails.\n"
                f"  {printed.strip()[-500:]}\nhint: it needs {_NEEDS}"
            ) from error


def install(root: Path) -> Path:
    """The directory of the engine, fetched unless it is there. Raises InstallError."""
    lock = (root / LOCK).read_text("utf-8")
    engine = root / "build/engine"
    stamp = engine / LOCK  # written last
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return engine
    contents = {}
    for package in read_lock(lock):  # all lines are checked first, and all hashes before anything is unpacked
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
    except InstallError as error:
        sys.stderr.write(f"{error}\n")
        return error.code
    # In its own directory of settings, docker's client looks for plugins before it does in the system's.
    programs, settings = (shlex.quote(str(engine / name)) for name in ("bin", "config"))
    print(f'export PATH={programs}:"$PATH" DOCKER_CONFIG={settings}')
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
