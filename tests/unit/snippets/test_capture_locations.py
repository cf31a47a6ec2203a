"""Where captures are stored, the names of snippets, and unexpected files among captures."""

import os
import shlex
from pathlib import Path

import pytest

from proof.core.errors import PageError, Where
from proof.snippets import capture_locations
from proof.snippets.capture_locations import Origin
from proof.snippets.engine_version import EngineVersion, Wording
from tests.support.makers import write


@pytest.mark.parametrize(
    ("variant", "origin", "wording", "folder"),
    [
        ("", "rebuilt", "docker-28", "a/captured/rebuilt"),
        ("", "registry", "docker-28", "a/captured/registry"),
        ("1.27", "rebuilt", "docker-28", "a/captured/1.27/rebuilt"),
        ("", "rebuilt", "docker-29", "a/captured/rebuilt-docker-29"),
        ("1.27", "registry", "docker-29", "a/captured/1.27/registry-docker-29"),
    ],
)
def test_folder_of(variant: str, origin: Origin, wording: Wording, folder: str) -> None:
    """Each origin, each variant of a matrix, and each wording, has a directory."""
    assert capture_locations.folder_of(Path("a"), origin, variant, wording) == Path(folder)


@pytest.mark.parametrize(
    ("engine", "wording", "is_shown"),
    [
        (EngineVersion("docker", 28), "docker-28", True),
        (EngineVersion("docker", 28, "containerd"), "docker-28", True),
        (EngineVersion("docker", 29), "docker-29", False),
        (EngineVersion("docker", 31, "containerd"), "docker-29", True),
        (EngineVersion("podman", 5), None, False),
    ],
    ids=str,
)
def test_whose_words_are_shown(engine: EngineVersion, wording: Wording | None, *, is_shown: bool) -> None:
    """Docker 29 and later have their own words; pages show those of a new installation, with containerd's store."""
    assert (engine.wording, engine.is_shown) == (wording, is_shown)


@pytest.mark.parametrize(
    ("folder", "trusted"),
    [
        ("/p/snippets/a/captured", "/p"),
        ("/p/snippets/a/captured/rebuilt", "/p"),
        ("/p/snippets/a/captured/1.27/rebuilt", "/p"),
        ("/p/results/captures/a", "/p/results"),
        # `captured` counts only at most two levels above.
        ("/p/snippets/a/captured/1.27/x/rebuilt", "/p/snippets/a/captured/1.27"),
        ("/p/captured/x/captures/a", "/p/captured/x"),
    ],
)
def test_trusted(folder: str, trusted: str) -> None:
    """The project, or the directory of results. Below it, no link is followed."""
    assert capture_locations.trusted(Path(folder)) == Path(trusted)


@pytest.mark.parametrize(
    ("name", "variant", "called"),
    [
        ("multi", "", "multi"),
        ("go", "1.27", "go_1_27"),
        ("go", "1.27-Alpine", "go_1_27_alpine"),
        ("go", "a0z9", "go_a0z9"),
        ("go", "linux/arm64", "go_linux_arm64"),
        ("go", "ä", "go__"),
    ],
)
def test_name_of(name: str, variant: str, called: str) -> None:
    """A variant is named after its snippet, with characters that are valid in expressions."""
    assert capture_locations.name_of(Path("snippets") / name, variant) == called


class TestCheck:
    def test_valid(self, tmp_path: Path) -> None:
        """Files and directories are accepted, and so is a missing directory."""
        folder = tmp_path / "snippets/a/captured/rebuilt"
        capture_locations.check(folder)
        write(folder, {"run.txt": "", "more/run.txt": ""})
        capture_locations.check(folder)

    @pytest.mark.parametrize("name", ["run.txt", "more/run.txt", "."])
    @pytest.mark.parametrize("kind", ["link", "pipe"])
    def test_refused(self, tmp_path: Path, name: str, kind: str) -> None:
        """Links, devices and the like are refused."""
        folder = tmp_path / "snippets/a/captured/rebuilt"
        path = Path(os.path.normpath(folder / name))
        path.parent.mkdir(parents=True)
        if kind == "link":
            path.symlink_to(tmp_path)
        else:
            os.mkfifo(path)
        with pytest.raises(PageError, match=r"found a (symbolic link|named pipe)") as error:
            capture_locations.check(folder)
        assert error.value.where == Where(path)
        assert error.value.hint.startswith(f"replace {path} with a ")


class TestDeclared:
    @pytest.mark.parametrize(
        ("variants", "files"),
        [
            ([""], ["registry/capture.json", "rebuilt/capture.json"]),
            (["1.26", "1.27"], ["1.26/registry/capture.json", "1.27/rebuilt/run.txt"]),
            ([""], []),
            ([""], [".registry.new-12/run.txt", ".rebuilt.new-1/run.txt"]),
            (["1.26"], ["1.26/.rebuilt.new-12/run.txt"]),
            ([""], ["rebuilt-docker-29/capture.json", ".rebuilt-docker-29.new-7/run.txt"]),
        ],
    )
    def test_declared(self, tmp_path: Path, variants: list[str], files: list[str]) -> None:
        """Each variant has its origins. Leftovers of a killed run are ignored."""
        write(tmp_path / "captured", dict.fromkeys(files, ""))
        capture_locations.check_declared(tmp_path / "captured", variants)

    @pytest.mark.parametrize(
        ("variants", "file", "named"),
        [
            ([""], "a b/capture.json", "a b"),
            ([""], "registry", "registry"),  # a file, and not a directory
            ([""], "notes.txt", "notes.txt"),
            ([""], "1.26/rebuilt/capture.json", "1.26"),
            (["1.26"], "rebuilt/capture.json", "rebuilt"),
            (["1.26"], "1.27/rebuilt/capture.json", "1.27"),
            (["1.26"], "1.26/other/capture.json", "1.26/other"),
            (["1.26"], "1.26/notes.txt", "1.26/notes.txt"),
            (["1.26"], "1.26", "1.26"),
            *(([""], name, name) for name in (".rebuilt.new-", ".rebuilt.new-x", "rebuilt.new-1", ".rebuilt-new-1")),
            *(([""], name, name) for name in (".other.new-1", ".rebuiltxnew-1", "xrebuilt.new-1", ".rebuilt.new-1x")),
        ],
    )
    def test_undeclared(self, tmp_path: Path, variants: list[str], file: str, named: str) -> None:
        """Other files are refused: they are never compared with anything, so they could contain any number."""
        write(tmp_path / "captured", {file: ""})
        with pytest.raises(PageError) as error:
            capture_locations.check_declared(tmp_path / "captured", variants)
        path = tmp_path / "captured" / named
        assert error.value.where == Where(path)
        assert error.value.what == f"{path.name!r} is not a capture of this snippet"
        assert error.value.evidence == "not a variant in the manifest, nor a kind of capture"
        assert error.value.hint == f"git rm -r {shlex.quote(str(path))}"

    def test_the_first_of_several(self, tmp_path: Path) -> None:
        """The first one in order is reported, so that the message is the same on every machine."""
        write(tmp_path / "captured", dict.fromkeys(["e", "c", "a", "d", "b", "rebuilt/x", "f", "g"], ""))
        with pytest.raises(PageError, match="'a' is not a capture"):
            capture_locations.check_declared(tmp_path / "captured", [""])
