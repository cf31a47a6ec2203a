"""Measures an image in an engine, and caches the result.

The id of an image is a hash of its content, so a cached result stays valid: an unchanged image is not read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from proof.core.files import write_whole
from proof.engines import image_archive
from proof.engines.image_archive import SIZES, Image, Layer, What
from proof.engines.image_contents import Row
from proof.engines.interface import Engine

_IMAGES = "images-5"  # a directory of the cache; its number changes with the way images are measured


def measure(engine: Engine, image_id: str, cache: Path, *, what: What = SIZES) -> Image:
    """Measure an image of the engine. Results are kept in the directory `cache`.

    Raises CannotMeasureError if the image exceeds a limit.
    """
    key = hashlib.sha256(json.dumps([image_id, asdict(what)]).encode()).hexdigest()
    kept = cache / _IMAGES / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
        data = json.loads(kept.read_text())
        layers = [layer | {"contents": tuple(Row(*row) for row in layer["contents"])} for layer in data["layers"]]
        return Image(**data | {"layers": tuple(Layer(**layer) for layer in layers)})
    with engine.save(image_id) as archive:
        image = image_archive.measure(archive, what=what)
    write_whole(kept, json.dumps(asdict(image)))
    return image
