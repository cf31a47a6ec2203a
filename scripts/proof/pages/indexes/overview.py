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
    yield from ("", "## By page", "", "| Page | Transcripts | Numbers | Claims |", "|---|--:|--:|--:|")
    for report in page.rendering.list_pages():
        counts = (len(report.page.shown), report.page.bound, len(report.page.claims))
        if any(counts) and not report.page.generated:
            yield f"| [{prose(report.title, page)}]({path(report, page)}) | {' | '.join(map(str, counts))} |"
    yield ""


def _claims(page: Page) -> Iterator[str]:
    reports = page.rendering.list_pages()
    rows = [
        row(sentence(claim.sentence, report), f"<code>{as_html(claim.predicate)}</code>", as_html(claim.values))
        for report in reports
        for claim in report.page.claims
    ]
    yield from ("", "## Claims", "")
    yield "Each sentence that draws a conclusion, what must hold for it, and the values for which it was found to hold."
    yield from table(page, ("Sentence", "Holds if", "Over"), rows, kind="claims")
    rows = [
        row(sentence(waiver.sentence, report), as_html(waiver.reason))
        for report in reports
        for waiver in report.page.waivers
    ]
    if rows:
        yield from ("", "## Waivers", "", "Sentences with a number or a name that no capture backs, and why they may.")
        yield from table(page, ("Sentence", "Why"), rows, kind="claims")


def _cited(page: Page) -> Iterator[str]:
    rows = []
    for fact in page.book.cited.values():
        assert isinstance(fact.origin, Source)
        title, url = as_html(fact.origin.title), as_html(fact.origin.url)
        source = f'<a href="{url}">{title}</a>' if url else title
        name, value, date = as_html(fact.name), as_html(str(fact)), as_html(fact.origin.date)
        rows.append(row(f"<code>{name}</code>", value, f"{source}, {date}"))
    if rows:
        yield from ("", "## Cited", "")
        yield "Figures that others published, or that one run of the benchmarks gave. They are shown as such; no run is"
        yield "compared with them."
        yield from table(page, ("Figure", "Written", "Source"), rows)
