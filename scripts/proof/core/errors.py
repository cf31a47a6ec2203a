"""The errors of the tool. Each says what is wrong and where, shows the evidence, and gives a hint.

Raise them anywhere. Only `cli.main` turns them into an exit code.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.core.text import first_invisible, plain


@dataclass(frozen=True)
class Where:
    """A line of a file. Prints as `path:line`, with the path relative to the working directory if it is below it."""

    path: Path
    line: int | None = None  # counted from 1

    def __str__(self) -> str:
        try:
            # Only the parent is resolved: an error about a link is about the link itself, which may even form a loop.
            path = Path(os.path.realpath(self.path.parent), self.path.name).relative_to(Path.cwd())
        except ValueError:
            path = self.path
        return f"{path}:{self.line}" if self.line else str(path)


class ProofError(Exception):
    """The base class of all errors. `code` is the exit code of the tool."""

    code = 1

    def __init__(self, what: str, *, where: Where | None = None, evidence: str = "", hint: str = "") -> None:
        self.what, self.where, self.evidence, self.hint = what, where, evidence, hint
        self.also: tuple[ProofError, ...] = ()  # what else is wrong in the same file, found at the same time
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [_on_a_line(f"{self.where}: {self.what}" if self.where else self.what)]
        lines += [f"    | {line}" for line in self.evidence.splitlines()]
        if self.hint:
            lines.append(_on_a_line(f"    hint: {self.hint}"))
        return plain("\n".join(lines))


def _on_a_line(text: str) -> str:
    """A name in a message may hold a line break: what follows it must not look like a message of its own."""
    return text.replace("\n", "\\n")


def command(*words: object) -> str:
    """A command that a message tells the user to run. Every name in it may come from a stranger, and stays one word."""
    return " ".join(map(_word, words))


_FROM_BYTES = re.compile("[^\ud800-\udc7f\udd00-\udfff]*")  # as Python reads names of files that are not UTF-8


def _word(word: object) -> str:
    text = str(word)
    if isinstance(word, Path | Where) and text.startswith("-"):
        text = f"./{text}"  # it would be an option
    if not first_invisible(text):
        return shlex.quote(text)
    quoted = (
        f"\\x{byte:02x}" if byte in b"\\'" or not 0x20 <= byte < 0x7F else chr(byte)
        for byte in text.encode("utf-8", "surrogateescape" if _FROM_BYTES.fullmatch(text) else "surrogatepass")
    )
    return f"$'{''.join(quoted)}'"


def raise_all(errors: Sequence[ProofError]) -> None:
    """Raise the first of these errors, if there is one, with the others in its `also`."""
    if errors:
        errors[0].also = tuple(errors[1:])
        raise errors[0]


class UsageError(ProofError):
    """Wrong use: an invalid command line, manifest or page."""

    code = 2


class ManifestError(UsageError):
    """snippet.toml or bases.toml is invalid."""


class RefusedError(UsageError):
    """A command, Dockerfile or file that the tool refuses on any engine."""


class PageError(UsageError):
    """A page names a fact, a transcript or a file that does not exist."""


class LimitError(UsageError):
    """Reading a text takes more time or memory than it may."""


class CannotMeasureError(ProofError):
    """The engine, a package, the disk or a time limit prevented the measurement: the numbers may be right or wrong."""

    code = 3


class NoEngineError(CannotMeasureError):
    """No container engine is available."""


class NotInstalledError(NoEngineError):
    """An engine is not installed here, or cannot be on this machine."""


class EngineLostError(CannotMeasureError):
    """The engine stopped answering."""


class RegistryAwayError(CannotMeasureError):
    """A registry limits requests or is down, so it makes no sense to ask it for other images."""


class DeadlineError(CannotMeasureError):
    """A command exceeded its time limit."""


class PackageError(CannotMeasureError):
    """A package of a rebuilt base could not be downloaded, or is not the pinned file."""


def exit_code_of(problems: Sequence[ProofError]) -> int:
    """The highest exit code of these errors, or 0."""
    return max((problem.code for problem in problems), default=0)


def print_error(text: str) -> None:
    """Print to standard error. Text that may come from outside is always printed here, since it is made harmless."""
    sys.stderr.write(f"{plain(text)}\n")
