"""Reads the pages and finds their problems, in the background while an engine starts."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from proof.core.errors import ProofError, UsageError
from proof.pages import scan, status
from proof.pages.page import PageReport
from proof.reports.terminal import Terminal
from proof.snippets.model import Snippet


@dataclass(frozen=True)
class PageCheck:
    """The pages of a project, and the problems found in them."""

    pages: list[PageReport]
    problems: list[ProofError]

    @classmethod
    def of(cls, root: Path, snippets: list[Snippet], *, everything: bool) -> PageCheck:
        """Read the pages of a project; unless `everything`, only those that use one of these snippets."""
        pages = scan.scan(root) if everything else scan.scan(root, expand=False, naming=_names(snippets))
        return cls(pages, status.page_problems(pages, snippets, everything=everything))

    def after_update(self) -> PageCheck | None:
        """What remains true once captures change: the claims, if every page could be read, and no problem."""
        return None if any(page.problems for page in self.pages) else PageCheck(self.pages, [])

    def report(self, terminal: Terminal) -> None:
        """Print the problems. Raises UsageError if a page names something that does not exist."""
        terminal.problems(self.problems)
        if broken := sum(problem.code == UsageError.code for problem in self.problems):
            raise UsageError(f"{broken} error{'s' if broken > 1 else ''} in the pages", hint="see above")


class BackgroundPageCheck:
    """A PageCheck made in another thread. With `write`, problems are not reported: the update may solve them."""

    def __init__(self, pool: Executor, root: Path, snippets: list[Snippet], *, everything: bool, write: bool) -> None:
        self._reading = pool.submit(PageCheck.of, root, snippets, everything=everything)
        self._write = write
        self._reported = False

    def report(self, terminal: Terminal) -> PageCheck | None:
        """Wait for the pages, print their problems the first time, and return what was found."""
        if self._write:
            return None if self._reading.exception() else self._reading.result().after_update()
        found = self._reading.result()
        if not self._reported:
            self._reported = True
            found.report(terminal)
        return found


def _names(snippets: list[Snippet]) -> list[str]:
    """The names by which a page may refer to these snippets: their own, and the directory of a matrix."""
    return sorted({snippet.name for snippet in snippets} | {snippet.folder.name for snippet in snippets})
