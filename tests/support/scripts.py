"""A checkout with one of the real scripts among stubs of what it calls."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

# Logs its name and arguments, and the pinned engine on its PATH; prints $SAYS; ends with $CODE if it is called $FAILS.
STUB = """#!/bin/sh
case $PATH in /pinned:*) echo "pinned, $DOCKER_CONFIG" >>calls ;; esac
echo "${0##*/}${*:+ $*}" >>calls
[ -z "$SAYS" ] || echo "$SAYS"
[ "${0##*/}" != "$FAILS" ] || exit "$CODE"
"""


def stubbed(root: Path, script: str, *stubs: str, files: Mapping[str, str | bytes] | None = None) -> Path:
    """The script and lib.sh, stubs at these paths, and these executable files."""
    real = {f"scripts/{name}": (REPOSITORY / "scripts" / name).read_bytes() for name in (script, "lib.sh")}
    every = {**real, **dict.fromkeys(stubs, STUB), **(files or {})}
    write(root, every)
    for name in every:
        (root / name).chmod(0o755)
    return root


def run(root: Path, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script, in this environment."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **env}
    call = [f"scripts/{script}", *arguments]
    return subprocess.run(call, cwd=root, env=env, capture_output=True, text=True, check=False)


def calls(root: Path) -> list[str]:
    """What the stubs logged since the last call of this function."""
    log = root / "calls"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines
