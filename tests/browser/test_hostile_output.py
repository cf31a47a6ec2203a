"""Whatever was printed, captured or put into a title runs nothing in a browser, and asks for nothing."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.serve import serve
from tests.support import site
from tests.support.makers import write

PAGES = ("", "titled_16/", "proof/", "errors/", "measurements/", "measurements/title_0/")
PRINTED = site.outputs("document.documentElement.dataset.pwned=true", "/pwned")


def acted(folder: Path, browser: Browser) -> set[str]:
    """Which of the pages ran a script of an output, or asked for one of its addresses."""
    sent: dict[str, int] = {}
    found = set()
    with serve(folder, sent) as address, browser.new_context(base_url=address) as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(path, wait_until="networkidle")
            if page.locator("html").get_attribute("data-pwned") or any("pwned" in name for name in sent):
                found.add(path)
    assert sent
    return found


def test_nothing_acts(browser: Browser, tmp_path: Path) -> None:
    assert acted(site.build(tmp_path, PRINTED), browser) == set()


def test_the_browser_would_have_told(browser: Browser, tmp_path: Path) -> None:
    """The same outputs, pasted into a page without the tool, do run and do ask."""
    write(tmp_path, {"index.html": "<!DOCTYPE html><html>" + "\n".join(PRINTED[:8]), "404.html": "<p>nothing</p>"})
    assert "" in acted(tmp_path, browser)
