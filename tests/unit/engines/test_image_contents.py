"""What is in an image: every sum is exact, whatever the layers hold, and names cannot do harm."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof.captures import contents as captured
from proof.captures.model import CapturedEntry, CapturedLayer
from proof.core.errors import CannotMeasureError
from proof.engines import image_archive, image_contents
from proof.engines.image_archive import What
from proof.engines.image_contents import Member, Row, contents, member_of
from tests.support.makers import member, tar
from tests.unit.engines.test_image_archive import BASE, OWN, oci

NAMES = st.text(st.characters(exclude_characters="\0"), max_size=8).map(
    lambda name: name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
)
MEMBERS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["a", "b", ".wh.a", ".wh..wh..opq", "c\n"]) | NAMES, min_size=1, max_size=5),
        st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE]),
        st.integers(0, 300_000),
    ),
    max_size=60,
)


def listed(*layers: Sequence[tuple[tarfile.TarInfo, bytes]], kept: Sequence[str] = ()) -> list[list[Row]]:
    """The rows of an image with these files, without the first one of each layer."""
    members = [[member_of(info) for info, _ in layer] for layer in layers]
    return [list(rows)[1:] for rows in contents(members, kept)]


def file(name: str, size: int) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, b"x" * size)


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE)


def names(rows: Sequence[Row]) -> list[str]:
    return [row.name for row in rows]


class TestRows:
    def test_nested(self) -> None:
        """Directories before what is in them, the largest first, each with the sum of what is below it."""
        rows = listed([folder("usr/"), file("usr/a", 10), file("usr/lib/b", 200), file("z", 1)])[0]
        assert rows == [
            (1, "directory", "usr", 210, 2, 0),
            (2, "directory", "lib", 200, 1, 0),
            (3, "file", "b", 200, 1, 0),
            (2, "file", "a", 10, 1, 0),
            (1, "file", "z", 1, 1, 0),
        ]

    def test_a_link_counts_with_its_target(self) -> None:
        """As in the size of a layer; a second name of a file, a device and a directory count nothing."""
        rows = listed(
            [
                member("bin/sh", type=tarfile.SYMTYPE, linkname="/bin/büsy"),
                member("bin/hard", type=tarfile.LNKTYPE, linkname="bin/sh"),
                member("dev/null", type=tarfile.CHRTYPE),
                folder("empty/"),
            ]
        )[0]
        assert rows == [(1, "directory", "bin", 10, 0, 0), (2, "link", "sh", 10, 0, 0)]

    def test_spellings_of_a_path(self) -> None:
        """Archives write one path in several ways."""
        assert names(listed([file("./a//b", 1), file("/a/c", 1), file("a/./d", 1)])[0]) == ["a", "b", "c", "d"]

    def test_small_ones_are_summed_up(self) -> None:
        """A layer has few rows; the rest of each directory is one row with its exact sum."""
        many = [file(f"many/{i}", 1) for i in range(1000)]
        rows = listed([*many, file("many/big", 5000), file("other/x", 3000)])[0]
        assert rows == [
            (1, "directory", "many", 6000, 1001, 0),
            (2, "file", "big", 5000, 1, 0),
            (2, "others", "", 1000, 1000, 0),
            (1, "directory", "other", 3000, 1, 0),
            (2, "file", "x", 3000, 1, 0),
        ]

    def test_a_single_one_left_keeps_its_name(self) -> None:
        """It takes no more room than "1 other file"."""
        many = [file(f"many/{i}", 1) for i in range(1000)]
        rows = listed([*many, file("other/big", 5000), file("other/small", 1)])[0]
        assert "small" in names(rows)

    def test_kept_paths_have_a_row(self) -> None:
        """However small they are, with the directories above them."""
        many = [file(f"many/{i}", 9) for i in range(1000)]
        rows = listed([*many, file("etc/x/passwd", 1), file("etc/y", 2)], kept=["/etc/x/passwd"])[0]
        assert [(row.depth, row.name) for row in rows][-4:] == [(1, "etc"), (2, "y"), (2, "x"), (3, "passwd")]

    def test_a_small_change_does_not_change_what_is_listed(self) -> None:
        """The threshold is a power of two, not a rank."""
        layer = [file(f"d{i}/f", 1000 + i) for i in range(200)] + [file("big", 70_000)]
        assert names(listed(layer)[0]) == names(listed([*layer, file("noise", 40)])[0])

    def test_deep_trees(self) -> None:
        """What is below too many directories is summed up."""
        rows = listed([file("d/" * 1500 + "f", 7)])[0]
        assert len(rows) == 16
        assert rows[-1] == (16, "directory", "d", 7, 1, 0)

    def test_many_files(self) -> None:
        """The number of rows does not grow with the number of files."""
        members = [Member(f"{i % 50}/{i % 1000}/{i}", "file", i, "") for i in range(20_000)]
        (rows,) = contents([members])
        assert len(rows) < 100
        assert rows[0] == (0, "directory", "", sum(range(20_000)), 20_000, 0)


class TestHidden:
    def test_overwritten(self) -> None:
        """A file that a later layer has too takes room twice."""
        lower, upper = listed([file("a/x", 10), file("a/y", 20)], [file("a/x", 3)])
        assert [row.hidden for row in lower] == [10, 0, 10]
        assert [row.hidden for row in upper] == [0, 0]

    @pytest.mark.parametrize("name", ["a/.wh.x", ".wh.a", "a/x/.wh..wh..opq"])
    def test_removed(self, name: str) -> None:
        """By its name, with a directory above it, or because the directory is a new one."""
        lower, upper = listed([file("a/x/y", 10)], [file(name, 0)])
        assert [row.hidden for row in lower] == [10, 10, 10]
        assert upper[-1].kind == "removed"
        assert (upper[-1].size, upper[-1].files) == (0, 1)

    def test_a_directory_is_merged(self) -> None:
        """It hides a file of its name, but no directory."""
        lower, _ = listed([file("a/x", 10), file("b", 5)], [folder("a/"), folder("b/"), file("a/z", 1)])
        assert [(row.name, row.hidden) for row in lower] == [("a", 0), ("x", 0), ("b", 5)]

    def test_a_file_in_place_of_a_directory(self) -> None:
        """It hides all that was in it."""
        lower, _ = listed([file("a/x/y", 10)], [file("a", 1)])
        assert [row.hidden for row in lower] == [10, 10, 10]

    def test_only_lower_layers_are_hidden(self) -> None:
        """A layer that removes a directory and writes into it again keeps what it writes."""
        lower, upper = listed([file("a/x", 10)], [file("a/.wh..wh..opq", 0), file("a/y", 5)])
        assert [row.hidden for row in lower] == [10, 10]
        assert not any(row.hidden for row in upper)

    def test_twice_in_one_layer(self) -> None:
        """The last one counts for the image, both for the layer's size."""
        assert listed([file("a", 10), file("a", 4)])[0] == [(1, "file", "a", 14, 2, 10)]

    def test_another_name_keeps_a_file(self) -> None:
        """A file that is removed under one of its names is still there under the other."""
        lower, _ = listed([file("a", 10), member("b", type=tarfile.LNKTYPE, linkname="./a")], [file(".wh.a", 0)])
        assert lower == [(1, "file", "a", 10, 1, 0)]
        both = [file(".wh.a", 0), file(".wh.b", 0)]
        lower, _ = listed([file("a", 10), member("b", type=tarfile.LNKTYPE, linkname="a")], both)
        assert lower == [(1, "file", "a", 10, 1, 10)]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("a\nb", "a␊b"),
            ("\x1b[31m", "␛[31m"),
            ("\u202etxt.exe", "⟨U+202E⟩txt.exe"),
            ("\udcff\udcfe", r"\xff\xfe"),
            ("<script>alert(1)<", "<script>alert(1)<"),
            ("wörld", "wörld"),
            ("n" * 5000, "n" * 79 + "…" + "n" * 20),
        ],
    )
    def test_shown(self, name: str, shown: str) -> None:
        """Control characters, changes of direction and bytes that are not UTF-8 are visible; long names are cut."""
        assert names(listed([file(name, 1)])[0]) == [shown]

    def test_names_that_look_alike_are_added_up(self) -> None:
        """After cutting, two names can be the same."""
        assert listed([file("n" * 500, 1), file("n" * 600, 2)])[0] == [(1, "file", "n" * 79 + "…" + "n" * 20, 3, 2, 0)]

    @settings(max_examples=60, deadline=None)
    @given(layers=st.lists(MEMBERS, min_size=1, max_size=3))
    def test_any_archive(self, layers: list[list[tuple[list[str], bytes, int]]]) -> None:
        """Whatever members an archive has, the rows add up to what was counted, and a capture of them can be read."""
        packed = []
        for layer in layers:
            made = [
                member("/".join(path), b"y" * (size % 50 if kind == tarfile.REGTYPE else 0), type=kind, linkname="a")
                for path, kind, size in layer
            ]
            packed.append(tar(*made))
        what = What(contents=("/a/b",))
        counted = [image_archive.count(io.BytesIO(each), what=what) for each in packed]
        found = contents([each.members for each in counted], ["/a/b"])
        rebuilt = [
            CapturedLayer("RUN", c.size, c.files, "", False, tuple(CapturedEntry(*row) for row in rows))  # noqa: FBT003
            for c, rows in zip(counted, found, strict=True)
        ]
        captured.check(rebuilt)
        assert captured.from_text(captured.to_text(rebuilt)) == [layer.contents for layer in rebuilt]


class TestMeasured:
    WHAT = What(contents=())

    def test_an_image(self) -> None:
        """The rows come with the layers, and nothing else changes."""
        image = image_archive.measure(oci(BASE, OWN), what=self.WHAT)
        assert [layer.contents[0][3:] for layer in image.layers] == [(812, 1, 0), (2000, 1, 0)]
        assert [layer.digest for layer in image.layers] == [
            layer.digest for layer in image_archive.measure(oci(BASE, OWN)).layers
        ]

    def test_limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too many files in a layer, or in all of them, are refused."""
        many = tar(*(folder(f"{'d' * 90}{i}/") for i in range(200)))
        with monkeypatch.context() as patch:
            patch.setattr(image_archive, "_ENTRIES", 10_000)
            image_archive.measure(oci(many))
            with pytest.raises(CannotMeasureError, match="too many files to list"):
                image_archive.measure(oci(many), what=self.WHAT)
        monkeypatch.setattr(image_archive, "_ALL_MEMBERS", 100)
        with pytest.raises(CannotMeasureError, match="the image has too many files to list: 200"):
            image_archive.measure(oci(many, OWN), what=self.WHAT)

    def test_the_number_of_files_is_checked_layer_by_layer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not when all layers are in memory."""
        many = [tar(*(folder(f"{layer}/{i}/") for i in range(60))) for layer in range(3)]
        monkeypatch.setattr(image_archive, "_ALL_MEMBERS", 100)
        with pytest.raises(CannotMeasureError, match="the image has too many files to list: 120"):
            image_archive.measure(oci(*many), what=self.WHAT)

    def test_comparing_many_files_has_a_deadline(self) -> None:
        """With names of thousands of directories it takes minutes."""
        looks = []

        def check() -> None:
            looks.append(True)

        contents([[Member("a", "file", 1), Member("b", "file", 1)], [Member("c", "file", 1)]], check=check)
        assert len(looks) == 3


def test_the_kinds_of_rows_are_those_of_captures() -> None:
    """What the engine side writes, the page side reads."""
    assert set(get_args(image_contents.RowKind)) == captured._KINDS
