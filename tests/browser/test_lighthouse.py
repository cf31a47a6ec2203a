"""What Lighthouse finds on every page. It takes some seconds a page, so it runs only when LIGHTHOUSE names its command.

Performance depends on what else the machine does: it is in the reports, and no test fails because of it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import NAMES
from tests.browser.test_every_page import PAGES

LIGHTHOUSE = os.environ.get("LIGHTHOUSE", "")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


@pytest.mark.skipif(not LIGHTHOUSE, reason="only if LIGHTHOUSE names the command")
@pytest.mark.parametrize("path", [path for path in PAGES if path != "404.html"])
def test_lighthouse_finds_nothing(path: str, address: str, tmp_path: Path) -> None:
    """Accessibility, best practices and search: 100 of 100 each."""
    report = tmp_path / "report.json"
    flags = "--chrome-flags=--headless --no-sandbox --disable-gpu --disable-background-networking"
    only = f"--only-categories={','.join(CATEGORIES)}"
    subprocess.run(
        [LIGHTHOUSE, address + path, "--quiet", "--output=json", f"--output-path={report}", flags, only],
        env={**os.environ, "CHROME_PATH": next(filter(None, map(shutil.which, NAMES)))},
        capture_output=True,
        timeout=300,
        check=True,
    )
    found = json.loads(report.read_text("utf-8"))
    scores = {name: round(100 * (found["categories"][name]["score"] or 0)) for name in CATEGORIES}
    wrong = [audit["title"] for audit in found["audits"].values() if audit["score"] == 0]
    assert {name: scores[name] for name in CATEGORIES[1:]} == dict.fromkeys(CATEGORIES[1:], 100), wrong
