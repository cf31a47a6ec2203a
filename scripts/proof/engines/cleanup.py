"""Removes from an engine what a run created there, and nothing else.

In a user's own engine, everything is entered in the run's journal before it is created, and removed by what the journal
says: then it is as it was before. A private engine needs no journal, since all in it is ours.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from proof.core.errors import CannotMeasureError, command
from proof.engines.interface import Engine
from proof.engines.journal import Journal
from proof.system import temp_folders

_MARK = "proof.run"  # a label
_TOGETHER = 20  # cache records to remove in one call: on a busy machine, some hundred take minutes
_SETTLED = 5.0  # seconds for the builder to stop a build whose client has ended


def claim(engine: Engine, *images: str) -> None:
    """Record that images of these names are about to be created.

    Raises CannotMeasureError if a user's own engine already has one that this run did not create.
    """
    if engine.journal is None:
        return
    ours = engine.journal.left("tag")
    for image in images:
        name = engine.names.image(image)
        if name not in ours and engine.image_id(image) is not None:
            raise CannotMeasureError(
                f"your {engine.kind} already has an image {name}, which is left alone",
                hint=f"run again, which picks another prefix, or remove it: {command(engine.kind, 'rmi', name)}",
            )
        engine.journal.made("tag", name)


def name_container(engine: Engine, name: str) -> None:
    """Record that a container of this name is about to be created."""
    if engine.journal:
        engine.journal.made("container", name)


def create_networks(engine: Engine, *names: str) -> None:
    """Create networks of these names, for the containers that a snippet leaves running."""
    for name in names:
        if engine.journal:
            engine.journal.made("network", name)
        engine.client.call("network", "create", "--driver=bridge", name)


def ended(engine: Engine, name: str) -> None:
    """Record that the container of this name has ended, which also removed it."""
    if engine.journal:
        engine.journal.gone("container", name)


@contextlib.contextmanager
def building(engine: Engine) -> Iterator[tuple[list[str], Path | None]]:
    """Around a build in a user's own engine: record what the build creates.

    Yields the flags that the build needs for that, and the directory that it writes to. In a private engine these are
    empty and None: there all that is not named is removed anyway.
    """
    if engine.journal is None:
        yield [], None
        return
    label = f"{_MARK}={engine.names.prefix}"
    marked = engine.label_flags(label)
    if marked:
        engine.journal.made("label", label)
    images, records = engine.images(), engine.build_cache()
    with temp_folders.folder("build") as folder:
        made = folder / "id"
        try:
            yield [f"--iidfile={made}", *marked], folder
        finally:
            # If a later build takes its name, this image is left without one, so its id is needed.
            if made.exists() and (image := made.read_text().strip()) not in images:
                engine.journal.made("image", image)
            engine.journal.made("cache", *(_settled(engine).keys() - records.keys()))


def remove(
    engine: Engine, *, containers: Sequence[str] = (), networks: Sequence[str] = (), tags: Sequence[str] = ()
) -> None:
    """Remove what a snippet created, by name."""
    if engine.journal:
        _remove(engine, engine.journal, containers, networks, tags)
    else:
        engine.remove(containers=containers, networks=networks, images=tags)


def undo(engine: Engine, journal: Journal) -> None:
    """Remove everything that the journal of a run still lists. The run is this one, or one that was killed."""
    _remove(engine, journal, journal.left("container"), journal.left("network"), journal.left("tag"))
    for image in journal.left("image"):
        # If the image has a name by now, somebody else gave it that name, and may need it.
        about = engine.inspect(image)
        if about and not about["RepoTags"]:
            engine.client.call("rmi", *engine.removal_flags, image, deadline=120, check=False)
        journal.gone("image", image)
    for label in journal.left("label"):
        steps = engine.client.call("images", "--all", "--quiet", "--filter", f"label={label}", check=False)
        engine.remove(images=steps.text().split())
        journal.gone("label", label)
    _forget(engine, journal)


def _remove(
    engine: Engine, journal: Journal, containers: Sequence[str], networks: Sequence[str], tags: Sequence[str]
) -> None:
    """Remove by name, and record what is gone. What could not be removed stays in the journal for the next run."""
    if not engine.remove(containers=containers, networks=networks, images=tags):
        containers = [name for name in containers if not _exists(engine, "container", name)]
        networks = [name for name in networks if not _exists(engine, "network", name)]
        tags = [name for name in tags if not _exists(engine, "image", name)]
    journal.gone("container", *containers)
    journal.gone("network", *networks)
    journal.gone("tag", *tags)


def _exists(engine: Engine, kind: str, name: str) -> bool:
    return engine.client.call(kind, "inspect", "--format", "{{.ID}}", name, check=False).exit == 0


def _forget(engine: Engine, journal: Journal) -> None:
    """Remove the build cache records that a run created, by id."""
    made, before = set(journal.left("cache")), set[str]()
    # In rounds: a record can be removed only after those that need it. Any that stay are needed by the user's builds.
    while made and (present := made & engine.build_cache().keys()) and present != before:
        before = present
        records = sorted(present)
        for first in range(0, len(records), _TOGETHER):
            which = "|".join(records[first : first + _TOGETHER])  # there is one filter, but it is a regular expression
            prune = ("builder", "prune", "--force", "--all", "--filter", f"id={which}")
            engine.client.call(*prune, deadline=120, check=False)
    journal.gone("cache", *made)


def _settled(engine: Engine) -> dict[str, bool]:
    """The build cache, once no build uses it: after its client has ended, a build goes on for a moment."""
    until = time.monotonic() + _SETTLED
    while any((records := engine.build_cache()).values()) and time.monotonic() < until:
        time.sleep(0.1)
    return records
