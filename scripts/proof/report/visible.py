"""Text of others as it can be printed: what would act on a terminal, or on a CI system that reads the log, is shown."""

from __future__ import annotations


def visible(text: str) -> str:
    """Control and direction characters as their escapes; new lines and tabs stay, and so does their meaning.

    GitHub takes `##[command]` for one wherever it stands in a line; `::` it takes only at the beginning, where the
    margin stands before which text of others is printed.
    """
    shown = "".join(c if c.isprintable() or c in "\t\n" else repr(c)[1:-1] for c in text)
    return shown.replace("##[", "##\\[")
