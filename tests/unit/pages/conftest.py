"""The project that pages are rendered in."""

from pathlib import Path

import pytest

from proof.pages.site import Site
from tests.support.helpers import captured, tiny


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny project with made-up captures."""
    Site.at.cache_clear()
    return captured(tiny(tmp_path))
