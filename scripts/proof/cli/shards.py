"""`proof plan`, `merge` and `accept`: a run spread over several machines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from proof.cli.options import Verbs, add_report_options, count, project_root
from proof.core.errors import exit_code_of

if TYPE_CHECKING:
    from proof.runs.result import Result
    from proof.shards.result_files import Part


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the three verbs."""
    plan = verbs.add_parser(
        "plan",
        help="show how the snippets divide into shards",
        description="Show which shard runs which snippets, and how long that took when they were captured.",
    )
    plan.add_argument("--shards", type=count, default=3, metavar="N", help="number of shards (default: 3)")
    plan.add_argument("--json", action="store_true", help="print the shards as the matrix of a GitHub workflow")
    plan.set_defaults(run=_plan)
    merge = verbs.add_parser(
        "merge",
        help="combine the results of all shards as if one run had made them",
        description="Combine the results of all shards. Missing, duplicate and unknown snippets are refused.",
    )
    merge.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="the --results directory of a shard")
    merge.add_argument("--same-engine", action="store_true", help="as for `proof check`, which the shards ran with it")
    add_report_options(merge)
    merge.set_defaults(run=_merge)
    accept = verbs.add_parser(
        "accept",
        help="write the captures that `proof update --results` made on another machine",
        description="Validate the results of all shards as untrusted data, then write their captures.",
    )
    accept.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="the --results directory of a shard")
    accept.add_argument("--body", type=Path, metavar="FILE", help="write the text of a pull request to FILE")
    accept.set_defaults(run=_accept)


def _plan(parsed: argparse.Namespace) -> int:
    from proof.captures.durations import durations
    from proof.reports.terminal import Terminal
    from proof.shards.plan import Shard, divide
    from proof.snippets import base_images, project

    root, terminal = project_root(parsed), Terminal(stderr=parsed.json)
    snippets, broken = project.load_sound(root, base_images.load(root))
    terminal.problems(broken)
    code = exit_code_of(broken)
    number = min(parsed.shards, len(snippets))
    seconds = durations(snippets)
    if parsed.json:
        print(json.dumps({"shard": [str(Shard(i, number)) for i in range(1, number + 1)]}))  # noqa: T201 - our own text
        return code
    for i, names in enumerate(divide(seconds, number), start=1):
        took = sum(seconds[name] for name in names)
        terminal.say(f"{Shard(i, number)}  {took:.0f} s  {' '.join(sorted(names))}")
    return code


def _merge(options: argparse.Namespace) -> int:
    from proof.cli.conclude import conclude
    from proof.cli.page_check import PageCheck
    from proof.reports.terminal import Terminal
    from proof.shards.result_files import check_words, unwritten
    from proof.snippets import project

    options.root, terminal = project_root(options), Terminal(stderr=options.json)
    parts, results = _load_and_merge(options.root, options.folders, same_engine=options.same_engine)
    check_words(parts, same_engine=options.same_engine)
    results = [unwritten(result) for result in results]
    page_check = PageCheck.of(options.root, project.load_all(options.root), everything=True)
    page_check.report(terminal)
    for result in results:
        terminal.result(result)
    took = ", ".join(f"{part.folder.name} {part.seconds:.0f} s" for part in parts)
    terminal.say(f" · merged from {len(parts)} parts: {took}")
    seconds = max(part.seconds for part in parts)  # the shards ran at the same time
    return conclude(options, terminal, results, seconds=seconds, page_check=page_check)


def _accept(parsed: argparse.Namespace) -> int:
    from proof.core.files import write_whole
    from proof.reports import pull_request
    from proof.reports.terminal import Terminal
    from proof.shards.accept import accept
    from proof.snippets import base_images
    from proof.system import locks

    root, terminal = project_root(parsed), Terminal()
    parts, results = _load_and_merge(root, parsed.folders)
    with locks.holding(root / "snippets", on_wait=terminal.waiting):
        taken = accept(root, base_images.load(root), results, parts[0].origin)
    for result in results:
        if result in taken or result.verdict != "accurate":
            terminal.result(result)
    if parsed.body:
        write_whole(parsed.body, pull_request.proposal(root, results, taken))
    terminal.say(f"{len(taken)} of {len(results)} captures written, on {parts[0].origin} bases")
    return 0


def _load_and_merge(root: Path, folders: list[Path], *, same_engine: bool = False) -> tuple[list[Part], list[Result]]:
    from proof.shards import result_files
    from proof.snippets import base_images, project

    snippets, bases = project.load_all(root), base_images.load(root)
    bases.check(snippets)
    parts = result_files.load(folders, snippets, bases, root, same_engine=same_engine)
    return parts, result_files.merge(parts, snippets)
