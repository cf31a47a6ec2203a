"""How a run ends, be it whole or put together from shards: the reports, the claims, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof import facts, pages, status
from proof.errors import ProofError, UsageError, code_of
from proof.manifest import Snippet
from proof.report import data, github, junit
from proof.report.terminal import Terminal
from proof.verify import Result, worst


@dataclass(frozen=True, kw_only=True)
class Reports:
    """What a run is to leave beside what a person reads."""

    json: bool = False
    junit: Path | None = None
    github: bool = False
    by_cause: bool = False  # the exit code of a drift says what it comes from

    @classmethod
    def of(cls, wanted: Sequence[str], *, json: bool, by_cause: bool) -> Reports:
        """The values of `--report`, read; UsageError for one that is none."""
        file: Path | None = None
        for text in wanted:
            kind, _, value = text.partition("=")
            if kind == "junit" and value:
                file = Path(value)
            elif text != "github":
                raise UsageError(f"there is no report '{text}'", cure="--report github, or --report junit=FILE")
        return cls(json=json, junit=file, github="github" in wanted, by_cause=by_cause)


def check_pages(root: Path, terminal: Terminal, snippets: list[Snippet], *, everything: bool) -> list[ProofError]:
    """Say what is wrong with the pages; UsageError where one names what is not there."""
    with terminal.stage("pages"):
        problems = status.page_problems(pages.scan(root), snippets, everything=everything)
    terminal.problems(problems)
    if broken := sum(problem.code == UsageError.code for problem in problems):
        raise UsageError(
            f"{broken} statement{'s' if broken > 1 else ''} of the pages cannot be right", cure="see above"
        )
    return problems


def conclude(
    root: Path,
    terminal: Terminal,
    results: Sequence[Result],
    *,
    seconds: float,
    reports: Reports,
    problems: Sequence[ProofError] = (),
) -> int:
    """Report what came of every snippet, and return the exit code; `problems` are those of the pages, said before.

    The claims of all pages are evaluated over what was just measured: what varies from run to run must bear them too.
    """
    if reports.json:
        print(data.results(results))
    terminal.table(results)
    terminal.total(results, seconds)
    terminal.advice(results)
    with terminal.stage("claims"):
        new = {result.snippet.name: result.new for result in results if result.new}
        book = facts.load(root / "snippets").measured_anew(new)
        scanned = pages.scan(root, expand=False)
        untrue = status.false_claims(scanned, book)
    terminal.problems(untrue)
    if reports.junit:
        junit.write(reports.junit, results, [*problems, *untrue], root=root, seconds=seconds)
    if reports.github:
        paths = [page.path for page in scanned]
        github.report(results, [*problems, *untrue], root=root, pages=paths, file=terminal.console.file)
    return worst(results, by_cause=reports.by_cause) or code_of(untrue) or code_of(problems)
