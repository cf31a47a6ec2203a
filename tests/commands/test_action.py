"""What other repositories use: the GitHub action, and the hook for pre-commit."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helpers import REPOSITORY, captured, succeeded, tiny

ACTION: dict[str, Any] = yaml.safe_load((REPOSITORY / "action.yml").read_text("utf-8"))
INSTALL, RUN = ACTION["runs"]["steps"]


def step(run: str, tmp_path: Path, *, python: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """A step, as a runner runs it. `proof` is that of this environment, and pip only says what it is called with.

    `python` is a script in place of both Pythons.
    """
    made = tmp_path / "runner" / "proof" / "bin"
    made.mkdir(parents=True)
    (made / "proof").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m proof.cli.main "$@"\n')
    (made / "python").write_text(python or '#!/bin/sh\necho "$@"\n')
    (tmp_path / "python3").write_text(python or "#!/bin/sh\nexit 0\n")
    for program in (made / "proof", made / "python", tmp_path / "python3"):
        program.chmod(0o755)
    given = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "GITHUB_ACTION_PATH": str(REPOSITORY),
        "GITHUB_PATH": str(tmp_path / "path"),
        "PROOF_CACHE": str(tmp_path / "cache"),
        **env,
    }
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", run]
    return subprocess.run(argv, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)


def test_it_installs_what_is_locked(tmp_path: Path) -> None:
    """With hashes, then the tool itself without anything else; and later steps find it."""
    done = succeeded(step(INSTALL["run"], tmp_path))
    lock, tool = done.stdout.splitlines()
    assert lock.endswith(f"install --quiet --require-hashes --only-binary :all: -r {REPOSITORY}/requirements.lock")
    assert tool.endswith(f"install --quiet --no-deps --no-build-isolation {REPOSITORY}")
    assert (tmp_path / "path").read_text() == f"{tmp_path}/runner/proof/bin\n"


def test_it_imports_nothing_from_the_workspace(tmp_path: Path) -> None:
    """`python -m pip` would run a stranger's pip.py."""
    for name in ("pip", "venv"):
        (tmp_path / f"{name}.py").write_text("open('owned', 'w')")
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@" --help\n'
    done = succeeded(step(INSTALL["run"], tmp_path, python=python))
    assert "usage: venv" in done.stdout
    assert "Install packages from" in done.stdout
    assert not (tmp_path / "owned").exists()


def test_it_runs_in_the_project(tmp_path: Path) -> None:
    """Its exit code is that of `proof`, and a project may be anywhere in the workspace."""
    captured(tiny(tmp_path))
    done = succeeded(step(RUN["run"], tmp_path, ARGUMENTS="status", PROJECT="tiny"))
    assert "3 snippets" in done.stdout


@pytest.mark.parametrize(
    "arguments", ["status; touch owned", "status $(touch owned)", "status `touch owned`", "status >x"]
)
def test_no_shell_reads_the_arguments(tmp_path: Path, arguments: str) -> None:
    """A workflow may pass on what a stranger wrote."""
    captured(tiny(tmp_path))
    done = step(RUN["run"], tmp_path, ARGUMENTS=arguments, PROJECT="tiny")
    assert done.returncode == 2
    assert not list(tmp_path.rglob("owned"))


def test_inputs_go_through_the_environment() -> None:
    """In a script, what GitHub replaces would be code."""
    assert not any("${{" in each["run"] for each in (INSTALL, RUN))
    assert set(re.findall(r"\$\{\{ inputs\.(\w+) \}\}", str(RUN["env"]))) == set(ACTION["inputs"])
    assert ACTION["inputs"]["arguments"]["default"] == "check --report github"


def test_the_hook_is_status() -> None:
    """For commits that change a page, a snippet or a setting."""
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert (hook["entry"], hook["language"], hook["pass_filenames"]) == ("proof status", "python", False)
    for name in ("docs/index.md", "snippets/a/context/Dockerfile", "mkdocs.yml", "properdocs.yml", "proof.toml"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "README.md")
