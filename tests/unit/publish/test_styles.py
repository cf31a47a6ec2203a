"""The style sheets of a site are joined only if all of its pages load the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from proof.core.errors import UsageError
from proof.publish import styles
from proof.publish.page import Page


def test_a_page_with_other_style_sheets_is_named(tmp_path: Path) -> None:
    """As one below docs/assets/ has, whose style sheets are at other addresses."""
    sheets = {"a": "one.css", "b": "one.css", "assets/t": "two.css"}
    pages = [
        Page(tmp_path, tmp_path / name / "index.html", f'<link rel="stylesheet" href="{sheet}">')
        for name, sheet in sheets.items()
    ]
    with pytest.raises(UsageError, match="other style sheets than the rest of the site") as caught:
        styles.join(tmp_path, pages)
    assert caught.value.where is not None
    assert caught.value.where.path == tmp_path / "assets/t/index.html"
