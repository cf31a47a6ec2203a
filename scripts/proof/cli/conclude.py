"""The end of a run, on one machine or merged from shards: reports, claims and the exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from proof.cli.page_check import PageCheck
from proof.core.errors import ProofError, UsageError, exit_code_of
from proof.facts import book
from proof.pages import status
from proof.reports import formats, json_report
from proof.reports.terminal import Terminal
from proof.runs.result import Result, worst


def conclude(
    options: argparse.Namespace,
    terminal: Terminal,
    results: Sequence[Result],
    *,
    seconds: float,
    page_check: PageCheck | None,
    broken: Sequence[ProofError] = (),
) -> int:
    """Report the results and return the exit code. Without `page_check`, the pages have not been read yet.

    `broken` is what is wrong with snippets that could not be run. It has been printed.

    The claims of all pages are checked against the new measurements, including values that vary from run to run.
    """
    if options.json:
        print(json_report.results(results))  # noqa: T201 - JSON, of which nothing acts
    terminal.table(results)
    terminal.total(results, seconds)
    terminal.advice(results)
    with terminal.stage("claims"):
        measured = {result.snippet.name: result.new for result in results if result.new}
        facts = book.load(options.root / "snippets").with_captures(measured)
        stated = page_check or PageCheck.of_claims(options.root)
        untrue = status.false_claims(stated.claims, facts)
    shown = {facts.captures[name].environment.bases for name in measured if name in facts.captures}
    for bases in shown - {new.environment.bases for new in measured.values()}:
        terminal.say(f" · pages show captures on {bases} bases, which this run did not measure")
    problems = [*broken, *stated.problems]
    terminal.problems(untrue if page_check else [*stated.problems, *untrue])
    run = formats.FinishedRun(results, [*problems, *untrue], stated.pages, seconds, options.root, terminal.screen.file)
    for name, file in options.report:
        formats.write(run, name, file)
    if (code := exit_code_of(problems)) == UsageError.code:
        return code
    return worst(results, by_cause=options.exit_by_cause) or exit_code_of(untrue) or code
