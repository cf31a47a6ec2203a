"""The text of a pull request that proposes new captures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proof.captures.model import Capture
from proof.core.errors import ProofError
from proof.pages import status
from proof.reports import changes
from proof.runs.result import Result

_LONGEST = 60_000  # characters: GitHub refuses a pull request's text of over 65,536
_NOTE = 200  # characters reserved for the note that something was cut


def proposal(root: Path, results: Sequence[Result], taken: Sequence[Result]) -> str:
    """What a reviewer has to know, as Markdown: what changed, what was not measured, and which claims fail.

    `results` are all results of the run, `taken` those whose captures were written to the repository.
    """
    by_name = {result.snippet.name: result for result in taken}
    blocks = [_head(taken)]
    problems: list[ProofError] = status.status(root).problems
    if problems:
        blocks.append("Correct the sentences on these pages, on this branch, not their claims: see `proof status`.")
    shown = [by_name.get(result.snippet.name, result) for result in results]
    blocks.append(changes.counts(shown))
    sections = changes.sections(shown, problems)
    if bases := _bases(taken):
        sections.insert(0, f"### Bases\n\n{bases}")
    room = _LONGEST // max(len(sections), 1)  # for each of them, however long the others are
    return "\n\n".join([*blocks, *(_cut(section, room) for section in sections)]) + "\n"


def _cut(section: str, room: int) -> str:
    """Cut a section between two rows, so that no markup is left open, and say how many rows are missing."""
    if len(section) <= room:
        return section
    kept = section[: section.rfind("\n", 0, room - _NOTE)]
    missing = section.count("\n| ") - kept.count("\n| ")
    return f"{kept}\n\n{missing} more rows do not fit here: see the files on this branch.".strip()


def _head(taken: Sequence[Result]) -> str:
    made = [result.new.provenance for result in taken if result.new]
    dates = sorted(provenance.date[:10] for provenance in made)
    engines = sorted({provenance.engine for provenance in made})
    when = dict.fromkeys((*dates[:1], *dates[-1:]))  # the first and the last day, once if they are the same
    text = f"Measured on {' to '.join(when)} by {', '.join(map(changes.code, engines))}." if made else ""
    other = [r for r in taken if r.old and r.new and r.old.environment != r.new.environment]
    if other:
        old, new = _environment(other[0].old), _environment(other[0].new)
        text += (
            f" {len(other)} snippets were measured in this environment for the first time "
            f"({changes.code(old)} before, {changes.code(new)} now), so their differences are not drift."
        )
    return text


def _environment(capture: Capture | None) -> str:
    return str(capture.environment) if capture else "none"


def _bases(taken: Sequence[Result]) -> str:
    """A table of the bases that changed; empty if none did."""
    rows: dict[str, tuple[str, str]] = {}
    for result in taken:
        before = result.old.provenance.bases if result.old else {}
        for name, now in (result.new.provenance.bases if result.new else {}).items():
            if before.get(name, "") != now:
                rows[name] = (before.get(name, "none"), now)
    return changes.table(("base", "before", "now"), [(name, *row) for name, row in sorted(rows.items())])
