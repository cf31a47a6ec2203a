"""Reduces what a page loads: one style sheet, the theme's script after the text, the search only if it is used."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from proof.publish.page import Page
from proof.publish.scripts import AFTER_PAINT

_STYLE = r'<link rel="stylesheet" href="[^"]*">\s*'
_BUNDLE = r'<script src="([\w.~/%-]*assets/javascripts/bundle[\w.-]*)"></script>'
# A line end with the whitespace around it, or a whole element in which whitespace matters.
_BLANKS = r"(?s)(<(pre|script)\b.*?</\2>)|\s*\n\s*"
_WORKER = r'("search":\s*")[^"]*/workers/[^"]*"'


def reduce_loading(page: Page, style: str) -> Page:
    """Use this style sheet, load the script after the first paint, and load the search when it is first used."""
    page = page.sub(f"(?:{_STYLE})", "").in_head(f'<link rel="stylesheet" href="{page.base}{style}">')
    page = page.sub(_BUNDLE, lambda found: AFTER_PAINT.replace("{{ address }}", found[1]))
    return page.sub(_WORKER, rf'\g<1>{page.base}search/search.js"')


def remove_indentation(page: Page) -> Page:
    """Remove the indentation: a page that fits into a connection's first ten packets arrives one round trip sooner."""
    return page.sub(_BLANKS, lambda found: found[1] or "\n", least=0)


def search_on_demand(site: Path) -> None:
    """Put search.js in front of the theme's search worker, and an empty index in place of the whole one."""
    index, workers = site / "search" / "search_index.json", list(site.glob("assets/javascripts/workers/search.*.js"))
    if not index.is_file() or len(workers) != 1:
        return
    whole = json.loads(index.read_text("utf-8"))
    index.rename(index.with_name("documents.json"))
    index.write_text(json.dumps({**whole, "docs": []}), "utf-8")
    script = (files("proof.publish") / "search.js").read_text("utf-8")
    index.with_name("search.js").write_text(script.replace("WORKER", f"../{workers[0].relative_to(site)}"), "utf-8")
