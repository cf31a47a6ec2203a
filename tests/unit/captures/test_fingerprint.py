"""What a capture depends on, and what makes it stale."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.captures import fingerprint, normalise
from proof.captures.fingerprint import Change
from proof.captures.model import Capture
from proof.core import hashes
from proof.core.declared import keys_of
from proof.core.errors import RefusedError
from proof.snippets import manifest
from proof.snippets.model import FactRule, Snippet, Step
from tests.support.helpers import edit, tiny
from tests.support.makers import capture, write

BASE = "the base alpine:3.22"
KEYS = {"alpine:3.22": "a key", "golang:1.27": "another"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project."""
    return tiny(tmp_path)


def read(root: Path, name: str = "note") -> Snippet:
    return manifest.variants(root / "snippets" / name)[0]


def test_every_input(root: Path) -> None:
    """The commands, each file, each base of the snippet, the engine and the version of the rules."""
    folder = root / "snippets" / "note" / "context"
    write(folder, {"sub/run.sh": "true", "sub/group.sh": "true"})
    (folder / "sub" / "run.sh").chmod(0o744)
    (folder / "sub" / "group.sh").chmod(0o655)  # executable, but not for its owner
    (folder / "link").symlink_to("sub/run.sh")
    found = fingerprint.of(read(root), KEYS, "docker 26")
    assert next(iter(found)) == "the commands in snippet.toml"
    assert {name: value for name, value in found.items() if name != "the commands in snippet.toml"} == {
        "context/Dockerfile": hashes.sha256((folder / "Dockerfile").read_bytes()),
        "context/note.txt": hashes.sha256((folder / "note.txt").read_bytes()),
        "context/sub/run.sh": "executable " + hashes.hash_text("true"),
        "context/sub/group.sh": hashes.hash_text("true"),
        "context/link": hashes.hash_text("sub/run.sh"),
        BASE: "a key",
        "the engine": "docker 26",
        "the normaliser": str(normalise.VERSION),
    }
    assert BASE not in fingerprint.of(read(root), {"golang:1.27": "another"}, "docker 26")


IMAGE = {"image": "note", "transfer": True}
WORDS = {"name": "words", "command": "sh words.sh", "inside": "alpine:3.22"}


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        (
            "note",
            [
                IMAGE,
                ("build", "docker build -t note ."),
                ("run", "docker run note"),
                ("image_ls", "docker image ls note"),
            ],
        ),
        ("count", [{}, WORDS | {"facts": [("words", r"^(\d+) note.txt$", "count")]}]),
        (
            "fails",
            [
                {"image": "fails"},
                ("build", "docker build --quiet -t fails ."),
                {"name": "run", "command": "docker run fails", "exit": 127, "expect": "no such file or directory"},
            ],
        ),
    ],
)
def test_a_setting_that_is_not_used_is_left_out(root: Path, name: str, commands: list[Any]) -> None:
    """So a new setting does not make captures stale: the hash of these commands never changes."""
    edit(root / "snippets/note/snippet.toml", 'image = "note"', 'image = "note"\ntransfer = true')
    hashed = [dict(zip(("name", "command"), one, strict=True)) if isinstance(one, tuple) else one for one in commands]
    made = fingerprint.of(read(root, name), KEYS, "docker 26")
    assert made["the commands in snippet.toml"] == hashes.hash_text(json.dumps(hashed))


MANIFEST = """
title = "A note"
image = "note"

[[step]]
name = "build"
command = "docker build -t note ."

[[step]]
name = "serve"
command = "docker run -d -p 8080:8080 note"

[[step]]
name = "run"
command = "sh words.sh"
inside = "alpine:3.22"
exit = 1
expect = "no such file"
facts.words = { match = '^(\\d+)', unit = "count" }
"""
# For each key, a change of `MANIFEST`, and whether it makes a capture stale, because it says what is run or read.
# What a page says, and how far a value may differ, changes nothing that was measured.
SNIPPET_KEYS = {
    "title": ('"A note"', '"Note"', False),
    "image": ('image = "note"', "", True),
    "noise": ("[[step]]", 'noise = { because = "time" }\n[[step]]', False),
    "transfer": ("[[step]]", "transfer = true\n[[step]]", True),
    "contents": ("[[step]]", "contents = {}\n[[step]]", True),
    "slow": ("[[step]]", "slow = true\n[[step]]", False),
    "matrix": ("[[step]]", 'matrix = { go = ["1.26"] }\n[[step]]', False),
    "step": ("[[step]]", '[[step]]\nname = "ls"\ncommand = "docker image ls"\n[[step]]', True),
}
STEP_KEYS = {
    "name": ('"run"', '"count"', True),
    "command": ("sh words.sh", "sh ./words.sh", True),
    "inside": ("alpine:3.22", "alpine:3.21", True),
    "network": ("exit = 1", 'exit = 1\nnetwork = "published"', True),
    "until": ("exit = 1", 'exit = 1\nuntil = "such"', True),
    "exit": ("exit = 1", "exit = 2", True),
    "expect": ("no such file", "no such", True),
    "differs": ("exit = 1", 'exit = 1\ndiffers = { podman = "a cache" }', False),
    "remedy": ("exit = 1", 'exit = 1\nremedy = "Write it."', False),
    "unlisted": ("exit = 1", 'exit = 1\nunlisted = "It is rare."', False),
    "show": ("exit = 1", 'exit = 1\nshow = ["a"]', False),
    "ignore": ("exit = 1", 'exit = 1\nignore = ["a"]', False),
    "timeout": ("exit = 1", "exit = 1\ntimeout = 3", False),
    "facts": ("facts.words", "facts.amount", True),
    "unshown": ("exit = 1", 'exit = 1\nunshown = "It is long."', False),
}
FACT_KEYS = {
    "match": (r"^(\d+)", r"(\d+)", True),
    "unit": ('"count"', '"B"', True),
    "tolerance": ('"count"', '"count", tolerance = 0.5', False),
    "volatile": ('"count"', '"count", volatile = "the moon"', False),
    "engine": ('"count"', '"count", engine = "docker"', True),
}


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        *((key, SNIPPET_KEYS) for key in keys_of(Snippet)),
        *((key, STEP_KEYS) for key in keys_of(Step)),
        *((key, FACT_KEYS) for key in keys_of(FactRule)),
    ],
)
def test_what_makes_a_capture_stale(root: Path, key: str, changes: dict[str, tuple[str, str, bool]]) -> None:
    """A new key fails here until somebody decides whether it belongs to the fingerprint."""
    path = root / "snippets/note/snippet.toml"
    path.write_text(MANIFEST)
    before = fingerprint.of(read(root), KEYS, "docker 26")
    old, new, stale = changes[key]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    after = fingerprint.of(read(root), KEYS, "docker 26")
    expected = [Change("the commands in snippet.toml", "changed")] if stale else []
    assert [change for change in fingerprint.changed(before, after) if change.kind == "snippet"] == expected


@pytest.mark.parametrize(
    ("name", "kind", "invalidates"),
    [
        ("the commands in snippet.toml", "snippet", True),
        ("context/Dockerfile", "snippet", True),
        ("context/the base x", "snippet", True),
        (BASE, "base", True),
        ("the engine", "engine", False),
        ("the normaliser", "engine", False),
    ],
)
def test_whose_change_it_is(name: str, kind: str, invalidates: bool) -> None:  # noqa: FBT001 - an expected value
    """Another engine may explain a difference, but is not one by itself."""
    change = Change(name, "changed")
    assert (change.kind, change.invalidates) == (kind, invalidates)
    assert str(change) == f"{name} changed"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1"}, {"a": "2"}, ["a changed"]),
        ({"a": "1"}, {}, ["a is gone"]),
        ({"the base a": "1"}, {}, []),  # only a stage that isn't built named it
        ({}, {"a": "1"}, ["a is new"]),
        # In the order of the old ones, and new ones last.
        ({"b": "1", "a": "1"}, {"c": "1", "a": "2", "b": "2"}, ["b changed", "a changed", "c is new"]),
        ({"the engine": "docker 26"}, {"the engine": "docker 29"}, ["the engine changed from docker 26 to docker 29"]),
        ({"the normaliser": "1"}, {"the normaliser": "2"}, ["the normaliser changed from 1 to 2"]),
        ({}, {"the engine": "docker 29"}, ["the engine is new"]),
        ({"the engine": "docker 29"}, {}, ["the engine is gone"]),
    ],
)
def test_changed(old: dict[str, str], new: dict[str, str], found: list[str]) -> None:
    """Each input that differs is listed, with how it differs."""
    assert [str(change) for change in fingerprint.changed(old, new)] == found


def rebuilt(c: Capture) -> Capture:
    """A capture on rebuilt bases."""
    return c


def registry(c: Capture) -> Capture:
    """A capture on registry bases."""
    return replace(c, environment=replace(c.environment, bases="registry"))


@pytest.mark.parametrize(
    ("of_bases", "key", "pinned", "found"),
    [
        (rebuilt, "a key", None, []),
        (rebuilt, "other", None, [f"{BASE} changed"]),
        (rebuilt, "a key", {"alpine:3.22": "other"}, []),
        # Of the registry's only the lock knows where they are now.
        (registry, "other", None, []),
        (registry, "other", {}, []),
        (registry, "other", {"alpine:3.22": "a key"}, []),
        (registry, "a key", {"alpine:3.22": "other"}, [f"{BASE} changed"]),
        (registry, "a key", {"golang:1.27": "other"}, []),
    ],
)
def test_without_an_engine(
    root: Path,
    of_bases: Callable[[Capture], Capture],
    key: str,
    pinned: dict[str, str] | None,
    found: list[str],
) -> None:
    """Bases are compared with what is known without a registry. The engine counts as unchanged."""
    snippet = read(root)
    old = of_bases(capture(inputs=fingerprint.of(snippet, KEYS, "docker 26")))
    changes = fingerprint.without_engine(snippet, old, KEYS | {"alpine:3.22": key}, pinned)
    assert [str(change) for change in changes] == found
    edit(snippet.context / "note.txt", "a note", "another")
    changes = fingerprint.without_engine(read(root), old, KEYS | {"alpine:3.22": key}, pinned)
    assert [str(change) for change in changes] == ["context/note.txt changed", *found]


@pytest.mark.parametrize("of_bases", [rebuilt, registry])
def test_an_input_that_the_capture_does_not_name(root: Path, of_bases: Callable[[Capture], Capture]) -> None:
    """It is new, also if it is a registry base. The engine is not compared."""
    old = of_bases(capture(inputs={}))
    assert [str(change) for change in fingerprint.without_engine(read(root), old, KEYS)] == [
        "the commands in snippet.toml is new",
        "context/Dockerfile is new",
        "context/note.txt is new",
        f"{BASE} is new",
        "the engine is new",
        "the normaliser is new",
    ]


def test_a_project_that_a_link_leads_to(root: Path, tmp_path: Path) -> None:
    """The way to the project is the user's; from there on, no link is followed."""
    (tmp_path / "link").symlink_to(root)
    snippet = read(tmp_path / "link")
    assert fingerprint.of(snippet, KEYS, "docker 26") == fingerprint.of(read(root), KEYS, "docker 26")
    (root / "snippets").rename(root / "elsewhere")
    (root / "snippets").symlink_to("elsewhere")
    with pytest.raises(RefusedError, match="found a symbolic link"):
        fingerprint.of(snippet, KEYS, "docker 26")
