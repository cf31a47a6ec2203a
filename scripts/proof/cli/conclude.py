"""The end of a run, on one machine or merged from shards: reports, claims and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proof.cli.options import Reports
from proof.cli.page_check import PageCheck
from proof.core.errors import ProofError, UsageError, exit_code_of
from proof.facts import book
from proof.pages import status
from proof.reports import json_report
from proof.reports.formats import FORMATS, FinishedRun
from proof.reports.terminal import Terminal
from proof.runs.result import Result, worst


def conclude(
    root: Path,
    terminal: Terminal,
    results: Sequence[Result],
    *,
    seconds: float,
    reports: Reports,
    page_check: PageCheck | None = None,
    broken: Sequence[ProofError] = (),
) -> int:
    """Report the results and return the exit code. Pass `page_check` if the pages have been read before.

    `broken` is what is wrong with snippets that could not be run. It has been printed.

    The claims of all pages are checked against the new measurements, including values that vary from run to run.
    """
    if reports.json:
        print(json_report.results(results))
    terminal.table(results)
    terminal.total(results, seconds)
    terminal.advice(results)
    with terminal.stage("claims"):
        measured = {result.snippet.name: result.new for result in results if result.new}
        facts = book.load(root / "snippets").with_captures(measured)
        stated = page_check or PageCheck.of_claims(root)
        untrue = status.false_claims(stated.claims, facts)
    problems = [*broken, *stated.problems]
    terminal.problems(untrue if page_check else [*stated.problems, *untrue])
    run = FinishedRun(
        root=root,
        results=results,
        problems=[*problems, *untrue],
        pages=stated.pages,
        seconds=seconds,
        screen=terminal.screen.file,
    )
    for name, file in reports.written:
        FORMATS[name].write(run, file)
    if (code := exit_code_of(problems)) == UsageError.code:
        return code
    return worst(results, by_cause=reports.by_cause) or exit_code_of(untrue) or code
