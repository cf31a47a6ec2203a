"""`proof facts`: every measured and cited value."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, project_root


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser("facts", help="print the measured values", description="Print the measured values.")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.facts import book
    from proof.reports import json_report
    from proof.reports.terminal import Terminal

    found = book.load(project_root(parsed) / "snippets")
    if parsed.json:
        print(json_report.facts(found))
    else:
        Terminal().facts(found)
    return 0
