"""A build ends when a page hangs, and says which."""

from pathlib import Path

import pytest
from mkdocs.commands import build
from mkdocs.config import load_config

from proof.core import limits
from proof.pages.lint import audit
from proof.pages.page import Page
from proof.pages.stopping import StopBuildError
from proof.preview.site import Site
from tests.support.helpers import captured, edit, mkdocs, tiny

ENDLESS = "This page never ends."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose page `endless.md` hangs."""
    root = captured(tiny(tmp_path))
    (root / "docs/endless.md").write_text(f"# Endless\n\n{ENDLESS}\n")
    whole = audit.audit

    def hanging(*arguments: object) -> None:
        while any(isinstance(each, Page) and ENDLESS in each.source for each in arguments):
            pass
        whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(audit, "audit", hanging)
    monkeypatch.setattr(limits, "SECONDS", 0.5)
    monkeypatch.chdir(root)
    return root


def test_a_build_stops_at_the_page_that_hangs(root: Path, tmp_path: Path) -> None:
    with pytest.raises(StopBuildError, match=r"docs/endless\.md: reading this takes longer than 0\.5 s") as raised:
        build.build(load_config(str(root / "mkdocs.yml"), site_dir=str(tmp_path / "site")))
    assert raised.value.exit_code == 2


def test_the_preview_says_which_page_hangs(root: Path, tmp_path: Path) -> None:
    """And shows it once it ends."""
    site = Site(root, tmp_path)
    assert site.build()
    assert any("docs/endless.md: reading this takes" in problem for problem in site.problems[None])
    edit(root / "docs/endless.md", ENDLESS, "It ends.")
    assert site.build()
    assert not site.problems[None]
    assert "It ends." in (site.shown / "endless/index.html").read_text("utf-8")


def test_front_matter_that_takes_forever_is_never_read(tmp_path: Path) -> None:
    """MkDocs reads it before it converts a page. Each level of these ten takes ten times as long."""
    root = captured(tiny(tmp_path))
    levels = [f"a{n}: &a{n} {{ <<: [{', '.join([f'*a{n - 1}'] * 10)}] }}" for n in range(1, 11)]
    front = "\n".join(["---", "a0: &a0 { x: 1 }", *levels, "---", ""])
    edit(root / "docs/index.md", "# ", f"{front}\n# ")
    done = mkdocs(root, tmp_path / "site")
    assert done.returncode == 2
    assert done.stderr.startswith("docs/index.md:2: invalid YAML: `&`, `*` and `!` have no meaning here\n")
