"""The tables of keys agree with the validation about types and required keys."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from proof.core.errors import ManifestError
from proof.snippets import base_images, keys, manifest, settings
from proof.snippets.keys import Key
from tests.support.makers import write

# A snippet and a list of base images with all keys, except for `like` and `swap`.
STEP = {
    "name": "build",
    "command": "docker build -t example .",
    "exit": 1,
    "expect": "not found",
    "remedy": "Look again.",
    "unlisted": "Nobody looks for it.",
    "show": ["a"],
    "ignore": ["b"],
    "timeout": 12.5,
    "unshown": "another page has it",
    "facts": {
        "files": {
            "match": r"^(\d+) files",
            "unit": "count",
            "tolerance": 0.1,
            "volatile": "it grows",
            "engine": "docker >=29",
        }
    },
}
ON_EACH = {
    "name": "run",
    "command": "docker run example",
    "exit": {"docker <28": 1, "docker >=28": 255},
    "expect": {"docker <28": "format error", "docker >=28": "format"},
    "differs": {"podman": "it has another loader"},
}
START = {"name": "start", "command": "docker run -d -p 80:80 alpine:3.22"}
ASK = {"name": "ask", "command": "id", "inside": "alpine:3.22", "network": "published", "until": "ready"}
SNIPPET = {
    "title": "One stage",
    "image": "example",
    "noise": {"bytes": 10, "because": "of the time"},
    "transfer": True,
    "contents": {"files_of_go": "/usr/local/go"},
    "slow": True,
    "matrix": {"go": ["1.26"]},
    "step": [STEP, {"name": "ls", "command": "ls", "inside": "alpine:3.22"}, ON_EACH, START, ASK],
}
PACKAGE = {
    "name": "alpine",
    "project": "alpine-files",
    "version": "3.22",
    "wheel": "alpine_files-3.22-py3-none-any.whl",
    "sha256": "0" * 64,
    "holds": "Alpine",
}
BLOB = {"instruction": "ADD", "package": "alpine", "blob": "a.tar.gz", "without_apk": ["tzdata"], "diff_id": "sha256:0"}
TREE = {"instruction": "COPY", "package": "alpine", "tree": "a/", "at": "usr/", "drop": ["x"]}
EMPTY = {"instruction": "RUN", "directories": ["go"], "mode": "1777"}
BASE = {
    "name": "alpine:3.22",
    "registry": "docker.io/library/alpine:3.22",
    "platform": "linux/amd64",
    "rebuilt": "Alpine",
    "created": "2026-01-01T00:00:00Z",
    "env": ["A=b"],
    "command": ["sh"],
    "workdir": "/src",
    "keeps": "/cache",
    "layer": [BLOB, TREE, EMPTY],
}
CHILD = {key: BASE[key] for key in ("registry", "platform", "rebuilt", "created")} | {
    "name": "golang:1.27",
    "parent": "alpine:3.22",
}
LIKE = {key: BASE[key] for key in ("registry", "rebuilt", "created")} | {
    "name": "alpine:3.21",
    "like": "alpine:3.22",
    "swap": {"alpine": "alpine"},
}
BASES = {"package": [PACKAGE], "base": [BASE, CHILD, LIKE]}
PROOF = {"project": {"bases": "rebuilt"}}

# Where each table is: the file, and the keys that lead to it.
TABLES: list[tuple[Mapping[str, Key], str, tuple[str | int, ...]]] = [
    (keys.SNIPPET, "snippet.toml", ()),
    (keys.NOISE, "snippet.toml", ("noise",)),
    (keys.STEP, "snippet.toml", ("step", 0)),
    (keys.STEP, "snippet.toml", ("step", 1)),
    (keys.STEP, "snippet.toml", ("step", 2)),
    (keys.STEP, "snippet.toml", ("step", 4)),
    (keys.FACT, "snippet.toml", ("step", 0, "facts", "files")),
    (keys.BASES, "bases.toml", ()),
    (keys.PACKAGE, "bases.toml", ("package", 0)),
    (keys.BASE, "bases.toml", ("base", 0)),
    (keys.BASE, "bases.toml", ("base", 1)),
    (keys.BASE, "bases.toml", ("base", 2)),
    *((keys.LAYER, "bases.toml", ("base", 0, "layer", i)) for i in range(3)),
    (keys.PROOF, "proof.toml", ()),
    (keys.PROJECT, "proof.toml", ("project",)),
]
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "list of strings": list,
    "list of tables": list,
    "table": dict,
    "integer or table": (int, dict),
    "string or table": (str, dict),
}
FILES: dict[str, dict[str, Any]] = {"snippet.toml": SNIPPET, "bases.toml": BASES, "proof.toml": PROOF}


def toml(value: Any) -> str:
    """A value as inline TOML."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return json.dumps(value)


def read(root: Path, name: str, data: Mapping[str, Any]) -> None:
    """Write one of the files, and load it."""
    text = "\n".join(f"{key} = {toml(value)}" for key, value in data.items())
    if name == "bases.toml":
        write(root / "snippets", {name: text})
        base_images.load(root)
    elif name == "proof.toml":
        write(root, {name: text})
        settings.load(root)
    else:
        manifest.variants(write(root / "snippets" / "one", {name: text, "context/Dockerfile": "FROM alpine:3.22\n"}))


def changed(name: str, path: tuple[str | int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of the data of a file, and the table in it that is to be changed."""
    data: Any = copy.deepcopy(FILES[name])
    table = data
    for part in path:
        table = table[part]
    return data, table


def given() -> list[tuple[str, tuple[str | int, ...], str, Key]]:
    """All keys in the data above: the file, the table, the key and its description."""
    return [(name, path, key, table[key]) for table, name, path in TABLES for key in changed(name, path)[1]]


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_accepted(name: str, tmp_path: Path) -> None:
    """The data above are valid, and contain each key of each table at least once."""
    read(tmp_path, name, FILES[name])
    seen = {(id(table), key) for table, file, path in TABLES for key in changed(file, path)[1]}
    assert seen == {(id(table), key) for table, _, _ in TABLES for key in table}


@pytest.mark.parametrize(("table", "name", "path"), TABLES)
def test_another_key_is_refused(
    table: Mapping[str, Key], name: str, path: tuple[str | int, ...], tmp_path: Path
) -> None:
    """The hint lists the known keys."""
    data, changing = changed(name, path)
    changing["colour"] = "red"
    with pytest.raises(ManifestError, match=f"unknown key 'colour'(.|\n)*one of: {', '.join(table)}"):
        read(tmp_path, name, data)


@pytest.mark.parametrize(("name", "path", "key", "said"), given())
def test_a_key_has_its_type(name: str, path: tuple[str | int, ...], key: str, said: Key, tmp_path: Path) -> None:
    """A value of another type is refused."""
    data, table = changed(name, path)
    assert isinstance(table[key], KINDS[said.kind])
    table[key] = 7 if said.kind not in ("integer", "number", "integer or table") else "seven"
    with pytest.raises(ManifestError):
        read(tmp_path, name, data)


@pytest.mark.parametrize(("name", "path", "key", "said"), [row for row in given() if row[3].required])
def test_a_required_key_cannot_be_left_out(
    name: str, path: tuple[str | int, ...], key: str, said: Key, tmp_path: Path
) -> None:
    """Without a required key, the file is refused."""
    del said
    data, table = changed(name, path)
    del table[key]
    with pytest.raises(ManifestError, match=rf"`?{re.escape(key)}`? is missing|no \[\[{re.escape(key)}\]\]"):
        read(tmp_path, name, data)


def test_the_other_keys_can_be_left_out(tmp_path: Path) -> None:
    """A snippet and a base image are valid with only the required keys."""

    def required(table: Mapping[str, Key], values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: values[key] for key in table if table[key].required}

    step = required(keys.STEP, STEP)
    read(tmp_path, "snippet.toml", required(keys.SNIPPET, SNIPPET) | {"step": [step]})
    rebuilt = {key: BASE[key] for key in ("rebuilt", "created")} | {"layer": [required(keys.LAYER, EMPTY)]}
    base = required(keys.BASE, BASE) | rebuilt
    read(tmp_path, "bases.toml", {"package": [required(keys.PACKAGE, PACKAGE)], "base": [base]})
    read(tmp_path, "proof.toml", {"project": {"bases": "registry"}})
    read(tmp_path, "bases.toml", {"base": [required(keys.BASE, BASE)]})
