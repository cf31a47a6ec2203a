"""`proof serve`: shows the site while an author writes, and runs each snippet that is saved."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, port, project_root


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "serve",
        help="show the site, and run each snippet that you save in a private engine",
        description="Show the site while you write. When you save a snippet, a private engine runs it, and its pages "
        "show the result. Without a private engine (for example on a Mac, or as an ordinary user with Docker 27 or "
        "later), nothing is run.",
    )
    parser.add_argument("--plain", action="store_true", help="run nothing, and show what is captured")
    parser.add_argument("--port", type=port, default=8000, metavar="N", help="the port on 127.0.0.1 (default: 8000)")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.preview import preview

    root = project_root(parsed)
    preview.serve(root, port=parsed.port, plain=parsed.plain)
    return 0
