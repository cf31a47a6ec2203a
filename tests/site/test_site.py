"""The published pages: built strictly, and their numbers read back out of the HTML."""

import re
from html import unescape
from pathlib import Path

import pytest

from proof.core import units
from proof.facts import book as book_module
from proof.facts.book import FactBook
from proof.pages import scan
from proof.snippets import project
from tests.support.helpers import REPOSITORY, data_values, mkdocs, succeeded

PAGES = ("index.html", "then-and-now/index.html", "proof/list/index.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = succeeded(mkdocs(REPOSITORY, folder))
    assert [line for line in done.stderr.splitlines() if not line.startswith("INFO ")] == []
    return folder


@pytest.fixture(scope="module")
def book() -> FactBook:
    return book_module.load(REPOSITORY / "snippets")


def test_the_article_states_the_measured_numbers(site: Path, book: FactBook) -> None:
    """Sizes, layers and the ratio on the page are those of the captures, exact and as written."""
    stated = set(data_values((site / "index.html").read_text("utf-8")))
    single, multi = book["single.size"], book["multi.size"]
    assert (str(single.value), units.size(float(single.value))) in stated
    assert (str(multi.value), units.size(float(multi.value))) in stated
    share = float(multi.value) / float(single.value)
    assert (str(share), f"{share:.0%}") in stated
    assert (str(book["single.layers"].value), "eight") in stated
    assert (str(book["single.base_layers"].value), "five") in stated


def test_the_article_shows_every_output(site: Path, book: FactBook) -> None:
    """What each shown step printed is on the page, character by character."""
    html = (site / "index.html").read_text("utf-8")
    text = unescape(re.sub(r"<[^>]+>", "", html))
    for name in ("go_run", "run", "image_ls", "du", "layers"):
        step = book.captures["single"].step(name)
        assert step is not None
        assert step.output.strip() in text
        assert f"$ {step.command}\n" in text


@pytest.mark.parametrize("page", PAGES)
def test_ids_stand_once(page: str, site: Path) -> None:
    """Every id of a page is its own, so that every link and every popover finds its target."""
    ids = re.findall(r'\sid="([^"]+)"', (site / page).read_text("utf-8"))
    assert len(ids) == len(set(ids)), {i for i in ids if ids.count(i) > 1}


def test_the_measurements_have_everything(site: Path, book: FactBook) -> None:
    """Each snippet has a page with its facts and its steps, which the index leads to, with the pages that show them."""
    pages = {path.parent: path.read_text("utf-8") for path in site.rglob("index.html")}
    index, cited = site / "measurements", pages[site / "proof/list"]
    for snippet in project.load_all(REPOSITORY):
        html = pages[index / snippet.folder.name]
        assert f'href="{snippet.folder.name}/#{snippet.name.replace("_", "-")}"' in pages[index]
        assert f'id="{snippet.name.replace("_", "-")}"' in html
        assert all(f"<code>{name}</code>" in html for name in book if name.startswith(f"{snippet.name}."))
        for step in book.captures[snippet.name].steps:
            anchor = f"{snippet.name}-{step.name}".replace("_", "-")
            assert f'<div id="{anchor}">' in html
            linked = re.findall(rf'href="([^"#]+)#{anchor}"', html)
            assert all(f'id="{anchor}"' in pages[(index / snippet.folder.name / to).resolve()] for to in linked)
    for name, fact in book.items():
        assert f"<code>{name}</code>" in cited or fact.capture is not None


def test_the_proof_page_has_every_claim(site: Path) -> None:
    """What must hold, and the sentence that it is about."""
    text = unescape((site / "proof/list/index.html").read_text("utf-8"))
    for scanned in scan.scan(REPOSITORY):
        for claim in scanned.page.claims:
            assert claim.predicate in text
            assert claim.sentence in text
