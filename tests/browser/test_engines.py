"""Transcripts in the words of two versions of Docker: a small site with made-up captures, in a real browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from proof.captures import store
from proof.publish.finish import publish
from proof.snippets.capture_locations import folder_of
from proof.snippets.engine_version import WORDINGS
from tests.browser.conftest import Reader, Scheme, settled
from tests.browser.serve import serve
from tests.browser.test_every_page import AXE, violations
from tests.browser.test_reading import tab_to
from tests.support.helpers import REPOSITORY, captured, mkdocs, succeeded, tiny
from tests.support.makers import by_engine, write

SHOWN = "{{ transcript note/image_ls }}"
PAGES = {
    "index.md": f"# One\n\n{SHOWN}\n\n{{{{ transcript note/run }}}}\n\n{SHOWN}",
    "other.md": f"# Other\n\n{SHOWN}\n",
    "proof/index.md": "# Proof\n",  # which the blocks to paste link to
}
OLD, NEW = "Docker 26.1", "Docker 29.7"
WORDS = {OLD: "naming to note, as Docker 26 says it", NEW: "naming to note, as Docker 29 says it"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with this repository's settings, styles and scripts. `docker run` prints the same on both engines."""
    root = captured(tiny(tmp_path_factory.mktemp("engines")))
    folder = root / "snippets/note"
    made = store.load(folder_of(folder, "rebuilt"))
    assert made is not None
    for words, wording in zip((WORDS[OLD], WORDS[NEW]), WORDINGS, strict=True):
        steps = tuple(replace(each, output=f"{'a note' if each.name == 'run' else words}\n") for each in made.steps)
        one = replace(by_engine(made, "docker 29.7.2" if wording == "docker-29" else "docker 26.1.5"), steps=steps)
        store.save(one, folder_of(folder, "rebuilt", "", wording))
    settings = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    theme = settings[settings.index("theme:") : settings.index("\nnav:")].replace(
        "overrides", f"{REPOSITORY}/overrides"
    )
    plugins = settings[settings.index("plugins:") :]
    assets = {f"docs/assets/{each.name}": each.read_bytes() for each in (REPOSITORY / "docs/assets").iterdir()}
    pages = {f"docs/{name}": f"---\ntitle: A page\ndescription: A page.\n---\n\n{text}" for name, text in PAGES.items()}
    write(
        root,
        {"mkdocs.yml": f"site_name: Notes\nsite_description: Notes.\nstrict: true\n{theme}\n{plugins}"}
        | assets
        | pages,
    )
    succeeded(mkdocs(root, root / "site"))
    publish(root / "site", root)
    return root / "site"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where it is served."""
    with serve(site) as found:
        yield found


def shown(page: Page) -> list[str]:
    """The outputs that a reader sees."""
    return [each.inner_text().strip() for each in page.locator(".transcript samp").all() if each.is_visible()]


def choice(page: Page, label: str) -> Locator:
    """The tabs with this label."""
    return page.locator(".engines > label", has_text=label)


def test_the_newest_docker_is_shown_first(reader: Reader) -> None:
    """Where the words differ, both are offered; where they do not, there is one transcript and no choice."""
    page = reader("")
    assert shown(page) == [WORDS[NEW], "a note", WORDS[NEW]]
    assert [each.inner_text() for each in page.locator(".engines > label").all()] == [NEW, OLD] * 2
    assert page.locator(".engines").count() == 2


def test_a_choice_is_for_every_transcript_and_every_page(reader: Reader) -> None:
    """Choose once: every transcript of the page changes, and so does the next page, until another choice."""
    page = reader("")
    choice(page, OLD).nth(1).click()
    assert shown(page) == [WORDS[OLD], "a note", WORDS[OLD]]
    with settled(page):
        page.goto("other/")
    assert shown(page) == [WORDS[OLD]]
    page.locator(".engines > label").first.click()
    assert shown(page) == [WORDS[NEW]]
    with settled(page):
        page.goto("")
    assert shown(page) == [WORDS[NEW], "a note", WORDS[NEW]]


def test_arrow_keys_choose(reader: Reader) -> None:
    """Tab reaches the choice once, and the arrow keys change it, as in any group of radio buttons."""
    page = reader("")
    tabs = page.locator(".engines").first.locator("input")
    tab_to(page, tabs.nth(0))
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_be_checked()
    assert shown(page) == [WORDS[OLD], "a note", WORDS[OLD]]
    page.keyboard.press("ArrowLeft")
    expect(tabs.nth(0)).to_be_focused()
    assert shown(page) == [WORDS[NEW], "a note", WORDS[NEW]]
    outline = page.locator(".engines > label").first.evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline == "solid"  # the focus is visible


@pytest.mark.parametrize("value", ["docker-30", "docker-28", "podman", '"]<b>'])
def test_what_was_remembered_may_be_anything(value: str, reader: Reader) -> None:
    """A choice that a page does not have leaves the first one, and nothing breaks."""
    page = reader("")
    page.evaluate("value => localStorage.setItem('docker', value)", value)
    with settled(page):
        page.reload()
    assert shown(page)[0] == WORDS[OLD if value == "docker-28" else NEW]


def both(page: Page) -> None:
    """Both are visible, each under its label, and there is nothing to choose."""
    assert shown(page) == [WORDS[NEW], WORDS[OLD], "a note", WORDS[NEW], WORDS[OLD]]
    assert [each.inner_text() for each in page.locator(".engines__label").all()] == [NEW, OLD] * 2
    assert not [each for each in page.locator(".engines > input, .engines > label").all() if each.is_visible()]


def test_both_without_javascript(reader: Reader) -> None:
    """All that was printed can be read, and no choice is offered that would change a single transcript."""
    both(reader("", javascript=False))


def test_both_on_paper(reader: Reader) -> None:
    """Paper has no tabs."""
    page = reader("")
    page.emulate_media(media="print")
    both(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Scheme, reader: Reader) -> None:
    """Names, roles, contrast and sizes, before a choice and after it."""
    page = reader("", scheme=scheme)
    page.evaluate(AXE)
    for label in (NEW, OLD):
        choice(page, label).first.click()
        assert violations(page, "colours") + violations(page, "others") == []
