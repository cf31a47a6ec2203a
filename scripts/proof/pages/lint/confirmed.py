"""Remembers which sentences somebody has compared with their claims: snippets/claims.lock.

A claim checks its predicate, and nobody but a reader can tell whether a sentence says the same. So a sentence that was
edited while its claim was not is reported, until `proof status --confirm` records that it still fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from proof.core import hashes
from proof.core.errors import PageError, ProofError
from proof.core.files import read_text, write_whole
from proof.pages.page import PageReport

FILE = "claims.lock"  # below snippets/
_HEADER = "# Sentences and their claims, as they were last confirmed: proof status --confirm\n"
_LARGEST = 5_000_000  # bytes
_DIGITS = 16  # of a hash


class UnconfirmedError(PageError):
    """A sentence was edited, and its claim was not."""


def problems(root: Path, scanned: Iterable[PageReport]) -> Iterator[ProofError]:
    """The claims that are not confirmed. None if the project has no claims.lock."""
    if (root / "snippets" / FILE).exists():
        yield from unconfirmed(root, scanned)


def unconfirmed(root: Path, scanned: Iterable[PageReport]) -> Iterator[UnconfirmedError]:
    """The claims that are not in claims.lock: all of them if there is no such file."""
    path = root / "snippets" / FILE
    lines = read_text(path, below=root, limit=_LARGEST).splitlines() if path.exists() else []
    known = {tuple(line.split()) for line in lines[1:]}
    claims = {entry: (page, i) for page in scanned for i, entry in enumerate(_entries(root, page))}
    left = {entry[:2] for entry in known - claims.keys()}  # claims whose sentence is another one now
    for entry, (page, i) in claims.items():
        if entry not in known:
            claim = page.page.claims[i]
            what = "this sentence was edited, and its claim was not" if entry[:2] in left else "this claim is new"
            yield UnconfirmedError(
                what,
                where=page.page.document.where(claim.at),
                evidence=f"{claim.sentence}\nclaim: {claim.predicate}\nfacts: {claim.values}",
                hint="does the claim say what the sentence says? Then: proof status --confirm",
            )


def confirm(root: Path, scanned: Sequence[PageReport]) -> Path:
    """Record the claims of all pages with their sentences.

    Raises PageError, and writes nothing, if a page has an error: reading may have stopped there, and the claims below
    it would lose their confirmation.
    """
    path = root / "snippets" / FILE
    errors = [problem for page in scanned for problem in page.problems if problem.code == PageError.code]
    if errors or not scanned:
        raise PageError(
            "nothing is confirmed while pages have errors, as their claims may not have been read",
            where=errors[0].where if errors else None,
            evidence=errors[0].what if errors else "no page could be read",
            hint="proof status lists the errors: correct them, then confirm again",
        )
    lines = sorted({"  ".join(entry) for page in scanned for entry in _entries(root, page)})
    write_whole(path, _HEADER + "".join(f"{line}\n" for line in lines))
    return path


def _entries(root: Path, report: PageReport) -> list[tuple[str, ...]]:
    """For each claim of a page: the page, and hashes of the predicate and of the sentence."""
    name = report.path.relative_to(root).as_posix().replace(" ", "%20")
    return [(name, _short(claim.predicate), _short(claim.written)) for claim in report.page.claims]


def _short(text: str) -> str:
    return hashes.hash_text(text).removeprefix("sha256:")[:_DIGITS]
