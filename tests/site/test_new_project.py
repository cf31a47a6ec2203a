"""The site of a project that `proof init` has made."""

from pathlib import Path

import pytest

from tests.support.helpers import captured, mkdocs, succeeded
from tests.support.in_process import proof


@pytest.mark.parametrize("generator", ["material", "mkdocs"])
def test_its_page_says_what_was_measured(tmp_path: Path, generator: str) -> None:
    """Once the snippet has run, nothing is wrong, and the site is built and finished."""
    assert proof("init", "--bases", "rebuilt", "--site", generator, cwd=tmp_path).returncode == 0
    succeeded(proof("status", cwd=captured(tmp_path)))
    succeeded(mkdocs(tmp_path, tmp_path / "site"))
    assert "8.31MB" in (tmp_path / "site/index.html").read_text("utf-8")
