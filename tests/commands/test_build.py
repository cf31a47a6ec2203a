"""scripts/build: which snippets it asks for, and that it says no more than the check did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY
from tests.support.makers import write

NOTHING = "Nothing was verified: the pages show the committed captures."
ARTICLE = "Checking the snippets of the article. To check those of every page: scripts/build --all"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The script with stubs for what it calls: each logs its arguments, and `proof` answers what the test says."""
    write(tmp_path, {f"scripts/{name}": (REPOSITORY / "scripts" / name).read_bytes() for name in ("build", "lib.sh")})
    stubs = {name: f'#!/bin/sh\necho "{name}${{*:+ $*}}" >>calls\n' for name in ("scripts/bootstrap", "scripts/site")}
    stubs[".venv/bin/proof"] = '#!/bin/sh\necho "proof $*" >>calls\necho "$SAYS"\nexit "$CODE"\n'
    write(tmp_path, stubs)
    for name in stubs:
        (tmp_path / name).chmod(0o755)
    return tmp_path


def build(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/build", *arguments],
        cwd=root,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SAYS": "3 snippets", "CODE": "0", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "env", "call"),
    [
        ((), {}, "check --no-engine-ok --page docs/index.md"),
        (("--all",), {}, "check --no-engine-ok"),
        (("note", "--rerun"), {}, "check --no-engine-ok note --rerun"),
        (("--all", "--quick"), {}, "check --no-engine-ok --quick"),
        ((), {"CI": "true"}, "check --page docs/index.md"),
    ],
)
def test_it_checks_and_then_builds(arguments: tuple[str, ...], env: dict[str, str], call: str, root: Path) -> None:
    """The article's snippets unless others are named; in CI a missing engine is an error."""
    done = build(root, *arguments, **env)
    assert done.returncode == 0, done.stderr
    assert (root / "calls").read_text().splitlines() == ["scripts/bootstrap", f"proof {call}", "scripts/site"]
    assert (ARTICLE in done.stdout) is (not arguments)


@pytest.mark.parametrize("says", ["3 snippets", NOTHING])
def test_only_the_check_says_what_was_verified(says: str, root: Path) -> None:
    """Without an engine nothing was, and the script must not claim otherwise after it."""
    first, check, *last = build(root, SAYS=says).stdout.splitlines()
    assert (first, check) == (ARTICLE, says)
    assert not [line for line in last if "erif" in line or "hecked" in line]
    assert last[-1].startswith("Done in ")


def test_a_failed_check_builds_no_site(root: Path) -> None:
    """The script ends with the code of the check."""
    done = build(root, CODE="1")
    assert done.returncode == 1
    assert "scripts/site" not in (root / "calls").read_text()
    assert "Done" not in done.stdout
