"""`proof publish`: finishes a built site, so that it can be published."""

from __future__ import annotations

import argparse
from pathlib import Path

from proof.cli.options import Verbs, project_root
from proof.core import units


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "publish",
        help="finish a built site: its policy, Markdown, cards and feed",
        description="Check the pages of a built site, and add a content security policy, a copy as Markdown, "
        "cards, citations, a feed, a sitemap and llms.txt. The last five need `site_url` in mkdocs.yml.",
    )
    parser.add_argument("site", type=Path, nargs="?", metavar="SITE", help="the built site (default: site)")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.publish import finish

    root = project_root(parsed)
    pages = finish.publish(parsed.site or root / "site", root)
    print(f"{units.counted(len(pages), 'page')} finished")  # noqa: T201 - our own text
    return 0
