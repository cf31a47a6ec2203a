"""Everything that was claimed, waived and cited: `{{ proof }}`."""

from __future__ import annotations

from collections.abc import Iterator

from proof.core.text import as_html
from proof.facts.values import Source
from proof.pages.indexes.writing import path, prose, row, sentence, table
from proof.pages.page import Page


def proof(page: Page) -> list[str]:
    """The Markdown for `{{ proof }}`: every claim, waiver and cited figure."""
    return [*_pages(page), *_claims(page), *_cited(page)]


def _pages(page: Page) -> Iterator[str]:
    scanned = [found for found in page.rendering.list_pages() if not found.page.generated]
    yield from ("", "## By page", "", "| Page | Transcripts | Numbers | Claims |", "|---|--:|--:|--:|")
    for found in scanned:
        counts = (len(found.page.shown), found.page.bound, len(found.page.claims))
        if any(counts):
            yield f"| [{prose(found.title, page)}]({path(found, page)}) | {' | '.join(map(str, counts))} |"
    yield ""


def _claims(page: Page) -> Iterator[str]:
    scanned = page.rendering.list_pages()
    rows = [
        row(sentence(claim.sentence, found), f"<code>{as_html(claim.predicate)}</code>", as_html(claim.values))
        for found in scanned
        for claim in found.page.claims
    ]
    waived = [(found, waiver) for found in scanned for waiver in found.page.waivers]
    yield from ("", "## Claims", "")
    yield "Each sentence that draws a conclusion, what must hold for it, and the values for which it was found to hold."
    yield from table(page, ("Sentence", "Holds if", "Over"), rows, kind="claims")
    if waived:
        rows = [row(sentence(waiver.sentence, found), as_html(waiver.reason)) for found, waiver in waived]
        yield from ("", "## Waivers", "", "Sentences with a number or a name that no capture backs, and why they may.")
        yield from table(page, ("Sentence", "Why"), rows, kind="claims")


def _cited(page: Page) -> Iterator[str]:
    found = list(page.book.cited.values())
    if not found:
        return
    yield from ("", "## Cited", "")
    yield "Figures that others published, or that one run of the benchmarks gave. They are shown as such; no run is"
    yield "compared with them."
    rows = []
    for fact in found:
        assert isinstance(fact.origin, Source)
        title, url = as_html(fact.origin.title), as_html(fact.origin.url)
        source = f'<a href="{url}">{title}</a>' if url else title
        rows.append(
            row(f"<code>{as_html(fact.name)}</code>", as_html(str(fact)), f"{source}, {as_html(fact.origin.date)}")
        )
    yield from table(page, ("Figure", "Written", "Source"), rows)
