"""Layers of saved images are measured from their files, in every layout that engines write."""

from __future__ import annotations

import contextlib
import gc
import gzip
import hashlib
import io
import itertools
import json
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterable, Mapping
from typing import IO, Any, cast

import pytest

from proof.core.errors import CannotMeasureError
from proof.engines import image_archive
from proof.engines.image_archive import Image, Layer, Limit, base_layers
from proof.system import process
from tests.support.makers import member, tar

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


def archive(files: Mapping[str, bytes]) -> io.BytesIO:
    """What `docker image save` writes."""
    return io.BytesIO(tar(*(member(name, content) for name, content in files.items())))


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


def only(*members: tuple[tarfile.TarInfo, bytes]) -> Layer:
    """The one layer of an image with these files."""
    (layer,) = image_archive.measure(oci(tar(*members))).layers
    return layer


class TestMeasure:
    def test_oci_layout(self) -> None:
        """An image from Docker 25 or later is measured, and its configuration is read."""
        image = image_archive.measure(oci(BASE, OWN))
        assert [(layer.size, layer.files) for layer in image.layers] == [(800 + len("/bin/busybox"), 1), (2000, 1)]
        assert image.size == 2812
        assert [layer.instruction for layer in image.layers] == ["COPY layer0 /", "COPY layer1 /"]
        assert [layer.diff_id for layer in image.layers] == [f"sha256:{digest(BASE)}", f"sha256:{digest(OWN)}"]
        assert image.id == f"sha256:{digest(config(BASE, OWN))}"
        assert (image.platform, image.user, image.command) == ("linux/amd64", "", '["app"]')

    @pytest.mark.parametrize("history", [[], None, [{"created_by": "x"}] * 5])
    def test_no_history(self, history: object) -> None:
        """If the history does not match the layers, no layer gets an instruction."""
        image = image_archive.measure(oci(BASE, OWN, settings=config(BASE, OWN, history=history)))
        assert [layer.instruction for layer in image.layers] == ["", ""]

    def test_settings(self) -> None:
        """The command is ENTRYPOINT and CMD; a variant is part of the platform; what is absent is empty."""
        settings = {"Entrypoint": ["/app"], "Cmd": ["-v"], "User": "65532"}
        image = image_archive.measure(
            oci(OWN, settings=config(OWN, config=settings, architecture="arm64", variant="v8"))
        )
        assert (image.command, image.user, image.platform) == ('["/app", "-v"]', "65532", "linux/arm64/v8")
        assert image_archive.measure(oci(OWN, settings=config(OWN, config=None))).command == "[]"

    def test_gzipped_layers(self) -> None:
        """A compressed layer, as saved by the containerd store, is measured uncompressed."""
        packed = [gzip.compress(layer) for layer in (BASE, OWN)]
        image = image_archive.measure(oci(*packed, settings=config(BASE, OWN)))
        assert image.layers == image_archive.measure(oci(BASE, OWN)).layers

    @pytest.mark.parametrize("empty", [EMPTY, gzip.compress(EMPTY), tar()], ids=["zeros", "gzip", "tarfile"])
    def test_empty_layer(self, empty: bytes) -> None:
        """An empty layer counts as a layer of 0 bytes."""
        layers = image_archive.measure(oci(BASE, empty, settings=config(BASE, empty))).layers
        assert [(layer.size, layer.files) for layer in layers[1:]] == [(0, 0)]


class TestCompressed:
    def test_compressed(self) -> None:
        """The compressed size is that of gzip to the byte; the other numbers do not change."""
        noise = tar(member("noise", b"".join(hashlib.sha256(bytes([i % 256])).digest() for i in range(20_000))))
        plain, packed = (
            image_archive.measure(oci(noise, OWN), what=image_archive.What(compress=c)) for c in (False, True)
        )
        assert [layer.compressed for layer in packed.layers] == [len(gzip.compress(c, 6)) for c in (noise, OWN)]
        # By another compressor, as containerd's store has them.
        other = [gzip.compress(layer, 1) for layer in (noise, OWN)]
        stored = image_archive.measure(oci(*other, settings=config(noise, OWN)), what=image_archive.What(compress=True))
        assert [layer.compressed for layer in stored.layers] == [layer.compressed for layer in packed.layers]
        assert [layer.digest for layer in packed.layers] == [layer.digest for layer in plain.layers]
        assert packed.size == plain.size


class TestSize:
    def test_files_add_up(self) -> None:
        """All files and links of a layer, in whatever order, also those larger than what is read at a time."""
        large = image_archive._PIECE * 2 + 17
        layer = only(
            member("a", b"x" * 3),
            member("b", b"y" * large),
            member("link", type=tarfile.SYMTYPE, linkname="four"),
            member("c", b"z" * 5),
            member("other", type=tarfile.SYMTYPE, linkname="sixsix"),
            member("d", b""),
        )
        assert (layer.size, layer.files) == (3 + large + 4 + 5 + 6, 4)

    @pytest.mark.parametrize("place", [0, 300_000, 599_999])
    @pytest.mark.parametrize("compress", [False, True])
    def test_every_piece_counts(self, place: int, *, compress: bool) -> None:
        """One byte that is another, in any piece of a file, is another layer; the same bytes are the same one."""
        content = bytearray(b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(600_000 // 32)))
        one, same = (tar(member("a", bytes(content)), member("b", b"1")) for _ in range(2))
        content[place] ^= 1
        other = tar(member("a", bytes(content)), member("b", b"1"))
        found, again, changed = (
            image_archive.count(io.BytesIO(each), what=image_archive.What(compress=compress))
            for each in (one, same, other)
        )
        assert found == again
        assert found[0] != changed[0]
        assert found[1:3] == changed[1:3] == (600_001, 2)
        assert found[3] == (len(gzip.compress(one, 6)) if compress else None)

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
        """Only the bytes of regular files and symlink targets count."""
        layer = only(entry)
        assert (layer.size, layer.files) == (size, files)


APP, ETC = member("app", b"x"), member("etc/", type=tarfile.DIRTYPE, mode=0o700, uid=7)


class TestDigest:
    @pytest.mark.parametrize(
        ("one", "two"),
        [
            pytest.param([member("app", b"x", mtime=1)], [member("app", b"x", mtime=2)], id="times"),
            pytest.param([APP, member("b", uname="root")], [member("b"), member("app", b"x", gname="w")], id="order"),
            # Docker's classic store lists a directory in which nothing is left, and containerd's store does not.
            pytest.param([APP], [APP, ETC], id="directory"),
            # It is 600 in the classic store and 0 in containerd's.
            pytest.param([member("a/.wh.b", mode=0o600)], [member("a/.wh.b", mode=0)], id="mode of a whiteout"),
        ],
    )
    def test_the_same(self, one: list[tuple[tarfile.TarInfo, bytes]], two: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        """A layer that is built again, or by another store, is the same layer, under another diff ID."""
        assert only(*one).digest == only(*two).digest
        assert only(*one).diff_id != only(*two).diff_id

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            (APP, member("app", b"y")),
            (APP, member("App", b"x")),
            (APP, member("app", b"x", mode=0o755)),
            (APP, member("app", b"x", uid=1000)),
            (APP, member("app", b"x", gid=1000)),
            (APP, member("app", type=tarfile.SYMTYPE, linkname="x")),
            (APP, member("app", type=tarfile.LNKTYPE, linkname="x")),
            (APP, member("app", type=tarfile.DIRTYPE)),
            (member("a", type=tarfile.SYMTYPE, linkname="b"), member("a", type=tarfile.SYMTYPE, linkname="c")),
            (member("a/.wh.b"), member("a/.wh.c")),
            (member("a/.wh.b", mode=0o600), member("a/b", mode=0o600)),
        ],
    )
    def test_changes(self, one: tuple[tarfile.TarInfo, bytes], two: tuple[tarfile.TarInfo, bytes]) -> None:
        """A change of what a container would see changes the digest."""
        assert only(one).digest != only(two).digest

    def test_it_is_what_the_captures_hold(self) -> None:
        """Digests are in committed captures, so they must never change for the same files."""
        layer = tar(
            member("a/", type=tarfile.DIRTYPE, mode=0o1777),
            member("a/äb", b"x" * 700, mode=0o4755, uid=65532, gid=100),
            member("a/" + "n" * 300, b"", mtime=1.5),
            member("a/\udcff", type=tarfile.SYMTYPE, linkname="../ß"),
            member("a/hard", type=tarfile.LNKTYPE, linkname="a/äb"),
            member("a/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
            member("a/.wh.gone", b""),
            member("a/big", b"z" * 300_000, uid=10_000_000),
        )
        assert image_archive.count(io.BytesIO(layer))[:4] == (
            "sha256:31a4725d7a33f3ed1404abb895488e47a1faab250146106746563f5b7a4bad13",
            *(300_705, 4, None),
        )


class TestBaseLayers:
    def image(self, *layers: bytes) -> Image:
        return image_archive.measure(oci(*layers))

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
        """A file that is not a saved image is an error."""
        with pytest.raises(CannotMeasureError, match="the saved image could not be read"):
            image_archive.measure(io.BytesIO(content))

    def test_several_images(self) -> None:
        """An archive of two images is refused rather than measured in part."""
        with pytest.raises(CannotMeasureError, match="the archive holds 2 images, not one"):
            image_archive.measure(archive({"manifest.json": b"[{}, {}]"}))

    @pytest.mark.parametrize("layout", [oci(BASE, OWN), oci(gzip.compress(BASE), settings=config(BASE))])
    def test_cut_short(self, layout: io.BytesIO) -> None:
        """A truncated archive is an error, not a smaller image."""
        whole = image_archive.measure(io.BytesIO(layout.getvalue()))
        for end in range(0, len(layout.getvalue()), 97):
            with contextlib.suppress(CannotMeasureError):
                assert image_archive.measure(io.BytesIO(layout.getvalue()[:end])) == whole


class Endless(io.RawIOBase):
    """A file made of pieces, which can be read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces, self.left = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "what may have no end is never read to its end at once"
        while len(self.left) < size and (piece := next(self.pieces, b"")):
            self.left += piece
        data, self.left = self.left[:size], self.left[size:]
        return data


def header(name: str = "x", **fields: Any) -> bytes:
    """A tar header with arbitrary values."""
    info, _ = member(name, **fields)
    return info.tobuf(tarfile.GNU_FORMAT)


def counted(*pieces: bytes, then: bytes = b"", limit: Limit | None = None) -> image_archive.Counted:
    """A layer of these pieces, then of one that repeats without end."""
    endless = Endless(itertools.chain(pieces, itertools.repeat(then)))
    return image_archive.count(cast(IO[bytes], endless), limit=limit)


ZEROS = bytes(1 << 16)
PAX: dict[str, Any] = {"type": tarfile.XHDTYPE, "size": 1 << 33}


def pax(**fields: str) -> bytes:
    """A header of a file with extended fields."""
    info = tarfile.TarInfo("x")
    info.pax_headers = {name.replace("_", "."): value for name, value in fields.items()}
    return info.tobuf(tarfile.PAX_FORMAT)


class TestLimits:
    """Images come from strangers' builds: measuring one needs bounded time and memory."""

    @pytest.mark.parametrize(
        ("start", "then", "says"),
        [
            pytest.param(header(**PAX), ZEROS, "bytes of headers", id="extended header"),
            pytest.param(header(**PAX | {"type": tarfile.XGLTYPE}), ZEROS, "bytes of headers", id="global header"),
            pytest.param(header(**PAX | {"type": tarfile.GNUTYPE_LONGNAME}), b"x" * 512, "bytes of headers", id="name"),
            pytest.param(header(**PAX | {"type": tarfile.GNUTYPE_LONGLINK}), b"x" * 512, "bytes of headers", id="link"),
            pytest.param(header(type=tarfile.XHDTYPE, size=30_000), b"9" * 30_000, "bytes of headers", id="digits"),
            pytest.param(
                pax(GNU_sparse_major="1", GNU_sparse_minor="0", GNU_sparse_realsize="1") + b"9999999999\n",
                *(b"0\n" * 256, "bytes of headers"),
                id="map of holes",
            ),
            pytest.param(
                header(**PAX | {"size": 0}) + header(**PAX | {"size": 0}),
                *(header(**PAX | {"size": 0}), "bytes of headers"),
                id="headers of headers",
            ),
            pytest.param(header(size=1 << 40), ZEROS, "claims 1,099,511,627,776 bytes: 'x'", id="size"),
            pytest.param(header(size=1 << 80), ZEROS, "claims 1,208,925,819,614,629,174,706,176 bytes", id="huge size"),
            pytest.param(pax(size="9" * 400), ZEROS, "claims 9,999,999", id="size in an extended header"),
            # Newer releases of Python refuse it themselves.
            pytest.param(pax(size="-1"), ZEROS, "claims -1 bytes|invalid header: invalid offset", id="negative size"),
            pytest.param(header() + b"x" * 512, ZEROS, "invalid header", id="no header in place of the second"),
            pytest.param(pax(GNU_sparse_map="0,1", GNU_sparse_size=str(1 << 50)), ZEROS, "claims", id="holes"),
        ],
    )
    def test_headers(self, start: bytes, then: bytes, says: str) -> None:
        """Headers are neither trusted nor kept, however long the archive is."""
        with pytest.raises(CannotMeasureError, match=says):
            counted(start, then=then, limit=Limit(60))

    def test_longest_names(self) -> None:
        """The longest path and link of Linux are within the limits."""
        layer = tar(
            member("é" * 2040, type=tarfile.LNKTYPE, linkname="ü" * 2040),
            *(member("/".join(["d" * 255] * 15), b"1", pax_headers={"SCHILY.xattr.user.x": "v" * 8000}),),
        )
        assert image_archive.count(io.BytesIO(layer))[1:4] == (1, 1, None)

    @pytest.mark.parametrize("name", ["x", "é" * 2000])
    def test_entries(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Memory for the list of files is bounded, for many files as for long names."""
        monkeypatch.setattr(image_archive, "_ENTRIES", 500_000)
        links = (header(f"{name}{i}", type=tarfile.LNKTYPE, linkname=name) for i in range(100_000))
        with pytest.raises(CannotMeasureError, match=r"a layer has too many files to list: more than [\d,]+"):
            image_archive.count(cast(IO[bytes], Endless(links)))

    def test_nothing_is_kept_of_a_member(self) -> None:
        """Only a few headers are in memory at a time."""
        many = io.BytesIO(tar(*(member(str(i)) for i in range(25))))
        kept = [
            sum(isinstance(found, tarfile.TarInfo) for found in gc.get_objects())
            for _ in image_archive._Archive(many, Limit())
        ]
        assert len(kept) == 25
        assert max(kept) < min(kept) + 10

    def test_a_bomb(self) -> None:
        """A compressed layer is unpacked in small pieces."""
        pack = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = pack.compress(header(size=60_000_000)) + b"".join(pack.compress(bytes(1_000_000)) for _ in range(61))
        bomb += pack.flush()
        assert len(bomb) < 100_000
        tracemalloc.start()
        try:
            assert image_archive.count(io.BytesIO(bomb), packed=True)[1:4] == (60_000_000, 1, None)
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("compress", [False, True])
    @pytest.mark.parametrize(
        ("start", "then"),
        [
            pytest.param(header(size=90_000_000_000), ZEROS, id="holes"),
            pytest.param(gzip.compress(header(size=90_000_000_000) + ZEROS), gzip.compress(ZEROS), id="gzip"),
            pytest.param(header(), header(), id="many files"),
        ],
    )
    def test_deadline(self, start: bytes, then: bytes, *, compress: bool) -> None:
        """Reading an endless layer ends at the deadline."""
        endless = Endless(itertools.chain([start], itertools.repeat(then)))
        with pytest.raises(CannotMeasureError, match=r"the image could not be measured in 0\.2 s"):
            image_archive.count(
                cast(IO[bytes], endless),
                packed=start.startswith(b"\x1f\x8b"),
                what=image_archive.What(compress=compress),
                limit=Limit(0.2),
            )

    def test_deadline_behind_the_end(self) -> None:
        """Reading after the last file ends at the deadline too."""
        rest = cast(IO[bytes], Endless(itertools.repeat(ZEROS)))
        with pytest.raises(CannotMeasureError, match="could not be measured in"):
            image_archive.count(rest, what=image_archive.What(compress=True), limit=Limit(0.2))

    def test_it_ends_with_the_run(self) -> None:
        """A count is stopped when nobody waits for it."""
        with process.ending_all(), pytest.raises(KeyboardInterrupt):
            counted(header(size=90_000_000_000), then=ZEROS)

    def test_documents(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only a limited amount of an archive's other files is kept in memory."""
        monkeypatch.setattr(image_archive, "JSON_CAP", 10_000)
        blobs = [member(f"blobs/sha256/{i:064d}", b"{" * 4000) for i in range(1000)]
        tracemalloc.start()
        try:
            assert image_archive.measure(oci(BASE)).size
            with pytest.raises(CannotMeasureError, match=r"KeyError\('manifest\.json'\)"):
                image_archive.measure(io.BytesIO(tar(*blobs)))
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"9" * 5000 + b"]"])
    @pytest.mark.parametrize("name", ["manifest", "config"])
    def test_nested_json(self, content: bytes, name: str) -> None:
        """JSON that Python cannot read is an error of the image."""
        saved = archive({"manifest.json": content}) if name == "manifest" else oci(OWN, settings=content)
        with pytest.raises(CannotMeasureError, match="the saved image could not be read"):
            image_archive.measure(saved)

    @pytest.mark.parametrize(
        "settings",
        [{"User": 5}, {"User": ["root"]}, {"Cmd": 5}, "text", 5],
    )
    def test_settings_of_another_type(self, settings: object) -> None:
        """Values of unexpected types in the configuration are an error."""
        with pytest.raises(CannotMeasureError, match="the saved image could not be read"):
            image_archive.measure(oci(OWN, settings=config(OWN, config=settings)))
