"""Facts: values with units, from captures and from cited.toml, and how they are formatted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.captures.model import CapturedFact
from proof.captures.store import load, save
from proof.core.errors import ManifestError, PageError
from proof.core.units import binary, format_value, parse_binary, size
from proof.facts import book as facts
from proof.facts.book import FactBook
from proof.facts.values import Fact, Source, Value
from proof.snippets import project
from proof.snippets.places import folder_of
from tests.support.helpers import captured, tiny, up_to_date
from tests.support.makers import by_engine, capture, write

CITED = """[[source]]
name = "edition"
title = "the first edition"
date = "2020-06-04"
url = "https://example.com/first"
figures.size = { value = 7.64, unit = "MB" }
figures.layers = { value = 2, unit = "count" }
figures.du_pkg = { value = 238.7, unit = "MiB" }

[[source]]
name = "other"
title = "another"
date = "2023-01-10"
figures.size = { value = 328.79, unit = "MB" }
figures.build = { value = 1.5, unit = "s" }
figures.exact = { value = 12345, unit = "B" }
"""


MANIFEST = 'title = "A snippet"\n[[step]]\nname = "version"\ncommand = "docker version"\n'


class TestSize:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            # as `docker image ls` and `docker history` print them
            (269_642_189, "270MB"),
            (10_653_826, "10.7MB"),
            (2_343_826, "2.34MB"),
            (8_310_000, "8.31MB"),
            (513_000, "513kB"),
            (0, "0B"),
            (53, "53B"),
            (999, "999B"),
            (1000, "1kB"),
            (1023, "1.02kB"),
            (999_499, "999kB"),
            (999_700, "1MB"),
            (999_999_999, "1GB"),
            (1_000_000, "1MB"),
            (1_500_000_000, "1.5GB"),
            (999_600_000_000, "1TB"),
            (5_000_000_000_000, "5TB"),
            (12_345_000_000_000_000, "12.3PB"),
            (100_000_000, "100MB"),
            (-10_653_826, "-10.7MB"),
            (-999_700, "-1MB"),
        ],
    )
    def test_size(self, number: float, text: str) -> None:
        """Bytes are written in decimal units with three significant digits, never with an exponent."""
        assert size(number) == text

    @given(number=st.integers(0, 10**18))
    def test_close(self, number: int) -> None:
        """Whatever the size, what is written is within half a percent of it."""
        found = re.fullmatch(r"([\d.]+)(B|kB|MB|GB|TB|PB|EB)", size(number))
        assert found
        back = float(found[1]) * 1000 ** ["B", "kB", "MB", "GB", "TB", "PB", "EB"].index(found[2])
        assert abs(back - number) <= 0.005 * number


class TestBinary:
    @pytest.mark.parametrize(
        ("kib", "text"),
        # as BusyBox's `du -h` prints them
        [(4, "4.0K"), (148, "148.0K"), (1844, "1.8M"), (19_868, "19.4M"), (166_096, "162.2M"), (0, "0.0K"),
         (1024, "1.0M"), (1024**2, "1.0G"), (5 * 1024**3, "5.0T")],
    )  # fmt: skip
    def test_binary(self, kib: float, text: str) -> None:
        """KiB are written in binary units with one decimal."""
        assert binary(kib) == text

    @pytest.mark.parametrize(
        ("text", "kib"),
        [("4.0K", 4), ("162.2M", 166_092.8), ("1.5G", 1_572_864), ("2T", 2 * 1024**3), ("512", 0.5), ("0", 0)],
    )  # fmt: skip
    def test_parse(self, text: str, kib: float) -> None:
        """What `du -h` printed is read back as KiB; without a unit it is bytes."""
        assert parse_binary(text) == pytest.approx(kib)

    @pytest.mark.parametrize("text", ["", "K", "12X", "1.2.3M", "-", "abc"])
    def test_no_number(self, text: str) -> None:
        """An invalid size is an error that the caller adds a place to."""
        with pytest.raises(ValueError, match="could not convert"):
            parse_binary(text)

    @pytest.mark.parametrize("text", ["9" * 400, "9" * 400 + "K", "nan", "infM", "1e999T", "-1e300"])
    def test_no_sensible_number(self, text: str) -> None:
        """A number that cannot be computed with, like inf, is not a size."""
        with pytest.raises(ValueError, match="invalid size"):
            parse_binary(text)

    @given(kib=st.integers(0, 10**9).map(lambda n: n * 4))
    def test_there_and_back(self, kib: int) -> None:
        """What is written and read again is correct to the last digit."""
        assert parse_binary(binary(kib)) == pytest.approx(kib, rel=0.051)


class TestWritten:
    @pytest.mark.parametrize(
        ("value", "unit", "text"),
        [
            (269_642_189, "B", "270MB"),
            (166_092.8, "KiB", "162.2M"),
            (7.25, "s", "7.25 s"),
            (0.1234, "s", "0.123 s"),
            (8, "count", "8"),
            (1234567, "count", "1,234,567"),
            ('["app"]', "text", '["app"]'),
            (0.0395107, "", "0.0395"),
            (999.4, "", "999"),
            (1234.5, "", "1,234"),
            (1, "truth", "yes"),
            (0, "truth", "no"),
        ],
    )
    def test_written(self, value: float | str, unit: str, text: str) -> None:
        """Each unit has one format, wherever a value comes from."""
        assert format_value(value, unit) == text
        assert str(Value(value, unit)) == text


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

    def test_tolerance(self) -> None:
        """A fact that varies has a tolerance."""
        book = FactBook({"single": capture(facts={"size": CapturedFact(1, "B", "x", tolerance=0.01)})})
        assert book["single.size"].tolerance == 0.01

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
        assert {name.partition(".")[0] for name in book} == {"single", "edition", "other"}
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


class TestCited:
    def test_what_is_measured_too(self) -> None:
        """A cited figure never replaces a measured one, whatever its name."""
        cited = Fact(1, "B", "single.size", "first", Source("first", "2020-06-04", ""))
        with pytest.raises(PageError, match=r"'single\.size' is both cited and measured"):
            FactBook({"single": capture()}, [cited])["single.size"]

    def test_units(self, tmp_path: Path) -> None:
        """A figure is kept in the unit that measured facts have, and shown as it was published."""
        book = facts.load(write(tmp_path, {"cited.toml": CITED}))
        assert {name: (fact.value, fact.unit, str(fact)) for name, fact in book.items()} == {
            "edition.size": (7_640_000, "B", "7.64MB"),
            "edition.layers": (2, "count", "2"),
            "edition.du_pkg": (pytest.approx(244_428.8), "KiB", "238.7M"),
            "other.size": (328_790_000, "B", "329MB"),
            "other.build": (1.5, "s", "1.5 s"),
            "other.exact": (12345, "B", "12.3kB"),
        }

    def test_source(self, tmp_path: Path) -> None:
        """A figure has its publication and its date."""
        book = facts.load(write(tmp_path, {"cited.toml": CITED}))
        assert book["edition.size"].origin == Source("the first edition", "2020-06-04", "https://example.com/first")
        assert book["edition.size"].source == "the first edition"
        assert book["other.size"].origin == Source("another", "2023-01-10", "")

    @pytest.mark.parametrize(
        ("old", "new", "line", "what"),
        [
            ('name = "edition"', "", 1, "`name` is missing"),
            ('name = "edition"', 'name = "taken"', 2, "'taken' is already a snippet"),
            ('name = "edition"', 'name = "taken_all"', 2, "'taken_all' could be a variant of the snippet 'taken'"),
            ('name = "edition"', 'name = "taken_1_26"', 2, "could be a variant of the snippet 'taken'"),
            ('name = "edition"', 'name = "taken.size"', 2, "invalid name 'taken.size'"),
            ('name = "edition"', 'name = "Edition"', 2, "invalid name 'Edition'"),
            ('name = "edition"', 'name = "other"', 11, "two sources are called 'other'"),
            ("figures.exact =", 'figures."a.b" =', 16, "invalid name 'a.b'"),
            ('title = "another"', "", 10, "`title` is missing"),
            ('date = "2023-01-10"', "", 10, "`date` is missing"),
            ('date = "2023-01-10"', "date = 2023-01-10", 13, "`date` must be a string"),
            ("url =", "link =", 5, "unknown key 'link'"),
            ("https://example.com/first", "javascript:alert(1)", 5, "invalid URL 'javascript:alert(1)'"),
            ("https://example.com/first", "data:text/html,x", 5, "invalid URL 'data:text/html,x'"),
            ("https://example.com/first", "https://example.com/ x", 5, "invalid URL 'https://example.com/ x'"),
            ('unit = "MB" }\nfigures.layers', 'unit = "Mb" }\nfigures.layers', 6, "unknown unit 'Mb'"),
            ('value = 2, unit = "count"', "value = 2", 7, "`unit` is missing"),
            ('value = 2, unit = "count"', 'unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = "2", unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = nan, unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = -inf, unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = 1e300, unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = true, unit = "count"', 7, "`value` must be a number"),
            ('value = 2, unit = "count"', 'value = 2, unti = "count"', 7, "unknown key 'unti' - did you mean 'unit'?"),
            ('{ value = 2, unit = "count" }', "2", 7, "`layers` must be a table"),
            ("figures.exact = {", "figures.exact = ", 16, "invalid TOML"),
        ],
    )  # fmt: skip
    def test_mistake(self, tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
        """A mistake in cited.toml is named with its line."""
        assert CITED.count(old) == 1
        write(tmp_path, {"cited.toml": CITED.replace(old, new), "taken/snippet.toml": ""})
        with pytest.raises(ManifestError, match=re.escape(what)) as error:
            facts.load(tmp_path)
        assert error.value.where is not None
        assert (error.value.where.path.name, error.value.where.line) == ("cited.toml", line)


def test_facts_of_another_engine_only(tmp_path: Path) -> None:
    """A fact that only one engine's capture has is that capture's. If both have it, it is the first one's."""
    root = captured(tiny(tmp_path))
    manifest = root / "snippets/count/snippet.toml"
    rule = 'facts.{} = {{ match = \'^(.*) note\', unit = "text", engine = "docker {}" }}\n'
    manifest.write_text(manifest.read_text() + rule.format("new", ">=29") + rule.format("old", "<29"))
    made = load(folder_of(manifest.parent, "rebuilt"))
    assert made is not None
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
