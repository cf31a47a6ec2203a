"""Generates the Markdown of the pages that list everything: `{{ proof }}`, `{{ measurements }}` and `{{ errors }}`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from proof.captures.buildkit_log import mask_reference, split_counters
from proof.captures.model import Capture
from proof.captures.normalise import without_ignored
from proof.core import units
from proof.core.errors import PageError
from proof.core.text import as_html, did_you_mean
from proof.facts.values import Source
from proof.pages import flag_spans
from proof.pages.page import Message, Page, PageReport
from proof.pages.transcript import anchor
from proof.snippets import manifest, project
from proof.snippets.engine_version import LABELS, Wording
from proof.snippets.model import Snippet, Step

_CODE = re.compile(r"`([^`]+)`")


def lines(page: Page, named: re.Match[str]) -> list[str]:
    """The Markdown of the list that a line of a page names: see `page.INDEX`."""
    if named["step"]:
        return error(page, named["step"])
    if named["snippet"]:
        return measurements_of(page, named["snippet"])
    return {"proof": proof, "measurements": measurements, "errors": errors}[named["list"]](page)


def proof(page: Page) -> list[str]:
    """The Markdown for `{{ proof }}`: every claim, waiver and cited figure."""
    return [*_pages(page), *_claims(page), *_cited(page)]


def measurements(page: Page) -> list[str]:
    """The Markdown for `{{ measurements }}`: every snippet with its steps and facts, or a link to its own page."""
    pages = _pages_of_snippets(page)
    snippets = project.load_all(page.root)
    for snippet in snippets:
        page.site.check_texts(snippet)
    own = [snippet for snippet in snippets if snippet.folder.name in pages]
    rest = [snippet for snippet in snippets if snippet.folder.name not in pages]
    return [*_linked(own, pages, page), *_snippets(rest, page), *_not_measured(rest, page)]


def measurements_of(page: Page, name: str) -> list[str]:
    """The Markdown for `{{ measurements NAME }}`: the steps, outputs and facts of one snippet with all its variants.

    Raises PageError if there is no such snippet.
    """
    folder = page.root / "snippets" / name
    if folder.parent != page.root / "snippets" or not (folder / "snippet.toml").is_file():
        near = did_you_mean(name, [folder.name for folder in project.folders(page.root)])
        what = f"there is no snippet '{name:.60}'{near}"
        raise PageError(what, hint="name a directory of snippets/, or delete this page")
    snippets = manifest.variants(folder)
    for snippet in snippets:
        page.site.check_texts(snippet)
    showing = _showing(page)
    lists = [found for found in page.rendering.list_pages() if "measurements" in found.page.lists]
    back = [f"[All measurements]({_path(found, page)})" for found in lists]
    written = [f"# {_text(_common_title(snippets), page)} {{ #{_anchor(name)} }}", ""]
    written += [" · ".join([*back, f"run it again: `proof check {name}`"]), ""]
    one_title = len({snippet.title for snippet in snippets}) == 1
    for snippet in snippets:
        heading, address = ("Commands", "commands") if len(snippets) == 1 else (snippet.title, _anchor(snippet.name))
        if one_title and snippet.variant:  # headings have to differ, or a screen reader can't tell the sections apart
            heading = snippet.variant
        written += ["", f"## {_text(heading, page)} {{ #{address} }}", ""]
        written += _one(snippet, page, showing, transcripts=True)
    return written


def errors(page: Page) -> list[str]:
    """The Markdown for `{{ errors }}`: every expected error message that the page has not listed yet, by alphabet."""
    known = _collected(page)
    found = [known.pop(text) for text in sorted(known, key=str.lower)]
    return [line for message in found for line in _entry(message, page)]


def error(page: Page, step: str) -> list[str]:
    """The Markdown for `{{ error snippet/step }}`: the message of that step, where the page wants it.

    Raises PageError if no page shows that step, if it does not fail, or if its message is already on the page.
    """
    known = _collected(page)
    message = next((found for found in known.values() if step in found.steps), None)
    if message is None:
        what = f"'{step}' has no error message that is left to list"
        raise PageError(what, hint="name a step with `exit` that a page shows, and each message once")
    return _entry(known.pop(message.text), page)


def _collected(page: Page) -> dict[str, Message]:
    """The messages of all steps that fail and that a page shows, without those already listed.

    They are collected once for a page, because it may list each of them by itself.
    """
    if page.rendering.messages is None:
        page.rendering.messages = {}
        steps = {str(step): step for snippet in project.load_all(page.root) for step in snippet.steps}
        for scanned in page.rendering.list_pages():
            for name in [] if scanned.page.generated else scanned.page.shown:
                if name in steps and not steps[name].unlisted:
                    _collect(steps[name], scanned, page, page.rendering.messages)
        names: Counter[str] = Counter()
        for message in page.rendering.messages.values():
            name = re.sub(r"\W+", "-", message.text.lower()).strip("-_") or "message"
            names[name] += 1
            message.name = name if names[name] == 1 else f"{name}-{names[name]}"
    return page.rendering.messages


def _collect(step: Step, scanned: PageReport, page: Page, known: dict[str, Message]) -> None:
    """Add the message of a step, as one page shows it, to the messages that are `known`."""
    worded = _messages(step, page)
    if not worded:
        return
    page.shown_snippet(step.snippet)
    different: dict[str, str] = {}  # by what does not vary from run to run
    for wording in worded.values():
        different.setdefault(without_ignored(wording, step).rstrip("."), wording)
    text, *others = different.values()
    message = known.setdefault(text, Message(text))
    message.steps.append(str(step))
    sentences = [_prose(step.remedy, page)] if step.remedy else []
    sentences += [f"{_by(worded, other)} says {_code(other, page)}." for other in others]
    message.remedies += [sentence for sentence in sentences if sentence not in message.remedies]
    if not any(f"]({_path(scanned, page)}#" in other for other in message.links):
        message.links.append(_link(scanned, page, step))


def _entry(message: Message, page: Page) -> list[str]:
    # A heading, because search ranks and links headings. No table of contents lists those of this class.
    heading = f"### {page.rendering.stash(f'<code>{as_html(message.text)}</code>')} {{ #{message.name} .message }}"
    return ["", heading, "", " ".join([*message.remedies, f"→ {' · '.join(message.links)}"]), ""]


def _messages(step: Step, page: Page) -> dict[Wording, str]:
    """The error message of a step in the words of each engine with which it fails."""
    found: dict[Wording, str] = {}
    for capture in page.book.shown(step.snippet):
        done, declared = capture.step(step.name), step.on(capture.engine)
        if done is not None and declared.exit:
            found[capture.engine.wording or "docker-28"] = _message(done.output, declared.expect)
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
    return f"[{_prose(scanned.title.rstrip('?'), page)}]({_path(scanned, page)}#{anchor(step.snippet, step.name)})"


def _path(scanned: PageReport, page: Page) -> str:
    """The URL of another page, relative to `page`. It is quoted, because a file may have any name."""
    here = page.document.path.parent if page.document.path else page.options.docs
    return quote(Path(os.path.relpath(scanned.path, here)).as_posix())


def _pages(page: Page) -> Iterator[str]:
    scanned = [found for found in page.rendering.list_pages() if not found.page.generated]
    yield from ("", "## By page", "", "| Page | Transcripts | Numbers | Claims |", "|---|--:|--:|--:|")
    for found in scanned:
        counts = (len(found.page.shown), found.page.bound, len(found.page.claims))
        if any(counts):
            yield f"| [{_prose(found.title, page)}]({_path(found, page)}) | {' | '.join(map(str, counts))} |"
    yield ""


def _claims(page: Page) -> Iterator[str]:
    scanned = page.rendering.list_pages()
    rows = [
        _row(_sentence(claim.sentence, found), f"<code>{as_html(claim.predicate)}</code>", as_html(claim.values))
        for found in scanned
        for claim in found.page.claims
    ]
    waived = [(found, waiver) for found in scanned for waiver in found.page.waivers]
    yield from ("", "## Claims", "")
    yield "Each sentence that draws a conclusion, what must hold for it, and the values for which it was found to hold."
    yield from _table(page, ("Sentence", "Holds if", "Over"), rows, kind="claims")
    if waived:
        rows = [_row(_sentence(waiver.sentence, found), as_html(waiver.reason)) for found, waiver in waived]
        yield from ("", "## Waivers", "", "Sentences with a number or a name that no capture backs, and why they may.")
        yield from _table(page, ("Sentence", "Why"), rows, kind="claims")


def _showing(page: Page) -> dict[str, list[PageReport]]:
    """The pages that show each step, by snippet/step."""
    showing: dict[str, list[PageReport]] = {}
    for found in page.rendering.list_pages():
        for name in () if found.page.generated else dict.fromkeys(found.page.shown):
            showing.setdefault(name, []).append(found)
    return showing


def _pages_of_snippets(page: Page) -> dict[str, PageReport]:
    """The page with the measurements of each snippet that has its own, by the snippet's directory."""
    return {
        name.partition("/")[2]: found
        for found in page.rendering.list_pages()
        for name in found.page.lists
        if name.startswith("measurements/")
    }


def _anchor(name: str) -> str:
    """The address of a snippet on the page with its measurements."""
    return name.replace("_", "-")


def _common_title(snippets: Sequence[Snippet]) -> str:
    """The title of a snippet. Where its variants have several, the words with which all of them begin."""
    titles = list(dict.fromkeys(snippet.title for snippet in snippets))
    if len(titles) == 1:
        return titles[0]
    columns = takewhile(lambda words: len(set(words)) == 1, zip(*(title.split() for title in titles), strict=False))
    return " ".join([*(words[0] for words in columns), "…"])


def _linked(snippets: Sequence[Snippet], pages: Mapping[str, PageReport], page: Page) -> Iterator[str]:
    """A table of snippets that have pages of their own."""
    if not snippets:
        return
    showing = _showing(page)
    yield from ("", "| Snippet | Image | Shown on |", "|---|--:|---|")
    for snippet in snippets:
        own = f"{_path(pages[snippet.folder.name], page)}#{_anchor(snippet.name)}"
        size = f"{snippet.name}.size"
        breaking = snippet.name.replace("_", "_<wbr>")
        shown = {_path(found, page): found for step in snippet.steps for found in showing.get(str(step), ())}
        yield (
            f"| [{_text(snippet.title, page)}]({own}) {page.rendering.stash(f'<code>{breaking}</code>')} "
            f"| {f'{{{{ {size} }}}}' if size in page.book else ''} "
            f"| {' · '.join(f'[{_prose(found.title, page)}]({path})' for path, found in shown.items())} |"
        )
    yield ""


def _snippets(snippets: Sequence[Snippet], page: Page) -> Iterator[str]:
    """Snippets that have no pages of their own, in full."""
    if not snippets:
        return
    showing = _showing(page)
    yield from ("", "## Snippets", "")
    yield "Every command in the order in which it ran, with all that was measured of its image. What a command printed"
    yield "is on the page that shows it; what no page shows is here."
    for snippet in snippets:
        yield from ("", f"### {_text(snippet.title, page)} {{ #{_anchor(snippet.name)} }}", "")
        yield from _one(snippet, page, showing)


def _one(
    snippet: Snippet, page: Page, showing: Mapping[str, list[PageReport]], *, transcripts: bool = False
) -> Iterator[str]:
    """The steps and facts of a snippet. Transcripts that other pages show are only linked, unless `transcripts`."""
    captures = page.book.shown(snippet.name)
    if not captures:
        yield "Not captured yet."
        return
    page.snippets.add(snippet.name)
    for step in snippet.steps:
        links = " · ".join(_link(found, page, step) for found in showing.get(str(step), ()))
        if links and not transcripts:
            yield from ("", f"{_code(step.text, page)} → {links}", "")
            continue
        yield from ("", f"{{{{ transcript {step} }}}}", "")
        if transcripts and (links or step.unshown):
            yield f"Shown on {links}" if links else f"Shown only here: {_text(step.unshown, page)}"
            yield from ("{: .shown-on }", "")
    yield from _facts(snippet, captures, page, heading=transcripts)


def _facts(snippet: Snippet, captures: Sequence[Capture], page: Page, *, heading: bool) -> Iterator[str]:
    """The facts of a snippet. Those of the first capture come before those that only another engine shows."""
    facts = {name: fact for capture in reversed(captures) for name, fact in capture.facts.items()}
    order = dict.fromkeys(name for capture in captures for name in capture.facts)
    rows = [
        _row(
            f"<code>{snippet.name}.{as_html(name)}</code>",
            as_html(units.written(fact.value, fact.unit)),
            f"{fact.value:,} B" if fact.unit == "B" else "",
            as_html(fact.source),
        )
        for name, fact in ((name, facts[name]) for name in order)
    ]
    if rows and heading:
        yield from ("", f"{'###' if snippet.variant else '##'} Facts {{ #facts-of-{_anchor(snippet.name)} }}", "")
    if rows:
        yield from _table(page, ("Fact", "Written", "Exactly", "From"), rows, kind="facts")


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
            _row(f"<code>{as_html(fact.name)}</code>", as_html(str(fact)), f"{source}, {as_html(fact.origin.date)}")
        )
    yield from _table(page, ("Figure", "Written", "Source"), rows)


def _not_measured(snippets: Sequence[Snippet], page: Page) -> Iterator[str]:
    unshown = [
        _row(f"<code>{as_html(str(step))}</code>", as_html(step.unshown))
        for snippet in snippets
        for step in snippet.steps
        if step.unshown
    ]
    if unshown:
        yield from ("", "## Run, and shown on this page alone", "")
        yield from _table(page, ("Step", "Why"), unshown)


def _text(raw: str, page: Page) -> str:
    """Untrusted text for a line of Markdown. Nothing reads it there."""
    return page.rendering.stash(as_html(raw))


def _code(raw: str, page: Page) -> str:
    """Untrusted text as code in a line of Markdown."""
    return page.rendering.stash(f"<code>{flag_spans.in_html(as_html(raw))}</code>")


def _sentence(text: str, found: PageReport) -> str:
    return f"{as_html(text)} <small>({as_html(found.path.relative_to(found.page.options.docs).as_posix())})</small>"


def _prose(text: str, page: Page) -> str:
    """Untrusted text for a line of Markdown. The only markup that it may contain is `code`."""
    pieces = _CODE.split(" ".join(text.split()))  # alternately text and code
    return "".join((_code if i % 2 else _text)(piece, page) for i, piece in enumerate(pieces) if piece)


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(page: Page, header: tuple[str, ...], rows: list[str], *, kind: str = "") -> Iterator[str]:
    # HTML: the cells are escaped already, and no Markdown processor reads them.
    head = "".join(f"<th>{name}</th>" for name in header)
    table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    html = f'<div class="{kind}"><table class="{kind}">{table}</div>' if kind else f"<table>{table}"
    yield from ("", page.rendering.stash(html), "")
