"""The declared keys of snippet.toml, bases.toml and proof.toml: the reader and the schemas agree about them."""

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from proof.core.declared import Key, keys_of
from proof.core.errors import ManifestError, RefusedError
from proof.snippets import base_images, manifest, schema, settings
from proof.snippets.base_images import Base, BasesFile, Layer, Package
from proof.snippets.model import FactRule, Noise, Snippet, Step
from proof.snippets.settings import ProofFile, Settings
from tests.support.helpers import REPOSITORY, TINY
from tests.support.in_process import proof
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
    "official_size": "leaflet.size",
    "official_transfer_size": "leaflet.packed",
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
PROOF = {"project": {"bases": "rebuilt", "hosts": ["a.example"], "mirror": "localhost:5000"}}

# Where each table is: the file, and the keys that lead to it.
TABLES: list[tuple[type, str, tuple[str | int, ...]]] = [
    (Snippet, "snippet", ()),
    (Noise, "snippet", ("noise",)),
    *((Step, "snippet", ("step", i)) for i in (0, 1, 2, 4)),
    (FactRule, "snippet", ("step", 0, "facts", "files")),
    (BasesFile, "bases", ()),
    (Package, "bases", ("package", 0)),
    *((Base, "bases", ("base", i)) for i in range(3)),
    *((Layer, "bases", ("base", 0, "layer", i)) for i in range(3)),
    (ProofFile, "proof", ()),
    (Settings, "proof", ("project",)),
]
FILES: dict[str, dict[str, Any]] = {"snippet": SNIPPET, "bases": BASES, "proof": PROOF}


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
    text = {f"{name}.toml": "\n".join(f"{key} = {toml(value)}" for key, value in data.items())}
    if name == "bases":
        write(root / "snippets", text)
        base_images.load(root)
    elif name == "proof":
        settings.load(write(root, text))
    else:
        manifest.variants(write(root / "snippets" / "one", text | {"context/Dockerfile": "FROM alpine:3.22\n"}))


def schema_errors(name: str, data: Any) -> list[str]:
    """What an editor finds in NAME.toml."""
    return [error.message for error in Draft4Validator(schema.of(name)).iter_errors(data)]


def changed(name: str, path: tuple[str | int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of the data of a file, and the table in it that is to be changed."""
    data: Any = copy.deepcopy(FILES[name])
    table = data
    for part in path:
        table = table[part]
    return data, table


GIVEN = [
    pytest.param(name, path, key, keys_of(kind)[key], id=f"{name} {'.'.join(map(str, path))} {key}")
    for kind, name, path in TABLES
    for key in changed(name, path)[1]
]


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_accepted(name: str, tmp_path: Path) -> None:
    """The data above are valid, and contain each key of each table at least once."""
    read(tmp_path, name, FILES[name])
    assert schema_errors(name, FILES[name]) == []
    seen = {(kind, key) for kind, file, path in TABLES for key in changed(file, path)[1]}
    assert seen == {(kind, key) for kind, _, _ in TABLES for key in keys_of(kind)}


@pytest.mark.parametrize(("kind", "name", "path"), TABLES)
def test_another_key_is_refused(kind: type, name: str, path: tuple[str | int, ...], tmp_path: Path) -> None:
    """The hint lists the known keys."""
    data, changing = changed(name, path)
    changing["colour"] = "red"
    assert schema_errors(name, data)
    with pytest.raises(ManifestError, match=f"unknown key 'colour'(.|\n)*one of: {', '.join(keys_of(kind))}"):
        read(tmp_path, name, data)


@pytest.mark.parametrize(("name", "path", "key", "declared"), GIVEN)
def test_a_key_has_its_type_and_may_be_required(
    name: str, path: tuple[str | int, ...], key: str, declared: Key, tmp_path: Path
) -> None:
    data, table = changed(name, path)
    table[key] = 7 if declared.types[0].kind not in ("integer", "number") else "seven"
    assert schema_errors(name, data)
    with pytest.raises(ManifestError, match=rf"`{re.escape(key)}` must be |a matrix is one variable"):
        read(tmp_path, name, data)
    if declared.required:
        del table[key]
        assert schema_errors(name, data)
        with pytest.raises(ManifestError, match=rf"`{re.escape(key)}` is missing"):
            read(tmp_path, name, data)


def test_the_other_keys_can_be_left_out(tmp_path: Path) -> None:
    """A snippet and a base image are valid with only the required keys."""

    def required(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: values[key] for key, declared in keys_of(kind).items() if declared.required}

    read(tmp_path, "snippet", required(Snippet, SNIPPET) | {"step": [required(Step, STEP)]})
    rebuilt = {key: BASE[key] for key in ("rebuilt", "created")} | {"layer": [required(Layer, EMPTY)]}
    read(tmp_path, "bases", {"package": [required(Package, PACKAGE)], "base": [required(Base, BASE) | rebuilt]})
    read(tmp_path, "proof", {"project": {"bases": "registry"}})
    read(tmp_path, "bases", {"base": [required(Base, BASE)]})


@pytest.mark.parametrize("name", FILES)
def test_the_schema_is_of_draft_4(name: str) -> None:
    """That is the newest one that Taplo reads. `proof schema` prints it, in any directory."""
    Draft4Validator.check_schema(schema.of(name))
    assert json.loads(proof("schema", name, cwd=Path("/")).stdout) == schema.of(name)
    assert schema.of(name)["$schema"] == "http://json-schema.org/draft-04/schema#"


@pytest.mark.parametrize("root", [REPOSITORY, TINY], ids=["article", "tiny"])
def test_real_files_fit_the_schema(root: Path) -> None:
    for path in (*sorted((root / "snippets").glob("*/snippet.toml")), root / "snippets/bases.toml"):
        assert schema_errors(path.stem, tomllib.loads(path.read_text("utf-8"))) == [], path


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
def test_the_schema_finds_a_mistake(name: str, text: str) -> None:
    """In nested tables, in tables with names of their own, and where only a few values are possible."""
    assert schema_errors(name, tomllib.loads(text))


@pytest.mark.parametrize("text", ["", "[project]\n", None])
def test_a_project_has_defaults(tmp_path: Path, text: str | None) -> None:
    """With an empty file, and without one."""
    if text is not None:
        write(tmp_path, {"proof.toml": text})
    assert settings.load(tmp_path) == Settings(bases="rebuilt")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[project]\nbases = "regsitry"\n', "proof.toml:2: unknown bases 'regsitry' - did you mean 'registry'"),
        ("[project]\nbases = true\n", "proof.toml:2: `bases` must be a string"),
        ("bases = 'registry'\n", "proof.toml:1: unknown key 'bases'"),
        ("project = 1\n", "proof.toml:1: `project` must be a table"),
        ("[project\n", "proof.toml:1: invalid TOML"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ManifestError) as error:
        settings.load(write(tmp_path, {"proof.toml": text}))
    assert says in str(error.value)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Whether it leads somewhere or not."""
    (tmp_path / "proof.toml").symlink_to("/nonexistent")
    with pytest.raises(RefusedError, match="found a symbolic link"):
        settings.load(tmp_path)
