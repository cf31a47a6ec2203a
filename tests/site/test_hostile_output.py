"""Whatever was printed, captured or put into a title is text to a reader: so the built site says."""

import itertools
import re
import string
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from proof.core.text import visible
from proof.pages.transcript import CAP
from proof.publish import gfm
from tests.support import site

PAGES = tuple(
    f"{name}index.html" for name in ("", "titled_16/", "proof/", "errors/", "measurements/", "measurements/title_0/")
)
SCRIPT = "document.documentElement.dataset.pwned=true"
ADDRESS = "/pwned"


@pytest.fixture(scope="module")
def printed() -> list[str]:
    return site.outputs(SCRIPT, ADDRESS)


@pytest.fixture(scope="module")
def built(printed: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all hostile outputs."""
    return site.build(tmp_path_factory.mktemp("hostile"), printed)


@pytest.fixture(scope="module")
def harmless(printed: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site where each program printed as much, two letters for each text, but for its backticks."""
    pairs = itertools.product("abcdefgh", string.ascii_lowercase)
    letters = [
        "".join(typed if typed in "\n`" else letter for typed, letter in zip(text, itertools.cycle(pair), strict=False))
        for text, pair in zip(printed, pairs, strict=False)
    ]
    return site.build(tmp_path_factory.mktemp("harmless"), letters)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_the_elements_of_a_harmless_one(page: str, built: Path, harmless: Path) -> None:
    """Element for element, attribute for attribute, address for address: nothing printed became markup."""
    hostile, plain = site.parse(built / page), site.parse(harmless / page)
    for parsed in (hostile, plain):
        # How many lines hold the expected message depends on what was printed, as does where a label wraps.
        for tag in ("strong", "text class x y"):
            parsed.elements.pop(tag, None)
    assert hostile.elements == plain.elements
    assert hostile.addresses == plain.addresses
    assert hostile.scripts == plain.scripts


def test_a_reader_sees_what_was_printed(built: Path, printed: list[str]) -> None:
    """The text of each transcript is the output, character by character, controls and all made visible."""
    shown = site.parse(built / "index.html").transcripts
    assert len(shown) == len(printed)
    for text, transcript in zip(printed, shown, strict=True):
        assert transcript == (visible(text[:CAP]).rstrip("\n") + "\n" if text else "")


@pytest.mark.parametrize("page", PAGES)
def test_its_markdown_has_the_elements_of_a_harmless_one(page: str, built: Path, harmless: Path) -> None:
    """As GitHub reads it: nothing printed became an element, or the end of a block of code, or a link.

    But GitHub makes a link of every mail address. Code of blanks alone is no code.
    """
    hostile, plain = (elements(folder / page) for folder in (built, harmless))
    assert hostile == plain
    assert hostile["html "] == 1


def elements(page: Path) -> Counter[str]:
    """The elements of a page's Markdown, with what they load."""
    cmark = pytest.importorskip("cmarkgfm.cmark", reason="cmarkgfm is not installed on a Mac")
    content = LexborHTMLParser(page.read_text("utf-8"), scripting=True).css_first("article")
    assert content is not None
    options = cmark.Options.CMARK_OPT_UNSAFE | cmark.Options.CMARK_OPT_FOOTNOTES
    tree = LexborHTMLParser(cmark.github_flavored_markdown_to_html(gfm.written(content), options), scripting=True)
    found = tree.css("*:not(code, a[href^='mailto:'])")
    return Counter(f"{node.tag} {node.attributes.get('src', '')}" for node in found)


@pytest.mark.parametrize("page", PAGES)
def test_no_character_acts(page: str, built: Path) -> None:
    """No control, bidirectional or invisible character is anywhere in the page, by its number or its name either."""
    acting = (
        r"[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
        r"\ue000-\uf8ff\U000e0000-\U000e0fff]"
    )
    assert re.findall(acting, unescape((built / page).read_text("utf-8"))) == []


def test_the_search_index_holds_text_alone(built: Path, harmless: Path) -> None:
    """What the search shows as HTML has the markup of the harmless site, and no more."""
    names = "search/search_index.json"
    hostile, plain = ((folder / names).read_text("utf-8") for folder in (built, harmless))
    assert len(re.findall(r"<\w", hostile)) == len(re.findall(r"<\w", plain))
