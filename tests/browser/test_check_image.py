"""A reader's own image: opened in the browser with the sums that the tool counts, and hostile archives refused."""

import gzip
import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from proof.core import units
from proof.engines import image_archive
from tests.browser.conftest import Reader, Scheme
from tests.browser.test_every_page import AXE, overflow, settle, violations

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **has: object) -> Entry:
    """An entry of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for key, value in has.items():
        setattr(info, key, value)
    return info, content


def tar(entries: Sequence[Entry], how: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive with these entries."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=how) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


LONG = "/".join(["a-directory-with-a-long-name"] * 8)
LOWER = (
    entry("app", kind=tarfile.DIRTYPE),
    entry("app/program", b"x" * 300_000, mtime=1),
    entry("app/second-name", kind=tarfile.LNKTYPE, linkname="app/program"),
    entry("app/link", kind=tarfile.SYMTYPE, linkname="program"),
    entry("data/one", b"1" * 1_000),
    entry("data/two", b"2" * 2_000),
    entry("home/.env", b"SECRET=1"),
    entry("root/.cache/go-build/00/a", b"o" * 40_000),
    entry(f"{LONG}/file", b"long" * 100),
    entry("usr/größe-日本", b"g" * 77),
    *(entry(f"many/{number}", b"m" * number) for number in range(100)),
)
UPPER = (
    entry("app/program", b"x" * 300_000, mtime=1, uid=65532),
    entry("data/.wh..wh..opq"),
    entry("home/.wh..env"),
    entry("bin/sh", b"#"),
)
LAYERS = (tar(LOWER), tar(UPPER))


def files(layers: Sequence[bytes], form: str) -> Mapping[str, bytes]:
    """The files of a saved image, in the form of `docker image save` or of an OCI layout."""
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": [{"created_by": f"COPY {number} /"} for number in range(len(layers))],
        }
    ).encode()
    if form == "docker":
        names = [f"{number}/layer.tar" for number in range(len(layers))]
        manifest = [{"Config": "config.json", "RepoTags": ["mine:latest"], "Layers": names}]
        listed = json.dumps(manifest).encode()
        return {**dict(zip(names, layers, strict=True)), "config.json": config, "manifest.json": listed}
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in (*layers, config)}
    digests = [{"digest": name.removeprefix("blobs/").replace("/", ":")} for name in blobs]
    manifest_bytes = json.dumps({"config": digests[-1], "layers": digests[:-1]}).encode()
    digest = hashlib.sha256(manifest_bytes).hexdigest()
    index = json.dumps({"manifests": [{"digest": f"sha256:{digest}"}]}).encode()
    return {**blobs, f"blobs/sha256/{digest}": manifest_bytes, "index.json": index, "oci-layout": b"{}"}


def saved(layers: Sequence[bytes], form: str = "docker") -> bytes:
    """The archive of an image with these layers."""
    return tar([entry(name, content) for name, content in files(layers, form).items()])


@pytest.fixture
def page(reader: Reader) -> Page:
    """The page, ready for a file."""
    page = reader("check/")
    expect(page.get_by_label("A saved image")).to_be_visible()
    return page


def choose(page: Page, archive: bytes) -> None:
    """Give the page this file."""
    page.get_by_label("A saved image").set_input_files({"name": "image.tar", "mimeType": "", "buffer": archive})


@pytest.mark.parametrize("form", ["docker", "oci"])
@pytest.mark.parametrize("packed", ["plain", "gzip"])
def test_it_counts_as_the_tool_does(form: str, packed: str, page: Page) -> None:
    """Each row of each layer: the same names, sizes, files and hidden bytes, in the same order."""
    what = image_archive.What(contents=())
    image = image_archive.measure(io.BytesIO(saved(LAYERS)), what=what)
    choose(page, saved([gzip.compress(layer) for layer in LAYERS] if packed == "gzip" else LAYERS, form))
    expect(page.locator(".calculator output")).to_contain_text(f"{units.size(image.size)} in ")
    found = page.locator(".explorer__image > ul data").evaluate_all("all => all.map(each => each.title)")
    rows = [row for layer in image.layers for row in layer.contents]
    assert found == [f"{row.size:,} B in {units.counted(row.files, 'file')}" for row in rows]
    hidden = sum(layer.contents[0].hidden for layer in image.layers)
    assert hidden == 3_008  # the program has a second name, so its first copy stays
    text = page.locator("main").inner_text()
    for what_is_said in (
        "300kB in 1 file: files stored again with another owner or mode",
        f"{units.size(hidden)} in 3 files: files that a later layer replaces or removes",
        "40kB in 1 file: Go’s build cache",
        "8B in 1 file: keys and settings, by their names",
        "A shell is in the image",
        "The image’s user is root",
    ):
        assert what_is_said in text


def image_with(layer: bytes) -> bytes:
    """An image with this layer alone."""
    return saved([layer])


def listing(layers: Sequence[str], *, name: str = "mine:latest", config: bytes = b"{}") -> bytes:
    """The archive of an image with these layers by name, of which there is one: an empty archive."""
    manifest = json.dumps([{"Config": "c", "RepoTags": [name], "Layers": layers}]).encode()
    return tar([entry("manifest.json", manifest), entry("c", config), entry("layer", tar([]))])


_LYING = tar([entry("lying", b"x")]).replace(b"00000000001\0", b"00000000009\0", 1)
_MARKUP = '<img src=x onerror="document.title=1">'
HOSTILE = {
    "no tar": (b"not an archive " * 100, "is not a tar archive"),
    "empty": (b"", "neither a manifest.json nor an index.json"),
    "cut": (saved(LAYERS)[:200_000], "truncated in the entry “0/layer.tar”"),
    "layer cut": (image_with(LAYERS[0][:200_000]), "truncated in the entry “app/program”"),
    "gzip cut": (image_with(gzip.compress(LAYERS[0])[:500]), "gzip data is damaged"),
    "gzip damaged": (image_with(b"\x1f\x8b" + b"x" * 500), "gzip data is damaged"),
    "wrong checksum": (image_with(_LYING), "the entry “lying” is damaged: its checksum"),
    "extended header too long": (
        image_with(tar([entry("long", b"", pax_headers={"comment": "c" * 1_100_000})])),
        "bytes of headers",
    ),
    "size too large": (image_with(tar([entry("lying", b"", pax_headers={"size": "99999999999"})])), "entry “lying”"),
    "size no number": (image_with(tar([entry("lying", b"", pax_headers={"size": "-1"})])), "“lying” has a size"),
    "zstd": (image_with(b"\x28\xb5\x2f\xfd" + b"x" * 600), "docker save"),
    "no layer": (
        tar([entry("manifest.json", b'[{"Config": "c", "Layers": ["up/../../x"]}]'), entry("c", b"{}")]),
        "up/",
    ),
    "no JSON": (tar([entry("manifest.json", b"{")]), "is not JSON"),
    "odd JSON": (tar([entry("manifest.json", b'{"a": 1}')]), "not in the form of a saved image"),
    "loop": (
        tar(
            [
                entry(name, kind=tarfile.SYMTYPE, linkname=to)
                for name, to in (("manifest.json", "b"), ("b", "manifest.json"))
            ]
        ),
        "neither a manifest.json",
    ),
    "name too long": (image_with(tar([entry("a/" * 500_000 + "x")])), "has a name of more than 4096 bytes"),
    "target too long": (
        image_with(tar([entry("link", kind=tarfile.SYMTYPE, linkname="a/" * 4_096)])),
        "has a name of more than 4096 bytes",
    ),
    "layers too many": (listing(["layer"] * 129), "more than 128 layers"),
    "configuration too large": (listing(["layer"], config=b" " * 8_000_001), "the file “c” is too large"),
    "compressed as a whole": (gzip.compress(saved(LAYERS)), "gunzip"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_named(name: str, page: Page) -> None:
    """The entry and what is wrong with it; and the page still opens the next file."""
    archive, said = HOSTILE[name]
    choose(page, archive)
    expect(page.locator(".calculator output")).to_contain_text(said)
    expect(page.locator(".explorer")).to_have_count(0)
    choose(page, saved(LAYERS))
    expect(page.locator(".explorer")).to_have_count(1)


def bomb() -> bytes:
    """A layer that unpacks to two gigabytes of one file."""
    info = tarfile.TarInfo("bomb")
    info.size = 2_000_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    head = packer.compress(info.tobuf()) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + zeros * 2_000


def test_what_unpacks_to_too_much_ends(page: Page) -> None:
    """It can be cancelled, and the next file opens; otherwise it is refused, with the entry that does it."""
    archive = image_with(bomb())
    choose(page, archive)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".calculator output")).to_have_text("Cancelled.")
    choose(page, saved(LAYERS))
    expect(page.locator(".explorer")).to_have_count(1)
    choose(page, archive)
    said = page.locator(".calculator output")
    expect(said).to_contain_text("after the entry “bomb”: it unpacks to more than 200 times its size", timeout=180_000)


def elf(interpreter: bytes, symbols: int) -> bytes:
    """An ELF file that asks for an interpreter, with a section that is loaded, and one of symbols."""
    programs = struct.pack("<2I6Q", 3, 4, 120, 0, 0, len(interpreter), len(interpreter), 1)
    sections = [(1, 2, 50_000), (2, 0, symbols), (3, 0, 99), (8, 0, 10**9)]  # the last two: names, and no bytes at all
    table = b"".join(struct.pack("<2I4Q2I2Q", 0, kind, flags, 0, 0, size, 0, 0, 0, 0) for kind, flags, size in sections)
    start = 120 + len(interpreter) + 50_000 + symbols
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<2HI3QI6H", 2, 62, 1, 0, 64, start, 0, 64, 56, 1, 64, 4, 2)
    return head + programs + interpreter + bytes(50_000 + symbols) + table


@pytest.mark.parametrize("packed", ["plain", "gzip"])
def test_what_headers_of_programs_say(packed: str, page: Page) -> None:
    """Symbols in bytes, an interpreter that is missing, and what a program may need."""
    program = elf(b"/lib/ld-musl-x86_64.so.1\0", 30_000)
    layer = tar([entry("app", program, mode=0o755), entry("data", program, mode=0o644)])
    choose(page, image_with(gzip.compress(layer) if packed == "gzip" else layer))
    expect(page.locator(".explorer")).to_have_count(1)
    text = page.locator("main").inner_text()
    for what_is_said in (
        "30kB in 1 file: symbols and debug data in programs",
        "“app” asks for the interpreter “/lib/ld-musl-x86_64.so.1”, and no file has this name",
        "If a program connects with TLS",
        "If a program names time zones",
    ):
        assert what_is_said in text
    libraries = [entry("lib/ld-musl-x86_64.so.1"), entry("etc/ssl/cert.pem"), entry("usr/share/zoneinfo/UTC")]
    choose(page, image_with(tar([entry("app", elf(b"/lib/ld-musl-x86_64.so.1\0", 52), mode=0o755), *libraries])))
    expect(page.locator("main")).not_to_contain_text("asks for the interpreter")
    text = page.locator("main").inner_text()
    assert not any(said in text for said in ("symbols and debug data", "with TLS", "time zones,"))


@pytest.mark.parametrize("cut", [4, 63, 64, 100, 150])
def test_a_program_that_lies(cut: int, page: Page) -> None:
    """Its headers may say anything: the image opens, without findings about it."""
    program = elf(b"/lib/ld\0", 500)
    damaged = [
        program[:cut],
        program[:32] + b"\xff" * 32 + program[64:],
        program[:64] + b"\xff" * (cut - 4) + program[60 + cut :],
    ]
    choose(page, image_with(tar([entry(f"app{number}", one, mode=0o755) for number, one in enumerate(damaged)])))
    expect(page.locator(".explorer")).to_have_count(1)


def test_names_are_only_text(page: Page) -> None:
    """Markup, paths that leave the image, duplicates, characters that turn text around: shown, and never run."""
    names = (_MARKUP, "../../etc/passwd", "same", "same", "turned\u202egnp", "line\nbreak")
    choose(page, image_with(tar([entry(name, b"x" * 9) for name in names])))
    shown = page.locator(".explorer__image")
    page.locator(".explorer details").evaluate_all("all => all.forEach(each => (each.open = true))")
    for text in ("onerror=", "passwd", "turned⟨U+202E⟩gnp", "line␊break"):
        expect(shown).to_contain_text(text)
    expect(shown.locator("img")).to_have_count(0)
    expect(page).to_have_title("Check your image · Multi-Stage Docker Builds with Go")


def test_a_long_name_of_an_image_is_cut(page: Page) -> None:
    """It is shown twice, and a text of megabytes would stop the page."""
    choose(page, listing(["layer"], name="m" * 1_000_000))
    expect(page.locator(".explorer__title b")).to_have_text(f"{'m' * 79}…{'m' * 20}")


def test_only_the_configuration_of_the_first_image_is_read(page: Page) -> None:
    """A manifest can name a large one ten thousand times."""
    manifest = [{"Config": "c", "RepoTags": ["mine"], "Layers": ["l"]}, {"Config": "missing", "Layers": ["missing"]}]
    files = {"manifest.json": json.dumps(manifest).encode(), "c": b"{}", "l": tar(UPPER)}
    choose(page, tar([entry(name, content) for name, content in files.items()]))
    expect(page.locator(".explorer")).to_have_count(1)
    expect(page.get_by_text("The file holds more than one image")).to_be_visible()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["/".join([f"{each:x}"] * 16) for each in range(21_000)], "more than 300000 directories"),
        ([f"{each:04000}" for each in range(25_001)], "more than 100000000 characters of names"),
    ],
    ids=["directories", "names"],
)
def test_what_would_take_all_memory_is_refused(names: Sequence[str], said: str, page: Page) -> None:
    """Compressed, they take little room: names and directories have limits of their own."""
    blank = tarfile.TarInfo()
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as layer:
        for blank.name in names:
            layer.write(blank.tobuf(tarfile.GNU_FORMAT))
    choose(page, image_with(packed.getvalue()))
    expect(page.locator(".calculator output")).to_contain_text(said, timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_accessible(scheme: Scheme, reader: Reader) -> None:
    """With an image open, on a telephone and at a desk."""
    page = reader("check/", scheme=scheme)
    page.evaluate(AXE)
    choose(page, saved(LAYERS))
    expect(page.locator(".explorer")).to_have_count(1)
    page.locator(".explorer details").evaluate_all("all => all.forEach(each => (each.open = true))")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        assert overflow(page) == []
        assert violations(page, "colours" if width == 1280 else "others") == []


def test_without_javascript(reader: Reader) -> None:
    """The page says what it needs."""
    page = reader("check/", javascript=False)
    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()


def test_what_explains_a_finding_exists(site: Path) -> None:
    """Each guide, and the heading in it."""
    script = (site / "assets/check-image.js").read_text("utf-8")
    addresses = re.findall(r'"([a-z-]+)/(?:#([a-z-]+))?"', script)
    assert len(addresses) > 10
    for page, heading in addresses:
        html = (site / page / "index.html").read_text("utf-8")
        assert not heading or f'id="{heading}"' in html or f"id={heading}" in html, (page, heading)


def test_its_scripts_are_small(site: Path) -> None:
    """In bytes, as a host that compresses sends them."""
    scripts = [site / f"assets/{name}.js" for name in ("image-tar", "image-contents", "check-image")]
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < 40_000
