"""How a run ends, be it whole or put together from shards: the reports, the claims, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof import facts, pages, status
from proof.errors import ProofError, UsageError, code_of
from proof.manifest import Snippet
from proof.pages import Scanned
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


@dataclass(frozen=True)
class Checked:
    """What the pages state, and what is wrong with that."""

    pages: list[Scanned]
    problems: list[ProofError]

    @classmethod
    def of(cls, root: Path, snippets: list[Snippet], *, everything: bool) -> Checked:
        """Read the pages of a project; unless `everything`, only what they take from these snippets can be wrong."""
        scanned = pages.scan(root) if everything else pages.scan(root, expand=False, naming=_named(snippets))
        return cls(scanned, status.page_problems(scanned, snippets, everything=everything))

    def once_updated(self) -> Checked | None:
        """What of it holds for other captures: what the pages claim, if all of it could be read, and no problem."""
        return None if any(page.problems for page in self.pages) else Checked(self.pages, [])

    def say(self, terminal: Terminal) -> None:
        """Say what is wrong; UsageError where a page names what is not there."""
        terminal.problems(self.problems)
        if broken := sum(problem.code == UsageError.code for problem in self.problems):
            raise UsageError(
                f"{broken} statement{'s' if broken > 1 else ''} of the pages cannot be right", cure="see above"
            )


def _named(snippets: list[Snippet]) -> list[str]:
    """How a page names one of them, or all that a matrix makes of it."""
    return sorted({snippet.name for snippet in snippets} | {snippet.folder.name for snippet in snippets})


def conclude(
    root: Path,
    terminal: Terminal,
    results: Sequence[Result],
    *,
    seconds: float,
    reports: Reports,
    checked: Checked | None = None,
) -> int:
    """Report what came of every snippet, and return the exit code; `checked` are the pages, if they were read before.

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
        scanned = checked.pages if checked else pages.scan(root, expand=False)
        untrue = status.false_claims(scanned, book)
    problems = checked.problems if checked else []
    terminal.problems(untrue)
    if reports.junit:
        junit.write(reports.junit, results, [*problems, *untrue], root=root, seconds=seconds)
    if reports.github:
        paths = [page.path for page in scanned]
        github.report(results, [*problems, *untrue], root=root, pages=paths, file=terminal.screen.file)
    return worst(results, by_cause=reports.by_cause) or code_of(untrue) or code_of(problems)
