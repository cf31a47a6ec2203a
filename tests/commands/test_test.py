"""scripts/test: which checks it runs, in which order, and what it sets up for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

CHECKS = ["ruff check", "ruff format --check --diff", "mypy"]
WORKERS = (os.cpu_count() or 1) + 1
PYTEST = f"python -m pytest --numprocesses {WORKERS}"
ALL = f"{PYTEST} --dist loadscope --no-loadscope-reorder"
UNIT = f"{PYTEST} --dist worksteal tests/unit"
OTHERS = f"{ALL} --ignore tests/unit"
QUICK = f"{PYTEST} --hypothesis-profile=quick --dist worksteal tests/unit"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The script with a stub for each program that it calls, which logs it; the one called $FAILS ends with $CODE."""
    write(tmp_path, {f"scripts/{name}": (REPOSITORY / "scripts" / name).read_bytes() for name in ("test", "lib.sh")})
    stub = '#!/bin/sh\necho "${0##*/}${*:+ $*}" >>calls\n[ "${0##*/}" != "$FAILS" ] || exit "$CODE"\n'
    for name in ("scripts/bootstrap", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/python"):
        (write(tmp_path, {name: stub}) / name).chmod(0o755)
    return tmp_path


def run(root: Path, *arguments: str, fails: str = "", code: int = 1) -> tuple[int, list[str]]:
    """The exit code, and every call in its order, without the directory for temporary files."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "FAILS": fails, "CODE": str(code)}
    done = subprocess.run(["bash", "scripts/test", *arguments], cwd=root, env=env, capture_output=True, check=False)
    calls = (root / "calls").read_text()
    for folder in map(Path, re.findall(r" --basetemp (\S+)", calls)):
        assert folder.exists() is bool(fails)  # what failed tests leave is kept
        shutil.rmtree(folder, ignore_errors=True)
    return done.returncode, re.sub(r" --basetemp \S+", "", calls).splitlines()


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        ((), ["bootstrap --tests", *CHECKS, UNIT, OTHERS]),
        (("-k", "two words"), ["bootstrap --tests", *CHECKS, f"{ALL} -k two words"]),
        (("--quick",), ["bootstrap --dev", *CHECKS, QUICK]),
        (("--quick", "-x"), ["bootstrap --dev", *CHECKS, f"{QUICK} -x"]),
    ],
)
def test_what_it_runs(arguments: tuple[str, ...], calls: list[str], root: Path) -> None:
    """Everything, or with --quick what needs no engine and no browser: neither is installed for it then."""
    assert run(root, *arguments) == (0, calls)


@pytest.mark.parametrize(("fails", "last"), [("bootstrap", 1), ("ruff", 2), ("mypy", 4), ("python", 5)])
def test_it_ends_at_the_first_failure(fails: str, last: int, root: Path) -> None:
    """What comes after it is not run, and the exit code says so."""
    code, calls = run(root, "--quick", fails=fails)
    assert (code, calls) == (1, ["bootstrap --dev", *CHECKS, QUICK][:last])


def test_a_failed_unit_test_stops_no_other(root: Path) -> None:
    """One run tells all, and fails."""
    assert run(root, fails="python") == (1, ["bootstrap --tests", *CHECKS, UNIT, OTHERS])


@pytest.mark.parametrize("code", [2, 3])
def test_an_interrupt_ends_the_script(code: int, root: Path) -> None:
    """After Ctrl-C (2) or an error of pytest itself (3), no other tests begin."""
    assert run(root, fails="python", code=code) == (code, ["bootstrap --tests", *CHECKS, UNIT])
