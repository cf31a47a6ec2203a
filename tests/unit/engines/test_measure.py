"""Measurements of images and layers are cached, and are the same from the store's files as from an archive."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import os
import shutil
import socket
import tarfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from proof.core.errors import CannotMeasureError
from proof.engines import image_archive, measure
from proof.engines.client import Client
from proof.engines.private_docker import PrivateDocker
from proof.system.process import Completed
from tests.support.makers import member, tar
from tests.unit.engines.test_image_archive import BASE, EMPTY, OWN, config, digest, oci


class Saving(PrivateDocker):
    """A fake engine with given images, which records what it is asked to save."""

    held: dict[str, tuple[bytes, ...]]
    saved: list[str]

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """Its archive, as the engine would save it."""
        self.saved.append(image)
        yield oci(*self.held[image])


@pytest.fixture
def engine() -> Saving:
    made = Saving(client=Client("docker", {}), platform="linux/amd64")
    object.__setattr__(made, "held", {"base": (BASE,), "example": (BASE, OWN)})
    object.__setattr__(made, "saved", [])
    return made


def test_an_image_is_saved_once(engine: Saving, tmp_path: Path) -> None:
    """An image that was measured is not saved again, in this run or a later one."""
    first = measure.measure(engine, "example", tmp_path)
    assert measure.measure(engine, "example", tmp_path) == first
    assert engine.saved == ["example"]


def test_a_layer_is_counted_once(engine: Saving, tmp_path: Path) -> None:
    """A base's layers are not read again for an image built on it: the cached counts are used."""
    (base,) = measure.measure(engine, "base", tmp_path).layers
    kept = tmp_path / measure.LAYERS / f"{digest(BASE)}.json"
    counts = json.loads(kept.read_text())
    assert counts == [base.digest, base.size, base.files, None, None]
    kept.write_text(json.dumps([counts[0], 77, *counts[2:]]))
    assert [layer.size for layer in measure.measure(engine, "example", tmp_path).layers] == [77, 2000]


def test_compressed_counts_are_apart(engine: Saving, tmp_path: Path) -> None:
    """A layer cached without its compressed size is read again if that is requested."""
    measure.measure(engine, "base", tmp_path)
    (layer,) = measure.measure(engine, "base", tmp_path, what=image_archive.What(compress=True)).layers
    assert layer.compressed is not None


@pytest.mark.parametrize("text", ["", "{", "[1]", '["a", "b", 3, null]', "null"])
def test_a_broken_record_is_counted_again(engine: Saving, tmp_path: Path, text: str) -> None:
    """A damaged cache file is ignored."""
    whole = measure.measure(engine, "example", tmp_path)
    for path in tmp_path.rglob("*.json"):
        path.write_text(text)
    assert measure.measure(engine, "example", tmp_path) == whole


def stored(data: Path, *layers: bytes) -> str:
    """Store an image as Docker's classic store does, and return its id."""
    settings = config(*layers)
    kept = data / "image/overlay2/imagedb/content/sha256" / digest(settings)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(settings)
    chain = ""
    for layer in layers:
        chain = digest(f"sha256:{chain} sha256:{digest(layer)}".encode()) if chain else digest(layer)
        about = data / "image/overlay2/layerdb/sha256" / chain
        about.mkdir(parents=True)
        (about / "cache-id").write_text(f"files-of-{chain}")
        split, end = [], 0
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            for member in archive:
                if not member.isreg():
                    continue
                split.append({"type": 2, "payload": base64.b64encode(layer[end : member.offset_data]).decode()})
                split.append({"type": 1, "name": member.name, "size": member.size})
                end = member.offset_data + member.size
                path = data / "overlay2" / f"files-of-{chain}" / "diff" / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(layer[member.offset_data : end])
        # Docker keeps what is behind the files in such pieces.
        pieces = (layer[start:][: 1 << 20] for start in range(end, len(layer), 1 << 20))
        split += [{"type": 2, "payload": base64.b64encode(piece).decode()} for piece in pieces]
        lines = "".join(json.dumps(entry) + "\n" for entry in split)
        (about / "tar-split.json.gz").write_bytes(gzip.compress(lines.encode()))
    return f"sha256:{digest(settings)}"


class TestStore:
    """An engine whose store can be read from files."""

    @pytest.fixture
    def image(self, engine: Saving, tmp_path: Path) -> str:
        name = stored(tmp_path / "data", BASE, EMPTY, OWN)
        engine.held[name] = (BASE, EMPTY, OWN)
        return name

    @pytest.fixture
    def near(self, engine: Saving, tmp_path: Path) -> Saving:
        near = replace(engine, data=tmp_path / "data")
        object.__setattr__(near, "held", engine.held)
        object.__setattr__(near, "saved", engine.saved)
        return near

    @pytest.mark.parametrize("compress", [False, True])
    def test_it_is_what_would_be_saved(
        self, near: Saving, engine: Saving, image: str, tmp_path: Path, *, compress: bool
    ) -> None:
        """Measured from the store's files, an image gives the same numbers, without being saved."""
        read = measure.measure(near, image, tmp_path / "a", what=image_archive.What(compress=compress))
        assert engine.saved == []
        assert read == measure.measure(engine, image, tmp_path / "b", what=image_archive.What(compress=compress))
        assert engine.saved == [image]

    def test_another_engines_files(self, near: Saving, tmp_path: Path) -> None:
        """An image that is not in the store's files is saved instead."""
        assert measure.measure(near, "example", tmp_path).size == 2812
        assert near.saved == ["example"]

    @pytest.mark.parametrize("what", ["changed", "cut", "longer", "gone", "pipe", "link"])
    def test_a_file_that_is_not_the_images(self, near: Saving, image: str, tmp_path: Path, what: str) -> None:
        """Files that do not result in the layer's SHA-256, or would block, are not used: the image is saved instead."""
        (file,) = (tmp_path / "data").rglob("diff/app")
        match what:
            case "changed":
                file.write_bytes(b"z" * 2000)
            case "cut":
                file.write_bytes(b"y" * 1999)
            case "longer":
                file.write_bytes(b"y" * 2001)  # its layer says how much of it to read
            case _:
                file.unlink()
        if what == "pipe":
            os.mkfifo(file)
        if what == "link":
            file.symlink_to("/dev/zero")
        assert [layer.size for layer in measure.measure(near, image, tmp_path / "cache").layers][2] == 2000
        assert near.saved == ([] if what == "longer" else [image])

    @pytest.mark.parametrize("way", ["absolute", "upwards", "through a link", "through two links", "to itself"])
    def test_a_name_that_leads_to_the_host(self, near: Saving, image: str, tmp_path: Path, way: str) -> None:
        """Names and links in a layer cannot lead to files of the host."""
        (file,) = (tmp_path / "data").rglob("diff/app")
        secret = tmp_path / "host" / "secret"
        secret.parent.mkdir()
        file.rename(secret)  # what would be counted if it were read: it has the right content
        layer = file.parent
        match way:
            case "absolute":
                name = str(secret)
            case "upwards":
                name = os.path.relpath(secret, layer)
            case "through a link":
                (layer / "etc").symlink_to(secret.parent)
                name = "etc/secret"
            case "through two links":
                (layer / "a").mkdir()
                (layer / "a/b").symlink_to(tmp_path)
                name = "a/b/host/secret"
            case _:
                file.symlink_to(secret)
                name = "app"
        rename(layer, "app", name)
        assert measure.measure(near, image, tmp_path / "cache").size == 2812
        assert near.saved == [image]

    def test_a_device_is_not_opened(
        self, near: Saving, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Devices in an image are not opened, because some act when opened."""
        (file,) = (tmp_path / "data").rglob("diff/app")
        file.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            monkeypatch.chdir(file.parent)  # the path of a socket has to be short
            listener.bind("app")
        opened: list[str] = []
        real = os.open

        def note(path: str | Path, *rest: int, **more: int) -> int:
            opened.append(str(path))
            return real(path, *rest, **more)

        monkeypatch.setattr(os, "open", note)
        assert measure.measure(near, image, tmp_path / "cache").size == 2812
        assert near.saved == [image]
        assert str(file) not in opened

    def test_links_above_the_store(self, near: Saving, image: str, tmp_path: Path) -> None:
        """The data directory itself may be reached through a link."""
        (tmp_path / "link").symlink_to(tmp_path / "data")
        through = replace(near, data=tmp_path / "link")
        object.__setattr__(through, "saved", near.saved)
        assert measure.measure(through, image, tmp_path / "cache").size == 2812
        assert near.saved == []

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param(b'{"type": 1, "name": 5, "size": 1}', id="number"),
            pytest.param(b'{"type": 1, "name": "a\\u0000b", "size": 1}', id="NUL"),
            pytest.param(b'{"type": 1, "name": "", "size": 1}', id="folder"),
            pytest.param(b'{"type": 1, "name": "app", "size": "9"}', id="text"),
            pytest.param(b'{"type": 1, "name": "app", "size": -9}', id="negative"),
            pytest.param(b'{"type": 2, "payload": 5}', id="payload"),
            pytest.param(b"5", id="no table"),
            pytest.param(b"[" * 100_000, id="nested"),
            pytest.param(b'{"type": 2, "payload": "' + b"A" * 4_000_000 + b'"}', id="long"),
        ],
    )
    def test_an_absurd_entry(self, near: Saving, image: str, tmp_path: Path, line: bytes) -> None:
        """Files in an unknown format are not used."""
        for path in (tmp_path / "data").rglob("tar-split.json.gz"):
            path.write_bytes(gzip.compress(line + b"\n" + gzip.decompress(path.read_bytes())))
        assert measure.measure(near, image, tmp_path / "cache").size == 2812
        assert near.saved == [image]

    @pytest.mark.parametrize("compress", [False, True])
    def test_limits_hold_here(
        self, near: Saving, engine: Saving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, compress: bool
    ) -> None:
        """An image that exceeds a limit is not read a second time, from an archive."""
        monkeypatch.setattr(image_archive, "_ENTRIES", 10_000)
        many = stored(tmp_path / "data", tar(*(member(str(i)) for i in range(100))))
        with pytest.raises(CannotMeasureError, match="has too many files to list"):
            measure.measure(near, many, tmp_path / "cache", what=image_archive.What(compress=compress))
        assert engine.saved == []
        with pytest.raises(CannotMeasureError, match="could not be measured in 0 s"):
            measure.measure(
                near, many, tmp_path / "cache", what=image_archive.What(compress=compress), limit=image_archive.Limit(0)
            )

    def test_the_deadline_holds_for_layers_that_are_known(self, near: Saving, image: str, tmp_path: Path) -> None:
        """Reading them from the cache takes time, too."""
        measure.measure(near, image, tmp_path / "cache")
        shutil.rmtree(tmp_path / "cache" / measure._IMAGES)
        with pytest.raises(CannotMeasureError, match="could not be measured in 0 s"):
            measure.measure(near, image, tmp_path / "cache", limit=image_archive.Limit(0))

    def test_what_is_behind_the_end_is_not_kept(self, near: Saving, tmp_path: Path) -> None:
        """Bytes after the end of an archive count only for its SHA-256."""
        image = stored(tmp_path / "data", BASE + bytes(40_000_000))
        tracemalloc.start()
        try:
            assert measure.measure(near, image, tmp_path / "cache").layers[0].files == 1
            assert near.saved == []
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 30_000_000

    def test_a_layer_with_a_name_of_its_own(self, near: Saving, tmp_path: Path) -> None:
        """Only valid digests are used to make paths."""
        settings = config(OWN, rootfs={"type": "layers", "diff_ids": ["sha256:../../counts"]})
        kept = tmp_path / "data/image/overlay2/imagedb/content/sha256" / digest(settings)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(settings)
        (tmp_path / "cache/layers").mkdir(parents=True)
        (tmp_path / "counts.json").write_text(json.dumps(["sha256:x", 1, 1, None]))
        near.held[name := f"sha256:{digest(settings)}"] = (OWN,)
        assert measure.measure(near, name, tmp_path / "cache").size == 2000
        assert near.saved == [name]

    @pytest.mark.parametrize("pattern", ["**/content/sha256/*", "**/tar-split.json.gz", "**/cache-id"])
    @pytest.mark.parametrize("content", [None, b"", b"{}", b"\x1f\x8b[]", b"../../../x"])
    def test_a_store_of_another_form(
        self, near: Saving, image: str, tmp_path: Path, pattern: str, content: bytes | None
    ) -> None:
        """A store in another format, or a damaged one, is not used."""
        for path in (tmp_path / "data").glob(pattern):
            path.unlink()
            if content is not None:
                path.write_bytes(content)
        assert measure.measure(near, image, tmp_path / "cache").size == 2812
        assert near.saved == [image]

    def test_names_and_layers(self, near: Saving, image: str, tmp_path: Path) -> None:
        """An image is found under its name, however that is written, with its layers."""
        name(tmp_path / "data", "example/app:latest", image)
        assert near.image_id("example/app") == near.image_id("docker.io/example/app:latest") == image
        assert near.diff_ids("example/app") == tuple(f"sha256:{digest(layer)}" for layer in (BASE, EMPTY, OWN))

    @pytest.mark.parametrize("content", [None, "", "[]", '{"Repositories": {"other": {}}}', '{"Repositories": null}'])
    def test_names_that_are_not_known(
        self, near: Saving, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
    ) -> None:
        """If the files do not have the answer, the engine is asked."""
        name(tmp_path / "data", "app:latest", image)
        (tmp_path / "data/image/overlay2/repositories.json").unlink()
        if content is not None:
            (tmp_path / "data/image/overlay2/repositories.json").write_text(content)
        asked: list[tuple[str, ...]] = []

        def call(_: Client, *words: str, check: bool = True) -> Completed:
            del check
            asked.append(words)
            return Completed(words, 0, b'["sha256:1"]', b"", 0.0)

        monkeypatch.setattr(Client, "call", call)
        near.image_id("app")
        assert near.diff_ids("app") == ("sha256:1",)
        assert [words[:2] for words in asked] == [("image", "inspect")] * 2


def rename(layer: Path, old: str, new: str) -> None:
    """Change the name of a file in a layer's list."""
    (path,) = (
        path
        for path in layer.parents[2].rglob("tar-split.json.gz")
        if (path.parent / "cache-id").read_text() == layer.parent.name
    )
    entries = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert any(entry.get("name") == old for entry in entries)
    entries = [entry | ({"name": new} if entry.get("name") == old else {}) for entry in entries]
    path.write_bytes(gzip.compress("".join(json.dumps(entry) + "\n" for entry in entries).encode()))


def name(data: Path, name: str, image: str) -> None:
    """Give an image a name, as Docker's classic store does."""
    held = {"Repositories": {name.rpartition(":")[0]: {name: image}}}
    (data / "image/overlay2/repositories.json").write_text(json.dumps(held))
