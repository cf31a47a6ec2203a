"""scripts/lib.sh, which every script reads first: what a stranger wrote neither acts when it is printed, nor is run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import REPOSITORY, git
from tests.support.injections import HOSTILE
from tests.support.makers import write
from tests.support.site import outputs

BAR = "  │ "


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that has the file, a page, and what `.gitignore` says."""
    write(tmp_path, {"scripts/lib.sh": (REPOSITORY / "scripts/lib.sh").read_bytes(), "docs/index.md": "# A page\n"})
    write(tmp_path, {".gitignore": (REPOSITORY / ".gitignore").read_bytes()})
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    return tmp_path


def bash(root: Path, script: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run a script that reads the file first."""
    call = ["bash", "-euo", "pipefail", "-c", f". scripts/lib.sh\n{script}"]
    return subprocess.run(
        call, cwd=root, input=given.encode("utf-8", "surrogateescape"), capture_output=True, check=False
    )


def shown(printed: bytes) -> list[str]:
    """The lines of evidence, without their bars."""
    lines = printed.decode("utf-8").removesuffix("\n").split("\n")
    assert all(line.startswith(BAR) for line in lines)
    return [line.removeprefix(BAR) for line in lines]


@pytest.mark.parametrize("text", [*HOSTILE, *outputs("x", "y")], ids=lambda text: repr(text[:20]))
def test_evidence_does_not_act(text: str, root: Path) -> None:
    """Neither on a terminal nor in the log of a CI system: ASCII behind a bar, and no mark of a command."""
    done = bash(root, "tail=1000000 evidence", text)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = shown(done.stdout)
    assert all(line.replace("\t", "").isprintable() and line.isascii() for line in lines)
    assert not any("##" in line for line in lines)


def test_a_failed_step_shows_evidence(root: Path) -> None:
    """Code and place of the log, and its end."""
    done = bash(root, "step title sh -c 'printf \"a\\033b ##[x]\"; exit 3'")
    first, _, rest = done.stdout.decode().split("\n", 1)[1].partition("\n")
    assert done.returncode == 3
    assert first.endswith("with code 3. The end of build/log/title.log:")
    assert shown(rest.encode()) == ["a?b # #[x]"]


BROUGHT = (
    ".venv/bin/python",
    ".venv/lib/python3.13/site-packages/x.pth",
    "build/site.stamp",
    "build/engine/bin/docker",
    "site/index.html",
    "setup.py",
    "setup.cfg",
    "scripts/proof/core/__pycache__/text.cpython-313.pyc",
    "scripts/proof_pages.egg-info/entry_points.txt",
    ".mypy_cache/x",
)


@pytest.mark.parametrize("name", BROUGHT)
def test_a_branch_does_not_bring_what_the_scripts_make(name: str, root: Path) -> None:
    """Nothing is run, and nothing is removed: the message says which files they are, and that is code 2."""
    write(root, {name: "x", ".gitignore": ""})
    git(root, "add", "--all")
    done = bash(root, "touch ran")
    assert (done.returncode, done.stdout) == (2, b"")
    said = done.stderr.decode().splitlines()
    assert said[1] == f"{BAR}{name}"
    assert said[-1].startswith("hint: ")
    assert (root / name).read_text() == "x"
    assert not (root / "ran").exists()


@pytest.mark.parametrize("name", [".venv", "build", "site"])
def test_nor_a_link_in_its_place(name: str, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The scripts would write, or remove, where it leads."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (root / name).symlink_to(elsewhere)
    git(root, "add", "--force", name)
    done = bash(root, "mkdir -p build/log")
    assert done.returncode == 2
    assert list(elsewhere.iterdir()) == []


def test_nor_a_repository_in_its_place(root: Path) -> None:
    """A clone with submodules would fill it."""
    git(root, "init", "--quiet", ".venv")
    git(root / ".venv", "commit", "--quiet", "--allow-empty", "--message=x")
    git(root, "add", "--force", ".venv")
    assert bash(root, "touch ran").returncode == 2


def test_nor_in_other_letters(root: Path) -> None:
    """Where a disk takes them for the same, git knows it."""
    write(root, {".Venv/bin/python": "x", "docs/build/x": "", "docs/site/setup.py": ""})
    git(root, "add", "--all")
    assert bash(root, ":").returncode == 0
    git(root, "config", "core.ignorecase", "true")
    assert bash(root, ":").returncode == 2


def test_what_the_scripts_made_is_no_obstacle(root: Path) -> None:
    """Nor is a checkout without git, or one whose git does not answer."""
    write(root, dict.fromkeys(BROUGHT, "x"))
    assert bash(root, ":").returncode == 0
    (root / ".git/HEAD").unlink()
    assert bash(root, ":").returncode == 0


@pytest.mark.parametrize("call", ["-m venv", "-m pip --version", "-c 'import venv, pip'"])
def test_python_does_not_import_from_the_root(call: str, root: Path) -> None:
    """A branch could have put any module there."""
    write(root, {f"{name}.py": "open('ran', 'w')" for name in ("venv", "pip", "ensurepip")})
    bash(root, f"{sys.executable} {call}")
    assert not (root / "ran").exists()
