"""`proof explain`: where a number comes from, and what depends on it."""

from __future__ import annotations

import argparse

from proof.cli.options import Verbs, project_root, snippet_names


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "explain",
        help="say where a number comes from, and what depends on it",
        description="Say where a number comes from: which command, engine and base images, and when; which pages use "
        "it; and what would make it stale.",
    )
    name = parser.add_argument(
        "name",
        metavar="NAME",
        help="a fact (single.size), a snippet (single), a step (single/build), the condition of a claim, "
        "or a line of a page (docs/index.md:3)",
    )
    name.completer = snippet_names  # type: ignore[attr-defined]  # as argcomplete looks for it
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    from proof.pages.explain import explain
    from proof.reports import explanations
    from proof.reports.terminal import Terminal

    about = explain(project_root(parsed), parsed.name)
    if parsed.json:
        print(explanations.as_json(about))  # noqa: T201 - JSON for another program
        return 0
    terminal = Terminal()
    for line in explanations.as_lines(about):
        terminal.say(line)
    return 0
