"""`proof facts`: every measured and cited value."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, project_root
from proof.core.errors import UsageError


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("facts", help="print the measured values", description="Print the measured values.")
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
    found = book.load(root / "snippets")
    if parsed.json:
        from proof.pages import addresses
        from proof.snippets import project

        places = None if parsed.site is None else addresses.of_steps(root, parsed.site)
        print(json_report.facts(found, project.load_all(root), places))
    else:
        Terminal().facts(found)
    return 0
