"""What a run makes in an engine: written into its journal before it is made, and removed by that.

A private engine is rid of it so that the next run finds it clean; one of the user's, so that it is left as it was.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from proof.core.errors import CannotMeasureError
from proof.engines.engine import Engine
from proof.engines.journal import Journal
from proof.system import temp_folders

_MARK = "proof.run"  # a label
_SETTLED = 5.0  # seconds for the builder to drop a build whose client is gone


def claim(engine: Engine, *images: str) -> None:
    """Write down that these images are about to be made here.

    Raises CannotMeasureError where a shared engine has one of that name which this run did not make.
    """
    if engine.journal is None:
        return
    ours = engine.journal.left("tag")
    for image in images:
        name = engine.scoped_name(image)
        if engine.shared and name not in ours and engine.image_id(image):
            raise CannotMeasureError(
                f"your {engine.kind} has an image {name} already, and it is left alone",
                hint=f"run again, for another prefix; or {engine.kind} rmi {name}",
            )
        engine.journal.made("tag", name)


def name_container(engine: Engine, name: str) -> None:
    """Write down that a container of this name is about to be made."""
    if engine.journal:
        engine.journal.made("container", name)


def ended(engine: Engine, name: str) -> None:
    """Write down that a container of this name has ended, and is gone by that."""
    if engine.journal:
        engine.journal.gone("container", name)


@contextlib.contextmanager
def building(engine: Engine) -> Iterator[tuple[list[str], Path | None]]:
    """Around a build: the flags by which a shared engine writes down what it made, and the folder that it writes to."""
    if engine.private or engine.journal is None:
        yield [], None
        return
    marked = []
    if engine.supports_labels:
        engine.journal.made("label", f"{_MARK}={engine.prefix}")
        marked = ["--layer-label", f"{_MARK}={engine.prefix}"]
    images, records = engine.images(), engine.build_cache()
    with temp_folders.folder("build") as folder:
        made = folder / "id"
        try:
            yield [f"--iidfile={made}", *marked], folder
        finally:
            # A second build under one name leaves the first one's image without any.
            if made.exists() and (image := made.read_text().strip()) not in images:
                engine.journal.made("image", image)
            engine.journal.made("cache", *(_settled(engine).keys() - records.keys()))


def remove(engine: Engine, *, containers: Sequence[str] = (), tags: Sequence[str] = ()) -> None:
    """Remove what a snippet made, by name."""
    if engine.journal:
        _remove(engine, engine.journal, containers, tags)
    else:
        engine.remove(containers=containers, images=tags)


def undo(engine: Engine, journal: Journal) -> None:
    """Remove what is left of a run, this one or one that was killed: nothing but what its journal names."""
    _remove(engine, journal, journal.left("container"), journal.left("tag"))
    for image in journal.left("image"):
        # An image that has a name now was given it by somebody else.
        if engine.call("image", "inspect", "--format", "{{.RepoTags}}", image, check=False).text().strip() == "[]":
            engine.call("rmi", image, deadline=120, check=False)
        journal.gone("image", image)
    for label in journal.left("label"):
        steps = engine.call("images", "--all", "--quiet", "--filter", f"label={label}", check=False)
        engine.remove(images=steps.text().split())
        journal.gone("label", label)
    _forget(engine, journal)


def _remove(engine: Engine, journal: Journal, containers: Sequence[str], tags: Sequence[str]) -> None:
    """Remove by name, and write down what is gone then: what resists stays in the journal, for the next run."""
    if not engine.remove(containers=containers, images=tags):
        containers = [name for name in containers if not _exists(engine, "container", name)]
        tags = [name for name in tags if not _exists(engine, "image", name)]
    journal.gone("container", *containers)
    journal.gone("tag", *tags)


def _exists(engine: Engine, kind: str, name: str) -> bool:
    return engine.call(kind, "inspect", "--format", "{{.ID}}", name, check=False).exit == 0


def _forget(engine: Engine, journal: Journal) -> None:
    """Remove the records of the build cache that a run made, by their ids."""
    made, before = set(journal.left("cache")), set[str]()
    # In rounds, since a record goes only after those that need it. What stays, a build of the user's needs by now.
    while made and (present := made & engine.build_cache().keys()) and present != before:
        before = present
        which = "|".join(sorted(present))  # the filter is a regular expression, and can be given once
        engine.call("builder", "prune", "--force", "--all", "--filter", f"id={which}", deadline=120, check=False)
    journal.gone("cache", *made)


def _settled(engine: Engine) -> dict[str, bool]:
    """The build cache once no build uses any of it: one that was ended goes on for a moment in the daemon."""
    until = time.monotonic() + _SETTLED
    while any((records := engine.build_cache()).values()) and time.monotonic() < until:
        time.sleep(0.1)
    return records
