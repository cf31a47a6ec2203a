"""Images in the engine, counted once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from proof import measure
from proof.engine import Engine
from tests.test_image import BASE, OWN, digest, oci


class Saving(Engine):
    """An engine whose images are given, and which notes what it is asked to save."""

    held: dict[str, tuple[bytes, ...]]
    saved: list[str]

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """Its archive, as the engine would save it."""
        self.saved.append(image)
        yield oci(*self.held[image])


@pytest.fixture
def engine() -> Saving:
    made = Saving("docker", {}, "linux/amd64")
    object.__setattr__(made, "held", {"base": (BASE,), "example": (BASE, OWN)})
    object.__setattr__(made, "saved", [])
    return made


def test_an_image_is_saved_once(engine: Saving, tmp_path: Path) -> None:
    """An image that was counted is not saved again, in this run or a later one."""
    first = measure.measure(engine, "example", tmp_path)
    assert measure.measure(engine, "example", tmp_path) == first
    assert engine.saved == ["example"]


def test_a_layer_is_counted_once(engine: Saving, tmp_path: Path) -> None:
    """A layer of the base is not read again in an image on it: its counts are those that were kept."""
    (base,) = measure.measure(engine, "base", tmp_path).layers
    kept = tmp_path / "layers" / f"{digest(BASE)}.json"
    counts = json.loads(kept.read_text())
    assert counts == [base.digest, base.size, base.files, None]
    kept.write_text(json.dumps([counts[0], 77, *counts[2:]]))
    assert [layer.size for layer in measure.measure(engine, "example", tmp_path).layers] == [77, 2000]


def test_compressed_counts_are_apart(engine: Saving, tmp_path: Path) -> None:
    """A layer that was counted without its compressed size is counted again where that is asked for."""
    measure.measure(engine, "base", tmp_path)
    (layer,) = measure.measure(engine, "base", tmp_path, compress=True).layers
    assert layer.compressed is not None


@pytest.mark.parametrize("text", ["", "{", "[1]", '["a", "b", 3, null]', "null"])
def test_a_broken_record_is_counted_again(engine: Saving, tmp_path: Path, text: str) -> None:
    """What a full disk or a hand left in the cache is no count."""
    whole = measure.measure(engine, "example", tmp_path)
    for path in tmp_path.rglob("*.json"):
        path.write_text(text)
    assert measure.measure(engine, "example", tmp_path) == whole
