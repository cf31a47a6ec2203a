"""`proof status`: problems of captures and pages that can be found without an engine."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, project_root


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "status",
        help="without an engine: list stale captures, failing claims and unbound numbers",
        description="List what is wrong with captures and pages, as far as it can be known without an engine.",
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.core.settings import cache_folder
    from proof.pages import status
    from proof.reports.terminal import Terminal

    found = status.status(project_root(parsed), cache_folder())
    Terminal().status(found)
    return found.code
