"""Which captures a project has, and which capture of a snippet a page shows."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import index
from proof.captures.store import RECORD, save
from proof.core.errors import PageError, Where
from proof.snippets import base_images, manifest
from proof.snippets.capture_locations import LOCATIONS, Origin, folder_of
from tests.support.helpers import captured, tiny
from tests.support.makers import by_engine, capture, placed, write

DECLARED = {"single": [""], "go": ["1.26", "1.27"], "both": ["", "x"]}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip `fsync`, which these tests do not need."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def add(snippets: Path, name: str, variant: str = "", origin: Origin = "rebuilt") -> Path:
    """Save a capture, with a manifest that these tests do not read."""
    write(snippets / name, {"snippet.toml": ""})
    folder = folder_of(snippets / name, origin, variant)
    save(capture(snippet=f"{name} {variant} {origin}"), folder)
    return folder


def captures(snippets: Path) -> index.Captures:
    """The captures of all snippets, each of which declares its own variants."""
    return index.Captures(snippets, lambda folder: [placed(folder, variant) for variant in DECLARED[folder.name]])


class TestNames:
    def test_every_snippet_and_variant(self, tmp_path: Path) -> None:
        """They are in order of names, a plain one before its variants, and read on demand."""
        for name, variant in (("go", "1.27"), ("go", "1.26"), ("single", ""), ("both", "x"), ("both", "")):
            add(tmp_path, name, variant)
        found = captures(tmp_path)
        assert list(found) == ["both", "both_x", "go_1_26", "go_1_27", "single"]
        assert len(found) == 5
        assert {name: one.snippet for name, one in found.items()} == {
            "both": "both  rebuilt",
            "both_x": "both x rebuilt",
            "go_1_26": "go 1.26 rebuilt",
            "go_1_27": "go 1.27 rebuilt",
            "single": "single  rebuilt",
        }

    def test_what_is_no_capture(self, tmp_path: Path) -> None:
        """Other files, snippets without a manifest or a capture, and what a killed run left are ignored."""
        add(tmp_path, "single", origin="registry")
        write(tmp_path, {"bases.toml": "", "fresh/snippet.toml": "", "empty/snippet.toml": ""})
        write(tmp_path, {"empty/captured/rebuilt/run.txt": "", "odd/captured": "", "odd/snippet.toml": ""})
        (tmp_path / "none" / "captured" / "rebuilt").mkdir(parents=True)
        shutil.copytree(tmp_path / "single" / "captured", tmp_path / "none" / "captured", dirs_exist_ok=True)
        shutil.copytree(tmp_path / "single" / "captured", tmp_path / "single" / "captured" / ".rebuilt.new-7")
        (tmp_path / "single" / "captured" / "rebuilt" / RECORD).mkdir(parents=True)  # and not a file
        assert list(captures(tmp_path)) == ["single"]

    def test_a_variant_that_is_not_declared(self, tmp_path: Path) -> None:
        """Asking for it raises an error with the directory to remove."""
        add(tmp_path, "go", "1.25")
        add(tmp_path, "go", "1.26")
        found = captures(tmp_path)
        assert found["go_1_26"].snippet == "go 1.26 rebuilt"
        with pytest.raises(PageError, match=r"'1\.25' is not a capture of this snippet") as error:
            found["go_1_25"]
        assert error.value.evidence == "go/snippet.toml declares no such variant"
        assert error.value.where == Where(tmp_path / "go/captured/1.25")

    def test_a_name_that_is_unknown(self, tmp_path: Path) -> None:
        """It is not a key, and neither is a snippet whose capture was removed meanwhile."""
        folder = add(tmp_path, "single")
        found = captures(tmp_path)
        with pytest.raises(KeyError):
            found["other"]
        assert "single" in list(found)
        shutil.rmtree(folder)
        with pytest.raises(KeyError, match="single"):
            found["single"]


class TestMemory:
    def test_each_is_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only a limited number is kept; beyond it, the one that was read first is dropped."""
        for name in DECLARED:
            add(tmp_path, name, DECLARED[name][0])
        many = captures(tmp_path)
        assert [many[name] is many[name] for name in many] == [True, True, True]
        monkeypatch.setattr(index, "_KEPT", 2)
        found = captures(tmp_path)
        single, both = found["single"], found["both"]
        assert found["single"] is single
        assert found["both"] is both
        go = found["go_1_26"]
        assert found["go_1_26"] is go
        assert found["both"] is both
        assert found["single"] is not single
        assert found["single"] == single


class TestShown:
    @pytest.mark.parametrize(
        ("places", "stale", "expected"),
        [
            ("rebuilt", "", "rebuilt"),
            ("rebuilt", "rebuilt", "rebuilt"),  # the only one is shown, and `proof status` says that it is stale
            ("rebuilt-docker-29", "", "rebuilt-docker-29"),
            ("rebuilt rebuilt-docker-29", "", "rebuilt rebuilt-docker-29"),
            ("rebuilt rebuilt-docker-29", "rebuilt", "rebuilt-docker-29"),
            ("rebuilt rebuilt-docker-29", "rebuilt-docker-29", "rebuilt"),
            ("rebuilt rebuilt-docker-29", "rebuilt rebuilt-docker-29", "rebuilt"),
            ("registry rebuilt", "", "registry"),
            ("registry rebuilt rebuilt-docker-29", "", "rebuilt rebuilt-docker-29"),  # or a tab would be lost
            ("registry registry-docker-29 rebuilt rebuilt-docker-29", "", "registry registry-docker-29"),
            ("registry registry-docker-29 rebuilt rebuilt-docker-29", "registry", "rebuilt rebuilt-docker-29"),
            ("registry registry-docker-29 rebuilt", "", "registry registry-docker-29"),
            ("registry registry-docker-29 rebuilt", "registry", "registry-docker-29"),
            ("registry registry-docker-29 rebuilt", "registry registry-docker-29", "rebuilt"),
            ("registry rebuilt", "registry rebuilt", "registry"),
            ("", "", ""),
        ],
    )
    def test_of_several(self, places: str, stale: str, expected: str, tmp_path: Path) -> None:
        """All on the same bases, those with current captures by most engines; of as many, the registry's."""
        root = captured(tiny(tmp_path))
        snippet = manifest.variants(root / "snippets/note")[0]
        known = base_images.load(root)
        keys = {name: known.key(name) for name in known.images}
        made = index.best(snippet.folder)
        assert made is not None
        shutil.rmtree(snippet.captured)
        for place in (each for each in LOCATIONS if str(each) in places.split()):
            one = by_engine(made, "docker 29.7.2") if place.wording == "docker-29" else made
            one = replace(one, environment=replace(one.environment, bases=place.origin))
            if str(place) in stale.split():
                one = replace(one, inputs=one.inputs | {"context/note.txt": "sha256:0"})
            save(one, place.folder(snippet.folder))
        found = index.SnippetCaptures(snippet, lambda: index.BaseKeys(known, keys, {})).shown
        assert [str(place) for place in found] == expected.split()
        every = index.Captures(root / "snippets", manifest.variants)
        if not expected:
            assert "note" not in every
            return
        assert list(every.shown("note")) == list(found.values())
        assert every["note"] == next(iter(found.values()))
