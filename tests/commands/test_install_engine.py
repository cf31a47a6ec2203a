"""scripts/install-engine: what it fetches is checked before it is unpacked, and what it prints is for a shell."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.helpers import REPOSITORY, succeeded
from tests.support.makers import write
from tests.support.scripts import run, stubbed

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

    def pin(self, packages: Mapping[str, bytes]) -> None:
        """Pin these packages, which are on the mirror."""
        lines = [f"{hashlib.sha256(deb).hexdigest()} {sha1(deb)} {path}\n" for path, deb in packages.items()]
        write(self.root, {"engine.lock": f"# A comment.\n{''.join(lines)}"})
        write(self.mirror, packages)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        hosts = {"DEBIAN_MIRROR": self.mirror.as_uri(), "DEBIAN_SNAPSHOT": self.snapshot.as_uri()}
        return run(self.root, "install-engine", *arguments, **{**hosts, **env})


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """All packages are pinned, and on the mirror."""
    # A space in the path: what is printed has to be quoted.
    found = Place(tmp_path / "a root", tmp_path / "mirror", tmp_path / "snapshot")
    stubbed(found.root, "install-engine")
    found.pin({path: package(files) for path, files in PACKAGES.items()})
    return found


def refused(place: Place, says: str, code: int = 3, **env: str) -> str:
    """Nothing is printed for a shell, and nothing is left behind. Returns what is said."""
    done = place.run(**env)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(place.root.glob("build/.*"))
    return done.stderr


def test_a_shell_uses_the_engine(place: Place) -> None:
    """Its programs come first on the PATH, and its buildx is the client's plugin."""
    done = succeeded(place.run())
    script = f"{done.stdout}\ncommand -v dockerd; command -v runc; runc; docker-init; docker buildx"
    used = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    first = place.engine / "bin"
    found = [f"{first}/dockerd", f"{first}/runc", "runc 26.1.5", "tini 26.1.5", "buildx 26.1.5"]
    assert used.stdout.splitlines() == found


def test_a_second_call_does_nothing(place: Place) -> None:
    """It needs no network, and changes no file; a new lock does. An engine that was there before stays."""
    first = place.run()
    second = place.run(DEBIAN_MIRROR="", DEBIAN_SNAPSHOT="")
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    place.pin({path: package({**files, "./usr/bin/new": PROGRAM}) for path, files in PACKAGES.items()})
    refused(place, "set DEBIAN_MIRROR to a mirror of Debian", DEBIAN_MIRROR="", DEBIAN_SNAPSHOT="")
    assert (place.engine / "bin/dockerd").exists()
    assert place.run().returncode == 0
    assert (place.engine / "bin/new").exists()


@pytest.mark.parametrize("path", [FIRST, LAST])
@pytest.mark.parametrize("half", [False, True])
def test_nothing_is_unpacked_before_every_hash_is_right(half: bool, path: str, place: Place) -> None:  # noqa: FBT001
    """Not even the packages that are right. Half of a package is also another one."""
    right = (place.mirror / path).read_bytes()
    wrong = right[: len(right) // 2] if half else package({"./usr/sbin/dockerd": "#!/bin/sh\ntouch pwned\n"})
    write(place.mirror, {path: wrong})
    said = refused(place, f"{Path(path).name} cannot be fetched, so nothing was unpacked")
    digests = [hashlib.sha256(content).hexdigest() for content in (wrong, right)]
    assert f"it has the SHA-256 {digests[0]}, not {digests[1]}" in said
    assert f"{place.snapshot.as_uri()}/file/{sha1(right)}: " in said


@pytest.mark.parametrize("gone", [True, False])
def test_what_a_mirror_no_longer_has_is_in_the_snapshots(gone: bool, place: Place) -> None:  # noqa: FBT001
    """By its SHA-1. Its hash counts there too."""
    old = place.mirror / FIRST
    content = old.read_bytes()
    write(place.snapshot, {f"file/{sha1(content)}": content if gone else b"other"})
    old.unlink()
    assert place.run().returncode == (0 if gone else 3)


def changed(part: str, new: str) -> dict[str, bytes]:
    """The packages with this text for files with `part` in their names; "" leaves them out."""
    packages = {}
    for path, files in PACKAGES.items():
        texts = {name: new if part in name else text for name, text in files.items()}
        packages[path] = package({name: text for name, text in texts.items() if text})
    return packages


@pytest.mark.parametrize(
    ("part", "new", "says"),
    [
        ("sbin/runc", "#!/bin/sh\necho 'GLIBC_2.38 not found' >&2; exit 1", "GLIBC_2.38 not found"),
        ("runc", "", "No such file"),
        ("buildx", "", "docker buildx version fails"),
    ],
)
def test_an_engine_that_does_not_run_here(part: str, new: str, says: str, place: Place) -> None:
    """Code 3, with what the program said and what it needs."""
    place.pin(changed(part, new))
    assert says in refused(place, "The reference engine does not run on this machine")
    assert not place.engine.exists()


def test_a_package_that_cannot_be_unpacked(place: Place) -> None:
    place.pin(dict.fromkeys(PACKAGES, b"odd"))
    refused(place, "cannot be unpacked")
    assert not place.engine.exists()


@pytest.mark.parametrize(
    "line", ["x", f"{'0' * 64} {'0' * 40} https://example.invalid/x.deb", f"{'0' * 64}  pool/x.deb", ""]
)
def test_a_lock_has_only_packages(line: str, place: Place) -> None:
    """Above all no addresses, which would be another place to fetch from."""
    write(place.root, {"engine.lock": f"# A comment.\n{line}\n"})
    assert f"  │ 2:{line}" in refused(place, "engine.lock is not a list of packages", code=2)


def test_arguments_are_refused(place: Place) -> None:
    done = place.run("podman")
    assert (done.returncode, "unknown argument: podman" in done.stderr) == (2, True)


def test_the_lock_has_every_package_that_the_engine_needs() -> None:
    """Of Docker 26.1.5, by which the captures were made."""
    lines = (REPOSITORY / "engine.lock").read_text("utf-8").splitlines()
    names = dict(line.rpartition("/")[2].split("_")[:2] for line in lines if not line.startswith("#"))
    assert sorted(names) == ["containerd", "docker-buildx", "docker-cli", "docker.io", "runc", "tini"]
    assert all(names[name].startswith("26.1.5+") for name in ("docker.io", "docker-cli"))
