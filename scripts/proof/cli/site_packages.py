"""The packages that only some verbs need, and that not every installation has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from proof.core.errors import UsageError

EXTRA = "proof-pages[site]"


@contextlib.contextmanager
def needed(verb: str) -> Iterator[None]:
    """Say how to install what an import in the block does not find."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "proof").partition(".")[0] == "proof":
            raise
        raise UsageError(
            f"`proof {verb}` needs the package {error.name}, which is not installed here", hint=f"pip install '{EXTRA}'"
        ) from error
