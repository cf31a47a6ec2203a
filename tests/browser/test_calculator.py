"""The calculator of pull times: it agrees with the captures, and takes whatever is typed."""

import pytest
from playwright.sync_api import Page, expect

from proof.core import units
from proof.facts import book
from tests.browser.conftest import Reader
from tests.browser.test_reading import tab_to
from tests.support.helpers import REPOSITORY, data_values

IMAGES = {
    "single stage": "which_single.official_transfer_size",
    "two stages, on Alpine": "which_numbers.transfer_size",
    "two stages, from scratch": "which_scratch.transfer_size",
}


@pytest.fixture
def page(reader: Reader) -> Page:
    """The page with the calculator."""
    return reader("which-size/")


def transfer(image: str) -> float:
    """The bytes of an image."""
    return float(book.load(REPOSITORY / "snippets")[IMAGES[image]].value)


@pytest.mark.parametrize("image", IMAGES)
def test_it_agrees_with_the_captures(image: str, page: Page) -> None:
    """At a line of as many Mbit/s as it takes for one image in one second, a pull takes one second."""
    page.get_by_role("combobox", name="Image", exact=True).select_option(image)
    page.get_by_label("Your line, in Mbit/s").fill(str(transfer(image) * 8 / 1e6))
    page.get_by_label("Pulls a day").fill("90")
    expect(page.locator("output")).to_contain_text(f"{units.size(transfer(image))} take 1 s.")
    expect(page.locator("output")).to_contain_text("90 pulls a day take 1 min 30 s")


def test_it_works_by_keyboard(page: Page) -> None:
    """Tab reaches the fields; what is typed is answered at once, where a screen reader hears it."""
    tab_to(page, page.get_by_role("combobox", name="Image", exact=True))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("100")
    seconds = transfer("two stages, on Alpine") * 8 / 100e6
    expect(page.get_by_role("status")).to_contain_text(f"take {seconds:.3g} s.")
    page.keyboard.press("Enter")
    assert page.url.endswith("which-size/")


@pytest.mark.parametrize("field", ["Your line, in Mbit/s", "Pulls a day"])
def test_silly_input_is_told_what_is_wanted(field: str, page: Page) -> None:
    """Nothing, zero, less than that, too much, letters: no NaN and no Infinity, but what would be an answer."""
    box, answer = page.get_by_label(field), page.locator("output")
    seconds = transfer("single stage") * 8 / 100e6
    for typed in ("", "0", "-3", "1e300", "99999999999999999999", "e", "--", "1e-300"):
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(typed)
        expect(answer).to_contain_text("Please give a")
        expect(answer).to_contain_text("1,000,000")
        expect(box).to_have_attribute("aria-invalid", "true")
        box.fill("100")
        expect(box).to_have_attribute("aria-invalid", "false")
        expect(answer).to_contain_text("100 pulls" if field == "Pulls a day" else f"take {seconds:.3g} s.")


def test_without_javascript_it_is_a_table(reader: Reader) -> None:
    """Three lines to choose from, computed from the captures when the site was built; and no dead form."""
    page = reader("which-size/", javascript=False)
    expect(page.locator("form.calculator")).to_be_hidden()
    values = {value for value, _ in data_values(page.content())}
    for image in IMAGES:
        assert {str(transfer(image) / 1e6 * 8 / rate) for rate in (10, 100, 1000)} <= values
