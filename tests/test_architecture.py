"""The flow goes one way: what makes pages can never run anything."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import REPOSITORY

PACKAGE = REPOSITORY / "scripts" / "proof"
# Right of the committed captures, and what both sides may read.
PAGE_SIDE = {
    *("capture", "facts", "expression", "claims", "page", "audit", "transcript", "measured", "markdown"),
    *("proof_page", "pages", "flags"),
    *(
        "errors",
        "builtin",
        "typed",
        "table",
        "pattern",
        "manifest",
        "commands",
        "context",
        "dockerfile",
        "instructions",
        "stated",
        "verbatim",
        "charts",
    ),
}
GENERATORS = {"mkdocs", "zensical", "material"}


def imports(module: Path) -> set[str]:
    """The names of all modules that a file imports, of this package without its name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name.removeprefix("proof.").split(".")[0] for name in found}


@pytest.mark.parametrize("name", sorted(PAGE_SIDE))
def test_the_page_side_knows_nothing_of_the_engine(name: str) -> None:
    """A module right of the captures imports only its own side, no process and no site generator."""
    files = [*PACKAGE.glob(f"{name}.py"), *PACKAGE.glob(f"{name}/*.py")]
    assert files
    used = set().union(*map(imports, files))
    ours = {path.stem for path in PACKAGE.iterdir() if path.name != "__init__.py"}
    assert used & ours <= PAGE_SIDE
    assert not used & GENERATORS
    assert not used & {"subprocess", "socket", "multiprocessing"}


def test_the_finishing_step_knows_html_alone() -> None:
    """It imports no site generator and, of the tool, nothing but its errors."""
    for path in (REPOSITORY / "scripts" / "publish").glob("*.py"):
        used = imports(path)
        assert not used & GENERATORS, path
        assert used & {name.stem for name in PACKAGE.glob("*.py")} <= {"errors"}, path


def test_one_module_starts_processes() -> None:
    """`subprocess` is imported by process.py, and by private.py for the type of what it is handed."""
    users = {path.stem for path in PACKAGE.rglob("*.py") if "subprocess" in imports(path)}
    assert users == {"process", "private"}
    assert "subprocess." not in (PACKAGE / "private.py").read_text("utf-8").replace("subprocess.Popen[bytes]", "")


def test_rendering_a_page_loads_no_engine() -> None:
    """The extension, imported in a fresh interpreter, does not bring the module that starts processes."""
    code = "import sys, proof.markdown; print([m for m in sys.modules if m in ('proof.process', 'proof.engine')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_brings_nothing_heavy() -> None:
    """`proof --help` answers at once: what only some verb needs is imported by that verb."""
    heavy = ("rich", "yaml", "markdown", "pymdownx", "pygments", "click", "proof.process", "proof.manifest")
    code = f"import sys, proof.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tool_knows_no_site_generator() -> None:
    """What builds and serves with MkDocs stands beside the package, and the package imports nothing of it."""
    for path in PACKAGE.rglob("*.py"):
        assert not imports(path) & {*GENERATORS, "preview", "benchmarks"}, path


def test_the_tool_does_not_know_this_article() -> None:
    """No module names a snippet, a fact or a base of the article."""
    names = [path.parent.name for path in (REPOSITORY / "snippets").glob("*/snippet.toml")]
    for path in PACKAGE.rglob("*.py"):
        strings = [
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value
        ]
        assert not set(names) & set(strings), path
