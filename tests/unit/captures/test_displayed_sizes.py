"""The sizes that Docker 29 displays have to be those of its tables, and possible for the layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import derived, displayed_sizes, staleness, store
from proof.captures.index import BaseKeys, SnippetCaptures
from proof.captures.model import Capture, CapturedLayer
from proof.snippets import base_images, manifest
from proof.snippets.capture_locations import folder_of
from proof.snippets.model import Snippet
from tests.support.helpers import captured, edit, tiny
from tests.support.makers import by_engine

LAYERS = (CapturedLayer("COPY", 10_000_000, 5, f"sha256:{'a' * 64}", from_base=False),)
TABLE = "IMAGE  ID  DISK USAGE   CONTENT SIZE   EXTRA\n{image}   a20afe96e511       {disk}         {content}        \n"
DOCKER_29 = "docker 29.7.2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return captured(tiny(tmp_path))


def snippet(root: Path) -> Snippet:
    return manifest.variants(root / "snippets/note")[0]


def of(root: Path, disk_usage: int, content_size: int, *, table: str = "", sent: int = 0) -> Capture:
    """The capture of the snippet `note` by Docker 29, with these facts."""
    made = store.load(folder_of(root / "snippets/note", "rebuilt"))
    assert made is not None
    facts = made.facts | derived.of_image(snippet(root), LAYERS) | dict(derived.of_display(disk_usage, content_size))
    facts |= dict(derived.of_transfer(sent, 0, sent)) if sent else {}
    steps = tuple(replace(step, output=table) if step.name == "image_ls" else step for step in made.steps)
    return replace(by_engine(made, DOCKER_29), layers=LAYERS, facts=facts, steps=steps)


def said(capture: Capture, root: Path) -> list[str]:
    return list(displayed_sizes.contradictions(capture, snippet(root)))


@pytest.mark.parametrize(
    ("fields", "disk", "content", "says"),
    [
        ({}, "15MB", "5MB", []),
        ({"image": "note:other"}, "16MB", "4MB", []),
        ({}, "15.1MB", "5MB", ["disk_usage is 15MB, but image_ls says 15.1MB"]),
        ({}, "15MB", "4.99MB", ["content_size is 5MB, but image_ls says 4.99MB"]),
        ({}, "15MB", "5kB", ["content_size is 5MB, but image_ls says 5kB"]),
    ],
)
def test_facts_are_what_the_table_says(
    fields: dict[str, Any], disk: str, content: str, says: list[str], root: Path
) -> None:
    """Exactly, if it lists the image of the snippet: the facts are read from such a table."""
    table = TABLE.format(**{"image": "note:latest", "disk": disk, "content": content} | fields)
    assert said(of(root, 15_000_000, 5_000_000, table=table), root) == says


def test_a_table_of_an_image_that_a_build_replaced(root: Path) -> None:
    """It says nothing of the image that was measured."""
    edit(root / "snippets/note/snippet.toml", "docker build -t note .", "docker image ls note")
    edit(root / "snippets/note/snippet.toml", "docker run note", "docker build -t note .")
    made = of(root, 15_000_000, 5_000_000, table="")
    table = TABLE.format(image="note:latest", disk="16MB", content="4MB")
    assert said(replace(made, steps=(replace(made.steps[0], output=table), *made.steps[1:])), root) == []


@pytest.mark.parametrize(
    ("disk_usage", "content_size", "sent", "fits"),
    [
        (15_000_000, 5_000_000, 0, True),
        (15_000_000, 5_000_000, 4_900_000, True),
        (5_000_000, 5_000_000, 0, True),  # of another platform: nothing is unpacked
        (15_000_000, 5_000_000, 4_700_000, False),
        (15_000_000, 5_000_000, 5_300_000, False),
        (123_456_789, 5, 0, False),  # more than an image of these layers can take
        (4_000_000, 5_000_000, 0, False),  # a part that is larger than the whole
        (14_000_000, 5_000_000, 0, False),  # less than the layers hold
        (10_000_000, 0, 0, False),
        (30_000_000, 20_000_000, 0, False),  # compressed, it is larger than its files
    ],
)
def test_sizes_fit_the_layers(disk_usage: int, content_size: int, sent: int, fits: bool, root: Path) -> None:  # noqa: FBT001 - a row
    """Also without a table: what is compressed, and what is unpacked, have limits."""
    found = said(of(root, disk_usage, content_size, sent=sent), root)
    assert [what for what in found if "which no image with these layers has" not in what] == []
    assert bool(found) is not fits


@pytest.mark.parametrize("name", ["disk_usage", "content_size"])
def test_an_engine_displays_both_sizes_or_none(name: str, root: Path) -> None:
    """Docker 26 has no such columns."""
    made = of(root, 15_000_000, 5_000_000)
    assert said(by_engine(made, "docker 26.1.5"), root) == ["docker 26 does not display disk_usage and content_size"]
    one = replace(made, facts={other: fact for other, fact in made.facts.items() if other != name})
    (what,) = said(one, root)
    assert what.endswith("alone")


def test_a_page_is_not_built_with_them(root: Path) -> None:
    """`proof status` names the capture."""
    folder = folder_of(root / "snippets/note", "rebuilt", "", "docker-29")
    store.save(of(root, 123_456_789, 5), folder)
    store.remove(folder_of(root / "snippets/note", "rebuilt"))
    known = base_images.load(root)
    keys = {name: known.key(name) for name in known.images}
    found = list(staleness.stale(SnippetCaptures(snippet(root), lambda: BaseKeys(known, keys, {}))))
    (error,) = (error for error in found if "disk_usage" in error.what)
    assert "123MB and 5B" in error.what
    assert error.where is not None
    assert error.where.path == folder / store.RECORD
