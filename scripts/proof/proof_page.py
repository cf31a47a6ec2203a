"""Pages that list what there is, as Markdown that the page itself then renders: Proof, and the index of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from proof import facts, manifest, pages
from proof.capture import Capture
from proof.facts import Source
from proof.manifest import Snippet
from proof.page import Page
from proof.pages import Scanned
from proof.transcript import anchor, visible


def lines(page: Page) -> list[str]:
    """What `{{ proof }}` stands for."""
    return [*_claims(page), *_snippets(page), *_cited(page), *_not_measured(page)]


def errors(page: Page) -> list[str]:
    """What `{{ errors }}` stands for: every message of an expected failure, and the pages that show and explain it."""
    steps = {str(step): step for snippet in manifest.load_all(page.root) for step in snippet.steps if step.exit}
    found: dict[str, list[str]] = {}
    for scanned in pages.scan(page.root, page.book, expand=False):
        for name in [] if scanned.page.generated else scanned.page.shown:
            capture = page.book.captures.get(name.partition("/")[0])
            step, done = steps.get(name), capture.step(name.partition("/")[2]) if capture else None
            if step is None or done is None:
                continue
            page.snippets.add(step.snippet)
            path = scanned.path.relative_to(page.docs).as_posix()
            link = f"[{_title(scanned.path).rstrip('?')}]({path}#{anchor(step.snippet, step.name)})"
            links = found.setdefault(_message(done.output, step.expect), [])
            if not any(f"]({path}#" in other for other in links):
                links.append(link)
    written: list[str] = []
    for message in sorted(found, key=str.lower):
        written += ["", f'<pre class="message"><code>{escape(visible(message))}</code></pre>', ""]
        written += [f"→ {' · '.join(found[message])}", ""]
    return written


def _message(output: str, expect: str) -> str:
    """The line that holds the expected piece, without what is another one each time."""
    line = next((line for line in output.splitlines() if expect in line), expect)
    line = re.sub(r"^#\d+ (?:\d+\.\d+ )?", "", line)  # a build log's number and seconds
    return re.sub(r"\bref [0-9a-f-]{36}::\w+", "ref …", line).strip()


def _title(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return found[1].strip() if found else path.stem


def _claims(page: Page) -> Iterator[str]:
    scanned = pages.scan(page.root, page.book, expand=False)
    rows = [
        _row(_sentence(claim.sentence, found), f"<code>{escape(claim.predicate)}</code>", escape(claim.values))
        for found in scanned
        for claim in found.page.claims
    ]
    waived = [(found, waiver) for found in scanned for waiver in found.page.waivers]
    yield from ("", "## Claims", "")
    yield "Each sentence that draws a conclusion, what must hold for it, and the values for which it was found to hold."
    yield from _table(("Sentence", "Holds if", "Over"), rows)
    if waived:
        rows = [_row(_sentence(waiver.sentence, found), escape(waiver.reason)) for found, waiver in waived]
        yield from ("", "## Waivers", "", "Sentences with a number or a name that no capture backs, and why they may.")
        yield from _table(("Sentence", "Why"), rows)


def _snippets(page: Page) -> Iterator[str]:
    yield from ("", "## Snippets", "")
    yield "Every command in the order in which it ran, with all that was measured of its image."
    for snippet in manifest.load_all(page.root):
        capture = page.book.captures.get(snippet.name)
        yield from ("", f"### {snippet.title} {{ #{snippet.name.replace('_', '-')} }}", "")
        if capture is None:
            yield "Not captured yet."
            continue
        page.snippets.add(snippet.name)
        for step in snippet.steps:
            yield from ("", f"{{{{ transcript {snippet.name}/{step.name} }}}}", "")
        yield from _facts(snippet, capture)


def _facts(snippet: Snippet, capture: Capture) -> Iterator[str]:
    rows = [
        _row(
            f"<code>{snippet.name}.{escape(name)}</code>",
            escape(facts.written(fact.value, fact.unit)),
            f"{fact.value:,} B" if fact.unit == "B" else "",
            escape(fact.source),
        )
        for name, fact in capture.facts.items()
    ]
    if rows:
        yield from _table(("Fact", "Written", "Exactly", "From"), rows)


def _cited(page: Page) -> Iterator[str]:
    found = [fact for fact in page.book.values() if isinstance(fact.origin, Source)]
    if not found:
        return
    yield from ("", "## Cited", "")
    yield "Figures that others published, or that one run of the benchmarks gave. They are shown as such; no run is"
    yield "compared with them."
    rows = []
    for fact in found:
        assert isinstance(fact.origin, Source)
        title, url = escape(fact.origin.title), escape(fact.origin.url)
        source = f'<a href="{url}">{title}</a>' if url else title
        rows.append(
            _row(f"<code>{escape(fact.name)}</code>", escape(str(fact)), f"{source}, {escape(fact.origin.date)}")
        )
    yield from _table(("Figure", "Written", "Source"), rows)


def _not_measured(page: Page) -> Iterator[str]:
    unshown = [
        _row(f"<code>{escape(str(step))}</code>", escape(step.unshown))
        for snippet in manifest.load_all(page.root)
        for step in snippet.steps
        if step.unshown
    ]
    if unshown:
        yield from ("", "## Run, and shown on this page alone", "")
        yield from _table(("Step", "Why"), unshown)


def _sentence(text: str, found: Scanned) -> str:
    return f"{escape(text)} <small>({escape(found.path.name)})</small>"


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(header: tuple[str, ...], rows: list[str]) -> Iterator[str]:
    # Raw HTML: what stands in the cells is escaped here, and is read by no Markdown processor.
    head = "".join(f"<th>{name}</th>" for name in header)
    yield from ("", f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>", "")
