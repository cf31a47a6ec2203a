"""What a page loads, and when: its text and one style sheet, then the theme's script, the search when it is used."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from proof.errors import UsageError, Where
from publish.material import made_by_material
from publish.page import Page

_STYLE = r'<link rel="stylesheet" href="[^"]*">\s*'
_BUNDLE = r'<script src="([^"]*assets/javascripts/bundle[^"]*)"></script>'
_WORKER = r'("search":\s*")[^"]*/workers/[^"]*"'
# The script is a third of a page's bytes and most of its work, and the text needs none of it. It waits for an event
# that is over by the time it runs, and is told of it again.
_AFTER_PAINT = """<script>
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(() => {
  const script = document.createElement("script")
  script.src = "%s"
  script.onload = () => document.dispatchEvent(new Event("DOMContentLoaded"))
  document.body.append(script)
})), { once: true })
</script>"""


def join_styles(site: Path, pages: list[Page]) -> str:
    """One style sheet of all that the pages name, in their order; its path in the site, or nothing to join."""
    lists = {tuple(_path(page, href) for href in page.reads.styles) for page in pages}
    if not all(made_by_material(page) for page in pages):
        return ""
    if len(lists) != 1:
        raise UsageError("the pages name different style sheets, which cannot be one", where=Where(site))
    texts = [(site / path).read_text("utf-8") for path in next(iter(lists))]
    joined = re.sub(r"/\*.*?\*/|@charset[^;]*;", "", "\n".join(texts), flags=re.DOTALL)
    if strange := re.search(r"url\((?![\"']?data:)[^)]*\)|@import[^;]*;", joined):
        raise UsageError("a style sheet names a file, and is about to be moved", where=Where(site), evidence=strange[0])
    name = f"assets/style.{hashlib.sha256(joined.encode()).hexdigest()[:8]}.css"
    (site / name).write_text(f'@charset "UTF-8";{joined}', "utf-8")
    return name


def lighten(page: Page, style: str) -> Page:
    """The page with one style sheet, its script after the first paint, and a search that waits to be used."""
    if not style:
        return page
    page = page.sub(f"(?:{_STYLE})", "").in_head(f'<link rel="stylesheet" href="{page.base}{style}">')
    page = page.sub(_BUNDLE, lambda found: _AFTER_PAINT % found[1])
    return page.sub(_WORKER, rf'\g<1>{page.base}search/search.js"')


def search_on_demand(site: Path) -> None:
    """Put a worker before the theme's, and an index without documents before the whole one: see search.js."""
    index, workers = site / "search" / "search_index.json", list(site.glob("assets/javascripts/workers/search.*.js"))
    if not index.is_file() or len(workers) != 1:
        return
    whole = json.loads(index.read_text("utf-8"))
    index.rename(index.with_name("documents.json"))
    index.write_text(json.dumps({**whole, "docs": []}), "utf-8")
    script = (files("publish") / "search.js").read_text("utf-8")
    index.with_name("search.js").write_text(script.replace("WORKER", f"../{workers[0].relative_to(site)}"), "utf-8")


def _path(page: Page, href: str) -> str:
    """A style sheet's path in the site."""
    return href.removeprefix(page.base).removeprefix("./")
