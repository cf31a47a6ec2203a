"""Reads the pages and finds their problems, in the background while an engine starts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from proof.captures.staleness import NeverCapturedError
from proof.core.errors import LimitError, ProofError, UsageError
from proof.pages import scan, status
from proof.pages.page import PageReport
from proof.pages.site import Site
from proof.pages.sound import PageClaim, Sound
from proof.reports.terminal import Terminal
from proof.snippets.model import Snippet
from proof.system.parallel import Forked


@dataclass(frozen=True)
class PageCheck:
    """The pages of a project with their claims, and the problems found in them."""

    pages: list[Path]
    claims: list[PageClaim]
    problems: list[ProofError]
    excused: frozenset[Path] = frozenset()  # pages that use a broken snippet, which makes more of them look wrong
    complete: bool = True  # whether no page has a problem: of such a page, claims may be missing

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
        kept = Sound(root, cache)
        if not broken and (known := kept.pages(names)) is not None:
            return cls(*known, problems=[])
        scanned = scan.scan(root) if everything else scan.scan(root, expand=False, naming=_names(snippets))
        said = {str(error) for error in broken}
        problems = status.page_problems(scanned, snippets, everything=everything)
        found = replace(
            cls._read(scanned),
            problems=[problem for problem in problems if str(problem) not in said],
            excused=frozenset(page.path for page in scanned if not said.isdisjoint(map(str, page.problems))),
        )
        if everything and found.complete and not (broken or problems):
            kept.keep(Site.at(root).docs, names, found.pages, found.claims)
        return found

    @classmethod
    def of_claims(cls, root: Path) -> PageCheck:
        """Read the pages for their claims alone. What else is wrong is left out, but not that a page can't be read."""
        scanned = scan.scan(root, expand=False)
        problems = [problem for page in scanned for problem in page.problems]
        return replace(cls._read(scanned), problems=[p for p in problems if isinstance(p, LimitError)])

    @classmethod
    def _read(cls, scanned: list[PageReport]) -> PageCheck:
        complete = not any(page.problems for page in scanned)
        return cls([page.path for page in scanned], status.claims_of(scanned), problems=[], complete=complete)

    def after_update(self) -> PageCheck | None:
        """What remains true once captures change: the claims, if all are known. The update may solve the problems."""
        return replace(self, problems=[]) if self.complete else None

    def report(self, terminal: Terminal) -> None:
        """Print the problems. Raises UsageError if a page names something that does not exist."""
        terminal.problems(self.problems)
        if wrong := sum(map(self._stops, self.problems)):
            raise UsageError(f"{wrong} error{'s' if wrong > 1 else ''} in the pages", hint="see above")

    def _stops(self, problem: ProofError) -> bool:
        """Whether a problem is a reason to run nothing. What is wrong with other snippets is none."""
        excused = problem.where is not None and problem.where.path in self.excused
        return problem.code == UsageError.code and not excused and not isinstance(problem, NeverCapturedError)


class BackgroundPageCheck:
    """A PageCheck made in another process. With `write`, problems are not reported: the update may solve them.

    In a process, because the pages are read below a deadline, which ends nothing in a thread.
    """

    def __init__(self, read: Callable[[], PageCheck], *, write: bool) -> None:
        self._reading = Forked(read)
        self._write = write
        self._reported = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reading.end()

    def report(self, terminal: Terminal) -> PageCheck | None:
        """Wait for the pages, print their problems the first time, and return what was found."""
        if self._write:
            with contextlib.suppress(Exception):
                return self._reading.result().after_update()
            return None
        found = self._reading.result()
        if not self._reported:
            self._reported = True
            found.report(terminal)
        return found


def _names(snippets: list[Snippet]) -> list[str]:
    """The names by which a page may refer to these snippets: their own, and the directory of a matrix."""
    return sorted({snippet.name for snippet in snippets} | {snippet.folder.name for snippet in snippets})
