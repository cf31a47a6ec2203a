"""scripts/site publishes nothing stale, and makes a draft of it only if asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proof.facts import book
from tests.support.helpers import REPOSITORY, captured, edit, tiny
from tests.support.makers import write

STALE = "note is stale: context/note.txt changed"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with the script and its real MkDocs, without what other hosts would send."""
    root = captured(tiny(tmp_path))
    write(root, {f"scripts/{name}": (REPOSITORY / "scripts" / name).read_bytes() for name in ("site", "lib.sh")})
    write(root, {"scripts/bootstrap": "#!/bin/sh\n", "overrides/main.html": ""})
    package = REPOSITORY / "scripts"
    write(root, {".venv/bin/mkdocs": f'#!/bin/sh\nPYTHONPATH={package} exec {sys.executable} -m mkdocs "$@"\n'})
    write(root, {".venv/bin/proof": f'#!/bin/sh\nPYTHONPATH={package} exec {sys.executable} -m proof.cli.main "$@"\n'})
    for name in ("scripts/bootstrap", ".venv/bin/mkdocs", ".venv/bin/proof"):
        (root / name).chmod(0o755)
    edit(root / "mkdocs.yml", "  - tables", "  - tables: { use_align_attribute: true }")
    edit(root / "mkdocs.yml", "theme: mkdocs", "theme: { name: mkdocs, highlightjs: false }")
    edit(root / "mkdocs.yml", "  - proof", "  - proof: { draft: !ENV [PROOF_DRAFT, false] }")
    return root


def site(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script in the environment of someone who made a draft before."""
    return subprocess.run(
        ["bash", "scripts/site", *arguments],
        cwd=root,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PROOF_DRAFT": "true", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stale_capture_is_not_published(root: Path) -> None:
    """The exit code is that of drift, and the place and a hint are on the screen. A draft says it on the page."""
    page = root / "site/index.html"
    done = site(root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stale" not in page.read_text("utf-8")
    edit(root / "snippets/note/context/note.txt", "a note", "a letter")
    done = site(root)
    assert done.returncode == 1
    assert f"snippets/note/snippet.toml: {STALE}" in done.stdout
    assert "hint: proof update note" in done.stdout
    done = site(root, "--draft")
    assert done.returncode == 0, done.stdout + done.stderr
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
    done = site(root)
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads((root / "site/facts.json").read_text("utf-8"))["facts"]
    assert [fact["name"] for fact in facts] == list(book.load(root / "snippets"))
    pages = {path.relative_to(root / "site").as_posix(): path.read_text("utf-8") for path in root.rglob("site/*.html")}
    for fact in (fact for fact in facts if fact["place"]):
        page, _, anchor = fact["place"].partition("#")
        assert f'id="{anchor}"' in pages[f"{page}index.html"]
    assert any(fact["place"] for fact in facts)


def test_an_unknown_option_is_refused(root: Path) -> None:
    """Nothing is built."""
    done = site(root, "--drafts")
    assert (done.returncode, "its only option is --draft" in done.stderr) == (2, True)
    assert not (root / "site").exists()


def test_the_settings_of_this_site_know_drafts() -> None:
    """The script passes the option on by an environment variable."""
    assert "draft: !ENV [PROOF_DRAFT, false]" in (REPOSITORY / "mkdocs.yml").read_text("utf-8")
