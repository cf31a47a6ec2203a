"""Sentences and their claims: what was edited since somebody compared them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from proof.cli import main
from proof.pages import scan
from proof.pages.lint import confirmed
from proof.pages.site import Site
from tests.support.helpers import captured, edit, tiny
from tests.support.in_process import proof

CLAIM = "{{ claim: note.own_layers == 1 }}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose claims were confirmed."""
    project = captured(tiny(tmp_path))
    confirmed.confirm(project, scan.scan(project))
    return project


def said(root: Path) -> list[str]:
    """What is not confirmed, with the lines."""
    Site.at.cache_clear()
    found = list(confirmed.problems(root, scan.scan(root)))
    return [f"{problem.where.line if problem.where else None}: {problem.what}" for problem in found]


def test_nothing_has_changed(root: Path) -> None:
    """Then there is nothing to say, and confirming again changes nothing."""
    assert said(root) == []
    before = (root / "snippets" / confirmed.FILE).read_text()
    confirmed.confirm(root, scan.scan(root))
    assert (root / "snippets" / confirmed.FILE).read_text() == before


def test_what_is_recorded(root: Path) -> None:
    """A line for each claim: its page, and 16 digits of the hashes of its predicate and its sentence."""
    edit(root / "docs/index.md", CLAIM, f"{CLAIM} It has two layers. {{{{ claim: note.layers == 2 }}}}")
    (root / "docs/index.md").rename(root / "docs/a page.md")
    Site.at.cache_clear()
    confirmed.confirm(root, scan.scan(root))
    header, *lines = (root / "snippets" / confirmed.FILE).read_text().splitlines()
    assert header.startswith("# ")
    assert len(lines) == 2
    assert lines == sorted(lines)
    assert [line for line in lines if not re.fullmatch(r"docs/a%20page\.md  [0-9a-f]{16}  [0-9a-f]{16}", line)] == []
    predicates = (b"note.own_layers == 1", b"note.layers == 2")
    assert {line.split()[1] for line in lines} == {hashlib.sha256(text).hexdigest()[:16] for text in predicates}
    assert said(root) == []


def test_a_project_without_the_file(root: Path) -> None:
    """It has not asked for it."""
    (root / "snippets" / confirmed.FILE).unlink()
    edit(root / "docs/index.md", "Only one layer", "Just one layer")
    assert said(root) == []


def test_all_claims_are_shown_before_they_are_confirmed_first(root: Path) -> None:
    """A branch may have removed the file and edited a sentence."""
    (root / "snippets" / confirmed.FILE).unlink()
    edit(root / "docs/index.md", "Only one layer", "Just one layer")
    Site.at.cache_clear()
    done = proof("status", "--confirm", cwd=root)
    assert done.returncode == 0, done.stderr
    assert "confirmed, as this claim is new" in done.stdout
    assert "Just one layer" in done.stdout


def test_an_edited_sentence(root: Path) -> None:
    """Its claim still holds, and may no longer say the same."""
    edit(root / "docs/index.md", "Only one layer", "Just one layer")
    (found,) = said(root)
    assert found.endswith("this sentence was edited, and its claim was not")
    assert not found.startswith("None")
    confirmed.confirm(root, scan.scan(root))
    assert said(root) == []


def test_an_edited_claim(root: Path) -> None:
    """Whoever edits the claim has looked at both; it is recorded all the same."""
    edit(root / "docs/index.md", CLAIM, CLAIM.replace("== 1", "== 1 * 1"))
    assert [found.partition(": ")[2] for found in said(root)] == ["this claim is new"]


def test_white_space_is_no_edit(root: Path) -> None:
    """A paragraph may be wrapped in another way."""
    edit(root / "docs/index.md", "Only one layer is\nours.", "Only one\nlayer is ours.")
    assert said(root) == []


def test_a_new_value_is_no_edit(root: Path) -> None:
    """What is measured may change; the expression is what the author wrote."""
    edit(root / "docs/index.md", "Only one layer is\nours.", "Only one layer of {{ note.size }} is\nours.")
    confirmed.confirm(root, scan.scan(root))
    edit(root / "docs/index.md", "{{ note.size }} is", "{{ note.base_size }} is")
    assert len(said(root)) == 1


def test_the_command(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`proof status` fails until `--confirm` has shown the sentence and recorded it."""
    monkeypatch.chdir(root)
    edit(root / "docs/index.md", "Only one layer", "Just one layer")
    Site.at.cache_clear()
    assert main.main(["status"]) == 2
    assert "does the claim say what the sentence says? Then: proof status --confirm" in capsys.readouterr().out
    Site.at.cache_clear()
    assert main.main(["status", "--confirm"]) == 0
    shown = capsys.readouterr().out
    assert "confirmed, as this sentence was edited, and its claim was not" in shown
    assert "Just one layer" in shown
    Site.at.cache_clear()
    assert main.main(["status"]) == 0


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("A note of {{ note.size * 2", "index.md:{line}: nothing is confirmed while pages have errors"),
        ("It is small. {{ claim: note.sise < MB(9) }}", "    | unknown fact 'note.sise' - did you mean 'note.size'?"),
    ],
)
def test_nothing_is_confirmed_while_a_page_has_errors(added: str, says: str, root: Path) -> None:
    """Reading may have stopped in the middle of the page: no claim loses its confirmation."""
    page, lock = root / "docs/index.md", root / "snippets" / confirmed.FILE
    before = lock.read_bytes()
    page.write_text(f"{page.read_text()}\n{added}\n")
    Site.at.cache_clear()
    done = proof("status", "--confirm", cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert says.format(line=len(page.read_text().splitlines())) in done.stderr
    assert lock.read_bytes() == before


def test_nothing_is_confirmed_if_no_page_can_be_read(root: Path) -> None:
    """A link among the pages keeps the tool from reading any, and a manifest is broken at the same time."""
    lock = root / "snippets" / confirmed.FILE
    before = lock.read_bytes()
    (root / "docs/link.md").symlink_to("index.md")
    edit(root / "snippets/note/snippet.toml", "image =", "imaeg =")
    Site.at.cache_clear()
    assert proof("status", "--confirm", cwd=root).returncode == 2
    assert lock.read_bytes() == before
