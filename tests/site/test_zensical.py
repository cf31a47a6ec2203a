"""The same mkdocs.yml, built by Zensical: an author can move there without touching a page."""

import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY, data_values, mkdocs, module, succeeded


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The site by MkDocs, and by Zensical, which builds into its own project only."""
    ours, project = tmp_path_factory.mktemp("mkdocs"), tmp_path_factory.mktemp("zensical")
    for name in ("docs", "snippets", "overrides"):
        shutil.copytree(REPOSITORY / name, project / name)
    shutil.copy(REPOSITORY / "mkdocs.yml", project)
    succeeded(mkdocs(REPOSITORY, ours))
    for _ in range(3):
        done = module("zensical", "build", "--strict", cwd=project, env={})
        # On a busy machine its file watcher, which a build has no use for, sometimes ends before the build does.
        if not done.stderr.rstrip().endswith("Watcher disconnected"):
            break
    succeeded(done)
    return ours, project / "site"


def pages(site: Path) -> dict[str, str]:
    """The HTML of every page, by its path."""
    return {str(path.relative_to(site)): path.read_text("utf-8") for path in site.rglob("index.html")}


def transcripts(html: str) -> list[str]:
    """The text of every transcript, with where it comes from."""
    return [
        unescape(re.sub(r"<[^>]+>", "", figure))
        for figure in re.findall(r'<figure class="transcript.*?</figure>', html, re.DOTALL)
    ]


def test_every_page_is_the_same(built: tuple[Path, Path]) -> None:
    """The same values, written alike and in the same order, and the same outputs, character by character."""
    one, other = (pages(site) for site in built)
    assert set(one) == set(other)
    for read, least in ((data_values, 300), (transcripts, 200)):
        assert sum(len(read(html)) for html in one.values()) > least
        for path, html in one.items():
            assert read(other[path]) == read(html), path
