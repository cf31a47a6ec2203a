"""What an unexpected error ends in: one line, a log file to report it with, and an exit code of its own."""

from __future__ import annotations

import platform
import re
import secrets
import sys
import tempfile
import traceback
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from proof.core import call_log
from proof.core.errors import print_error
from proof.core.text import plain

CODE = 70  # "internal software error" of sysexits.h: above 8, the last code of a verdict
_LONGEST = 200  # characters of an error's text


def report(error: BaseException) -> int:
    """Print what an unexpected error is, with the path of its log. Returns the exit code."""
    print_error(f"proof: unexpected error: {in_short(error)}\n    hint: report it with {log(error)}")
    return CODE


def in_short(error: BaseException) -> str:
    """The type and the text of an error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST]}"


def log(error: BaseException) -> str:
    """Add it to the log of this call, in the cache or else among temporary files. Returns the path."""
    text = plain("\n".join([*_versions(), "", *traceback.format_exception(error)]))
    name = f"proof-crash-{secrets.token_hex(4)}.log"
    for place in (call_log.current, lambda: call_log.folder() / name, lambda: Path(tempfile.gettempdir(), name)):
        try:
            if path := place():
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a", encoding="utf-8", errors="replace") as file:
                    file.write(text)
                return str(path)
        except Exception:  # noqa: BLE001, S112 - whatever is wrong with a directory, it must not hide the error
            continue
    return f"these lines:\n{text.rstrip()}"


def distribution() -> metadata.Distribution | None:
    """The installed tool, found by its command: the distribution may have another name than the package."""
    commands = metadata.entry_points(group="console_scripts", name="proof")
    return next((command.dist for command in commands if command.dist), None)


def _versions() -> Iterator[str]:
    """The versions of the tool, of Python, of the platform, and of the packages that the tool requires."""
    tool = distribution()
    yield f"proof {tool.version if tool else 'of an unknown version'}"
    yield f"Python {sys.version}"
    yield platform.platform()
    for requirement in (tool.requires if tool else None) or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name} is not installed"
