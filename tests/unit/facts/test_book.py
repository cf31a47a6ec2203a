"""Facts: values with units, from captures and from cited.toml, and how they are formatted."""

from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures.model import CapturedFact
from proof.captures.store import save
from proof.core.errors import PageError
from proof.facts import book as facts
from proof.facts.book import FactBook
from proof.facts.values import Fact, Source
from proof.snippets import project
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import capture_in, captured, tiny, up_to_date
from tests.support.makers import by_engine, capture, write

CITED = """[[source]]
name = "edition"
title = "the first edition"
date = "2020-06-04"
figures.size = { value = 7.64, unit = "MB" }
"""
MANIFEST = 'title = "A snippet"\n[[step]]\nname = "version"\ncommand = "docker version"\n'


class TestMeasured:
    def test_names(self) -> None:
        """The facts of a capture are named after its snippet, and have their source and origin."""
        one = capture()
        book = FactBook({"single": one})
        assert list(book) == ["single.size", "single.layers", "single.du_src", "single.command"]
        found = book["single.size"]
        assert (found.value, found.unit, found.source) == (269_642_189, "B", "sum of files")
        assert found.origin is one
        assert found.name == "single.size"
        assert len(book) == 4

    def test_with_captures(self) -> None:
        """Fresh facts replace the committed ones; all other facts stay."""
        cited = Fact(1, "B", "edition.size", "first", Source("first", "2020-06-04", ""))
        book = FactBook({"single": capture(), "multi": capture()}, [cited])
        fresh = book.with_captures({"single": capture(facts={"size": CapturedFact(1, "B", "x")})})
        assert set(fresh) == set(book)
        assert fresh["single.size"].value == 1
        assert fresh["multi.size"].value == 269_642_189
        assert fresh["edition.size"] == cited


class TestLoad:
    def test_load(self, tmp_path: Path) -> None:
        """The facts of a project are those of its captures and the cited figures. An uncaptured snippet has none."""
        write(tmp_path, {"single/snippet.toml": MANIFEST, "fresh/snippet.toml": MANIFEST, "cited.toml": CITED})
        save(capture(), folder_of(tmp_path / "single", "rebuilt"))
        book = facts.load(tmp_path)
        assert {name.partition(".")[0] for name in book} == {"single", "edition"}
        assert list(book.captures) == ["single"]

    def test_nothing(self, tmp_path: Path) -> None:
        """A project without captures and cited figures has no facts. This is not an error."""
        assert dict(facts.load(tmp_path)) == {}

    @pytest.mark.parametrize("place", ["fake/registry", "fake/rebuilt", "rebuilt"])
    def test_a_capture_that_no_manifest_declares(self, tmp_path: Path, place: str) -> None:
        """It is refused when it is asked for, because no run is ever compared with it."""
        matrix = "" if "/" in place else 'matrix = { go = ["1.26"] }\n'
        write(tmp_path, {"snippets/single/snippet.toml": matrix + MANIFEST})
        save(capture(), tmp_path / "snippets/single/captured" / place)
        book = facts.load(tmp_path / "snippets")
        (name,) = book.captures
        with pytest.raises(PageError, match="is not a capture of this snippet"):
            book[f"{name}.size"]
        with pytest.raises(PageError, match=f"captured/{place.partition('/')[0]}: .* is not a capture") as error:
            project.load_all(tmp_path)
        assert "git rm -r" in error.value.hint


def test_a_figure_that_is_measured_too() -> None:
    """A cited figure never replaces a measured one, whatever its name."""
    cited = Fact(1, "B", "single.size", "first", Source("first", "2020-06-04", ""))
    with pytest.raises(PageError, match=r"'single\.size' is both cited and measured"):
        FactBook({"single": capture()}, [cited])["single.size"]


def test_facts_of_another_engine_only(tmp_path: Path) -> None:
    """A fact that only one engine's capture has is that capture's. If both have it, it is the first one's."""
    root = captured(tiny(tmp_path))
    manifest = root / "snippets/count/snippet.toml"
    rule = 'facts.{} = {{ match = \'^(.*) note\', unit = "text", engine = "docker {}" }}\n'
    manifest.write_text(manifest.read_text() + rule.format("new", ">=29") + rule.format("old", "<29"))
    made = capture_in(folder_of(manifest.parent, "rebuilt"))
    own = {"old": CapturedFact("6", "text", "here"), "words": CapturedFact(6, "count", "here")}
    save(replace(made, facts=own), folder_of(manifest.parent, "rebuilt"))
    own = {"new": CapturedFact("7", "text", "there"), "words": CapturedFact(7, "count", "there")}
    late = by_engine(replace(made, facts=own), "docker 29.7.2")
    save(late, folder_of(manifest.parent, "rebuilt", "", "docker-29"))
    up_to_date(root)
    book = facts.load(root / "snippets")
    assert {name: book[f"count.{name}"].value for name in ("old", "new", "words")} == {
        "old": "6",
        "new": "7",
        "words": 6,
    }
    assert [name for name in book if name.startswith("count.")] == ["count.old", "count.words", "count.new"]
    assert len(book) == len(list(book))
    with pytest.raises(KeyError):
        book["count.other"]


def test_facts_on_the_bases_of_a_run(tmp_path: Path) -> None:
    """What a run did not measure comes from captures on the same bases, if there are any."""
    root = captured(tiny(tmp_path))
    for name in ("count", "note"):
        made = capture_in(folder_of(root / "snippets" / name, "rebuilt"))
        there = replace(made, environment=replace(made.environment, bases="registry"), facts={})
        save(there, folder_of(root / "snippets" / name, "registry"))
    book = facts.load(root / "snippets")
    assert [name for name in book if name.startswith(("count.", "note."))] == []
    measured = capture_in(folder_of(root / "snippets/note", "rebuilt"))
    assert "count.words" in book.with_captures({"note": measured})
    assert "count.words" in book.on("rebuilt")
    assert "count.words" not in book.on("registry")
