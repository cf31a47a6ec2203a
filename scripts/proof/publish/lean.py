"""Reduces what a page loads: a small style sheet, scripts after the text, the search only if it is used.

Code that is highlighted gets fewer elements, because a browser computes the style of each.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from proof.publish.page import Page, attribute
from proof.publish.scripts import AFTER_PAINT
from proof.publish.styles import Styles

_BLANKS = re.compile(r"(?<!\s)\s*\n\s*")  # begins where blanks begin: else it would read them again from each
# Blanks and names: Material and the style sheets of Pygments give names the color of other text, or nearly that.
_COLORLESS = re.compile(r'<span(?: class="(?:w|n|nx)")?>([^<]*)</span>')
_ALIKE = re.compile(r'<span class="(\w+)">[^<]*</span>(?:\s*<span class="\1">[^<]*</span>)+')
_WORKER = re.compile(r'("search":\s*")[^"]*/workers/[^"]*"')


def reduce_loading(page: Page, styles: Styles) -> None:
    """Use these style sheets, load scripts after the first paint, and load the search when it is first used.

    The second style sheet comes with the scripts. Without scripts, it is only needed for printing.
    """
    later = page.base + styles.later
    for node in page.tree.css("link[rel=stylesheet]"):
        node.decompose()
    printed = page.element("link", rel="stylesheet", href=later, media="print")
    page.add_to_head(
        page.element("link", rel="stylesheet", href=page.base + styles.first),
        page.element("noscript", printed.html or ""),  # text, to a browser that runs scripts
    )
    _load_after_paint(page, later)
    for settings in page.tree.css("script#__config"):
        text = _WORKER.sub(rf'\g<1>{page.base}search/search.js"', settings.text())
        settings.replace_with(page.element("script", text, id="__config", type="application/json"))


def _load_after_paint(page: Page, later: str) -> None:
    """Put one inline script in place of those that load files: the theme's last, since it expects the others."""
    theme = page.need('script[src*="assets/javascripts/bundle"]')
    others = [script for script in page.tree.css("script[src]") if script.mem_id != theme.mem_id]
    sources = [attribute(script, "src") for script in (*others, theme)]
    loader = AFTER_PAINT.replace("{{ styles }}", later).replace("{{ scripts | tojson }}", json.dumps(sources))
    for script in others:
        script.decompose()
    theme.replace_with(page.element("script", loader))


def remove_indentation(page: Page) -> None:
    """Remove the indentation: a page that fits into a connection's first ten packets arrives one round trip sooner."""
    kept = {node.mem_id for box in page.tree.css("pre, script, textarea") for node in box.traverse(include_text=True)}
    assert page.tree.root is not None
    for node in list(page.tree.root.traverse(include_text=True)):
        if node.is_text_node and node.mem_id not in kept and "\n" in (text := node.text_content or ""):
            node.replace_with(_BLANKS.sub("\n", text))


def merge_spans(page: Page) -> None:
    """Put words of code that have the same color into one element, with the spaces between them, which need none."""
    for code in page.tree.css(".highlight pre"):
        code.inner_html = _ALIKE.sub(_merged, _COLORLESS.sub(r"\1", code.inner_html or ""))


def _merged(alike: re.Match[str]) -> str:
    return f'<span class="{alike[1]}">{re.sub("<[^>]*>", "", alike[0])}</span>'


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
