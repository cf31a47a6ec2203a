"""The documents name what there is: paths, packages, variables, exit codes, versions, and keys that are generated."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from maintenance import reference
from proof.cli.main import EXIT_CODES
from tests.support.helpers import REPOSITORY

DOCS = REPOSITORY / "docs"
REFERENCE = sorted((DOCS / "tool").glob("*.md"))
MAINTAIN = sorted((DOCS / "maintain").glob("*.md"))
PLAIN = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]


def text(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_the_generated_tables_are_current(path: Path) -> None:
    """The tables of keys and options are what `scripts/reference` writes."""
    assert text(path) == reference.updated(text(path)), "run scripts/reference"


def test_every_table_is_on_a_page() -> None:
    """Each table that can be generated is shown, once."""
    shown = re.findall(r"<!-- reference: ([a-z ]+) -->", "".join(map(text, REFERENCE)))
    assert sorted(shown) == sorted(reference.TABLES)


def test_a_table_has_a_row_for_each_key() -> None:
    """A page that lost its table, or has an old one, is brought up to date; the rest of it stays."""
    page = "Before.\n\n<!-- reference: noise -->\n| old |\n<!-- end -->\n\nAfter.\n"
    assert reference.updated(page) == (
        "Before.\n\n<!-- reference: noise -->\n\n"
        "| Key | Type | Meaning |\n|---|---|---|\n"
        "| `bytes` | integer | By how many bytes the size may differ. Without it, only the content of the layers may "
        "differ. |\n"
        "| `because` | string, required | Where the difference comes from. |\n\n<!-- end -->\n\nAfter.\n"
    )
    with pytest.raises(KeyError):
        reference.updated("<!-- reference: nothing -->\n<!-- end -->")


@pytest.mark.parametrize("path", [*PLAIN, *MAINTAIN], ids=lambda path: path.name)
def test_links_and_paths_exist(path: Path) -> None:
    """Each file of the repository that a document links to or names in code is there."""
    linked = [path.parent / found for found in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(path))]
    named = re.findall(r"`((?:scripts|tests|docs|overrides|bench|\.github)/[\w./-]*)`", text(path))
    missing = [str(name) for name in (*linked, *(REPOSITORY / name for name in named)) if not name.exists()]
    assert missing == []


def test_every_package_is_in_the_architecture() -> None:
    """One line for each package of the tool."""
    rows = re.findall(r"^\| `([a-z]+)` \|", text(DOCS / "maintain" / "architecture.md"), re.MULTILINE)
    assert sorted(rows) == sorted(path.parent.name for path in (REPOSITORY / "scripts/proof").glob("*/__init__.py"))


def test_every_script_is_listed() -> None:
    """The page on the command line has each script that can be run."""
    page = text(DOCS / "tool" / "command-line.md")
    scripts = [
        p.name for p in (REPOSITORY / "scripts").iterdir() if p.is_file() and p.suffix == "" and p.name != "proof"
    ]
    assert [name for name in scripts if f"`scripts/{name}`" not in page] == []


def test_every_variable_is_listed() -> None:
    """The page on the command line has each environment variable that the tool, its scripts or tests read."""
    page = text(DOCS / "tool" / "command-line.md")
    sources = [path for folder in ("scripts", "tests") for path in (REPOSITORY / folder).rglob("*")]
    code = "".join(text(path) for path in sources if path.is_file() and path.suffix in ("", ".py", ".sh"))
    read = {
        *re.findall(r"\bPROOF_[A-Z]+(?:_[A-Z]+)*\b", code),
        *re.findall(r"environ(?:\.get\(|\[)[\"']([A-Z_]+)", code),
    }
    assert {"PROOF_CACHE", "PROOF_NO_INSTALL", "CI"} <= read
    assert sorted(name for name in read - {"HOME", "PATH"} if f"`{name}`" not in page) == []


def test_every_exit_code_is_explained() -> None:
    """The table of exit codes has those of the command line, in order."""
    page = text(DOCS / "tool" / "failures.md").partition("## Exit codes")[2].partition("With `--exit-by-cause`")[0]
    rows = re.findall(r"^\| (\d+) \| (\S+)", page, re.MULTILINE)
    assert [int(code) for code, _ in rows] == list(EXIT_CODES)


def test_every_dependency_has_its_reason() -> None:
    """Each package that pyproject.toml asks for is in a table."""
    project = tomllib.loads(text(REPOSITORY / "pyproject.toml"))
    groups = project["dependency-groups"]
    extras = [name for names in project["project"]["optional-dependencies"].values() for name in names]
    wanted = [*project["project"]["dependencies"], *extras, *groups["install"], *groups["dev"]]
    page = text(DOCS / "maintain" / "dependencies.md")
    listed = {name for row in re.findall(r"^\| ([\w, -]+) \|", page, re.MULTILINE) for name in row.split(", ")}
    assert {re.split(r"[<>=;]", name)[0] for name in wanted} <= listed


def test_the_changelog_names_the_version() -> None:
    """Unreleased first, then releases with their dates, the newest of which is the version of the package."""
    headings = re.findall(r"^## (.+)$", text(REPOSITORY / "CHANGELOG.md"), re.MULTILINE)
    version = tomllib.loads(text(REPOSITORY / "pyproject.toml"))["project"]["version"]
    assert headings[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in headings[1:]]
    assert all(releases)
    assert next(found[1] for found in releases if found) == version
    dates = [found[2] for found in releases if found]
    assert dates == sorted(dates, reverse=True)
