"""Reduces what a page loads: a small style sheet, scripts after the text, the search only if it is used.

Code that is highlighted gets fewer elements, because a browser computes the style of each.
"""

from __future__ import annotations

import base64
import json
import re
from importlib.resources import files
from pathlib import Path

from proof.publish.page import Page
from proof.publish.scripts import AFTER_PAINT
from proof.publish.styles import Styles

_ICON = r'<link rel="icon" href="([\w.~/%-]*\.svg)">'
_STYLE = r'<link rel="stylesheet" href="[^"]*">\s*'
_BUNDLE = r'<script src="([\w.~/%-]*assets/javascripts/bundle[\w.-]*)"></script>'
_DEFERRED = r'<script src="([\w.~/%-]+)" defer></script>'
# A line end with the whitespace around it, or a whole element in which whitespace matters.
_BLANKS = r"(?s)(<(pre|script)\b.*?</\2>)|\s*\n\s*"
_HIGHLIGHTED = r'(?s)<div class="[^"]*\bhighlight">.*?</pre>'
# Blanks and names: Material and the style sheets of Pygments give names the color of other text, or nearly that.
_COLORLESS = re.compile(r'<span(?: class="(?:w|n|nx)")?>([^<]*)</span>')
_ALIKE = re.compile(r'<span class="(\w+)">[^<]*</span>(?:\s*<span class="\1">[^<]*</span>)+')
_WORKER = r'("search":\s*")[^"]*/workers/[^"]*"'


def reduce_loading(page: Page, styles: Styles) -> Page:
    """Use these style sheets, load scripts after the first paint, and load the search when it is first used.

    The second style sheet comes with the scripts. Without scripts, it is only needed for printing.
    The icon, for which a browser would ask at about the time of the first paint, is put into the page.
    """
    later = page.base + styles.later
    page = page.sub(f"(?:{_STYLE})", "").in_head(
        f'<link rel="stylesheet" href="{page.base}{styles.first}">',
        f'<noscript><link rel="stylesheet" href="{later}" media="print"></noscript>',
    )
    deferred = re.findall(_DEFERRED, page.html)
    page = page.sub(_DEFERRED, "", least=0)
    loader = AFTER_PAINT.replace("{{ styles }}", later)
    page = page.sub(_BUNDLE, lambda m: loader.replace("{{ scripts | tojson }}", json.dumps([*deferred, m[1]])))
    page = page.sub(_ICON, lambda found: f'<link rel="icon" href="{_as_data(page.file(found[1]))}">', least=0)
    return page.sub(_WORKER, rf'\g<1>{page.base}search/search.js"')


def _as_data(svg: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.read_bytes()).decode()}"


def remove_indentation(page: Page) -> Page:
    """Remove the indentation: a page that fits into a connection's first ten packets arrives one round trip sooner."""
    return page.sub(_BLANKS, lambda found: found[1] or "\n", least=0)


def merge_spans(page: Page) -> Page:
    """Put words of code that have the same color into one element, with the spaces between them, which need none."""
    return page.sub(_HIGHLIGHTED, lambda found: _ALIKE.sub(_merged, _COLORLESS.sub(r"\1", found[0])), least=0)


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
