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
    *("proof_page", "pages", "flags", "lay"),
    *(
        "errors",
        "files",
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


# Who opens files otherwise than by proof.files, and whose they are: none of them a file of a project.
OPENS = {
    "files": "the one place",
    "capture": "writes into a new directory",
    "cli": "/dev/null",
    "report/github": "the runner's own summary",
    "fresh": "the tool's cache",
    "measure": "the tool's cache",
    "revision": "the link to the repository of a checkout",
    "rebuild": "the tool's cache, and packages whose hashes are checked",
    "journal": "the tool's cache",
    "private": "the tool's cache, and /proc",
    "store": "the private engine's images",
    "lock": "directories, and /proc",
    "cgroup": "/proc and /sys",
    "verdicts": "/proc",
    "process": "logs of its own",
    "traces": "what a client of ours wrote into a temporary directory",
    "execute": "the copy of a context",
}
_OPENERS = {"read_text", "read_bytes", "open", "fdopen", "readall", "copytree", "copyfile", "copy2", "FileIO"}


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


def opens(code: str) -> set[str]:
    """The calls in a module by which a file could be opened; those of functions that proof.files gives are not."""
    tree = ast.parse(code)
    guarded = {"read_text"} & {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "proof.files"
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "files"):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and node.id not in guarded:
            found.add(node.id)
    return found & _OPENERS


def test_one_module_opens_the_files_of_a_project() -> None:
    """Everybody else asks it, so that a link, a pipe or a device is refused wherever it lies; and the list is true."""
    found = {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): opens(path.read_text()) for path in PACKAGE.rglob("*.py")
    }
    assert {name for name, calls in found.items() if calls} == set(OPENS)


@pytest.mark.parametrize(
    "code",
    [
        "path.read_text('utf-8')",
        "open(path).read()",
        "os.open(path, os.O_RDONLY)",
        "with (root / 'x').open() as f: pass",
        "files2.read_text(path)",
        "map(Path.read_bytes, paths)",
        "shutil.copytree(a, b)",
    ],
)
def test_an_opened_file_is_seen(code: str) -> None:
    assert opens(code)
    assert not opens("from proof.files import read_text\nread_text(path)\nfiles.read_text(path)")


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
