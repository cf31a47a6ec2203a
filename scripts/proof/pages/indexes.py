"""Generates the Markdown of the pages that list everything: `{{ proof }}`, `{{ measurements }}` and `{{ errors }}`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from proof.captures.buildkit_log import mask_reference, split_counters
from proof.captures.model import Capture
from proof.core import units
from proof.core.errors import PageError
from proof.core.text import as_html
from proof.facts.values import Source
from proof.pages import verbatim
from proof.pages.page import Message, Page, PageReport
from proof.pages.transcript import anchor
from proof.snippets import project
from proof.snippets.model import Snippet, Step
from proof.snippets.places import LABELS, Wording, wording_of

_CODE = re.compile(r"`([^`]+)`")


def proof(page: Page) -> list[str]:
    """The Markdown for `{{ proof }}`: every claim, waiver and cited figure."""
    return [*_pages(page), *_claims(page), *_cited(page)]


def measurements(page: Page) -> list[str]:
    """The Markdown for `{{ measurements }}`: every snippet with its steps and facts."""
    return [*_snippets(page), *_not_measured(page)]


def errors(page: Page) -> list[str]:
    """The Markdown for `{{ errors }}`: every expected error message that the page has not listed yet, by alphabet."""
    known = _collected(page)
    found = [known.pop(text) for text in sorted(known, key=str.lower)]
    return [line for message in found for line in _entry(message)]


def error(page: Page, step: str) -> list[str]:
    """The Markdown for `{{ error snippet/step }}`: the message of that step, where the page wants it.

    Raises PageError if no page shows that step, if it does not fail, or if its message is already on the page.
    """
    known = _collected(page)
    message = next((found for found in known.values() if step in found.steps), None)
    if message is None:
        what = f"'{step}' has no error message that is left to list"
        raise PageError(what, hint="name a step with `exit` that a page shows, and each message once")
    return _entry(known.pop(message.text))


def _collected(page: Page) -> dict[str, Message]:
    """The messages of all steps that fail and that a page shows, without those already listed.

    They are collected once for a page, because it may list each of them by itself.
    """
    if page.messages is None:
        page.messages = {}
        steps = {str(step): step for snippet in project.load_all(page.root) for step in snippet.steps}
        for scanned in page.list_pages():
            for name in [] if scanned.page.generated else scanned.page.shown:
                if name in steps and not steps[name].unlisted:
                    _collect(steps[name], scanned, page, page.messages)
    return page.messages


def _collect(step: Step, scanned: PageReport, page: Page, known: dict[str, Message]) -> None:
    """Add the message of a step, as one page shows it, to the messages that are `known`."""
    worded = _messages(step, page)
    if not worded:
        return
    page.snippets.add(step.snippet)
    text, *others = dict.fromkeys(worded.values())
    message = known.setdefault(text, Message(text))
    message.steps.append(str(step))
    sentences = [_prose(step.remedy)] if step.remedy else []
    sentences += [f"{_by(worded, other)} says <code>{_inline(other)}</code>." for other in others]
    message.remedies += [sentence for sentence in sentences if sentence not in message.remedies]
    if not any(f"]({_path(scanned, page)}#" in other for other in message.links):
        message.links.append(_link(scanned, page, step))


def _entry(message: Message) -> list[str]:
    # A heading, because search ranks and links headings; in HTML, so that no table of contents lists it.
    name = re.sub(r"\W+", "-", message.text.lower()).strip("-")
    heading = f'<h3 class="message" id="{name}"><code>{_inline(message.text)}</code></h3>'
    return ["", heading, "", " ".join([*message.remedies, f"→ {' · '.join(message.links)}"]), ""]


def _messages(step: Step, page: Page) -> dict[Wording, str]:
    """The error message of a step in the words of each engine with which it fails."""
    found: dict[Wording, str] = {}
    for capture in page.book.shown(step.snippet):
        done, declared = capture.step(step.name), step.on(capture.engine)
        if done is not None and declared.exit:
            found[wording_of(capture.engine) or ""] = _message(done.output, declared.expect)
    return found


def _by(worded: Mapping[Wording, str], message: str) -> str:
    return next(LABELS[wording] for wording, text in worded.items() if text == message)


def _message(output: str, expect: str) -> str:
    """The last line with the expected text, as a reader would paste it, without the parts that vary."""
    line = next((line for line in reversed(output.splitlines()) if expect in line), expect)
    counters, line = split_counters(line)
    if not counters:
        line = re.sub(r"^\d+\.\d+ ", "", line)  # BuildKit repeats a failed step's lines without its number
    return mask_reference(line, "…").strip()


def _link(scanned: PageReport, page: Page, step: Step) -> str:
    """A link from `page` to the place where another page shows a step."""
    return f"[{_prose(scanned.title.rstrip('?'))}]({_path(scanned, page)}#{anchor(step.snippet, step.name)})"


def _path(scanned: PageReport, page: Page) -> str:
    """The URL of another page, relative to `page`. It is quoted, because a file may have any name."""
    here = page.path.parent if page.path else page.docs
    return quote(Path(os.path.relpath(scanned.path, here)).as_posix())


def _pages(page: Page) -> Iterator[str]:
    scanned = [found for found in page.list_pages() if not found.page.generated]
    yield from ("", "## By page", "", "| Page | Transcripts | Numbers | Claims |", "|---|--:|--:|--:|")
    for found in scanned:
        counts = (len(found.page.shown), found.page.bound, len(found.page.claims))
        if any(counts):
            yield f"| [{_prose(found.title)}]({_path(found, page)}) | {' | '.join(map(str, counts))} |"
    yield ""


def _claims(page: Page) -> Iterator[str]:
    scanned = page.list_pages()
    rows = [
        _row(_sentence(claim.sentence, found), f"<code>{_inline(claim.predicate)}</code>", _inline(claim.values))
        for found in scanned
        for claim in found.page.claims
    ]
    waived = [(found, waiver) for found in scanned for waiver in found.page.waivers]
    yield from ("", "## Claims", "")
    yield "Each sentence that draws a conclusion, what must hold for it, and the values for which it was found to hold."
    yield from _table(("Sentence", "Holds if", "Over"), rows, kind="claims")
    if waived:
        rows = [_row(_sentence(waiver.sentence, found), _inline(waiver.reason)) for found, waiver in waived]
        yield from ("", "## Waivers", "", "Sentences with a number or a name that no capture backs, and why they may.")
        yield from _table(("Sentence", "Why"), rows, kind="claims")


def _snippets(page: Page) -> Iterator[str]:
    showing: dict[str, list[PageReport]] = {}
    for found in page.list_pages():
        for name in () if found.page.generated else dict.fromkeys(found.page.shown):
            showing.setdefault(name, []).append(found)
    yield from ("", "## Snippets", "")
    yield "Every command in the order in which it ran, with all that was measured of its image. What a command printed"
    yield "is on the page that shows it; what no page shows is here."
    for snippet in project.load_all(page.root):
        captures = page.book.shown(snippet.name)
        yield from ("", f"### {verbatim.text(snippet.title)} {{ #{snippet.name.replace('_', '-')} }}", "")
        if not captures:
            yield "Not captured yet."
            continue
        page.snippets.add(snippet.name)
        for step in snippet.steps:
            shown = [_link(found, page, step) for found in showing.get(str(step), ())]
            if shown:
                yield from ("", f"{verbatim.code(step.text)} → {' · '.join(shown)}", "")
            else:
                yield from ("", f"{{{{ transcript {step} }}}}", "")
        yield from _facts(snippet, captures)


def _facts(snippet: Snippet, captures: Sequence[Capture]) -> Iterator[str]:
    """The facts of a snippet. Those of the first capture come before those that only another engine shows."""
    facts = {name: fact for capture in reversed(captures) for name, fact in capture.facts.items()}
    order = dict.fromkeys(name for capture in captures for name in capture.facts)
    rows = [
        _row(
            f"<code>{snippet.name}.{_inline(name)}</code>",
            _inline(units.written(fact.value, fact.unit)),
            f"{fact.value:,} B" if fact.unit == "B" else "",
            _inline(fact.source),
        )
        for name, fact in ((name, facts[name]) for name in order)
    ]
    if rows:
        yield from _table(("Fact", "Written", "Exactly", "From"), rows, kind="facts")


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
        title, url = _inline(fact.origin.title), _inline(fact.origin.url)
        source = f'<a href="{url}">{title}</a>' if url else title
        rows.append(
            _row(f"<code>{_inline(fact.name)}</code>", _inline(str(fact)), f"{source}, {_inline(fact.origin.date)}")
        )
    yield from _table(("Figure", "Written", "Source"), rows)


def _not_measured(page: Page) -> Iterator[str]:
    unshown = [
        _row(f"<code>{_inline(str(step))}</code>", _inline(step.unshown))
        for snippet in project.load_all(page.root)
        for step in snippet.steps
        if step.unshown
    ]
    if unshown:
        yield from ("", "## Run, and shown on this page alone", "")
        yield from _table(("Step", "Why"), unshown)


def _sentence(text: str, found: PageReport) -> str:
    return f"{_inline(text)} <small>({_inline(found.path.relative_to(found.page.docs).as_posix())})</small>"


def _prose(text: str) -> str:
    """Untrusted text for a line of Markdown. The only markup that it may contain is `code`."""
    pieces = _CODE.split(" ".join(text.split()))  # alternately text and code
    return "".join((verbatim.code if i % 2 else verbatim.text)(piece) for i, piece in enumerate(pieces) if piece)


def _inline(raw: str) -> str:
    """Untrusted text as HTML on one line, because Markdown reads line by line, and a line could start a fence."""
    return as_html(raw).replace("\n", "&#10;")


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(header: tuple[str, ...], rows: list[str], *, kind: str = "") -> Iterator[str]:
    # Raw HTML: the cells are escaped already, and no Markdown processor reads them.
    head = "".join(f"<th>{name}</th>" for name in header)
    table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    yield from ("", f'<div class="{kind}"><table class="{kind}">{table}</div>' if kind else f"<table>{table}", "")
