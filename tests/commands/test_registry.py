"""Pulling with skopeo from a local registry that fails in many ways: how failures are classified and retried."""

import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.core.errors import CannotMeasureError, RegistryAwayError
from proof.provision import pulls as registries
from tests.support.registry import Fault, Registry, need_skopeo, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record pauses instead of waiting, and shorten the time limits."""
    need_skopeo()
    pauses: list[float] = []
    monkeypatch.setattr(registries, "_ANSWER", 3.0)
    monkeypatch.setattr(registries, "_IMAGE", 3.0)
    monkeypatch.setattr(registries, "sleep", pauses.append)
    return pauses


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as server:
        yield server


def pull(registry: Registry, folder: Path) -> str:
    reference, platform = f"{registry.address}/a:1", "linux/amd64"
    digest = registries.resolve(reference, platform, folder)
    registries.pull(reference, digest, platform, folder / "image.tar", "proof-1/a:1")
    return digest


def test_pull(registry: Registry, tmp_path: Path, quick: list[float]) -> None:
    """A pull gives the digest, and an archive with the image under its new name."""
    assert pull(registry, tmp_path) == registry.digest
    with tarfile.open(tmp_path / "image.tar") as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        assert b'proof-1/a:1"]' in manifest.read()
    assert [path.name for path in tmp_path.iterdir()] == ["image.tar"]
    assert quick == []


def test_a_pull_with_compressed_layers(registry: Registry, tmp_path: Path) -> None:
    """The layers are the bytes that the registry sent, and the name of the image is whole."""
    archive, name = tmp_path / "image.tar", "docker.io/proof-1/a:1"
    reference = f"{registry.address}/a:1"
    registries.pull(reference, registry.digest, "linux/amd64", archive, name, compressed=True)
    with tarfile.open(archive) as files:
        index = files.extractfile("index.json")
        assert index is not None
        assert f'"org.opencontainers.image.ref.name":"{name}"'.encode() in index.read()
        _, layer = registry.blobs
        assert f"blobs/{layer.replace(':', '/')}" in files.getnames()


def test_a_tag_that_moves_meanwhile(registry: Registry, tmp_path: Path) -> None:
    """The resolved digest is pulled, even if the tag has moved since."""
    reference, platform = f"{registry.address}/a:1", "linux/amd64"
    digest = registries.resolve(reference, platform, tmp_path)
    registry.manifest += b"\n"
    assert registries.resolve(reference, platform, tmp_path) == registry.digest != digest
    with pytest.raises(CannotMeasureError, match="has no such image"):  # this registry only keeps the newest
        registries.pull(reference, digest, platform, tmp_path / "image.tar", "a:1")
    assert registry.asked[-1].endswith(f"/manifests/{digest}")


@pytest.mark.parametrize(
    ("reference", "mirror", "there"),
    [
        ("docker.io/library/alpine:3.22", "", "docker.io/library/alpine:3.22"),
        ("docker.io/library/alpine:3.22", "127.0.0.1:5000", "127.0.0.1:5000/library/alpine:3.22"),
        ("gcr.io/distroless/static", "mirror.example/hub", "mirror.example/hub/distroless/static"),
    ],
)
def test_a_mirror_has_the_same_paths(reference: str, mirror: str, there: str) -> None:
    """A mirror replaces only the host."""
    assert registries.at(reference, mirror) == there


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_passing_failures(registry: Registry, tmp_path: Path, quick: list[float], fault: Fault) -> None:
    """A failure that may pass is retried after pauses that double, with some randomness."""
    registry.faults += [fault] * 3
    assert pull(registry, tmp_path) == registry.digest
    assert len(quick) == 3
    assert all(first <= pause <= 2 * first for first, pause in zip((1, 2, 4), quick, strict=True))


def test_a_limit_is_honoured(registry: Registry, tmp_path: Path, quick: list[float]) -> None:
    """For 429 with Retry-After, skopeo waits as long as the registry asks; the tool does not wait again."""
    registry.faults += ["429 soon"] * 2
    started = time.monotonic()
    assert pull(registry, tmp_path) == registry.digest
    assert time.monotonic() - started > 2
    assert quick == []


def test_slow(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that takes a second for each answer is slow, but not a failure."""
    monkeypatch.setattr(registries, "_ANSWER", 60.0)
    monkeypatch.setattr(registries, "_IMAGE", 60.0)
    registry.forever = "slow"
    assert pull(registry, tmp_path) == registry.digest


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("503", "reports an error (4 attempts)"),
        ("reset", "cannot be reached (4 attempts)"),
        ("silent", "does not answer (4 attempts)"),
        ("short", "cannot be reached (4 attempts)"),
        ("401", "denies access (1 attempt)"),
        ("404", "has no such image (1 attempt)"),
        ("garbage", "returns something that is not an image (1 attempt)"),
    ],
)
def test_lasting_failures(registry: Registry, tmp_path: Path, quick: list[float], fault: Fault, says: str) -> None:
    """Each kind has its message and hint, is retried only if that can help, and leaves no file."""
    registry.forever = fault
    with pytest.raises(CannotMeasureError) as error:
        pull(registry, tmp_path)
    # If a registry is away, other images are not requested; if it only lacks this image, they are.
    assert isinstance(error.value, RegistryAwayError) == ("4 attempts" in says)
    assert f"{registry.address}/a:1 could not be pulled: its registry {says}" in str(error.value)
    assert error.value.evidence
    assert error.value.hint
    assert len(quick) == (3 if "4 attempts" in says else 0)
    assert not (tmp_path / "image.tar").exists()


def test_a_lasting_limit(
    registry: Registry, tmp_path: Path, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If 429 persists, skopeo gives up after its own attempts, and so does the tool."""
    monkeypatch.setattr(registries, "_ANSWER", 60.0)
    registry.forever = "429 soon"
    with pytest.raises(RegistryAwayError, match="limits requests") as error:
        pull(registry, tmp_path)
    assert "log in" in error.value.hint
    assert quick == []


def test_nobody_there(tmp_path: Path) -> None:
    """Nobody listens on the port: the registry cannot be reached."""
    with serving() as gone:
        address = gone.address
    with pytest.raises(CannotMeasureError, match="cannot be reached") as error:
        registries.resolve(f"{address}/a:1", "linux/amd64", tmp_path)
    assert "--mirror HOST" in error.value.hint  # a network that reaches no public registry often has one of its own
