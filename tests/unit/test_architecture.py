"""The structure of the tool: which package may import which, and who may open files or start processes."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.support.helpers import REPOSITORY

PACKAGE = REPOSITORY / "scripts" / "proof"
MODULES = {".".join(["proof", *p.relative_to(PACKAGE).with_suffix("").parts]): p for p in PACKAGE.rglob("*.py")}
SOURCES = {name: path.read_text("utf-8") for name, path in MODULES.items()}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
# Each package with those that it may import, besides `core`. The captures are the only bridge between the run side,
# which starts processes, and the page side, which must not.
ALLOWED = {
    "core": "",
    "system": "",
    "snippets": "",
    "captures": "snippets",
    "starters": "snippets",
    "facts": "snippets captures",
    "pages": "snippets captures facts",
    "publish": "",
    "engines": "snippets system",
    "provision": "snippets system engines",
    "runs": "snippets captures system engines provision",
    "shards": "snippets captures runs",
    "reports": "snippets captures facts pages runs",
    "preview": "snippets captures facts pages system engines provision runs reports publish",
    "cli": "snippets captures facts pages system engines provision runs shards reports preview publish starters",
}
RUN_SIDE = {"system", "engines", "provision", "runs", "shards", "reports", "cli"}
# The modules that open files other than through core.files, by what those are: none is a file of a project.
OPENS = {
    "the one place": "core.files",
    "the tool's cache": "core.folder_cache core.crash engines.measure engines.journal provision.loader preview.preview",
    "packages whose hashes are checked": "provision.packages provision.archive provision.alpine",
    "engines of the tool, /proc and /sys": "engines.private_daemon engines.private_docker "
    "engines.cleanup system.locks system.cgroup runs.result_cache",
    "directories of the tool's own": "captures.store runs.execute system.process",
    "settings of the user or of the machine": "cli.main reports.github system.sandbox system.revision",
    "data of the package, or of the theme": "starters.project pages.lint.lexicon publish.lean publish.scripts "
    "preview.server",
    "the built site": "publish.styles publish.markdown_pages",
}
OPENING = re.compile(
    r"(?<!\bfiles)\.(?:read_text|read_bytes|open|fdopen|copytree|copyfile|copy2)\b|\b(?:open|FileIO)\("
)


def imports(name: str) -> set[str]:
    """Every module that a module imports, and every name that could be a module of a package it imports from."""
    found: set[str] = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


IMPORTS = {name: imports(name) for name in MODULES}
ROOTS = {name: {imported.partition(".")[0] for imported in all_of} for name, all_of in IMPORTS.items()}


def package_of(name: str) -> str:
    """The package of a module of the tool; "" for another module."""
    return name.split(".")[1] if name.startswith("proof.") else ""


def test_a_package_imports_only_packages_below_it() -> None:
    """The direction of imports; in the page side this keeps out whatever could start a process."""
    assert set(ALLOWED) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for name, imported in IMPORTS.items():
        package = package_of(name)
        allowed = {"", "core", package, *ALLOWED.get(package, "").split()}
        assert {package_of(other) for other in imported} <= allowed, name
    for package in ("snippets", "captures", "facts", "pages", "publish"):
        assert not set(ALLOWED[package].split()) & RUN_SIDE  # nor through others: these are all on the page side
    assert not set(ALLOWED["runs"].split()) & {"facts", "pages"}


def test_no_module_imports_itself_through_others() -> None:
    """No cycle between modules, function-level imports included."""
    graph = {name: imported & MODULES.keys() for name, imported in IMPORTS.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError


def test_the_lint_knows_no_processor() -> None:
    """Its rules read the state of a page; what renders pages calls them."""
    allowed = {f"proof.pages.{name}" for name in ("document", "lint", "page", "site", "verbatim")}
    for name, imported in IMPORTS.items():
        if name.startswith("proof.pages.lint."):
            assert {n for n in imported if n.startswith("proof.pages.") and n.count(".") == 2} <= allowed, name


def test_few_modules_know_processes_or_a_site_generator() -> None:
    """The page side starts none, and any generator that runs Python-Markdown extensions can build the pages."""
    users = {name for name, imported in IMPORTS.items() if "subprocess" in imported}
    assert users == {"proof.system.process", "proof.engines.private_daemon"}
    private_daemon = SOURCES["proof.engines.private_daemon"]
    assert "subprocess." not in private_daemon.replace("subprocess.Popen[bytes]", "")  # a type annotation
    generators = {name for name, roots in ROOTS.items() if roots & {"mkdocs", "zensical", "material"}}
    assert {package_of(name) for name in generators} == {"preview"}
    processes = {package_of(name) for name, roots in ROOTS.items() if roots & {"socket", "multiprocessing"}}
    assert not processes & {"core", "snippets", "captures", "facts", "pages"}
    assert not any("maintenance" in roots for roots in ROOTS.values())


def test_one_module_opens_the_files_of_a_project() -> None:
    """Everybody else asks it, so that a link, a pipe or a device is refused wherever it lies; and the list is true."""
    listed = {f"proof.{name}" for names in OPENS.values() for name in names.split()}
    assert {name for name, source in SOURCES.items() if OPENING.search(source)} == listed


@pytest.mark.parametrize(
    "code", ["path.read_text()", "open(path)", "os.open(path)", "files2.read_text(path)", "map(Path.read_bytes, paths)"]
)
def test_an_opened_file_is_seen(code: str) -> None:
    assert OPENING.search(code)
    assert not OPENING.search("from proof.core.files import read_text\nread_text(path)\nfiles.read_text(path)")


def loaded(code: str, *, of: str) -> set[str]:
    """The modules, by the beginning of their names, that a fresh interpreter has loaded after `code`."""
    report = f"import sys; {code}; print(*[m for m in sys.modules if m.startswith(tuple({of!r}.split()))])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_what_is_loaded() -> None:
    """A page loads no engine. `proof --help` answers at once: what only one verb needs is imported by that verb."""
    run_side = " ".join(f"proof.{package}" for package in RUN_SIDE)
    heavy = "rich yaml markdown mkdocs pymdownx pygments click tarfile proof.engines.interface"
    heavy += " proof.system proof.snippets proof.runs proof.pages"
    assert loaded("import proof.runs.verify", of=run_side)
    assert not loaded("import proof.pages.extension", of=run_side)
    assert not loaded("import proof.cli.main; proof.cli.main.parser()", of=heavy)


def test_the_tool_does_not_know_this_article() -> None:
    """No module names a snippet, a fact or a base of the article."""
    names = {path.parent.name for path in (REPOSITORY / "snippets").glob("*/snippet.toml")}
    for module, tree in TREES.items():
        strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not names & strings, module


def test_unit_tests_start_no_process_of_the_tool() -> None:
    """`scripts/mutate` runs them on changed code, which a process in another directory could not import."""
    starting = re.compile(r"^from tests\.support\.helpers import .*\b(?:proof|mkdocs)\b", re.MULTILINE)
    tests = (REPOSITORY / "tests" / "unit").rglob("test_*.py")
    assert [path for path in tests if starting.search(path.read_text("utf-8"))] == []
