"""What the article costs to read, in bytes on the wire."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.serve import serve

BUDGET = 80 * 1024  # bytes of all bodies, as a host that compresses sends them


def test_the_article_is_light(browser: Browser, site: Path) -> None:
    """All that the first visit to the article asks for, workers included, until nothing more is asked."""
    sent: dict[str, int] = {}
    with serve(site, sent) as address, browser.new_context() as context:
        context.new_page().goto(address, wait_until="networkidle")
    assert sent["/"] > 5_000
    table = "\n".join(f"{size:9,} {path}" for path, size in sent.items())
    assert sum(sent.values()) < BUDGET, f"{sum(sent.values()):,} bytes:\n{table}"
