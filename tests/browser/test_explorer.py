"""An explorer of images: opened by pointer, by keyboard and without a script, wide and narrow, light and dark."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Reader, Scheme
from tests.browser.test_every_page import AXE, overflow, settle, violations
from tests.browser.test_reading import tab_to


def opened(page: Page) -> None:
    """Open everything that the explorers of a page hold."""
    page.locator(".explorer details").evaluate_all("all => all.forEach(each => (each.open = true))")


def tree(page: Page, image: str) -> Locator:
    """One of the images."""
    return page.locator(".explorer").get_by_role("group", name=image)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_open(scheme: Scheme, reader: Reader) -> None:
    """On a telephone and at a desk nothing is beyond the edge, and axe-core finds nothing."""
    page = reader("", scheme=scheme)
    page.evaluate(AXE)
    opened(page)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        assert overflow(page) == []
        assert violations(page, "colours" if width == 1280 else "others") == []


def test_by_keyboard(reader: Reader) -> None:
    """Tab reaches the layers, Enter opens one, arrow keys move as in a tree of files."""
    page = reader("")
    page.wait_for_load_state("networkidle")  # its script comes last
    layers = tree(page, "Single-stage build")
    first = layers.locator("summary").first
    tab_to(page, first)
    page.keyboard.press("Enter")
    inside = first.locator("xpath=..")
    expect(inside).to_have_attribute("open", "")
    page.keyboard.press("ArrowRight")
    expect(inside.locator("ul summary").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(inside.locator("ul ul summary").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(inside.locator("ul summary").first).to_be_focused()
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(inside).not_to_have_attribute("open", "")
    page.keyboard.press("End")
    expect(layers.locator(".explorer__layer > details > summary").last).to_be_focused()
    page.keyboard.press("Control+Home")
    expect(layers.locator(".explorer__layer > details > summary").last).to_be_focused()


def test_what_is_hidden_can_be_left_out(reader: Reader) -> None:
    """With a box that a label names, reached by keyboard."""
    page = reader("")
    opened(page)
    hidden = page.locator(".explorer__gone:visible")
    expect(hidden.first).to_contain_text("hidden by a later layer")
    tab_to(page, page.get_by_label("Leave out what a later layer hides"))
    page.keyboard.press("Space")
    expect(hidden).to_have_count(0)


def test_what_crossed_is_marked_in_both(reader: Reader) -> None:
    """The program, in the image that built it and in the one that it was copied into, with the same bytes."""
    page = reader("")
    opened(page)
    bytes_ = [
        tree(page, image).locator("li:not(:has(li))", has_text=name).locator("data").get_attribute("value")
        for image, name in (("Single-stage build", "copied to the other image"), ("Multi-stage build", "bin/app"))
    ]
    assert bytes_[0] == bytes_[1]
    expect(tree(page, "Multi-stage build")).to_contain_text("copied from builder")


def test_without_javascript(reader: Reader) -> None:
    """The same disclosures, and a table of all layers."""
    page = reader("", javascript=False)
    page.get_by_text("The layers as a table").click()
    expect(page.locator(".explorer").get_by_role("row")).to_have_count(11)
    summary = tree(page, "Multi-stage build").locator("summary").last
    summary.click()
    expect(tree(page, "Multi-stage build").get_by_text("usr/local/bin/app", exact=True)).to_be_visible()


def test_its_script_is_loaded_where_it_is_needed(reader: Reader) -> None:
    """A page without an explorer does not ask for it."""
    for path, wanted in (("", 1), ("layers/", 0)):
        page = reader(path)
        page.wait_for_load_state("networkidle")
        names = page.evaluate("() => performance.getEntriesByType('resource').map(each => each.name)")
        assert sum(name.endswith("/assets/explorer.js") for name in names) == wanted
