"""`proof render`: the pages as plain Markdown, for any site generator."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from proof.cli.options import Verbs, project_root
from proof.core.errors import UsageError
from proof.core.text import did_you_mean


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "render",
        help="write pages as plain Markdown, with the facts filled in",
        description="Write pages as GitHub Flavored Markdown: facts filled in, files and transcripts as blocks of "
        "code, charts as tables. Front matter and links stay as they are, so that another site generator, or the view "
        "of a repository, shows them. It stops at the first problem of a page.",
    )
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="the pages (default: all of them)")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write them into DIR, named as below docs/")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.core.files import write_whole
    from proof.pages import scan
    from proof.pages.site import Site
    from proof.publish import gfm

    site = Site.at(project_root(parsed))
    known = [path for path, _ in site.pages(site.docs)]
    pages = [_known(page, known) for page in parsed.pages] or known
    if len(pages) != 1 and not parsed.to:
        raise UsageError("several pages need a directory", hint="proof render --to DIR")
    for path, front, html in scan.as_html(site, pages):
        text = front + gfm.of_html(html)
        if parsed.to is None:
            print(text, end="")  # noqa: T201 - Markdown for another program
            continue
        target = parsed.to.absolute() / path.relative_to(site.docs)
        if target in known:
            raise UsageError(f"{parsed.to} has the pages themselves", hint="proof render --to another-directory")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text)
    return 0


def _known(page: Path, known: Sequence[Path]) -> Path:
    """The page at a path, as it is known."""
    if (path := page.absolute()) in known:
        return path
    near = did_you_mean(str(page), [str(each) for each in known])
    raise UsageError(f"no page {page}{near}", hint="proof render docs/index.md")
