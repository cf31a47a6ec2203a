"""The captured contents of an image: kept exactly, refused if the sums are wrong, and compared entry by entry."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import contents, derived
from proof.captures.contents import FILE, Moved, below, differences
from proof.captures.diff import compare
from proof.captures.model import CapturedEntry, CapturedLayer
from proof.captures.store import RECORD, load, save, unexpected_files
from proof.core.errors import PageError, Where
from proof.snippets.capture_locations import folder_of
from proof.snippets.model import Noise
from tests.support.helpers import capture_in
from tests.support.makers import ALPINE, capture, placed

E = CapturedEntry
LOWER = (
    E(0, "directory", "", 1000, 5, 300),
    E(1, "directory", "etc", 700, 4, 300),
    E(2, "file", "ssl", 300, 1, 300),
    E(2, "others", "", 400, 3, 0),
    E(1, "file", "init", 300, 1, 0),
)
UPPER = (
    E(0, "directory", "", 100_000, 3, 0),
    E(1, "directory", "etc", 100_000, 3, 0),
    E(2, "file", "ssl", 90_000, 1, 0),
    E(2, "file", "<b>", 10_000, 2, 0),
)
LAYERS = (
    CapturedLayer("ADD rootfs /", 1000, 5, ALPINE, from_base=True, contents=LOWER),
    CapturedLayer("RUN make", 100_000, 3, ALPINE, from_base=False, contents=UPPER),
)


def changed(entries: Sequence[CapturedEntry], number: int, **fields: Any) -> tuple[CapturedEntry, ...]:
    """The entries, of which one is another."""
    return (*entries[:number], replace(entries[number], **fields), *entries[number + 1 :])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The directory of a capture with contents."""
    folder = folder_of(tmp_path / "single", "rebuilt")
    save(capture(layers=LAYERS), folder)
    return folder


class TestKept:
    def test_round_trip(self, saved: Path) -> None:
        """They come back as they were, and stand in a file of their own, a row a line, not in the record."""
        assert load(saved) == capture(layers=LAYERS)
        text = (saved / FILE).read_text("utf-8")
        assert '  [2, "file", "ssl", 300, 1, 300],\n' in text
        assert "ssl" not in (saved / RECORD).read_text("utf-8")
        assert list(unexpected_files(saved, capture(layers=LAYERS))) == []

    def test_none(self, tmp_path: Path) -> None:
        """A capture without them has no such file, and its record is as it always was."""
        save(capture(), tmp_path / "c")
        assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [RECORD, "go_run.txt", "run.txt"]
        assert "contents" not in json.loads((tmp_path / "c" / RECORD).read_bytes())
        (tmp_path / "c" / FILE).write_text("[]")
        assert len(list(unexpected_files(tmp_path / "c", capture()))) == 1


class TestEdited:
    @pytest.mark.parametrize(("old", "new"), [('"init"', '"inot"'), ('"file", "init"', '"link", "init"'), ("]\n", "]")])
    def test_noticed(self, saved: Path, old: str, new: str) -> None:
        """An edit by hand that keeps the sums is named."""
        text = (saved / FILE).read_text("utf-8")
        (saved / FILE).write_text(text.replace(old, new), "utf-8")
        found = capture_in(saved)
        assert found.tampered == (FILE,)

    def test_removed(self, saved: Path) -> None:
        """So is a file that is gone."""
        (saved / FILE).unlink()
        found = capture_in(saved)
        assert found.tampered == (FILE,)

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("300, 1, 300]", "301, 1, 300]", "layer 1: 'etc' has 700 as its size, and what is in it 701"),
            ("400, 3, 0]", "400, 4, 0]", "'etc' has 4 as its files, and what is in it 5"),
            ("300, 1, 300]", "300, 1, 200]", "'etc' has 300 as its hidden, and what is in it 200"),
            ('"init", 300', '"init", 200', "'' has 1,000 as its size, and what is in it 900"),
            ("1000, 5", "1001, 5", "its contents have 1,001 B in 5 files, not 1,000 B"),
            ('"init"', '"in\\u202eit"', "is too long, or not visible"),
            ('"init"', '"in\\nit"', "is too long, or not visible"),
            ('"init"', f'"{"i" * 300}"', "is too long, or not visible"),
            ('"init"', '"etc"', "'etc' is there twice"),
            ('"init"', '"etc/init"', "'etc/init' is a path, not a name"),
            ('"init", 300, 1', '"init", 300, 0', "'init' is a file that counts none"),
            ('"init"', '""', "'' is a 'file'"),
            ('"others", ""', '"others", "x"', "'x' is a 'others'"),
            ('"file", "init"', '"page", "init"', "'init' is a 'page'"),
            ('[1, "file", "init"', '[3, "file", "init"', "is not a directory"),
            ('[1, "file", "init"', '[9, "file", "init"', "is in no directory"),
            ('[1, "file", "init"', '[0, "file", "init"', "a layer in a layer"),
            ('[0, "directory", ""', '[0, "file", ""', "its first row is not the layer"),
            ("300, 1, 300]", "300, 1, 301]", "hides 301 of 300 B"),
            ("300, 1, 0]", '"300", 1, 0]', "CapturedEntry.size is '300'"),
            (", 1, 0]", ", 1]", "missing 1 required positional argument"),
            ("\n ],\n [\n", ",\n", "argument 2 is shorter"),
            ("[", "", "Expecting|Extra data"),
        ],
    )
    def test_refused(self, saved: Path, old: str, new: str, says: str) -> None:
        """Contents that do not add up to the image, or could harm a page, are no capture."""
        text = (saved / FILE).read_text("utf-8")
        assert old in text
        (saved / FILE).write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(PageError, match=re.escape(says) if "|" not in says else says) as error:
            load(saved)
        assert error.value.where == Where(saved / FILE)

    def test_too_many_rows(self) -> None:
        """A page stays small."""
        rows = [E(0, "directory", "", 0, 0, 0), *(E(1, "file", str(i), 0, 0, 0) for i in range(5000))]
        layer = CapturedLayer("RUN x", 0, 0, ALPINE, from_base=False, contents=tuple(rows))
        with pytest.raises(ValueError, match="layer 1: it has 5,001 rows"):
            contents.check([layer])


class TestFacts:
    @pytest.mark.parametrize(
        ("path", "size"), [("/etc/ssl", 90_000), ("/etc", 100_400), ("/init", 300), ("/", 100_700), ("/et", None)]
    )
    def test_below(self, path: str, size: int | None) -> None:
        """The bytes of all layers, without what a later one hides."""
        assert below(LAYERS, path) == size

    def test_tolerance(self, tmp_path: Path) -> None:
        """A fact varies as much as the layers may in which its path is."""
        paths = {"ssl": "/etc/ssl", "init": "/init", "no": "/n"}
        snippet = replace(placed(tmp_path), image="x", noise=Noise(bytes=4096, because=""), contents=paths)
        facts = dict(derived.of_contents(snippet, LAYERS))
        assert {name: (fact.value, fact.tolerance) for name, fact in facts.items()} == {
            "ssl": (90_000, round(4096 / 90_000, 9)),
            "init": (300, 0.0),
        }
        assert facts.items() <= derived.of_image(snippet, LAYERS).items()


class TestDifferences:
    def test_none(self) -> None:
        """The same rows are no difference, in whatever order equal sizes have."""
        assert list(differences(LOWER, LOWER)) == []
        assert list(differences(UPPER, (*UPPER[:2], UPPER[3], UPPER[2]))) == []

    @pytest.mark.parametrize("part", ["size", "files", "hidden"])
    def test_any_part(self, part: str) -> None:
        """Each number of each entry counts."""
        for number, (path, entry) in enumerate(contents.paths(LOWER)):
            (moved,) = differences(LOWER, changed(LOWER, number, **{part: getattr(entry, part) + 1}))
            assert moved.path == path

    def test_another_name(self) -> None:
        """An entry that is there in one of the two only is named, and not what is below it."""
        assert list(differences(LOWER, changed(LOWER, 1, name="var"))) == [
            Moved("/etc", "directory: 700 B in 4 files, 300 B hidden", "(none)"),
            Moved("/var", "(none)", "directory: 700 B in 4 files, 300 B hidden"),
        ]

    def test_noise(self) -> None:
        """Within the noise sizes may differ, and small entries may come and go, but not many of them, or large ones."""
        more: tuple[CapturedEntry, ...] = (
            *UPPER[:3],
            E(2, "file", "<b>", 10_500, 2, 0),
            E(2, "file", "new", 400, 1, 0),
        )
        assert list(differences(UPPER, more, 900)) == []
        assert [moved.path for moved in differences(UPPER, more, 499)] == ["/etc/<b>"]
        assert [moved.path for moved in differences(UPPER, more, 399)] == ["/etc/<b>", "/etc/new"]
        more = changed(changed(more, 0, size=100_900), 1, size=100_900)
        assert [moved.path for moved in differences(UPPER, more, 899)] == ["/", "/etc"]
        assert list(differences(UPPER, more, 900)) == []
        assert [moved.path for moved in differences(UPPER, UPPER[:2], 80_000)] == ["/etc/ssl", "/etc/<b>"]
        assert [moved.path for moved in differences(UPPER, UPPER[:2], 95_000)] == ["/etc/<b>"]


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda layer: replace(layer, contents=changed(LOWER, 2, name="tls")), "single: layer 1: /etc/ssl"),
        (lambda layer: replace(layer, contents=changed(LOWER, 2, hidden=299)), "single: layer 1: /etc/ssl"),
        (lambda layer: replace(layer, contents=()), "single: layer 1: its contents"),
    ],
)
def test_a_forged_entry_is_found(edit: Callable[[CapturedLayer], CapturedLayer], what: str, tmp_path: Path) -> None:
    """With the seal and the sums mended, only a run can tell, and it does."""
    snippet = replace(placed(tmp_path / "single"), image="example", contents={})
    honest = capture(layers=LAYERS, facts={})
    forged = replace(honest, layers=(edit(LAYERS[0]), LAYERS[1]))
    assert what in [difference.what for difference in compare(forged, honest, snippet, tmp_path)]
    assert not [d for d in compare(honest, honest, snippet, tmp_path) if "layer" in d.what]
    (found, *_) = [d for d in compare(forged, honest, snippet, tmp_path) if d.what == what]
    assert found.where.path.name in (FILE, RECORD)
