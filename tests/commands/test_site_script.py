"""scripts/site publishes nothing stale, and makes a draft of it only if asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proof.facts import book
from tests.support.helpers import REPOSITORY, captured, edit, succeeded, tiny
from tests.support.makers import write
from tests.support.scripts import run, stubbed

STALE = "note is stale: context/note.txt changed"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with the script and its real MkDocs, without what other hosts would send."""
    root = captured(tiny(tmp_path))
    program = f'#!/bin/sh\nPYTHONPATH={REPOSITORY / "scripts"} exec {sys.executable} -m %s "$@"\n'
    programs = {".venv/bin/mkdocs": program % "mkdocs", ".venv/bin/proof": program % "proof.cli.main"}
    write(root, {"overrides/main.html": ""})
    stubbed(root, "site", files={**programs, "scripts/bootstrap": "#!/bin/sh\n"})
    edit(root / "mkdocs.yml", "  - tables", "  - tables: { use_align_attribute: true }")
    edit(root / "mkdocs.yml", "theme: mkdocs", "theme: { name: mkdocs, highlightjs: false }")
    edit(root / "mkdocs.yml", "  - proof", "  - proof: { draft: !ENV [PROOF_DRAFT, false] }")
    return root


def site(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script in the environment of someone who made a draft before."""
    return run(root, "site", *arguments, PROOF_DRAFT="true", **env)


def test_a_stale_capture_is_not_published(root: Path) -> None:
    """The exit code is that of drift, and the place and a hint are on the screen. A draft says it on the page."""
    page = root / "site/index.html"
    succeeded(site(root))
    assert "stale" not in page.read_text("utf-8")
    edit(root / "snippets/note/context/note.txt", "a note", "a letter")
    done = site(root)
    assert done.returncode == 1
    assert f"snippets/note/snippet.toml: {STALE}" in done.stdout
    assert "hint: proof update note" in done.stdout
    succeeded(site(root, "--draft"))
    assert STALE in page.read_text("utf-8")


UP_TO_DATE = "The site is up to date.\n"


def test_a_draft_is_built_again_only_after_a_change(root: Path) -> None:
    """A change of a page, of what was built or of an address. What is to be published is always built."""
    page = root / "site/index.html"
    assert site(root, "--draft").returncode == 0
    assert site(root, "--draft").stdout == UP_TO_DATE
    edit(root / "docs/index.md", "# ", "# Another ")
    assert site(root, "--draft").stdout != UP_TO_DATE
    assert "Another" in page.read_text("utf-8")
    page.write_text("not what was built", "utf-8")
    assert site(root, "--draft").stdout != UP_TO_DATE
    assert "Another" in page.read_text("utf-8")
    assert site(root, "--draft", SITE_URL="https://example.com/").stdout != UP_TO_DATE
    assert site(root).stdout != UP_TO_DATE


def test_a_failed_build_is_repeated(root: Path) -> None:
    """Its site is not taken for a finished one, even if the change is taken back."""
    assert site(root, "--draft").returncode == 0
    edit(root / "docs/index.md", "# ", "# {{ unknown.size }} ")
    assert site(root, "--draft").returncode == 2
    edit(root / "docs/index.md", "# {{ unknown.size }} ", "# ")
    assert site(root, "--draft").stdout != UP_TO_DATE


def test_what_mkdocs_warns_of_is_no_drift(root: Path) -> None:
    """MkDocs ends with code 1 for a link that leads nowhere."""
    page = root / "docs/index.md"
    page.write_text(page.read_text("utf-8") + "\n[nowhere](nowhere.md)\n", "utf-8")
    done = site(root)
    assert (done.returncode, "nowhere.md" in done.stdout) == (2, True), done.stdout + done.stderr


def test_the_facts_are_published_for_programs(root: Path) -> None:
    """Every fact is in facts.json, with the place where a page shows its step."""
    succeeded(site(root))
    facts = json.loads((root / "site/facts.json").read_text("utf-8"))["facts"]
    assert [fact["name"] for fact in facts] == list(book.load(root / "snippets"))
    pages = {path.relative_to(root / "site").as_posix(): path.read_text("utf-8") for path in root.rglob("site/*.html")}
    for fact in (fact for fact in facts if fact["place"]):
        page, _, anchor = fact["place"].partition("#")
        assert f'id="{anchor}"' in pages[f"{page}index.html"]
    assert any(fact["place"] for fact in facts)
