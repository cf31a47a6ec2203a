"""A page's Markdown: copied by a button, or read behind a link."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Reader


def test_the_button_copies_the_page(reader: Reader, site: Path) -> None:
    """It copies the file, by keyboard too, and says so to a screen reader, under the policy of the page."""
    page = reader("user/")
    button = page.get_by_role("button", name="Copy as Markdown")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (site / "user/index.md").read_text("utf-8")


def test_a_page_that_cannot_be_copied_says_so(reader: Reader) -> None:
    page = reader("user/")
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(Error()) }")
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("button", name="Not copied: use the link")).to_be_visible()


def test_without_scripts_there_is_the_link(reader: Reader, site: Path) -> None:
    page = reader("user/", javascript=False)
    assert not page.get_by_role("button", name="Copy as Markdown").count()
    link = page.get_by_role("link", name="View as Markdown")
    expect(link).to_be_visible()
    answer = page.request.get(page.url + str(link.get_attribute("href")))
    assert answer.body() == (site / "user/index.md").read_bytes()
