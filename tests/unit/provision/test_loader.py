"""Base images: reproducible archives from pinned packages, loading, and the validation of bases.toml."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import CannotMeasureError, ManifestError, PackageError, RefusedError, Where
from proof.engines import image_archive
from proof.provision import archive as archive_module
from proof.provision import loader, packages
from proof.snippets import base_images, manifest
from proof.snippets import model as model_module
from proof.snippets import project as project_module
from proof.snippets.base_images import Bases
from proof.system import process
from proof.system.process import Completed
from tests.support.engines import private
from tests.support.helpers import REPOSITORY
from tests.support.makers import member, tar, write

WHEEL = "tiny-1.0-py3-none-any.whl"
ROOTFS = tar(
    member("bin/sh", b"#!", mode=0o755, mtime=1), member("bin/ash", type=tarfile.SYMTYPE, linkname="sh", mtime=2)
)
# Two records of Alpine's package database that share a directory.
DATABASE = """P:ca-certificates
V:20250619-r0
F:etc
F:usr/share
F:usr/share/ca-certificates
R:mozilla.crt

P:tzdata
V:2025b-r0
F:usr/share
F:usr/share/zoneinfo
R:UTC
R:Zulu

"""
ALPINE = (
    member("usr/share/", type=tarfile.DIRTYPE, mode=0o755),
    member("usr/share/ca-certificates/", type=tarfile.DIRTYPE, mode=0o755),
    member("usr/share/ca-certificates/mozilla.crt", b"certificate"),
    member("usr/share/zoneinfo/", type=tarfile.DIRTYPE, mode=0o755),
    member("usr/share/zoneinfo/UTC", b"UTC", mtime=5),
    member("usr/share/zoneinfo/Zulu", type=tarfile.SYMTYPE, linkname="UTC"),
    member("lib/apk/db/installed", DATABASE.encode(), mtime=7),
)
WORLD = member("etc/apk/world", b"alpine-baselayout\nca-certificates\ntzdata\n")

BASE = """
[[base]]
name = "alpine:3"
registry = "docker.example/alpine:3"
platform = "linux/amd64"
rebuilt = "a small one"
created = "2025-07-15T10:42:48Z"
env = ["PATH=/bin"]
command = ["/bin/sh"]

[[base.layer]]
instruction = "ADD rootfs / # buildkit"
package = "tiny"
blob = "tiny/rootfs.tar.gz"
"""
CHILD = """
[[base]]
name = "golang"
registry = "docker.example/golang"
platform = "linux/amd64"
rebuilt = "Go on it"
created = "2026-10-19T22:20:36Z"
parent = "alpine:3"
workdir = "/go"

[[base.layer]]
instruction = "COPY /target/ /"
package = "tiny"
tree = "tiny/go/"
at = "usr/local/go/"
drop = ["__init__.py"]

[[base.layer]]
instruction = "RUN mkdir"
directories = ["go", "go/bin"]
mode = "1777"

[[base.layer]]
instruction = "WORKDIR /go"
"""


def wheel(**files: bytes) -> bytes:
    """A wheel with a root file system, a tree and other files, unsorted."""
    out = io.BytesIO()
    content = {
        "tiny/go/src/fmt/print.go": b"package fmt",
        "tiny/rootfs.tar.gz": gzip.compress(ROOTFS, mtime=0),
        "tiny/go/bin/": b"",
        "tiny/go/bin/go": b"\x7fELF",
        "tiny/go/__init__.py": b"entry point",
        "tiny/go/lib/__init__.py": b"part of it",
        "tiny/gopher": b"not in the tree",
    }
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in (content | files).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if "bin/" in name else 0o100644) << 16
            archive.writestr(info, data)
    return out.getvalue()


def package(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f'[[package]]\nname = "tiny"\nversion = "1.0"\nwheel = "{WHEEL}"\nsha256 = "{digest}"\nholds = "a few files"\n'
    )


def project(root: Path, recipe: str = BASE + CHILD, content: bytes | None = None) -> Bases:
    """The base images of a project whose only package is already in the cache."""
    content = content or wheel()
    write(root, {"snippets/bases.toml": package(content) + recipe, f"cache/packages/{WHEEL}": content})
    return base_images.load(root)


def build(root: Path, found: Bases, name: str) -> bytes:
    folder = root / "work"
    folder.mkdir(exist_ok=True)
    return archive_module.build_archive(found, name, folder, root / "cache").read_bytes()


def files(archive: bytes) -> dict[str, bytes]:
    """The regular files of a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {m.name: (opened.extractfile(m) or io.BytesIO()).read() for m in opened if m.isreg()}


def layers(archive: bytes) -> list[list[tarfile.TarInfo]]:
    """The entries of each layer, from the bottom."""
    content = files(archive)
    names = json.loads(content["manifest.json"])[0]["Layers"]
    return [tarfile.open(fileobj=io.BytesIO(content[name])).getmembers() for name in names]


def shown(layer: Sequence[tarfile.TarInfo]) -> list[tuple[str, str, int]]:
    return [(m.type.decode(), m.name, m.mode) for m in layer]


class TestBuildArchive:
    def test_image(self, tmp_path: Path) -> None:
        """A rebuilt base has its parent's layers, its own layers, and the settings of its recipe."""
        built = build(tmp_path, project(tmp_path), "golang")
        measured = image_archive.measure(io.BytesIO(built))
        assert [(layer.instruction, layer.size) for layer in measured.layers] == [
            ("ADD rootfs / # buildkit", 4),
            ("COPY /target/ /", 25),
            ("RUN mkdir", 0),
            ("WORKDIR /go", 0),
        ]
        assert (measured.platform, measured.command) == ("linux/amd64", "[]")
        content = files(built)
        listed = json.loads(content["manifest.json"])[0]
        assert listed["RepoTags"] == ["golang:latest"]
        settings = json.loads(content[listed["Config"]])
        assert (settings["config"]["WorkingDir"], settings["config"]["Env"]) == ("/go", [])
        assert [h["created"][:4] for h in settings["history"]] == ["2025", "2026", "2026", "2026"]

    def test_same_bytes(self, tmp_path: Path) -> None:
        """The same recipe gives the same bytes anywhere."""
        one, two = tmp_path / "one", tmp_path / "elsewhere" / "two"
        assert build(one, project(one), "golang") == build(two, project(two), "golang")

    def test_compressed(self, tmp_path: Path) -> None:
        """Its layers are gzipped, the same bytes each time, and everything else stays: an image of the same layers."""
        found = project(tmp_path)
        plain, packed = files(build(tmp_path, found, "golang")), []
        for name in ("one", "two"):
            (folder := tmp_path / name).mkdir()
            archive = archive_module.build_archive(found, "golang", folder, tmp_path / "cache", compressed=True)
            packed.append(archive.read_bytes())
        assert packed[0] == packed[1]
        content = files(packed[0])
        assert content.keys() == plain.keys()
        (listed,) = json.loads(content["manifest.json"])
        assert [listed] == json.loads(plain["manifest.json"])
        for name in content:
            if name in listed["Layers"]:
                assert content[name].startswith(b"\x1f\x8b")
                assert gzip.decompress(content[name]) == plain[name]
            else:
                assert content[name] == plain[name]
        diff_ids = json.loads(content[listed["Config"]])["rootfs"]["diff_ids"]
        unpacked = [hashlib.sha256(gzip.decompress(content[name])).hexdigest() for name in listed["Layers"]]
        assert diff_ids == [f"sha256:{digest}" for digest in unpacked]
        measured = image_archive.measure(io.BytesIO(packed[0]))
        assert measured.layers == image_archive.measure(io.BytesIO(build(tmp_path, found, "golang"))).layers

    def test_a_huge_layer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A small package that unpacks to a huge layer is stopped."""
        monkeypatch.setattr(archive_module, "_LARGEST", len(ROOTFS) - 1)
        with pytest.raises(PackageError, match=r"this layer is larger than [\d,]+ bytes") as error:
            build(tmp_path, project(tmp_path), "alpine:3")
        assert error.value.where is not None

    def test_tree(self, tmp_path: Path) -> None:
        """A tree is placed below `at`, sorted, with directories and modes, without dropped files and without times."""
        tree = layers(build(tmp_path, project(tmp_path), "golang"))[1]
        assert shown(tree) == [
            ("5", "usr", 0o755),
            ("5", "usr/local", 0o755),
            ("5", "usr/local/go", 0o755),
            ("5", "usr/local/go/bin", 0o755),
            ("0", "usr/local/go/bin/go", 0o755),
            ("5", "usr/local/go/lib", 0o755),
            ("0", "usr/local/go/lib/__init__.py", 0o644),
            ("5", "usr/local/go/src", 0o755),
            ("5", "usr/local/go/src/fmt", 0o755),
            ("0", "usr/local/go/src/fmt/print.go", 0o644),
        ]
        assert {(m.mtime, m.uid, m.gid) for m in tree} == {(0, 0, 0)}

    def test_directories(self, tmp_path: Path) -> None:
        """Directories have the mode of the recipe. A layer without content is empty."""
        made, nothing = layers(build(tmp_path, project(tmp_path), "golang"))[2:]
        assert shown(made) == [("5", "go", 0o1777), ("5", "go/bin", 0o1777)]
        assert nothing == []

    @pytest.mark.parametrize("world", [True, False])
    def test_without_apk(self, tmp_path: Path, *, world: bool) -> None:
        """A dropped Alpine package is removed with its files and records, except for shared files."""
        blob = gzip.compress(tar(*ALPINE, *([WORLD] if world else [])))
        found = project(tmp_path, BASE + 'without_apk = ["tzdata"]\n', wheel(**{"tiny/rootfs.tar.gz": blob}))
        built = build(tmp_path, found, "alpine:3")
        (layer,) = (content for name, content in files(built).items() if name.endswith(".tar"))
        assert [m.name for m in layers(built)[0]] == [
            "usr/share",
            "usr/share/ca-certificates",
            "usr/share/ca-certificates/mozilla.crt",
            "lib/apk/db/installed",
            *(["etc/apk/world"] if world else []),
        ]
        assert files(layer)["lib/apk/db/installed"].decode() == DATABASE.partition("P:tzdata")[0]
        assert not world or files(layer)["etc/apk/world"] == b"alpine-baselayout\nca-certificates\n"
        assert [m.mtime for m in layers(built)[0] if m.name.endswith("installed")] == [7]

    def test_diff_id(self, tmp_path: Path) -> None:
        """A layer is checked against its diff_id."""
        digest = hashlib.sha256(ROOTFS).hexdigest()
        kept = project(tmp_path, BASE + f'diff_id = "sha256:{digest}"\n')
        assert build(tmp_path, kept, "alpine:3")
        broken = project(tmp_path, BASE + f'diff_id = "sha256:{"0" * 64}"\n')
        with pytest.raises(ManifestError, match=r"bases\.toml:17: this layer does not match its `diff_id`") as error:
            build(tmp_path, broken, "alpine:3")
        assert error.value.evidence == f"expected sha256:{'0' * 64}\nbuilt    sha256:{digest}"

    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ("rootfs.tar.gz", "rotfs.tar.gz", "no item named 'tiny/rotfs.tar.gz'"),
            ('blob = "tiny/rootfs.tar.gz"', 'tree = "tiny/og/"', "a directory tiny/og/"),
            ('rootfs.tar.gz"', 'rootfs.tar.gz"\nwithout_apk = ["tzdata"]', "'lib/apk/db/installed' not found"),
        ],
    )
    def test_not_in_the_package(self, tmp_path: Path, old: str, new: str, what: str) -> None:
        """If the package does not contain the layer, that is an error with the line, not an empty layer."""
        with pytest.raises(ManifestError, match=rf"bases\.toml:17: .*{re.escape(what)}"):
            build(tmp_path, project(tmp_path, BASE.replace(old, new)), "alpine:3")

    def test_unknown_apk(self, tmp_path: Path) -> None:
        """Dropping an unknown Alpine package is an error."""
        blob = gzip.compress(tar(*ALPINE))
        found = project(tmp_path, BASE + 'without_apk = ["tzdta"]\n', wheel(**{"tiny/rootfs.tar.gz": blob}))
        with pytest.raises(ManifestError, match="one of the Alpine packages tzdta"):
            build(tmp_path, found, "alpine:3")


class TestFetch:
    def cached(self, root: Path) -> Path:
        return root / "cache" / "packages" / WHEEL

    def pip(self, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> list[list[str]]:
        """Replace pip by one that downloads `content`, or fails. Returns its calls, each with the requirement."""
        calls: list[list[str]] = []

        def run(argv: Sequence[str], **_: Any) -> Completed:
            calls.append([*argv, Path(argv[-1]).read_text()])
            if content is None:
                return Completed(tuple(argv), 1, b"", b"ERROR: No matching distribution found for tiny==1.0", 0.1)
            (Path(argv[argv.index("--dest") + 1]) / WHEEL).write_bytes(content)
            return Completed(tuple(argv), 0, b"", b"", 0.1)

        monkeypatch.setattr(process, "run", run)
        return calls

    def test_cached(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A cached file is used without a network."""
        calls = self.pip(monkeypatch, None)
        found = project(tmp_path)
        assert packages.fetch(found.packages["tiny"], tmp_path / "cache") == self.cached(tmp_path)
        assert calls == []

    def test_flipped_byte(self, tmp_path: Path) -> None:
        """A changed byte is an error that shows both hashes and the file to remove."""
        found = project(tmp_path)
        content = bytearray(self.cached(tmp_path).read_bytes())
        content[100] ^= 1
        self.cached(tmp_path).write_bytes(content)
        with pytest.raises(PackageError, match=r"is not the pinned file of tiny 1\.0") as error:
            packages.fetch(found.packages["tiny"], tmp_path / "cache")
        assert error.value.evidence.split() == [
            *("pinned", found.packages["tiny"].sha256),
            *("found", hashlib.sha256(content).hexdigest()),
        ]
        assert error.value.hint == f"rm {self.cached(tmp_path)}"
        assert str(error.value.where).endswith("bases.toml:1")

    def test_download(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing file is downloaded by pip, by hash and for its platform. No other file is left."""
        found = project(tmp_path)
        self.cached(tmp_path).unlink()
        calls = self.pip(monkeypatch, wheel())
        assert packages.fetch(found.packages["tiny"], tmp_path / "cache").read_bytes() == wheel()
        assert list(self.cached(tmp_path).parent.iterdir()) == [self.cached(tmp_path)]
        (call,) = calls
        assert call[-1] == f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel()).hexdigest()}\n"
        assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} < set(call)
        assert call[call.index("--platform") + 1] == "any"

    def test_the_working_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing in it is run in place of pip: it may be a stranger's project."""
        found = project(tmp_path)
        self.cached(tmp_path).unlink()
        write(tmp_path, {"pip.py": "open('owned', 'w')", "runpy.py": "open('owned', 'w')"})
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(PackageError, match=r"the package tiny 1\.0 could not be downloaded") as error:
            packages.fetch(found.packages["tiny"], tmp_path / "cache")
        assert "No matching distribution" in error.value.evidence
        assert not (tmp_path / "owned").exists()

    def test_offline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A failed download quotes pip, and says where to put the file by hand."""
        found = project(tmp_path)
        self.cached(tmp_path).unlink()
        self.pip(monkeypatch, None)
        with pytest.raises(PackageError, match=r"the package tiny 1\.0 could not be downloaded") as error:
            packages.fetch(found.packages["tiny"], tmp_path / "cache")
        assert "No matching distribution" in error.value.evidence
        assert f"put {WHEEL} into {self.cached(tmp_path).parent}" in error.value.hint

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is no failure of the network: the hint is about space."""
        found = project(tmp_path)
        self.cached(tmp_path).unlink()
        said = b"OSError: [Errno 28] No space left on device: '/tmp/pip-unpack-8z755mz5/tiny-1.0.whl'\n"
        monkeypatch.setattr(process, "run", lambda argv, **_: Completed(tuple(argv), 2, b"", said, 0.1))
        with pytest.raises(CannotMeasureError, match="the disk is full") as error:
            packages.fetch(found.packages["tiny"], tmp_path / "cache")
        assert error.value.where == Where(self.cached(tmp_path).parent)
        assert error.value.hint == "free some space, or set PROOF_CACHE=/a/directory/with/space"

    def test_build_checks(self, tmp_path: Path) -> None:
        """A base is not built from a file with another hash."""
        found = project(tmp_path)
        self.cached(tmp_path).write_bytes(b"other")
        with pytest.raises(PackageError, match="is not the pinned file"):
            build(tmp_path, found, "alpine:3")


class TestEnsure:
    """With an imitation of Docker's command line."""

    @pytest.fixture
    def loads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The ids of the loaded images. The engine only has the last one, as alpine:3."""
        loaded: list[str] = []

        def run(argv: Sequence[str], **_: Any) -> Completed:
            match list(argv):
                case ["docker", "image", "inspect", *_, "alpine:3"] if loaded:
                    about = {"Id": loaded[-1], "RootFS": {"Layers": ["sha256:1"]}}
                    return Completed(tuple(argv), 0, json.dumps(about).encode(), b"", 0.1)
                case ["docker", "image", "inspect", *_, name]:
                    return Completed(tuple(argv), 1, b"\n", f"Error: No such image: {name}\n".encode(), 0.1)
                case ["docker", "version"]:
                    return Completed(tuple(argv), 0, b"", b"", 0.1)
                case ["docker", "info", *_]:
                    return Completed(tuple(argv), 0, b'{"ServerVersion": "26.1.5", "Driver": "overlay2"}', b"", 0.1)
                case ["docker", "load", "--quiet", "--input", archive]:
                    loaded.append(image_archive.measure(io.BytesIO(Path(archive).read_bytes())).id)
                    return Completed(tuple(argv), 0, b"Loaded image: alpine:3\n", b"", 0.1)
                case _:
                    raise AssertionError(argv)

        monkeypatch.setattr(process, "run", run)
        return loaded

    ENGINE = private()

    def ensure(self, root: Path, name: str = "alpine:3") -> loader.Loaded:
        return loader.ensure(project(root), name, self.ENGINE, origin="rebuilt", cache=root / "cache")

    def test_loaded_once(self, tmp_path: Path, loads: list[str]) -> None:
        """A base is built and loaded only if the engine does not have it."""
        first, again = self.ensure(tmp_path), self.ensure(tmp_path)
        assert first == again
        assert loads == [first.image_id]
        assert first.key == project(tmp_path).key("alpine:3")
        assert first.diff_ids == ("sha256:1",)
        assert first.origin.startswith("a small one; from tiny 1.0 (sha256:")

    def test_another_image(self, tmp_path: Path, loads: list[str]) -> None:
        """Another image with the same name is replaced."""
        first = self.ensure(tmp_path)
        loads.append("sha256:" + "0" * 64)
        assert self.ensure(tmp_path).image_id == first.image_id == loads[-1]

    @pytest.mark.usefixtures("loads")
    def test_not_there(self, tmp_path: Path) -> None:
        """It is an error if the engine does not have the image after loading it."""
        with pytest.raises(CannotMeasureError, match="the engine loaded golang but does not have it"):
            self.ensure(tmp_path, "golang")


class TestLike:
    LIKE = """
[[base]]
name = "golang-old"
registry = "docker.example/golang:old"
rebuilt = "an older Go on it"
created = "2026-01-01T00:00:00Z"
like = "golang"
env = ["GO=1.26", "A=c"]
swap = { tiny = "tiny-old" }
"""

    def load(self, root: Path, like: str = LIKE) -> Bases:
        old = package(wheel()).replace('name = "tiny"', 'name = "tiny-old"\nproject = "tiny"')
        model = CHILD.replace('workdir = "/go"', 'workdir = "/go"\nenv = ["GO=1.27", "B=b"]')
        write(root, {"snippets/bases.toml": package(wheel()) + old + BASE + model + like})
        return base_images.load(root)

    def test_like(self, tmp_path: Path) -> None:
        """A base with `like` differs in its packages and in the values that it gives, and in single variables."""
        found = self.load(tmp_path)
        model, other = found.images["golang"], found.images["golang-old"]
        assert other.config.env == ("GO=1.26", "B=b", "A=c")
        assert (other.parent, other.platform) == (model.parent, model.platform)
        assert other.config.workdir == model.config.workdir
        assert [layer.package for layer in other.layers] == ["tiny-old", None, None]
        assert [layer.instruction for layer in other.layers] == [layer.instruction for layer in model.layers]
        assert found.key("golang") != found.key("golang-old")
        assert str(found.packages["tiny-old"]) == "tiny 1.0"

    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ('like = "golang"', 'like = "go"', "no base 'go' above this one"),
            ('like = "golang"', "", "`swap` needs `like`"),
            ('"A=c"]', '"A=c"]\nworkdir = "/"', "`workdir` conflicts with `like`"),
            ("{ tiny =", "{ tniy =", "golang has no package 'tniy' - did you mean 'tiny'?"),
            ('"tiny-old" }', '"tiny-odl" }', "`swap` must map packages to packages"),
            ("{ tiny =", "[1] # ", "`swap` must be a table"),
        ],
    )
    def test_mistake(self, tmp_path: Path, old: str, new: str, what: str) -> None:
        """Keys that contradict each other or have no effect are refused."""
        assert old in self.LIKE
        with pytest.raises(ManifestError, match=rf"bases\.toml:\d+: {re.escape(what)}"):
            self.load(tmp_path, self.LIKE.replace(old, new))


class TestKey:
    def keys(self, root: Path, old: str = "", new: str = "", content: bytes | None = None) -> tuple[str, str]:
        found = project(root, (BASE + CHILD).replace(old, new), content)
        return found.key("alpine:3"), found.key("golang")

    def test_stable(self, tmp_path: Path) -> None:
        """The key depends on the recipe only, not on its place or on texts for readers."""
        assert self.keys(tmp_path / "a") == self.keys(tmp_path / "b", "\n[[base", "\n\n# why\n[[base")
        assert self.keys(tmp_path / "a") == self.keys(tmp_path / "c", "a small one", "a little one")

    @pytest.mark.parametrize(
        ("old", "new", "parent_changes"),
        [
            ("PATH=/bin", "PATH=/sbin", True),
            ('command = ["/bin/sh"]', "", True),
            ("2025-07-15", "2025-07-16", True),
            ("ADD rootfs", "COPY rootfs", True),
            ('rootfs.tar.gz"', 'rootfs.tar.gz"\nwithout_apk = ["tzdata"]', True),
            ('workdir = "/go"', "", False),
            ("usr/local/go/", "opt/go/", False),
            ('drop = ["__init__.py"]', "", False),
            ("1777", "755", False),
            ('"go/bin"', '"go/src"', False),
            ('\n[[base.layer]]\ninstruction = "WORKDIR /go"\n', "", False),
        ],
    )
    def test_changes(self, tmp_path: Path, old: str, new: str, *, parent_changes: bool) -> None:
        """A change of a base changes its own key and those of its children, and not that of its parent."""
        before, after = self.keys(tmp_path / "a"), self.keys(tmp_path / "b", old, new)
        assert (before[0] != after[0]) is parent_changes
        assert before[1] != after[1]

    def test_package_changes(self, tmp_path: Path) -> None:
        """Another package file gives another key."""
        before, after = self.keys(tmp_path / "a"), self.keys(tmp_path / "b", content=wheel(more=b"x"))
        assert before[0] != after[0]
        assert before[1] != after[1]

    def test_packages_of(self, tmp_path: Path) -> None:
        """The packages of a base include those of its parents, each once."""
        assert [str(p) for p in project(tmp_path).packages_of("golang")] == ["tiny 1.0"]


class TestCheck:
    def snippet(self, root: Path, dockerfile: str) -> model_module.Snippet:
        toml = 'title = "t"\n[[step]]\nname = "build"\ncommand = "docker build -t example ."\n'
        folder = write(root / "snippets" / "one", {"snippet.toml": toml, "context/Dockerfile": dockerfile})
        return manifest.variants(folder)[0]

    def test_known(self, tmp_path: Path) -> None:
        """Images in bases.toml may be used; each is listed once."""
        found = project(tmp_path)
        snippets = [self.snippet(tmp_path, "FROM golang AS b\nFROM alpine:3\nCOPY --from=b x y")] * 2
        found.check(snippets)
        assert list(base_images.wanted(snippets)) == ["golang", "alpine:3"]

    def test_unknown(self, tmp_path: Path) -> None:
        """Other images are refused, with the line in the Dockerfile and a suggestion."""
        found = project(tmp_path)
        snippet = self.snippet(tmp_path, "FROM alpine:3\n\nCOPY --from=alpine:4 x y")
        with pytest.raises(
            RefusedError, match=r"the image 'alpine:4' is not in bases\.toml - did you mean 'alpine:3'"
        ) as error:
            found.check([snippet])
        assert error.value.where is not None
        assert (error.value.where.path.name, error.value.where.line) == ("Dockerfile", 3)
        assert error.value.hint.endswith("use one of: alpine:3, golang")


# In docker's `--mount`, this would mount the host's /etc.
HOST = "/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/etc"
MISTAKES = [
    # in bases.toml (its package first, so [[base]] is line 8), the first … is replaced by …; line; message
    ('holds = "a few files"', "", 1, "`holds` is missing"),
    ('version = "1.0"', "version = 1.0", 3, "`version` must be a string"),
    ('version = "1.0"', 'version = "1.0 \\n--index-url=http://evil.example"', 3, "invalid version"),
    ('version = "1.0"', 'version = "1.0 --pre"', 3, "invalid version"),
    ('version = "1.0"', 'version = "\u0661.0"', 3, "invalid version"),
    ('version = "1.0"', 'version = "1.0"\nproject = "a\\n-r /etc/passwd\\nb"', 4, "invalid project"),
    ('version = "1.0"', 'version = "1.0"\nproject = "-e"', 4, "invalid project"),
    ('version = "1.0"', 'version = "1.0"\nproject = "tiny @ file:///tmp/evil"', 4, "invalid project"),
    (WHEEL, "tiny-1.0.tar.gz", 4, "invalid wheel '"),
    (WHEEL, "tiny.whl", 4, "invalid wheel '"),
    (WHEEL, "../tiny-1.0-py3-none-any.whl", 4, "invalid wheel '"),
    ('sha256 = "', 'sha256 = "z', 5, "invalid sha256 'z"),
    ('name = "alpine:3"', "", 8, "`name` is missing"),
    ('rebuilt = "a small one"', "", 8, "`rebuilt` is missing"),
    ('created = "2025-07-15T10:42:48Z"', "", 8, "`created` is missing"),
    ('name = "alpine:3"', 'name = "a\\n::error::b"', 9, "invalid name 'a"),
    ('"docker.example/alpine:3"', '"alpine"', 10, "invalid registry 'alpine'"),
    ('"docker.example/alpine:3"', '"docker.example/a --x"', 10, "invalid registry"),
    ('platform = "linux/amd64"', 'platform = "amd64"', 11, "invalid platform 'amd64'"),
    ('platform = "linux/amd64"', f'platform = "linux/amd64"\nkeeps = "{HOST}"', 12, "invalid keeps"),
    ('platform = "linux/amd64"', 'platform = "linux/amd64"\nkeeps = "/dev/shm"', 12, "invalid keeps"),
    ('platform = "linux/amd64"', 'platform = "linux/amd64"\nkeeps = "cache"', 12, "invalid keeps"),
    ('platform = "linux/amd64"', 'platform = "linux/amd64"\nworkdir = "/proc/self/fd/8"', 12, "invalid workdir"),
    ('platform = "linux/amd64"', 'platform = "linux/amd64"\nworkdir = "/a,b"', 12, "invalid workdir"),
    ('env = ["PATH=/bin"]', 'env = "PATH=/bin"', 14, "`env` must be a list of strings"),
    ('blob = "', 'blub = "', 20, "unknown key 'blub' - did you mean 'blob'?"),
    ('package = "tiny"', 'package = "tniy"', 19, "unknown package 'tniy' - did you mean 'tiny'?"),
    ('package = "tiny"', "", 17, "a `blob` or `tree` needs a `package`"),
    ('blob = "tiny/rootfs.tar.gz"', "", 17, "a `blob` or `tree` needs a `package`"),
    ('name = "golang"', 'name = "alpine:3"', 23, "two bases are called 'alpine:3'"),
    ('parent = "alpine:3"', 'parent = "alpine:4"', 28, "no base 'alpine:4' above this one"),
    ('mode = "1777"', 'mode = "1778"', 41, "invalid mode '1778'"),
    ('mode = "1777"', "mode = 1777", 41, "`mode` must be a string"),
    ('instruction = "WORKDIR /go"', "", 43, "`instruction` is missing"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"), MISTAKES, ids=[f"{new or 'no ' + old}" for old, new, *_ in MISTAKES]
)
def test_mistake(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    """A mistake in bases.toml is an error with its line, in nested tables too."""
    text = package(wheel()) + BASE + CHILD
    assert old in text
    write(tmp_path, {"snippets/bases.toml": text.replace(old, new, 1)})
    with pytest.raises(ManifestError, match=re.escape(what)) as error:
        base_images.load(tmp_path)
    assert error.value.where is not None
    assert (error.value.where.path.name, error.value.where.line) == ("bases.toml", line)


PULLED = '[[base]]\nname = "alpine:3"\n\n[[base]]\nname = "ghcr.io/one/two:1.0"\n'


def test_a_base_without_layers_is_pulled(tmp_path: Path) -> None:
    """A project whose base images come from a registry names them, and nothing more."""
    write(tmp_path, {"proof.toml": '[project]\nbases = "registry"\n', "snippets/bases.toml": PULLED})
    found = base_images.load(tmp_path)
    assert found.origin == "registry"
    assert [(base.registry, base.platform) for base in found.images.values()] == [
        ("docker.io/library/alpine:3", "linux/amd64"),
        ("ghcr.io/one/two:1.0", "linux/amd64"),
    ]
    with pytest.raises(ManifestError, match=r"bases\.toml:1: the base 'alpine:3' has no layers"):
        found.check_recipes(["alpine:3"])  # as for --bases rebuilt


@pytest.mark.parametrize("settings", [{}, {"proof.toml": ""}, {"proof.toml": '[project]\nbases = "rebuilt"\n'}])
def test_a_base_without_layers_cannot_be_rebuilt(tmp_path: Path, settings: dict[str, str]) -> None:
    """That is found when the file is read, not after an engine has started."""
    write(tmp_path, {"snippets/bases.toml": PULLED, **settings})
    with pytest.raises(ManifestError, match=r"bases\.toml:1: the base 'alpine:3' has no layers") as error:
        base_images.load(tmp_path)
    assert 'bases = "registry"' in error.value.hint


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("alpine:3.22", "docker.io/library/alpine:3.22"),
        ("alpine", "docker.io/library/alpine"),
        ("one/two:3", "docker.io/one/two:3"),
        ("ghcr.io/one/two", "ghcr.io/one/two"),
        ("localhost/two", "localhost/two"),
        ("localhost:5000/two:1", "localhost:5000/two:1"),
    ],
)
def test_where_docker_would_pull_it_from(name: str, reference: str) -> None:
    """Docker takes the first part for a host if it has a dot or a port, or is localhost."""
    assert base_images.reference(name) == reference


def test_two_packages_of_one_name(tmp_path: Path) -> None:
    """A second package with the same name is refused."""
    write(tmp_path, {"snippets/bases.toml": package(wheel()) * 2})
    with pytest.raises(ManifestError, match=r"bases\.toml:8: two packages are called 'tiny'"):
        base_images.load(tmp_path)


def test_the_project_itself() -> None:
    """The bases.toml of this repository is valid, and has all images that its snippets use."""
    root = project_module.find_root(REPOSITORY)
    base_images.load(root).check(project_module.load_all(root))
