"""The structure of the tool: which package may import which, and who may open files or start processes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY

PACKAGE = REPOSITORY / "scripts" / "proof"
# Each package with those that it may import, besides `core`. The captures are the only bridge between the run side,
# which starts processes, and the page side, which must not.
ALLOWED = {
    "core": set[str](),
    "system": set[str](),
    "snippets": set[str](),
    "captures": {"snippets"},
    "starters": {"snippets"},
    "facts": {"snippets", "captures"},
    "pages": {"snippets", "captures", "facts"},
    "engines": {"snippets", "system"},
    "provision": {"snippets", "system", "engines"},
    "runs": {"snippets", "captures", "system", "engines", "provision"},
    "shards": {"snippets", "captures", "runs"},
    "reports": {"snippets", "captures", "facts", "pages", "runs"},
    "cli": {
        *("snippets", "captures", "facts", "pages", "system", "engines", "provision", "runs", "shards", "reports"),
        *("preview", "publish", "starters"),
    },
    "preview": {
        "snippets",
        "captures",
        "facts",
        "pages",
        "system",
        "engines",
        "provision",
        "runs",
        "reports",
        "publish",
    },
    "publish": set[str](),
}
GENERATORS = {"mkdocs", "zensical", "material"}
STARTS_PROCESSES = {"subprocess", "socket", "multiprocessing"}

# The modules that open files other than through core.files, and which files those are: none is a file of a project.
OPENS = {
    "core/files": "the one place",
    "captures/store": "writes into a new directory",
    "cli/main": "/dev/null",
    "reports/github": "the runner's own summary",
    "core/folder_cache": "the tool's cache",
    "core/crash": "the tool's cache",
    "engines/measure": "the tool's cache",
    "system/revision": "the link to the repository of a checkout",
    "provision/loader": "the tool's cache",
    "provision/packages": "the tool's cache, and packages whose hashes are checked",
    "provision/archive": "the tool's cache, and packages whose hashes are checked",
    "engines/journal": "the tool's cache",
    "engines/private_daemon": "the tool's cache, and /proc",
    "engines/private_docker": "the tool's cache",
    "system/locks": "directories, and /proc",
    "system/cgroup": "/proc and /sys",
    "runs/result_cache": "/proc",
    "system/sandbox": "the settings of the user's docker",
    "system/process": "logs of its own",
    "engines/cleanup": "what a client of ours wrote into a temporary directory",
    "runs/execute": "the copy of a context",
    "provision/alpine": "an archive in memory",
    "starters/project": "data of the package",
    "publish/styles": "the built site",
    "publish/scripts": "the theme, and this repository's own templates",
    "preview/preview": "the tool's cache",
    "publish/lean": "data of the package",
    "preview/site": "the built site",
    "preview/server": "data of the package",
}
_OPENERS = {"read_text", "read_bytes", "open", "fdopen", "readall", "copytree", "copyfile", "copy2", "FileIO"}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, and every name that could be a module of a package it imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            assert node.module
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return frozenset(found)


def roots(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


def packages(path: Path) -> set[str]:
    """The packages of the tool that a file imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("proof.")}


def modules() -> dict[str, Path]:
    """Every module of the tool, by its dotted name."""
    return {
        ".".join(["proof", *path.relative_to(PACKAGE).with_suffix("").parts]): path for path in PACKAGE.rglob("*.py")
    }


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_packages_below_it(package: str) -> None:
    """The direction of imports; in the page side this keeps out whatever could start a process."""
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ALLOWED)
    for path in (PACKAGE / package).rglob("*.py"):
        assert packages(path) <= {package, "core", *ALLOWED[package]}, path


def test_the_rule_holds_across_packages() -> None:
    """What a package imports through others is allowed too: the table itself has no way from pages to engines."""

    def reachable(package: str) -> set[str]:
        return {package}.union(*(reachable(other) for other in ALLOWED[package]))

    for package in ("snippets", "captures", "facts", "pages", "publish"):
        assert not reachable(package) & {"system", "engines", "provision", "runs", "shards", "reports", "cli"}
    assert not reachable("runs") & {"facts", "pages"}


def test_the_lint_knows_no_processor() -> None:
    """Its rules read the state of a page; what renders pages calls them."""
    lint = PACKAGE / "pages" / "lint"
    of_pages = {name for path in lint.rglob("*.py") for name in imports(path) if name.count(".") == 2}
    allowed = {f"proof.pages.{name}" for name in ("document", "lint", "page", "site", "verbatim")}
    assert {name for name in of_pages if name.startswith("proof.pages.")} <= allowed


def test_no_module_imports_itself_through_others() -> None:
    """No cycle between modules, function-level imports included."""
    known = modules()
    graph = {name: {other for other in imports(path) if other in known} for name, path in known.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError


def test_the_page_side_starts_no_process() -> None:
    """Nor does it know a site generator, so that any generator can build the pages."""
    for package in ("core", "snippets", "captures", "facts", "pages"):
        for path in (PACKAGE / package).rglob("*.py"):
            assert not roots(path) & {*GENERATORS, *STARTS_PROCESSES}, path


def opens(code: str) -> set[str]:
    """The calls in a module by which a file could be opened; those of functions that proof.files gives are not."""
    tree = ast.parse(code)
    guarded = {"read_text"} & {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "proof.core.files"
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
    assert not opens("from proof.core.files import read_text\nread_text(path)\nfiles.read_text(path)")


def test_one_module_starts_processes() -> None:
    """`subprocess` is imported by process.py, and by private_daemon.py for a type annotation."""
    users = {name for name, path in modules().items() if "subprocess" in imports(path)}
    assert users == {"proof.system.process", "proof.engines.private_daemon"}
    code = (PACKAGE / "engines" / "private_daemon.py").read_text("utf-8")
    assert "subprocess." not in code.replace("subprocess.Popen[bytes]", "")


def loaded(code: str, *, of: str) -> set[str]:
    """The modules, by the beginning of their names, that a fresh interpreter has loaded after `code`."""
    report = f"import sys; {code}; print(*[m for m in sys.modules if m.startswith(tuple({of!r}.split()))])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_rendering_a_page_loads_no_engine() -> None:
    """The extension does not load the module that starts processes."""
    run_side = "proof.system proof.engines proof.provision proof.runs proof.shards proof.cli subprocess"
    assert loaded("import proof.runs.verify", of=run_side)
    assert not loaded("import proof.pages.extension", of=run_side) - {"subprocess"}


def test_help_loads_nothing_heavy() -> None:
    """`proof --help` answers at once: what only one verb needs is imported by that verb."""
    heavy = "rich yaml markdown pymdownx pygments click tarfile proof.system proof.snippets proof.runs proof.pages"
    assert loaded("import proof.runs.verify", of=heavy)
    assert not loaded("import proof.cli.main; proof.cli.main.parser()", of=heavy)


def test_only_the_preview_knows_mkdocs() -> None:
    """Everything else works with any generator that runs Python-Markdown extensions."""
    users = {name.split(".")[1] for name, path in modules().items() if roots(path) & GENERATORS}
    assert users == {"preview"}
    assert not any("maintenance" in roots(path) for path in modules().values())


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


def test_unit_tests_start_no_process_of_the_tool() -> None:
    """`scripts/mutate` runs them on changed code, which a process in another directory could not import."""
    starting = re.compile(r"^from tests\.support\.helpers import .*\b(?:proof|mkdocs)\b", re.MULTILINE)
    found = [path for path in Path(__file__).parent.rglob("test_*.py") if starting.search(path.read_text("utf-8"))]
    assert found == []
