"""scripts/mutate: which modules are changed, and what is said of the changes that no test noticed."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY, succeeded
from tests.support.makers import write

SCRIPT = REPOSITORY / "scripts" / "maintenance" / "mutation.py"
SETTINGS = '[tool.mutmut]\nonly_mutate = [\n  "src/proof/a.py",\n  "src/proof/b/c.py",\n]\nalso_copy = ["docs"]\n'


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-I", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(call, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository with a package of two modules."""
    files = {"pyproject.toml": SETTINGS, "scripts/proof/a.py": "a = 1\n", "scripts/proof/b/c.py": "c = 1\n"}
    root = write(tmp_path / "root", {**files, "docs/x.md": "x\n", ".gitignore": "/build/\n", "build/y": "y\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


@pytest.mark.parametrize(
    ("modules", "chosen"),
    [
        ((), ["src/proof/a.py", "src/proof/b/c.py"]),
        (("scripts/proof/b/c.py", "a.py"), ["src/proof/b/c.py", "src/proof/a.py"]),
    ],
)
def test_the_tree_has_the_package_where_mutmut_looks(modules: tuple[str, ...], chosen: list[str], root: Path) -> None:
    """Every file but those that git ignores; the modules are those of pyproject.toml, or those that are named."""
    tree = root / "build" / "tree"
    succeeded(run("prepare", tree, *modules, cwd=root))
    assert (tree / "src/proof/b/c.py").read_text() == (tree / "scripts/proof/b/c.py").read_text() == "c = 1\n"
    assert (tree / "docs/x.md").is_file()
    assert not (tree / "build").exists()
    settings = tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["mutmut"]
    assert settings == {"only_mutate": chosen, "also_copy": ["docs"]}


def test_a_module_that_is_not_there(root: Path) -> None:
    """Code 2, and its name."""
    done = run("prepare", root / "build" / "tree", "b/d", cwd=root)
    assert (done.returncode, done.stderr) == (2, "scripts/mutate: no such module: scripts/proof/b/d.py\n")


def judged(tree: Path, **codes: list[int | None]) -> Path:
    """A tree as mutmut leaves it: for each change of a module, what the tests ended with."""
    for path, found in (("a", codes["a"]), ("b/c", codes["c"])):
        keys = {f"proof.{path.replace('/', '.')}.x_f__mutmut_{n}": code for n, code in enumerate(found, start=1)}
        write(tree, {f"mutants/src/proof/{path}.py.meta": json.dumps({"exit_code_by_key": keys})})
    return write(tree, {"pyproject.toml": SETTINGS})


@pytest.mark.parametrize(
    ("a", "c", "code", "rows"),
    [
        ([1] * 9 + [0], [1], 0, ["a.py 10 90.0%", "b/c.py 1 100.0%"]),
        ([1] * 8 + [0, 33], [1], 1, ["a.py 10 80.0% below 90%", "b/c.py 1 100.0%"]),
        ([36, -24, -11, 255], [5], 1, ["b/c.py 1 0.0% below 90%", "a.py 4 100.0%"]),
    ],
)
def test_the_table(a: list[int | None], c: list[int | None], code: int, rows: list[str], tmp_path: Path) -> None:
    """The least noticed first; a test that fails, hangs or crashes noticed it, one that is not there did not."""
    done = run("report", judged(tmp_path, a=a, c=c), cwd=tmp_path)
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["module", "changes", "noticed"]
    assert [" ".join(line.split()) for line in lines[:2]] == rows
    assert done.returncode == code


@pytest.mark.parametrize("code", [None, 2])
def test_what_was_not_tried_is_no_result(code: int | None, tmp_path: Path) -> None:
    """A run that was interrupted says nothing of the tests."""
    done = run("report", judged(tmp_path, a=[1], c=[1, code]), cwd=tmp_path)
    assert done.returncode == 2
    assert "1 changes were not tried, such as proof.b.c.x_f__mutmut_2" in done.stderr


def test_every_module_with_a_goal_is_there() -> None:
    """A module that was renamed would be measured no more."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    assert settings["only_mutate"]
    for path in settings["only_mutate"]:
        assert (REPOSITORY / "scripts" / Path(path).relative_to("src")).is_file(), path
