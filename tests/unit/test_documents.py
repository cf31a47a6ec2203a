"""The documents name what there is: generated tables, paths, packages, scripts, variables and exit codes."""

import re
from pathlib import Path

import pytest

from maintenance import reference
from proof.cli.main import EXIT_CODES
from tests.support.helpers import REPOSITORY

DOCS = REPOSITORY / "docs"
REFERENCE = {path: path.read_text("utf-8") for path in sorted((DOCS / "tool").glob("*.md"))}
PLAIN = [*(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")), *(DOCS / "maintain").glob("*.md")]


def test_the_generated_tables_are_current() -> None:
    """What `scripts/reference` writes, each table once."""
    assert {path: reference.updated(text) for path, text in REFERENCE.items()} == REFERENCE, "run scripts/reference"
    names = re.findall(r"<!-- reference: ([a-z ]+) -->", "".join(REFERENCE.values()))
    assert sorted(names) == sorted(reference.TABLES)
    old = "Before.\n\n<!-- reference: noise -->\n| old |\n<!-- end -->\n\nAfter.\n"
    assert "| `because` | string, required | Where the difference comes from. |" in reference.updated(old)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.name)
def test_links_and_paths_exist(path: Path) -> None:
    """Each file of the repository that a document links to or names in code is there. MkDocs checks other links."""
    text = path.read_text("utf-8")
    linked = [path.parent / link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    named = re.findall(r"`((?:scripts|tests|docs|overrides|bench|\.github)/[\w./-]*)`", text)
    assert [str(name) for name in (*linked, *(REPOSITORY / name for name in named)) if not name.exists()] == []


def test_what_can_be_called_and_set_is_listed() -> None:
    """Each script, and each environment variable that the tool, its scripts or tests read."""
    page = REFERENCE[DOCS / "tool" / "command-line.md"]
    scripts = [f"scripts/{path.name}" for path in (REPOSITORY / "scripts").iterdir() if path.is_file()]
    sources = [path for folder in ("scripts", "tests") for path in (REPOSITORY / folder).rglob("*")]
    code = "".join(path.read_text("utf-8") for path in sources if path.is_file() and path.suffix in ("", ".py", ".sh"))
    read = {
        *re.findall(r"\bPROOF_[A-Z]+(?:_[A-Z]+)*\b", code),
        *re.findall(r"environ(?:\.get\(|\[)[\"']([A-Z_]+)", code),
    }
    assert {"PROOF_CACHE", "PROOF_NO_INSTALL", "CI"} <= read
    wanted = {*scripts, *read} - {"HOME", "PATH", "scripts/lib.sh"}
    assert sorted(name for name in wanted if f"`{name}`" not in page) == []


def test_every_exit_code_is_explained() -> None:
    """The table of exit codes has those of the command line, in order."""
    page = REFERENCE[DOCS / "tool" / "failures.md"]
    table = page.partition("## Exit codes")[2].partition("With `--exit-by-cause`")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \| ", table, re.MULTILINE)] == list(EXIT_CODES)
