"""The JSON Schemas that editors read: they accept what is valid, and find what a table of keys can tell."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from proof.snippets import schema
from proof.snippets.schema import NAMES
from tests.support.helpers import REPOSITORY, TINY
from tests.support.in_process import proof
from tests.unit.snippets.test_keys import FILES, TABLES, changed, given


def errors(name: str, data: Any) -> list[str]:
    """What a validator finds in NAME.toml."""
    return [error.message for error in Draft4Validator(schema.of(name)).iter_errors(data)]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_schema_of_draft_4(name: str) -> None:
    """That is the newest one that Taplo reads. `proof schema` prints it, in any directory."""
    Draft4Validator.check_schema(schema.of(name))
    done = proof("schema", name, cwd=Path("/"))
    assert json.loads(done.stdout) == schema.of(name)
    assert schema.of(name)["$schema"] == "http://json-schema.org/draft-04/schema#"


@pytest.mark.parametrize("root", [REPOSITORY, TINY], ids=["article", "tiny"])
def test_real_files_are_valid(root: Path) -> None:
    """Every manifest of this repository, and its base images."""
    manifests = sorted((root / "snippets").glob("*/snippet.toml"))
    assert manifests
    for path in manifests:
        assert errors("snippet", tomllib.loads(path.read_text("utf-8"))) == [], path
    assert errors("bases", tomllib.loads((root / "snippets/bases.toml").read_text("utf-8"))) == []


@pytest.mark.parametrize("file", FILES)
def test_every_key_is_in_it(file: str) -> None:
    """The data with all keys are valid, and each other key is not."""
    name = file.removesuffix(".toml")
    assert errors(name, FILES[file]) == []
    for _, where, path in TABLES:
        if where == file:
            data, table = changed(file, path)
            table["colour"] = "red"
            assert errors(name, data), path


@pytest.mark.parametrize(("file", "path", "key", "said"), given())
def test_a_value_of_another_type_is_found(file: str, path: tuple[str | int, ...], key: str, said: Any) -> None:
    data, table = changed(file, path)
    table[key] = 7 if said.kind not in ("integer", "number", "integer or table") else "seven"
    assert errors(file.removesuffix(".toml"), data)


@pytest.mark.parametrize(("file", "path", "key", "said"), [row for row in given() if row[3].required])
def test_a_missing_key_is_found(file: str, path: tuple[str | int, ...], key: str, said: Any) -> None:
    del said
    data, table = changed(file, path)
    del table[key]
    assert errors(file.removesuffix(".toml"), data)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("snippet", 'title = "x"\nstep = [{ name = "a", command = "b", facts.x = { match = "(a)", unit = "MB" } }]'),
        ("snippet", 'title = "x"\nstep = [{ name = "a", command = "b", exit = { docker = "1" }, expect = "x" }]'),
        ("snippet", 'title = "x"\nmatrix.go = "1.27"\nstep = [{ name = "a", command = "b" }]'),
        ("snippet", 'title = "x"\n[step]\nname = "a"\ncommand = "b"'),
        ("proof", '[project]\nbases = "rebuild"'),
        ("bases", '[[base]]\nname = "a"\nswap = { a = 1 }'),
    ],
)
def test_a_mistake_is_found(name: str, text: str) -> None:
    """In nested tables, in tables with names of their own, and where only a few values are possible."""
    assert errors(name, tomllib.loads(text))
