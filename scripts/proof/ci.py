"""The verbs and options with which a run is spread over machines and reported: what a workflow calls, and anyone can.

Their modules are imported where they are used: `proof --help` is quick.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proof.results import Part
    from proof.verify import Result

_MOST = 64  # shards, or jobs: more than that are started longer than they measure


def add_options(verb: argparse.ArgumentParser) -> None:
    """What `check` and `update` take for it."""
    verb.add_argument("--shard", metavar="I/N", help="one part of the snippets, balanced by how long they took")
    verb.add_argument("--results", type=Path, metavar="DIR", help="leave the results there, for `proof merge`")
    _add_report(verb)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`plan`, `merge` and `accept`."""
    plan = verbs.add_parser(
        "plan",
        help="how the snippets divide into shards",
        description="Say which shard runs which snippets, and how long that took when they were captured.",
    )
    plan.add_argument("--shards", type=count, default=3, metavar="N", help="how many (default: 3)")
    plan.add_argument("--json", action="store_true", help="print the matrix of a GitHub workflow: the shards' names")
    plan.set_defaults(run=_plan)
    merge = verbs.add_parser(
        "merge",
        help="put the results of all shards together, as if one run had made them",
        description="Put the results of all shards together. A snippet that is missing, twice or unknown is refused.",
    )
    merge.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="the --results of a shard")
    merge.add_argument("--json", action="store_true", help="print the results as JSON")
    merge.add_argument("--exit-by-cause", action="store_true", help="as of `proof check`")
    _add_report(merge)
    merge.set_defaults(run=_merge)
    accept = verbs.add_parser(
        "accept",
        help="take over the captures that `proof update --results` wrote on another machine",
        description="Check the results of all shards as the data of strangers, then write their captures.",
    )
    accept.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="the --results of a shard")
    accept.add_argument("--body", type=Path, metavar="FILE", help="write the text of a pull request, as Markdown")
    accept.set_defaults(run=_accept)


def _add_report(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="KIND",
        help="github: annotations, and a summary in $GITHUB_STEP_SUMMARY; junit=FILE; may be given twice",
    )


def count(text: str) -> int:
    """A number of shards or of jobs, out of an argument."""
    value = int(text)
    if not 0 < value <= _MOST:
        raise argparse.ArgumentTypeError(f"between 1 and {_MOST}")
    return value


def _plan(options: argparse.Namespace) -> int:
    from proof import manifest, plan
    from proof.report.terminal import Terminal

    snippets = manifest.load_all(_root(options))
    count = min(options.shards, len(snippets))
    seconds = plan.durations(snippets)
    shards = plan.divide(seconds, count)
    if options.json:
        print(json.dumps({"shard": [str(plan.Shard(number, count)) for number in range(1, count + 1)]}))
    else:
        terminal = Terminal()
        for number, names in enumerate(shards, start=1):
            took = sum(seconds[name] for name in names)
            terminal.say(f"{plan.Shard(number, count)}  {took:.0f} s  {' '.join(sorted(names))}")
    return 0


def _merge(options: argparse.Namespace) -> int:
    from proof import conclusion, manifest
    from proof.report.terminal import Terminal
    from proof.results import unwritten

    root = _root(options)
    reports = conclusion.Reports.of(options.report, json=options.json, by_cause=options.exit_by_cause)
    terminal = Terminal(stderr=options.json)
    parts, results = _together(root, options.folders)
    results = [unwritten(result) for result in results]
    checked = conclusion.Checked.of(root, manifest.load_all(root), everything=True)
    checked.say(terminal)
    for result in results:
        terminal.result(result)
    took = ", ".join(f"{part.folder.name} {part.seconds:.0f} s" for part in parts)
    terminal.say(f" · put together from {len(parts)} parts: {took}")
    # What one waited for is the slowest of them.
    seconds = max(part.seconds for part in parts)
    return conclusion.conclude(root, terminal, results, seconds=seconds, reports=reports, checked=checked)


def _accept(options: argparse.Namespace) -> int:
    from proof import accept, bases, lock
    from proof.files import write_whole
    from proof.report.terminal import Terminal

    root, terminal = _root(options), Terminal()
    parts, results = _together(root, options.folders)
    with lock.holding(root / "snippets", on_wait=terminal.waiting):
        taken = accept.accept(root, bases.load(root), results, parts[0].origin)
    for result in results:
        if result in taken or result.verdict != "accurate":
            terminal.result(result)
    if options.body:
        write_whole(options.body, accept.proposal(root, results, taken))
    terminal.say(f"{len(taken)} of {len(results)} captures are written, on {parts[0].origin} bases")
    return 0


def _together(root: Path, folders: list[Path]) -> tuple[list[Part], list[Result]]:
    from proof import bases, manifest
    from proof import results as files

    snippets, known = manifest.load_all(root), bases.load(root)
    known.check(snippets)
    parts = files.load(folders, snippets, known, root)
    return parts, files.together(parts, snippets)


def _root(options: argparse.Namespace) -> Path:
    from proof.manifest import find_root

    return find_root((options.project or Path.cwd()).absolute())
