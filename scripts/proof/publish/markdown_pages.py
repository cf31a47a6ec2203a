"""Writes each page as Markdown beside it, with a link to it on the page, and llms.txt: for programs and for copying."""

from __future__ import annotations

import itertools
from pathlib import Path

from selectolax.lexbor import LexborNode

from proof.publish import citations, gfm, head
from proof.publish.page import Page

_CONTENT = ("article", "[role=main]", "main")  # what themes put a page's content into
_TYPE = "text/markdown"


def write(page: Page) -> None:
    """Write a page's Markdown next to it, and add a link to it. Nothing if it has no content that a theme marks."""
    content = next(filter(None, map(page.tree.css_first, _CONTENT)), None)
    if content is None or not page.listed:
        return
    path = _path(page)
    text = gfm.written(content, page.address, _source(page, content), notes=page.url)
    path.write_text(text, "utf-8", newline="\n")
    address = {"href": path.name, "type": _TYPE}
    # The theme would take `alternate` alone for another version of the site; and nobody has to index a page twice.
    page.add_to_head(page.element("link", rel="alternate nofollow", **address))
    box = page.element("p", **{"class": "as-markdown"})
    box.insert_child(page.element("a", "View as Markdown", **address))
    if page.address:
        citations.write(page)
        for before, (label, (name, kind)) in zip((" · Cite: ", ", "), citations.FILES.items(), strict=True):
            box.insert_child(before)
            box.insert_child(page.element("a", label, href=name, type=kind))
    content.insert_child(box)


def write_index(site: Path, pages: list[Page]) -> None:
    """Write llms.txt, a list of the pages, and llms-full.txt, which holds all of them, if the address is known."""
    written = [page for page in pages if page.address and _path(page).is_file()]
    if not written:
        return
    written.sort(key=lambda page: page.url != "")
    front = written[0]
    indexes = {page.url: head.heading(page) for page in written if page.url}
    groups: dict[str, list[str]] = {}
    for page in written:
        section = f"{page.url.partition('/')[0]}/"
        of = indexes.get(section, "") if page.url.count("/") > 1 else ""
        line = gfm.link(gfm.text(head.heading(page)), f"{page.address}{_path(page).name}")
        about = page.meta("description")
        groups.setdefault(of or "Pages", []).append(f"- {line}: {gfm.text(about)}" if about else f"- {line}")
    lists = itertools.chain.from_iterable((f"## {gfm.text(of)}", "\n".join(lines)) for of, lines in groups.items())
    top = [f"# {gfm.text(head.heading(front))}", f"> {gfm.text(front.meta('description'))}", *lists]
    (site / "llms.txt").write_text("\n\n".join(top) + "\n", "utf-8", newline="\n")
    with (site / "llms-full.txt").open("w", encoding="utf-8", newline="\n") as whole:
        for page in written:
            whole.write(f"{_path(page).read_text('utf-8')}\n")


def _source(page: Page, content: LexborNode) -> str:
    """Where it comes from, and when its numbers were measured."""
    title = gfm.text(page.title.strip())
    return f"From {gfm.link(title, page.address) if page.address else title}. {gfm.measured(content)}".strip()


def _path(page: Page) -> Path:
    return page.path.with_suffix(".md")
