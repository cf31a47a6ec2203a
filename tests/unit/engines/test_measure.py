"""Measurements of images are cached."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from proof.engines import measure
from proof.engines.client import Client
from proof.engines.image_archive import What
from proof.engines.private_docker import PrivateDocker
from tests.unit.engines.test_image_archive import BASE, OWN, oci


class Saving(PrivateDocker):
    """A fake engine with one image, which records what it is asked to save."""

    saved: list[str]

    @contextlib.contextmanager
    def save(self, image: str) -> Iterator[IO[bytes]]:
        """Its archive, as the engine would save it."""
        self.saved.append(image)
        yield oci(BASE, OWN)


@pytest.fixture
def engine() -> Saving:
    made = Saving(client=Client("docker", {}), platform="linux/amd64")
    object.__setattr__(made, "saved", [])
    return made


def test_an_image_is_saved_once(engine: Saving, tmp_path: Path) -> None:
    """In this run or a later one, unless more is to be measured of it, or it is another image."""
    for what in (What(), What(compress=True), What(contents=()), What(contents=("/bin/sh",))):
        first = measure.measure(engine, "sha256:1", tmp_path, what=what)
        assert measure.measure(engine, "sha256:1", tmp_path, what=what) == first
        assert (first.layers[0].compressed is not None) is what.compress
        assert bool(first.layers[0].contents) is (what.contents is not None)
    assert engine.saved == ["sha256:1"] * 4
    measure.measure(engine, "sha256:2", tmp_path)
    assert len(engine.saved) == 5


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"layers": [5]}', "null"])
def test_a_broken_record_is_measured_again(engine: Saving, tmp_path: Path, text: str) -> None:
    """A damaged cache file is ignored."""
    whole = measure.measure(engine, "sha256:1", tmp_path)
    for path in tmp_path.rglob("*.json"):
        path.write_text(text)
    assert measure.measure(engine, "sha256:1", tmp_path) == whole
