"""Reads the pages for `proof check`, `update` and `merge`: their problems, and the claims that results decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.captures.staleness import NeverCapturedError
from proof.core.errors import LimitError, ProofError, UsageError
from proof.pages import scan, status
from proof.pages.site import Site
from proof.pages.sound import PageClaim, Sound
from proof.reports.terminal import Terminal
from proof.snippets.model import Snippet


@dataclass(frozen=True)
class PageCheck:
    """The pages of a project with their claims, and the problems found in them."""

    pages: list[Path]
    claims: list[PageClaim]
    problems: list[ProofError]
    excused: frozenset[Path] = frozenset()  # pages that use a broken snippet, which makes more of them look wrong

    @classmethod
    def of(
        cls,
        root: Path,
        snippets: list[Snippet],
        *,
        everything: bool,
        broken: Sequence[ProofError] = (),
        cache: Path | None = None,
    ) -> PageCheck:
        """Read the pages of a project; unless `everything`, only those that use one of these snippets.

        `broken` is what is wrong with other snippets, if anything is. With `cache`, if all pages were read
        and nothing was wrong, they are not read again until something changes.
        """
        names = {snippet.name for snippet in snippets}
        sound = Sound(root, cache)
        if not broken and (known := sound.pages(names)) is not None:
            return cls(*known, problems=[])
        # A page may name the directory of a matrix too.
        naming = () if everything else sorted(names | {snippet.folder.name for snippet in snippets})
        reports = scan.scan(root, expand=everything, naming=naming)
        pages, claims = [report.path for report in reports], status.claims_of(reports)
        problems = status.page_problems(reports, snippets, everything=everything)
        if everything and not (broken or problems or any(report.problems for report in reports)):
            sound.keep(Site.at(root).docs, names, pages, claims)
        printed = {str(error) for error in broken}
        excused = frozenset(report.path for report in reports if not printed.isdisjoint(map(str, report.problems)))
        return cls(pages, claims, [problem for problem in problems if str(problem) not in printed], excused)

    @classmethod
    def of_claims(cls, root: Path) -> PageCheck:
        """Read the pages for their claims alone. What else is wrong is left out, but not that a page can't be read."""
        reports = scan.scan(root, expand=False)
        problems = [problem for report in reports for problem in report.problems]
        unread = [problem for problem in problems if isinstance(problem, LimitError)]
        return cls([report.path for report in reports], status.claims_of(reports), [*unread])

    def report(self, terminal: Terminal) -> None:
        """Print the problems. Raises UsageError if a page names something that does not exist."""
        terminal.problems(self.problems)
        if wrong := sum(map(self._stops, self.problems)):
            raise UsageError(f"{wrong} error{'s' if wrong > 1 else ''} in the pages", hint="see above")

    def _stops(self, problem: ProofError) -> bool:
        """Whether a problem is a reason to run nothing. What is wrong with other snippets is none."""
        excused = problem.where is not None and problem.where.path in self.excused
        return problem.code == UsageError.code and not excused and not isinstance(problem, NeverCapturedError)
