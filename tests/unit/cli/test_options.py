"""The values of options, and the messages about invalid ones."""

import argparse
from pathlib import Path

import pytest

from proof.cli import main
from proof.cli.options import resolve
from proof.core.errors import UsageError
from tests.support.helpers import TINY, tiny
from tests.support.makers import write

_SECONDS = "expected seconds, more than 0 and at most 86400, not"
_SIZE = "expected a size like 300M or 4G, not"
_REPORTS = "--report github, or --report junit=FILE"
_COUNT = "expected a number from 1 to 64, not"


def options(*arguments: str, root: Path = TINY) -> argparse.Namespace:
    """The options of `proof check` for these arguments."""
    parsed = main.parser().parse_args(["--project", str(root), "check", *arguments])
    resolve(parsed)
    return parsed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("check --timeout abc", f"argument --timeout: {_SECONDS} 'abc'"),
        ("check --timeout 0", f"argument --timeout: {_SECONDS} '0'"),
        ("check --timeout -1", f"argument --timeout: {_SECONDS} '-1'"),
        ("check --timeout 86401", f"argument --timeout: {_SECONDS} '86401'"),
        ("check --timeout nan", f"argument --timeout: {_SECONDS} 'nan'"),
        ("check --timeout 1e3", f"argument --timeout: {_SECONDS} '1e3'"),
        ("update --timeout 5m", f"argument --timeout: {_SECONDS} '5m'"),
        ("check --engine-from certified", "argument --engine-from: expected 'built from its source', maybe"),
        ("check --memory 0M", f"argument --memory: {_SIZE} '0M'"),
        ("check --memory 000G", f"argument --memory: {_SIZE} '000G'"),
        ("check --memory 300", f"argument --memory: {_SIZE} '300'"),
        ("check --memory 300m", f"argument --memory: {_SIZE} '300m'"),
        ("check --memory=-1M", f"argument --memory: {_SIZE} '-1M'"),
        ("check --memory 1.5G", f"argument --memory: {_SIZE} '1.5G'"),
        ("check --jobs x", f"argument --jobs: {_COUNT} 'x'"),
        ("check --jobs 0", f"argument --jobs: {_COUNT} '0'"),
        ("check --jobs 65", f"argument --jobs: {_COUNT} '65'"),
        ("check --jobs 1.0", f"argument --jobs: {_COUNT} '1.0'"),
        ("check --jobs \N{ARABIC-INDIC DIGIT ONE}", f"argument --jobs: {_COUNT} "),
        ("plan --shards 0", f"argument --shards: {_COUNT} '0'"),
        ("plan --shards many", f"argument --shards: {_COUNT} 'many'"),
        ("check --engine dokcer", "argument --engine: invalid choice: 'dokcer'"),
        ("check --bases pulled", "argument --bases: invalid choice: 'pulled'"),
        *(
            (f"check --report={wrong}", f"unknown report '{wrong}': {_REPORTS}")
            for wrong in ("junit", "junit=", "github=x", "gitlab", "")
        ),
    ],
)
def test_an_invalid_value(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the option, the expected values and the given one, but no name of a Python function."""
    with pytest.raises(SystemExit) as ended:
        main.main(words.split())
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert says in last
    assert "invalid _" not in last


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ((), "timeout", None),
        (("--timeout", "2.5"), "timeout", 2.5),
        (("--timeout", "86400"), "timeout", 86_400.0),
        ((), "memory", None),
        (("--memory", "1M"), "memory", 1_048_576),
        (("--memory", "4G"), "memory", 4_294_967_296),
        ((), "jobs", None),
        (("--jobs", "1"), "jobs", 1),
        (("--jobs", "64"), "jobs", 64),
        (("--page", "a.md", "--page", "b.md"), "page", [Path("a.md"), Path("b.md")]),
        (("one", "two"), "names", ["one", "two"]),
        (("--bases", "registry", "--mirror", "localhost:5000"), "mirror", "localhost:5000"),
        ((), "same_engine", False),
        (("--same-engine",), "same_engine", True),
        ((), "engine_from", ""),
        (("--engine-from", "built from its source"), "engine_from", "built from its source"),
        ((), "root", TINY),
        (("--report", "github", "--report", "junit=a=b.xml"), "report", [("github", ""), ("junit", "a=b.xml")]),
    ],
)
def test_a_valid_value(arguments: tuple[str, ...], name: str, value: object) -> None:
    """Values are converted to seconds, bytes and numbers. Missing options have no value."""
    assert getattr(options(*arguments), name) == value


def test_a_mirror_needs_the_registry() -> None:
    """Rebuilt bases are not pulled. The hint has the right options."""
    with pytest.raises(UsageError) as refused:
        options("--mirror", "localhost:5000")
    assert refused.value.what == "--mirror needs --bases registry"
    assert refused.value.hint == "--bases registry --mirror localhost:5000"
    with pytest.raises(UsageError) as refused:
        options("--newest-bases")
    assert refused.value.what == "--newest-bases needs --bases registry"


def test_the_project_chooses_its_bases(tmp_path: Path) -> None:
    """Its proof.toml says where they come from, unless the command line says something else."""
    root = tiny(tmp_path)
    assert options(root=root).bases == "rebuilt"
    write(root, {"proof.toml": '[project]\nbases = "registry"\n'})
    assert options(root=root).bases == "registry"
    assert options("--mirror", "localhost:5000", root=root).mirror == "localhost:5000"
    assert options("--bases", "rebuilt", root=root).bases == "rebuilt"
    write(root, {"proof.toml": '[project]\nbases = "registry"\nmirror = "localhost:5001"\n'})
    assert options(root=root).mirror == "localhost:5001"
    assert options("--mirror", "localhost:5000", root=root).mirror == "localhost:5000"
