"""`proof status`: problems of captures and pages that can be found without an engine."""

from __future__ import annotations

import argparse
from dataclasses import replace

from proof.cli.options import Verbs, project_root


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "status",
        help="without an engine: list stale captures, false claims and numbers without proof",
        description="List what is wrong with captures and pages, as far as it can be known without an engine.",
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="record in claims.lock that each sentence says what its claim checks, and show those that are new there",
    )
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.core.settings import cache_folder
    from proof.pages.sound import Sound
    from proof.reports.terminal import Terminal

    root, terminal = project_root(parsed), Terminal()
    if not parsed.confirm and (kept := Sound(root, cache_folder()).status()) is not None:
        terminal.status(kept)
        return kept.code
    from proof.pages import status
    from proof.pages.lint import confirmed

    found = status.status(root, cache_folder())
    if parsed.confirm:
        open_claims = list(confirmed.unconfirmed(root, found.pages))
        path = confirmed.confirm(root, found.pages)
        others = [problem for problem in found.problems if not isinstance(problem, confirmed.UnconfirmedError)]
        found = replace(found, problems=others)
        terminal.confirmed(open_claims, path)
    terminal.status(found)
    return found.code
