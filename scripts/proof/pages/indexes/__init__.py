"""Generates the Markdown of the pages that list everything: `{{ proof }}`, `{{ measurements }}` and `{{ errors }}`."""

from __future__ import annotations

import re

from proof.pages.indexes import errors, measurements, overview
from proof.pages.page import Page


def lines(page: Page, named: re.Match[str]) -> list[str]:
    """The Markdown of the list that a line of a page names: see `page.INDEX`."""
    if named["step"]:
        return errors.error(page, named["step"])
    if named["snippet"]:
        return measurements.measurements_of(page, named["snippet"])
    lists = {"proof": overview.proof, "measurements": measurements.measurements, "errors": errors.errors}
    return lists[named["list"]](page)
