"""Every snippet with its commands, outputs and facts: `{{ measurements }}` and `{{ measurements NAME }}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from proof.core.errors import PageError
from proof.core.text import as_html, did_you_mean
from proof.pages.indexes import writing
from proof.pages.page import Page, PageReport
from proof.snippets import project
from proof.snippets.model import Snippet, Step


def measurements(page: Page) -> list[str]:
    """The Markdown for `{{ measurements }}`: every snippet with its steps and facts, or a link to its own page."""
    pages = {name.partition("/")[2]: report for report in page.rendering.list_pages() for name in report.page.lists}
    snippets = project.load_all(page.root, read=page.site.variants)
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
    if folder not in (folders := list(project.folders(page.root))):
        what = f"there is no snippet '{name:.60}'{did_you_mean(name, [folder.name for folder in folders])}"
        raise PageError(what, hint="name a directory of snippets/, or delete this page")
    snippets = page.site.variants(folder)
    for snippet in snippets:
        page.site.check_texts(snippet)
    lists = [report for report in page.rendering.list_pages() if "measurements" in report.page.lists]
    links = [f"[All measurements]({writing.path(report, page)})" for report in lists]
    lines = [f"# {writing.plain(_common_title(snippets), page)} {{ #{_anchor(name)} }}", ""]
    asked = [f"Measured for {', '.join(pages)}"] if (pages := _pages_with(snippets, page)) else []
    lines += [" · ".join([*asked, *links, f"run it again: `proof check {name}`"]), ""]
    one_title = len({snippet.title for snippet in snippets}) == 1
    for snippet in snippets:
        heading, address = ("Commands", "commands") if len(snippets) == 1 else (snippet.title, _anchor(snippet.name))
        if one_title and snippet.variant:  # headings have to differ, or a screen reader can't tell the sections apart
            heading = snippet.variant
        lines += ["", f"## {writing.plain(heading, page)} {{ #{address} }}", ""]
        lines += _of_snippet(snippet, page, transcripts=True)
    return lines


def _pages_with(snippets: Sequence[Snippet], page: Page) -> list[str]:
    """Links to the pages that show steps of the snippets, by the question that each page answers."""
    steps = (step for snippet in snippets for step in snippet.steps)
    shown = {writing.path(report, page): report for step in steps for report in _showing(step, page)}
    return [f"[{writing.prose(report.title, page)}]({path})" for path, report in shown.items()]


def _showing(step: Step, page: Page) -> Iterator[PageReport]:
    """The pages that show a step."""
    for report in page.rendering.list_pages():
        if str(step) in report.page.shown and not report.page.generated:
            yield report


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
    if snippets:
        yield from ("", "| Snippet | Image | Shown on |", "|---|--:|---|")
    for snippet in snippets:
        own = f"{writing.path(pages[snippet.folder.name], page)}#{_anchor(snippet.name)}"
        size = f"{snippet.name}.size"
        breaking = snippet.name.replace("_", "_<wbr>")
        yield (
            f"| [{writing.plain(snippet.title, page)}]({own}) {page.rendering.stash(f'<code>{breaking}</code>')} "
            f"| {f'{{{{ {size} }}}}' if size in page.book else ''} "
            f"| {' · '.join(_pages_with([snippet], page))} |"
        )
    yield ""


def _snippets(snippets: Sequence[Snippet], page: Page) -> Iterator[str]:
    """Snippets that have no pages of their own, in full."""
    if snippets:
        yield from ("", "## Snippets", "")
        yield "Every command in the order in which it ran, with all that was measured of its image. What a command"
        yield "printed is on the page that shows it; what no page shows is here."
    for snippet in snippets:
        yield from ("", f"### {writing.plain(snippet.title, page)} {{ #{_anchor(snippet.name)} }}", "")
        yield from _of_snippet(snippet, page, transcripts=False)


def _of_snippet(snippet: Snippet, page: Page, *, transcripts: bool) -> Iterator[str]:
    """The steps and facts of a snippet. Transcripts that other pages show are only linked, unless `transcripts`."""
    if not page.book.shown(snippet.name):
        yield "Not captured yet."
        return
    page.snippets.add(snippet.name)
    for step in snippet.steps:
        links = " · ".join(writing.link(report, page, step) for report in _showing(step, page))
        if links and not transcripts:
            yield from ("", f"{writing.code(step.text, page)} → {links}", "")
            continue
        yield from ("", f"{{{{ transcript {step} }}}}", "")
        if transcripts and (links or step.output.unshown):
            yield f"Shown on {links}" if links else f"Shown only here: {writing.plain(step.output.unshown, page)}"
            yield from ("{: .shown-on }", "")
    yield from _facts(snippet, page, heading=transcripts)


def _facts(snippet: Snippet, page: Page, *, heading: bool) -> Iterator[str]:
    """The facts of a snippet."""
    rows = [
        writing.row(
            f"<code>{as_html(fact.name)}</code>",
            as_html(str(fact)),
            f"{fact.value:,} B" if fact.unit == "B" else "",
            as_html(fact.source),
        )
        for fact in map(page.book.__getitem__, page.book.names(snippet.name))
    ]
    if rows and heading:
        yield from ("", f"{'###' if snippet.variant else '##'} Facts {{ #facts-of-{_anchor(snippet.name)} }}", "")
    if rows:
        yield from writing.table(page, ("Fact", "Written", "Exactly", "From"), rows, kind="facts")


def _not_measured(snippets: Sequence[Snippet], page: Page) -> Iterator[str]:
    unshown = [
        writing.row(f"<code>{as_html(str(step))}</code>", as_html(step.output.unshown))
        for snippet in snippets
        for step in snippet.steps
        if step.output.unshown
    ]
    if unshown:
        yield from ("", "## Run, and shown on this page alone", "")
        yield from writing.table(page, ("Step", "Why"), unshown)
