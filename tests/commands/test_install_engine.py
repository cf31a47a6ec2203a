"""scripts/install-engine: what it fetches is checked before it is unpacked, and what it prints is for a shell."""

from __future__ import annotations

import hashlib
import http.server
import io
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

PROGRAM = "#!/bin/sh\necho {} 26.1.5\n"
DOCKER = '#!/bin/sh\n[ "$1" != buildx ] || exec "$DOCKER_CONFIG/cli-plugins/docker-buildx" "$@"\necho docker 26.1.5\n'
PACKAGES: dict[str, dict[str, str]] = {
    "pool/main/d/docker.io/docker.io_26.1.5+dfsg1-9_amd64.deb": {
        "./usr/sbin/dockerd": PROGRAM.format("dockerd"),
        "./usr/bin/docker": DOCKER,
        "./usr/bin/docker-init": "-> tini-static",
    },
    "pool/main/c/containerd/containerd_1.7.24~ds1-6_amd64.deb": {
        "./usr/bin/containerd": PROGRAM.format("containerd"),
        "./usr/sbin/runc": PROGRAM.format("runc"),
        "./usr/bin/runc": "-> ../sbin/runc",
    },
    "pool/main/t/tools/tools_1_amd64.deb": {
        "./usr/libexec/docker/cli-plugins/docker-buildx": PROGRAM.format("buildx"),
        "./usr/bin/tini-static": PROGRAM.format("tini"),
    },
}
FIRST, *_, LAST = PACKAGES


def package(files: Mapping[str, str]) -> bytes:
    """A Debian package with these executable files, and links where the content begins with an arrow."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            if text.startswith("-> "):
                info.type, info.linkname = tarfile.SYMTYPE, text.removeprefix("-> ")
                archive.addfile(info)
            else:
                info.mode, info.size = 0o755, len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": data.getvalue()}
    whole = b"!<arch>\n"
    for member, content in members.items():
        whole += f"{member:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(content):<10}`\n".encode() + content
        whole += b"\n" * (len(content) % 2)
    return whole


class Place(NamedTuple):
    """A repository with a lock, and the directories that stand for the two hosts."""

    root: Path
    mirror: Path
    snapshot: Path

    @property
    def engine(self) -> Path:
        return self.root / "build/engine"

    def lock(self, packages: Mapping[str, bytes]) -> None:
        """Pin these packages."""
        lines = [f"{hashlib.sha256(deb).hexdigest()} {sha1(deb)} {path}\n" for path, deb in packages.items()]
        write(self.root, {"engine.lock": f"# A comment.\n{''.join(lines)}"})

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        hosts = {"DEBIAN_MIRROR": self.mirror.as_uri(), "DEBIAN_SNAPSHOT": self.snapshot.as_uri()}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        return subprocess.run(
            ["scripts/install-engine", *arguments],
            cwd=self.root,
            env={"PATH": path, **hosts, **env},
            capture_output=True,
            text=True,
            check=False,
        )


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """All packages are pinned, and on the mirror."""
    # A space in the path: what is printed has to be quoted.
    found = Place(tmp_path / "a root", tmp_path / "mirror", tmp_path / "snapshot")
    for name in ("scripts/install-engine", "scripts/maintenance/install_engine.py", "scripts/lib.sh"):
        write(found.root, {name: (REPOSITORY / name).read_bytes()})
    (found.root / "scripts/install-engine").chmod(0o755)
    packages = {path: package(files) for path, files in PACKAGES.items()}
    found.lock(packages)
    write(found.mirror, packages)
    return found


def test_a_shell_uses_the_engine(place: Place) -> None:
    """Its programs come first on the PATH, and its buildx is the client's plugin."""
    done = place.run()
    assert done.returncode == 0, done.stderr
    script = f"{done.stdout}\ncommand -v dockerd; command -v runc; runc; docker-init; docker buildx"
    used = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    first = place.engine / "bin"
    found = [f"{first}/dockerd", f"{first}/runc", "runc 26.1.5", "tini 26.1.5", "buildx 26.1.5"]
    assert used.stdout.splitlines() == found


def test_without_a_mirror(place: Place) -> None:
    """No host is asked that nobody has named, and the hint says what to set."""
    done = place.run(DEBIAN_MIRROR="", DEBIAN_SNAPSHOT="")
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be fetched" in done.stderr
    assert "set DEBIAN_MIRROR to a mirror of Debian" in done.stderr


def test_a_second_call_does_nothing(place: Place) -> None:
    """It needs no network, and changes no file; a new lock does."""
    first = place.run()
    made = place.engine.stat().st_ino
    nowhere = {"DEBIAN_MIRROR": "file:///nonexistent", "DEBIAN_SNAPSHOT": "file:///nonexistent"}
    second = place.run(**nowhere)
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert place.engine.stat().st_ino == made
    newer = {path: package({**files, "./usr/bin/new": PROGRAM}) for path, files in PACKAGES.items()}
    place.lock(newer)
    assert place.run(**nowhere).returncode == 3
    assert not (place.engine / "bin/new").exists()
    write(place.mirror, newer)
    assert place.run().returncode == 0
    assert (place.engine / "bin/new").exists()


@pytest.mark.parametrize("path", [FIRST, LAST])
def test_a_wrong_hash_stops_before_anything_is_unpacked(path: str, place: Place) -> None:
    """Not even the packages that are right are unpacked, and the snapshot is not asked in its place."""
    right = (place.mirror / path).read_bytes()
    write(place.snapshot, {f"file/{sha1(right)}": right})
    wrong = package({"./usr/sbin/dockerd": "#!/bin/sh\ntouch pwned\n"})
    write(place.mirror, {path: wrong})
    done = place.run()
    assert (done.returncode, done.stdout) == (3, "")
    assert "is not the package that engine.lock pins, so nothing was unpacked" in done.stderr
    assert f"pinned {hashlib.sha256(right).hexdigest()}" in done.stderr
    assert f"found  {hashlib.sha256(wrong).hexdigest()}" in done.stderr
    assert "hint: set DEBIAN_MIRROR" in done.stderr
    assert not list(place.root.glob("build/*"))


def test_what_a_mirror_no_longer_has_is_in_the_snapshots(place: Place) -> None:
    """By its SHA-1."""
    old = place.mirror / FIRST
    write(place.snapshot, {f"file/{sha1(old.read_bytes())}": old.read_bytes()})
    old.unlink()
    done = place.run()
    assert done.returncode == 0, done.stderr


def test_an_engine_that_cannot_be_had(place: Place) -> None:
    """Code 3, with every place where it was looked for. An engine that was there before stays."""
    assert place.run().returncode == 0
    place.lock({path: package({"./usr/bin/x": path}) for path in PACKAGES})
    (place.mirror / FIRST).unlink()
    done = place.run()
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{Path(FIRST).name} cannot be fetched." in done.stderr
    assert f"{place.mirror.as_uri()}/pool/main/d/docker.io/docker.io_26.1.5%2Bdfsg1-9_amd64.deb: " in done.stderr
    assert f"{place.snapshot.as_uri()}/file/" in done.stderr
    assert "hint: check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert (place.engine / "bin/dockerd").exists()


@pytest.fixture
def short(place: Place) -> Iterator[str]:
    """The address of a mirror that closes each connection after half of a package."""

    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = (place.mirror / FIRST).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_half_a_package_is_no_wrong_hash(short: str, place: Place) -> None:
    """A connection that breaks off is a failure of the network."""
    done = place.run(DEBIAN_MIRROR=short)
    assert done.returncode == 3
    assert re.search(r"the connection ended after [\d,]+ of [\d,]+ bytes", done.stderr)
    assert "pinned" not in done.stderr


def without(part: str) -> Callable[[str, str], str]:
    """Leave out the files with this in their names."""
    return lambda name, content: "" if part in name else content


def runc_fails(name: str, content: str) -> str:
    """As where the system's C library is older."""
    return content.replace("echo runc", "echo 'GLIBC_2.38 not found' >&2; exit 1 ||") if "runc" in name else content


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (runc_fails, "GLIBC_2.38 not found"),
        (without("runc"), "No such file"),
        (without("buildx"), "docker buildx version fails"),
    ],
)
def test_an_engine_that_does_not_run_here(change: Callable[[str, str], str], says: str, place: Place) -> None:
    """Code 3, with what the program said and what it needs, and nothing is left behind."""
    packages = {
        path: package({name: new for name, content in files.items() if (new := change(name, content))})
        for path, files in PACKAGES.items()
    }
    place.lock(packages)
    write(place.mirror, packages)
    done = place.run()
    assert (done.returncode, done.stdout) == (3, "")
    assert "The reference engine does not run on this machine" in done.stderr
    assert says in done.stderr
    assert "hint: it needs Linux on amd64" in done.stderr
    assert not list(place.root.glob("build/*"))


def test_a_link_out_of_the_engine_is_refused(place: Place) -> None:
    """Even from a package that is pinned."""
    packages = {path: package({**files, "./usr/bin/x": "-> ../../../../../x"}) for path, files in PACKAGES.items()}
    place.lock(packages)
    write(place.mirror, packages)
    done = place.run()
    assert (done.returncode, "cannot be unpacked" in done.stderr) == (3, True)
    assert not list(place.root.glob("build/*"))


@pytest.mark.parametrize(
    "line", ["x", f"{'0' * 64} {'0' * 40} https://example.invalid/x.deb", f"{'0' * 64}  pool/x.deb", ""]
)
def test_a_lock_has_only_packages(line: str, place: Place) -> None:
    """Above all no addresses, which would be another place to fetch from."""
    write(place.root, {"engine.lock": f"# A comment.\n{line}\n"})
    done = place.run()
    assert (done.returncode, "engine.lock:2: not a package" in done.stderr) == (2, True)


def test_arguments_are_refused(place: Place) -> None:
    """Code 2."""
    done = place.run("podman")
    assert (done.returncode, "unknown argument: podman" in done.stderr) == (2, True)


def test_the_lock_has_every_package_that_the_engine_needs() -> None:
    """Of Docker 26.1.5, by which the captures were made."""
    lines = (REPOSITORY / "engine.lock").read_text("utf-8").splitlines()
    names = [line.rpartition("/")[2].split("_")[:2] for line in lines if not line.startswith("#")]
    assert sorted(name for name, _ in names) == [
        "containerd",
        "docker-buildx",
        "docker-cli",
        "docker.io",
        "runc",
        "tini",
    ]
    assert all(version.startswith("26.1.5+") for name, version in names if name in ("docker.io", "docker-cli"))
