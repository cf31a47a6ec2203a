"""The result of running one snippet: its verdict, what a drift was caused by, and the exit codes that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from proof.captures.diff import Difference
from proof.captures.fingerprint import Change
from proof.captures.model import Capture
from proof.core.errors import ProofError
from proof.snippets.model import Snippet

Verdict = Literal[
    "accurate", "drift", "unstable", "failed", "never captured", "not measured", "another environment", "written"
]
# What caused a drift, the most certain first. If none of the inputs has changed, `network` remains for a snippet that
# fetches something, and `output` for the others.
Cause = Literal["capture", "snippet", "base", "engine", "network", "output"]
CODES: dict[Verdict, int] = {
    "accurate": 0,
    "written": 0,
    "drift": 1,
    "unstable": 1,
    "failed": 2,
    "never captured": 2,
    "not measured": 3,
    "another environment": 4,
}
CAUSE_CODES: dict[Cause, int] = {"output": 1, "snippet": 5, "base": 6, "engine": 7, "capture": 8, "network": 9}


@dataclass(frozen=True)
class Result:
    """What running one snippet came to."""

    snippet: Snippet
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    changes: tuple[Change, ...] = ()  # the inputs that changed since the capture
    cause: Cause | None = None  # of a drift
    old: Capture | None = None  # the committed capture
    new: Capture | None = None  # what this run measured
    error: ProofError | None = None  # why nothing was measured
    words: tuple[int, int] = (0, 0)  # outputs in the same words as the capture's, and in others; of another engine only
    not_compared: tuple[str, ...] = ()  # outputs and facts of another engine's capture that the run says nothing about
    # The whole capture of a run by another engine, of which `new` has only what was compared.
    measured: Capture | None = None
    cached: bool = False  # True if an earlier run found it, and nothing has changed since

    @property
    def emulated(self) -> str:
        """Says so behind the verdict, if an emulator ran the programs; else empty."""
        made = self.measured or self.new
        return ", emulated" if made and made.environment.emulated_on else ""

    @property
    def seconds(self) -> float:
        """How long the commands of this run took."""
        return sum(step.seconds for step in self.new.steps) if self.new and not self.cached else 0.0


def is_accurate(old: Capture | None, changes: Sequence[Change], differences: Sequence[Difference]) -> bool:
    """True if a capture still holds: it was made from the same inputs, and nothing differs."""
    return old is not None and not differences and not any(change.invalidates for change in changes)


def cause_of(snippet: Snippet, old: Capture | None, changes: Sequence[Change]) -> Cause:
    """What caused a drift: the most certain explanation."""
    if old is not None and old.tampered:
        return "capture"
    kinds = {change.kind for change in changes}
    if old is None or "snippet" in kinds:
        return "snippet"
    if "base" in kinds or "engine" in kinds:
        return "base" if "base" in kinds else "engine"
    return "network" if any(step.hosts for step in snippet.steps) else "output"


def worst(results: Sequence[Result], *, by_cause: bool = False) -> int:
    """The exit code of a run: failures first, then drift, then what could not be measured or compared.

    With `by_cause` a drift has the code of its cause (see CAUSE_CODES). The first snippet that drifted decides.
    """
    codes = {CODES[result.verdict] for result in results}
    code = next((code for code in (2, 1, 3, 4) if code in codes), 0)
    causes = [result.cause for result in results if result.verdict == "drift" and result.cause]
    return CAUSE_CODES[causes[0]] if by_cause and code == 1 and causes else code
