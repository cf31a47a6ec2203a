"""`proof facts`: every measured and cited value."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proof.cli.options import Verbs, project_root
from proof.core.errors import UsageError
from proof.core.text import did_you_mean

if TYPE_CHECKING:
    from proof.facts.book import FactBook
    from proof.facts.values import Fact


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("facts", help="print the measured values", description="Print the measured values.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a fact, or all facts of a snippet or a source (default: all of them)"
    )
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.add_argument(
        "--site", metavar="URL", help="with --json: the address of the site, to say where it shows each fact"
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.facts import book
    from proof.reports import json_report
    from proof.reports.terminal import Terminal

    root = project_root(parsed)
    if parsed.site is not None and not parsed.json:
        raise UsageError("--site needs --json", hint="proof facts --json --site https://example.com/")
    known = book.load(root / "snippets")
    found = chosen(known, parsed.names)
    if parsed.json:
        from proof.pages import addresses
        from proof.snippets import project

        places = None if parsed.site is None else addresses.of_steps(root, parsed.site)
        everywhere = map(known.everywhere, found)
        print(json_report.facts(everywhere, project.load_all(root), places))  # noqa: T201 - JSON, of which nothing acts
    else:
        Terminal().facts(found, whole=bool(parsed.names))
    return 0


def chosen(book: FactBook, names: Sequence[str]) -> dict[str, Fact]:
    """The facts with these names, or of the snippets and sources with these names; all of them if there are none.

    Raises UsageError for a name that is neither.
    """
    found: dict[str, Fact] = {}
    for name in names:
        these = {known: fact for known, fact in book.items() if name in (known, known.partition(".")[0])}
        if not these:
            from proof.captures.staleness import NeverCapturedError

            if book.lacks(name.partition(".")[0]):
                raise NeverCapturedError.of(name.partition(".")[0])
            known = list(dict.fromkeys([*(each.partition(".")[0] for each in book), *book]))
            what = f"there is no fact or snippet '{name:.110}'{did_you_mean(name, known)}"
            raise UsageError(what, hint="proof facts lists all facts")
        found |= these
    return found if names else dict(book)
