"""What a page loads, and when: its text and one style sheet, then Material's script, the search when it is used."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from proof.publish.page import Page
from proof.publish.scripts import AFTER_PAINT

_STYLE = r'<link rel="stylesheet" href="[^"]*">\s*'
_BUNDLE = r'<script src="([\w.~/%-]*assets/javascripts/bundle[\w.-]*)"></script>'
# A line end with the blanks around it; or a whole element in which blanks mean something.
_BLANKS = r"(?s)(<(pre|script)\b.*?</\2>)|\s*\n\s*"
_WORKER = r'("search":\s*")[^"]*/workers/[^"]*"'


def reduce_loading(page: Page, style: str) -> Page:
    """The page with this style sheet, its script after the first paint, and a search that waits to be used."""
    page = page.sub(f"(?:{_STYLE})", "").in_head(f'<link rel="stylesheet" href="{page.base}{style}">')
    page = page.sub(_BUNDLE, lambda found: AFTER_PAINT.replace("{{ address }}", found[1]))
    return page.sub(_WORKER, rf'\g<1>{page.base}search/search.js"')


def remove_indentation(page: Page) -> Page:
    """The page without its indents: what fits into a connection's first ten packets comes one round trip sooner."""
    return page.sub(_BLANKS, lambda found: found[1] or "\n", least=0)


def search_on_demand(site: Path) -> None:
    """Put a worker before the theme's, and an index without documents before the whole one: see search.js."""
    index, workers = site / "search" / "search_index.json", list(site.glob("assets/javascripts/workers/search.*.js"))
    if not index.is_file() or len(workers) != 1:
        return
    whole = json.loads(index.read_text("utf-8"))
    index.rename(index.with_name("documents.json"))
    index.write_text(json.dumps({**whole, "docs": []}), "utf-8")
    script = (files("proof.publish") / "search.js").read_text("utf-8")
    index.with_name("search.js").write_text(script.replace("WORKER", f"../{workers[0].relative_to(site)}"), "utf-8")
