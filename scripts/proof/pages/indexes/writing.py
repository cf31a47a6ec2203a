"""Writes Markdown of untrusted text: nothing reads what is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from proof.core.text import as_html
from proof.pages import flag_spans
from proof.pages.page import Page, PageReport
from proof.pages.transcript import anchor
from proof.snippets.model import Step

_CODE_SPAN = re.compile(r"`([^`]+)`")


def plain(raw: str, page: Page) -> str:
    """Untrusted text for a line of Markdown. Nothing reads it there."""
    return page.rendering.stash(as_html(raw))


def code(raw: str, page: Page) -> str:
    """Untrusted text as code in a line of Markdown."""
    return page.rendering.stash(f"<code>{flag_spans.in_html(as_html(raw))}</code>")


def prose(written: str, page: Page) -> str:
    """Untrusted text for a line of Markdown. The only markup that it may contain is `code`."""
    pieces = _CODE_SPAN.split(" ".join(written.split()))  # alternately text and code
    return "".join(code(piece, page) if i % 2 else plain(piece, page) for i, piece in enumerate(pieces) if piece)


def link(report: PageReport, page: Page, step: Step) -> str:
    """A link from `page` to the place where another page shows a step."""
    return f"[{prose(report.title, page)}]({path(report, page)}#{anchor(step.snippet, step.name)})"


def path(report: PageReport, page: Page) -> str:
    """The URL of another page, relative to `page`. It is quoted, because a file may have any name."""
    here = page.document.path.parent if page.document.path else page.options.docs
    return quote(Path(os.path.relpath(report.path, here)).as_posix())


def row(*cells: str) -> str:
    """A row of a table, with cells in HTML."""
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def table(page: Page, header: tuple[str, ...], rows: list[str], *, kind: str = "") -> Iterator[str]:
    """A table in HTML: the cells are escaped already, and no Markdown processor reads them."""
    head = "".join(f"<th>{name}</th>" for name in header)
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    html = f'<div class="{kind}"><table class="{kind}">{body}</div>' if kind else f"<table>{body}"
    yield from ("", page.rendering.stash(html), "")


def sentence(text: str, report: PageReport) -> str:
    """A sentence with the page that it is on, in HTML."""
    return f"{as_html(text)} <small>({as_html(report.path.relative_to(report.page.options.docs).as_posix())})</small>"
