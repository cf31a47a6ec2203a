"""Totals on an official base: our own layers as measured, and the base's size as cited."""

from dataclasses import replace
from pathlib import Path

import pytest

from proof.captures import store
from proof.captures.model import CapturedFact
from proof.core.errors import ManifestError
from proof.facts import book as facts
from proof.facts.book import FactBook
from proof.facts.values import Sum
from proof.snippets import base_images
from proof.snippets.capture_locations import folder_of
from tests.support.helpers import capture_of, edit

CREATED = 'created = "2025-07-15T10:42:48Z"\n'
OURS, CITED = 27, 8_000_000  # bytes of our layer, and of the leaflet


def cites(root: Path, *lines: str) -> FactBook:
    """The facts of the project once its base has these keys."""
    edit(root / "snippets/bases.toml", CREATED, CREATED + "".join(f"{line}\n" for line in lines))
    return facts.load(root / "snippets")


def test_a_total(root: Path) -> None:
    """It has both parts, and names the source of the cited one."""
    book = cites(root, 'official_size = "leaflet.size"')
    total = book["note.official_size"]
    assert (total.value, total.unit, str(total)) == (CITED + OURS, "B", "8MB")
    assert total.source == "our own layers, 27B, as measured, on the official base, 8MB, as cited: a leaflet"
    assert total.origin == Sum("a leaflet", "2020-01-01", "", book.captures["note"])
    assert total.capture is book.captures["note"]
    assert [name for name in book if "official" in name] == ["note.official_size"]  # `fails` is on scratch
    assert len(book) == len(list(book))
    assert dict(book)["note.official_size"] == total


def test_without_the_key(root: Path) -> None:
    """No such fact is made up."""
    assert [name for name in cites(root) if "official" in name] == []


def test_another_image(root: Path) -> None:
    """A base that is like another one has another official image."""
    like = '\n[[base]]\nname = "alpine:3.21"\nlike = "alpine:3.22"\nrebuilt = "x"\ncreated = "2025-07-15T10:42:48Z"\n'
    bases = root / "snippets/bases.toml"
    bases.write_text(bases.read_text() + like)
    cites(root, 'official_size = "leaflet.size"')
    loaded = base_images.load(root).images
    assert [loaded[name].official.official_size is None for name in ("alpine:3.22", "alpine:3.21")] == [False, True]


def test_a_compressed_total(root: Path) -> None:
    """It needs a snippet that measures what a registry would send."""
    lines = ('official_size = "leaflet.size"', 'official_transfer_size = "leaflet.size"')
    assert "note.official_transfer_size" not in cites(root, *lines)
    sizes = {name: CapturedFact(10, "B", "x", 0.01) for name in ("transfer_size", "own_transfer_size")}
    with_sizes = replace(capture_of(root), facts=capture_of(root).facts | sizes)
    total = facts.load(root / "snippets").with_captures({"note": with_sizes})["note.official_transfer_size"]
    assert total.value == CITED + 10
    assert total.tolerance == round(0.01 * 10 / (CITED + 10), 9)


def test_a_new_measurement(root: Path) -> None:
    """A claim over the total is checked against it."""
    book = cites(root, 'official_size = "leaflet.size"')
    larger = replace(capture_of(root), facts=capture_of(root).facts | {"own_size": CapturedFact(1_000, "B", "x")})
    assert book.with_captures({"note": larger})["note.official_size"].value == CITED + 1_000


def test_measured_on_the_official_base(root: Path) -> None:
    """Then it is the measured size, and nothing about it is cited."""
    old = capture_of(root)
    new = replace(old, environment=replace(old.environment, bases="registry"))
    store.save(new, folder_of(root / "snippets/note", "registry"))
    book = cites(root, 'official_size = "leaflet.size"')
    total = book["note.official_size"]
    assert (total.value, total.name) == (book["note.size"].value, "note.official_size")
    assert total.origin is book.captures["note"]


def test_a_capture_stays_current(root: Path) -> None:
    """What is cited is no part of the recipe."""
    before = base_images.load(root).key("alpine:3.22")
    cites(root, 'official_size = "leaflet.size"')
    assert base_images.load(root).key("alpine:3.22") == before


@pytest.mark.parametrize("key", ["official_size", "official_transfer_size"])
@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ('"leaflet.sise"', "'leaflet.sise' is no cited figure - did you mean 'leaflet.size'?"),
        ('"leaflet"', "'leaflet' is no cited figure"),
        ('"note.base_size"', "'note.base_size' is no cited figure"),
        ('"leaflet.pages"', "'leaflet.pages' is in count, not in bytes"),
        ('"leaflet.share"', "'leaflet.share' is in no unit, not in bytes"),
        ("8", "`{key}` must be a string"),
    ],
)
def test_a_mistake(figure: str, says: str, key: str, root: Path) -> None:
    """It is an error at the line of the key."""
    size = 'figures.size = { value = 8, unit = "MB" }\n'
    more = 'figures.pages = { value = 8, unit = "count" }\nfigures.share = { value = 0.5, unit = "ratio" }\n'
    edit(root / "snippets/cited.toml", size, size + more)
    with pytest.raises(ManifestError) as error:
        cites(root, f"{key} = {figure}")
    assert error.value.what.startswith(says.format(key=key))
    assert error.value.where is not None
    assert error.value.where.path == root / "snippets/bases.toml"
    written = error.value.where.path.read_text().split("\n")
    assert error.value.where.line == written.index(f"{key} = {figure}") + 1
