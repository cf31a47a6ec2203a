"""The log of one call of the command: what it started, what it chose, and what it left out and why.

Modules write to `logging.getLogger(__name__)`. What strangers wrote may be in it, so it is made harmless here.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from proof.core.errors import command
from proof.core.settings import cache_folder
from proof.core.text import plain

_KEPT = 50  # the newest logs
_tool = logging.getLogger("proof")


@contextlib.contextmanager
def recording(words: Sequence[str], *, verbose: bool) -> Iterator[None]:
    """Write the log of the block: to the cache, and to standard error if `verbose`."""
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    for handler in handlers:
        handler.setLevel(logging.INFO)  # below it is what the call prints anyway
    with contextlib.suppress(Exception):  # whatever is wrong with the cache, a call can do without a log
        handlers.append(_Quiet(_new_file(), encoding="utf-8", errors="replace"))
    for handler in handlers:
        handler.setFormatter(_Harmless("%(asctime)s %(name)s: %(message)s"))
        _tool.addHandler(handler)
    _tool.setLevel(logging.DEBUG)
    _tool.info("called as %s in %s", command("proof", *words), Path.cwd())
    try:
        yield
    finally:
        for handler in handlers:
            _tool.removeHandler(handler)
            handler.close()


def current() -> Path | None:
    """The file of this call's log, if it has one."""
    files = [handler.baseFilename for handler in _tool.handlers if isinstance(handler, logging.FileHandler)]
    return Path(files[0]) if files else None


def folder() -> Path:
    """Where logs are kept. Raises UsageError if the cache cannot be there."""
    return cache_folder() / "logs"


class _Harmless(logging.Formatter):
    """No line of an entry looks like an entry, or acts on a terminal or in CI."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record).replace("\n", "\n    | "))


class _Quiet(logging.FileHandler):
    """A full disk is no reason to fail, or to print anything."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


def _new_file() -> Path:
    logs = folder()
    logs.mkdir(parents=True, exist_ok=True)
    for old in sorted(logs.glob("proof-2*.log"))[: 1 - _KEPT]:
        old.unlink(missing_ok=True)
    return logs / f"proof-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{os.getpid()}.log"
