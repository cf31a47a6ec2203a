"""Saved images: layers measured from their files, in every layout that an engine writes."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest

from proof import image as images
from proof.errors import CannotMeasureError
from proof.image import Image, Layer, base_layers
from tests.makers import member, tar

BASE = tar(
    member("bin/", type=tarfile.DIRTYPE, mode=0o755),
    member("bin/busybox", b"x" * 800, mode=0o755),
    member("bin/sh", type=tarfile.SYMTYPE, linkname="/bin/busybox"),
)
OWN = tar(member("app", b"y" * 2000))
EMPTY = b"\0" * 1024  # as Docker writes a layer of a WORKDIR that exists already
INDEX = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def config(*layers: bytes, **fields: Any) -> bytes:
    """The configuration of an image of these uncompressed layers, as Docker writes it."""
    history: list[dict[str, Any]] = [
        {"created": "2025-07-15T10:42:48Z", "created_by": f"COPY layer{i} /", "comment": "buildkit.dockerfile.v0"}
        for i in range(len(layers))
    ]
    history.insert(1, {"created_by": 'CMD ["/bin/sh"]', "empty_layer": True})
    defaults: dict[str, Any] = {
        "architecture": "amd64",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["app"], "WorkingDir": "/", "ArgsEscaped": True, "OnBuild": None},
        "created": "2026-11-23T22:00:00Z",
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}" for layer in layers]},
    }
    return json.dumps(defaults | fields).encode()


def archive(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> io.BytesIO:
    """What `docker image save` writes, links (symbolic ones) last."""
    symbolic = [member(name, type=tarfile.SYMTYPE, linkname=to) for name, to in (links or {}).items()]
    return io.BytesIO(tar(*(member(name, content) for name, content in files.items()), *symbolic))


def oci(*layers: bytes, settings: bytes | None = None) -> io.BytesIO:
    """The layout since Docker 25: blobs by digest, and manifest.json beside index.json."""
    settings = settings or config(*layers)
    blobs = {f"blobs/sha256/{digest(content)}": content for content in (*layers, settings)}
    manifest = [
        {
            "Config": f"blobs/sha256/{digest(settings)}",
            "RepoTags": ["example:latest"],
            "Layers": [f"blobs/sha256/{digest(layer)}" for layer in layers],
            "LayerSources": {},
        }
    ]
    more = {"index.json": json.dumps(INDEX), "oci-layout": '{"imageLayoutVersion": "1.0.0"}'}
    return archive(
        blobs | {name: text.encode() for name, text in more.items()} | {"manifest.json": json.dumps(manifest).encode()}
    )


def legacy(*layers: bytes) -> io.BytesIO:
    """The layout before Docker 25: a folder for each layer, a layer that repeats being a link to the first."""
    settings = config(*layers)
    files, links, names = {f"{digest(settings)}.json": settings}, {}, []
    for number, layer in enumerate(layers):
        folder = f"{number:064d}"
        first = layers.index(layer)
        if first < number:
            links[f"{folder}/layer.tar"] = f"../{first:064d}/layer.tar"
        else:
            files[f"{folder}/layer.tar"] = layer
        files |= {f"{folder}/VERSION": b"1.0", f"{folder}/json": b'{"id": "x"}'}
        names.append(f"{folder}/layer.tar")
    manifest = [{"Config": f"{digest(settings)}.json", "RepoTags": ["example:latest"], "Layers": names}]
    files["manifest.json"] = json.dumps(manifest).encode()
    files["repositories"] = b'{"example": {"latest": "x"}}'
    return archive(files, links)


def only(*members: tuple[tarfile.TarInfo, bytes]) -> Layer:
    """The one layer of an image with these files."""
    (layer,) = images.measure(oci(tar(*members))).layers
    return layer


class TestMeasure:
    def test_oci_layout(self) -> None:
        """An image of Docker 25 or later is measured, its configuration read."""
        image = images.measure(oci(BASE, OWN))
        assert [(layer.size, layer.files) for layer in image.layers] == [(800 + len("/bin/busybox"), 1), (2000, 1)]
        assert image.size == 2812
        assert [layer.diff_id for layer in image.layers] == [f"sha256:{digest(BASE)}", f"sha256:{digest(OWN)}"]
        assert image.id == f"sha256:{digest(config(BASE, OWN))}"
        assert (image.platform, image.user, image.command, image.environment) == (
            "linux/amd64",
            "",
            '["app"]',
            ("PATH=/bin",),
        )

    def test_instructions(self) -> None:
        """Each layer has its own instruction; those that made no layer are passed over."""
        assert [layer.instruction for layer in images.measure(oci(BASE, OWN)).layers] == [
            "COPY layer0 /",
            "COPY layer1 /",
        ]

    @pytest.mark.parametrize("history", [[], None, [{"created_by": "x"}] * 5])
    def test_no_history(self, history: object) -> None:
        """Where the history does not fit the layers, none has an instruction, rather than a wrong one."""
        image = images.measure(oci(BASE, OWN, settings=config(BASE, OWN, history=history)))
        assert [layer.instruction for layer in image.layers] == ["", ""]

    def test_settings(self) -> None:
        """The command is ENTRYPOINT and CMD; a variant is part of the platform; what is absent is empty."""
        settings = {"Entrypoint": ["/app"], "Cmd": ["-v"], "User": "65532"}
        image = images.measure(oci(OWN, settings=config(OWN, config=settings, architecture="arm64", variant="v8")))
        assert (image.command, image.user, image.platform) == ('["/app", "-v"]', "65532", "linux/arm64/v8")
        assert images.measure(oci(OWN, settings=config(OWN, config=None))).command == "[]"

    def test_legacy_layout(self) -> None:
        """The layout of older engines gives the same numbers, through links too."""
        ours = images.measure(legacy(BASE, OWN, OWN))
        assert ours.layers == images.measure(oci(BASE, OWN, OWN)).layers
        assert ours.size == 4812

    def test_hard_linked_layer(self) -> None:
        """A layer that is a hard link in the archive is found from the archive's root."""
        settings = config(OWN, OWN)
        manifest = [{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar"]}]
        content = tar(
            member("a/layer.tar", OWN),
            member("b/layer.tar", type=tarfile.LNKTYPE, linkname="a/layer.tar"),
            member("c.json", settings),
            member("manifest.json", json.dumps(manifest).encode()),
        )
        assert images.measure(io.BytesIO(content)).size == 4000

    def test_gzipped_layers(self) -> None:
        """A compressed layer, as the containerd store saves it, is measured by what is in it."""
        packed = [gzip.compress(layer) for layer in (BASE, OWN)]
        image = images.measure(oci(*packed, settings=config(BASE, OWN)))
        assert image.layers == images.measure(oci(BASE, OWN)).layers

    @pytest.mark.parametrize("empty", [EMPTY, gzip.compress(EMPTY), tar()], ids=["zeros", "gzip", "tarfile"])
    def test_empty_layer(self, empty: bytes) -> None:
        """A layer of nothing counts as a layer and weighs nothing."""
        layers = images.measure(oci(BASE, empty, settings=config(BASE, empty))).layers
        assert [(layer.size, layer.files) for layer in layers[1:]] == [(0, 0)]

    def test_pipe(self) -> None:
        """The archive is read as a stream, without a seek."""

        class Pipe(io.RawIOBase):
            def __init__(self, content: io.BytesIO) -> None:
                self.content = content

            def readable(self) -> bool:
                return True

            def read(self, size: int = -1) -> bytes:
                return self.content.read(min(size, 100) if size >= 0 else size)

        assert images.measure(Pipe(oci(BASE, OWN))).size == 2812  # type: ignore[arg-type]


class TestCompressed:
    def test_unasked(self) -> None:
        """Compression takes its time: it is measured where it is asked for."""
        assert [layer.compressed for layer in images.measure(oci(BASE, OWN)).layers] == [None, None]

    def test_compressed(self) -> None:
        """A layer is counted as gzip would send it, to the byte, and measured the same otherwise."""
        noise = tar(member("noise", b"".join(hashlib.sha256(bytes([i % 256])).digest() for i in range(20_000))))
        plain, packed = (images.measure(oci(noise, OWN), compress=c) for c in (False, True))
        assert [layer.compressed for layer in packed.layers] == [len(gzip.compress(c, 6)) for c in (noise, OWN)]
        assert [layer.digest for layer in packed.layers] == [layer.digest for layer in plain.layers]
        assert packed.size == plain.size


class TestSize:
    @pytest.mark.parametrize(
        ("entry", "size", "files"),
        [
            pytest.param(member("a", b"123"), 3, 1, id="file"),
            pytest.param(member("a", b""), 0, 1, id="empty file"),
            pytest.param(member("a", type=tarfile.SYMTYPE, linkname="/bin/sh"), 7, 0, id="symlink"),
            pytest.param(member("a", type=tarfile.SYMTYPE, linkname="ä"), 2, 0, id="symlink in UTF-8"),
            pytest.param(member("a", type=tarfile.SYMTYPE, linkname="\udcff"), 1, 0, id="symlink in no encoding"),
            pytest.param(member("a", type=tarfile.LNKTYPE, linkname="b" * 50), 0, 0, id="hard link"),
            pytest.param(member("a", type=tarfile.DIRTYPE), 0, 0, id="folder"),
            pytest.param(member("a", type=tarfile.CHRTYPE, devmajor=1), 0, 0, id="device"),
            pytest.param(member("a", type=tarfile.FIFOTYPE), 0, 0, id="pipe"),
            pytest.param(member(".wh.a", b""), 0, 1, id="whiteout"),
            pytest.param(member("a" * 300, b"1"), 1, 1, id="long name"),
        ],
    )
    def test_size(self, entry: tuple[tarfile.TarInfo, bytes], size: int, files: int) -> None:
        """Bytes of regular files and of symlink targets count; nothing else does."""
        layer = only(entry)
        assert (layer.size, layer.files) == (size, files)


class TestDigest:
    def test_times(self) -> None:
        """A layer built again at another time is the same layer, under another diff_id."""
        old, new = (only(member("app", b"x", mtime=time)) for time in (1, 2))
        assert old.digest == new.digest
        assert old.diff_id != new.diff_id

    def test_order(self) -> None:
        """The order of files in the archive, and names of users, say nothing."""
        one, two = member("a", b"1"), member("b", b"2", uname="root")
        assert only(one, two).digest == only(two, member("a", b"1", gname="wheel")).digest

    @pytest.mark.parametrize(
        "other",
        [
            member("app", b"y"),
            member("App", b"x"),
            member("app", b"x", mode=0o755),
            member("app", b"x", uid=1000),
            member("app", b"x", gid=1000),
            member("app", type=tarfile.SYMTYPE, linkname="x"),
            member("app", type=tarfile.LNKTYPE, linkname="x"),
            member("app", type=tarfile.DIRTYPE),
        ],
        ids=["content", "name", "mode", "owner", "group", "symlink", "hard link", "folder"],
    )
    def test_changes(self, other: tuple[tarfile.TarInfo, bytes]) -> None:
        """A change of what a container would see changes the digest."""
        assert only(member("app", b"x")).digest != only(other).digest

    def test_link_targets(self) -> None:
        """Where a link points is part of the layer."""
        one, two = (only(member("a", type=tarfile.SYMTYPE, linkname=to)) for to in ("b", "c"))
        assert one.digest != two.digest


class TestBaseLayers:
    def image(self, *layers: bytes) -> Image:
        return images.measure(oci(*layers))

    def test_prefix(self) -> None:
        """An image begins with all layers of its base."""
        base = self.image(BASE, tar(member("app", b"x")))
        ids = [layer.diff_id for layer in base.layers]
        assert base_layers(self.image(BASE, tar(member("app", b"x")), OWN), ids) == 2
        assert base_layers(base, ids) == 2
        assert base_layers(base, ()) == 0

    @pytest.mark.parametrize("layers", [(OWN,), (OWN, BASE), (BASE, EMPTY, OWN)])
    def test_no_prefix(self, layers: tuple[bytes, ...]) -> None:
        """Anything but an exact prefix is an error that shows both."""
        with pytest.raises(CannotMeasureError, match="does not begin with the layers of its base") as error:
            base_layers(self.image(*layers), [layer.diff_id for layer in self.image(BASE, OWN, OWN).layers])
        assert error.value.evidence.splitlines()[1].startswith("base  ['sha256:")


class TestGarbage:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"Error response from daemon: reference does not exist\n", id="a message"),
            pytest.param(b"\0" * 10240, id="zeros"),
            pytest.param(gzip.compress(b"x" * 10000), id="gzip"),
            pytest.param(tar(member("a", b"1")), id="another archive"),
            pytest.param(archive({"manifest.json": b"{"}).getvalue(), id="no JSON"),
            pytest.param(archive({"manifest.json": b'{"a": 1}'}).getvalue(), id="no list"),
            pytest.param(archive({"manifest.json": b"[5]"}).getvalue(), id="no table"),
            pytest.param(archive({"manifest.json": b'[{"Config": "x", "Layers": []}]'}).getvalue(), id="no config"),
            pytest.param(
                archive({"manifest.json": b'[{"Config": "manifest.json", "Layers": null}]'}).getvalue(), id="null"
            ),
            pytest.param(oci(OWN, settings=b"[]").getvalue(), id="config is a list"),
            pytest.param(oci(OWN, settings=b"{}").getvalue(), id="config is empty"),
            pytest.param(oci(OWN, settings=config(OWN, rootfs={"diff_ids": []})).getvalue(), id="layers without ids"),
            pytest.param(oci(OWN, settings=config(OWN, os=5)).getvalue(), id="no system"),
            pytest.param(oci(b"no layer", settings=config(OWN)).getvalue(), id="a layer that is none"),
            pytest.param(oci(gzip.compress(b"no tar"), settings=config(OWN)).getvalue(), id="gzip without a layer"),
            pytest.param(oci(gzip.compress(OWN)[:60], settings=config(OWN)).getvalue(), id="half a gzip"),
            pytest.param(oci(OWN[:1000], settings=config(OWN)).getvalue(), id="half a layer"),
        ],
    )
    def test_no_image(self, content: bytes) -> None:
        """What is no saved image cannot be measured, and says so."""
        with pytest.raises(CannotMeasureError, match="the saved image could not be read"):
            images.measure(io.BytesIO(content))

    def test_several_images(self) -> None:
        """An archive of two images is refused rather than measured in part."""
        with pytest.raises(CannotMeasureError, match="the archive holds 2 images, not one"):
            images.measure(archive({"manifest.json": b"[{}, {}]"}))

    def test_links_in_a_circle(self) -> None:
        """Links that lead nowhere end."""
        manifest = b'[{"Config": "manifest.json", "Layers": ["a"]}]'
        with pytest.raises(CannotMeasureError, match="could not be read"):
            images.measure(archive({"manifest.json": manifest}, {"a": "b", "b": "a"}))

    @pytest.mark.parametrize("layout", [oci(BASE, OWN), oci(gzip.compress(BASE), settings=config(BASE)), legacy(BASE)])
    def test_cut_short(self, layout: io.BytesIO) -> None:
        """An archive that ends early is never taken for a smaller image."""
        whole = images.measure(io.BytesIO(layout.getvalue()))
        for end in range(0, len(layout.getvalue()), 97):
            with contextlib.suppress(CannotMeasureError):
                assert images.measure(io.BytesIO(layout.getvalue()[:end])) == whole
