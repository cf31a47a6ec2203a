"""Text of others as it can be printed: what would act on a terminal, or on a CI system that reads the log, is shown."""

from __future__ import annotations

import re

# What GitHub reads as a command in a job's log: `##[name` wherever it stands, and `::name` at the beginning of a line.
_COMMAND = re.compile(r"(##)(\[)|^([^\S\n]*)(::)", re.MULTILINE)


def visible(text: str) -> str:
    """Control and direction characters as their escapes, and a backslash in what would be a command.

    New lines and tabs stay.
    """
    shown = "".join(c if c.isprintable() or c in "\t\n" else repr(c)[1:-1] for c in text)
    return _COMMAND.sub(lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", shown)
