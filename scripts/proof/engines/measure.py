"""Measures an image in an engine, and caches the result.

The id of an image and the name of a layer are hashes of their content, so a cached result stays valid: an unchanged
image is not read again, and the layers of a base are read only once for all images built on it.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from proof.core.files import write_whole
from proof.engines import image_archive, overlay_store
from proof.engines.image_archive import SIZES, Counted, Image, Layer, Limit, What
from proof.engines.image_contents import Member, Row
from proof.engines.interface import Engine

# Directories of a cache. Their number changes with the way layers are counted.
_IMAGES, LAYERS = "images-4", "layers-4"


def measure(engine: Engine, image_id: str, cache: Path, *, what: What = SIZES, limit: Limit | None = None) -> Image:
    """Measure an image of the engine. Results are kept in the directory `cache`.

    Raises CannotMeasureError if the image exceeds a limit.
    """
    limit = limit or Limit()
    known = cache / _IMAGES / f"{image_id.removeprefix('sha256:')}{what.of_image}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        data = json.loads(known.read_text())
        layers = tuple(
            Layer(**layer | {"contents": tuple(Row(*row) for row in layer["contents"])}) for layer in data["layers"]
        )
        return Image(**data | {"layers": layers})
    counted = Layers(cache / LAYERS, what)
    try:
        image = overlay_store.measure(engine.data, image_id, counted, what=what, limit=limit)
    except overlay_store.NotInStoreError:  # not a private engine, or a store in another format
        with engine.save(image_id) as archive:
            image = image_archive.measure(archive, what=what, counted=counted, limit=limit)
    write_whole(known, json.dumps(asdict(image)))
    return image


class Layers:
    """The counts of layers measured in this run or an earlier one, by the SHA-256 of their archives."""

    def __init__(self, folder: Path, what: What = SIZES) -> None:
        self._folder, self._what = folder, what

    def get(self, name: str) -> Counted | None:
        """The counts of a layer, or None if it has not been measured yet."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            digest, size, files, compressed, members = json.loads(self._file(name).read_text())
            sent = None if compressed is None else int(compressed)
            found = None if self._what.contents is None else tuple(Member(*member) for member in members)
            return Counted(str(digest), int(size), int(files), sent, found)
        return None

    def put(self, name: str, counts: Counted) -> None:
        """Keep the counts of a layer."""
        write_whole(self._file(name), json.dumps(counts))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{self._what.of_layers}.json"
