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
    *("capture", "facts", "expression", "claims", "page", "audit", "transcript", "markdown", "proof_page", "pages"),
    *("errors", "typed", "table", "pattern", "manifest", "commands", "context", "dockerfile", "instructions"),
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
    used = imports(PACKAGE / f"{name}.py")
    ours = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert used & ours <= PAGE_SIDE
    assert not used & GENERATORS
    assert not used & {"subprocess", "socket", "multiprocessing"}


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
